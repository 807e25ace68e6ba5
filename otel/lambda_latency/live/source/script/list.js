// ---- The list: only the visible rows exist. Whoever has scrolled away from the newest row stays where he is.

import { byId, h } from "../../../page/source/script/elements.js";
import { ms } from "../../../page/source/script/numbers.js";
import { store, watchers } from "./rows.js";
import { clock, partClass } from "./words.js";

const SHOWN = 14; // rows without scrolling
const BESIDE = 3; // rows above and below the visible ones

export const list = { element: null, inner: null, pool: [], row: 36, anchor: null, open: (_row) => {} };

export function drawList(open) {
  list.open = open;
  list.element = byId("list");
  list.inner = h("div", { class: "inner", role: "rowgroup" });
  list.element.append(list.inner);
  list.element.addEventListener("scroll", () => drawRows(), { passive: true });
  list.element.addEventListener("keydown", listKey);
  new ResizeObserver(() => {
    list.row = list.element.parentElement.clientWidth <= 720 ? 58 : 36;
    resize();
  }).observe(list.element.parentElement);
  watchers.push(resize);
}

function resize() {
  if (list.element === null || store.paused) return drawRows();
  const top = list.element.scrollTop;
  const before = list.anchor;
  list.element.hidden = store.view.length === 0;
  list.inner.style.height = `${store.view.length * list.row}px`;
  list.element.style.height = `${Math.min(SHOWN, Math.max(1, store.view.length)) * list.row + 2}px`;
  list.element.setAttribute("aria-rowcount", String(store.view.length));
  if (top > 0 && before !== null) {
    const now = store.view.findIndex((row) => row.n === before.n || (row.id !== "" && row.id === before.id));
    if (now >= 0) list.element.scrollTop = now * list.row + before.rest;
  }
  drawRows();
}

function newRow() {
  const element = h("div", { class: "row", role: "row", id: `row-${list.pool.length}` });
  const place = { element, row: null };
  element.addEventListener("click", () => {
    if (place.row === null) return;
    store.current = place.row;
    list.open(place.row);
  });
  list.inner.append(element);
  list.pool.push(place);
  return place;
}

export function drawRows() {
  const top = list.element.scrollTop;
  const first = Math.max(0, Math.floor(top / list.row) - BESIDE);
  const end = Math.min(store.view.length, Math.ceil((top + list.element.clientHeight) / list.row) + BESIDE);
  const at = Math.floor(top / list.row);
  const anchor = store.view[at];
  list.anchor = anchor === undefined ? null : { n: anchor.n, id: anchor.id, rest: top - at * list.row };
  let used = 0;
  let active = "";
  for (let index = first; index < end; index++, used++) {
    const place = list.pool[used] ?? newRow();
    const row = store.view[index];
    if (place.row !== row) {
      place.element.replaceChildren(...cells(row));
      place.row = row;
    }
    const { element } = place;
    element.hidden = false;
    element.style.top = `${index * list.row}px`;
    element.className = `row${row.mark ? " mark" : ""}${row.id !== "" && row.id === store.open ? " open" : ""}${row === store.current ? " current" : ""}`;
    element.setAttribute("aria-rowindex", String(index + 1));
    if (row.id !== "" && row.id === store.open) element.setAttribute("aria-selected", "true");
    else element.removeAttribute("aria-selected");
    if (row === store.current) active = element.id;
  }
  for (; used < list.pool.length; used++) {
    list.pool[used].element.hidden = true;
    list.pool[used].row = null;
  }
  if (active) list.element.setAttribute("aria-activedescendant", active);
  else list.element.removeAttribute("aria-activedescendant");
}

const cell = (name, ...children) => h("span", { class: name, role: "gridcell" }, children);

function cells(row) {
  const at = cell("at", clock(row.end));
  if (row.mark) return [at, cell("told", h("b", {}, row.mark), ": compare the requests before and after")];
  const failed = row.what !== "" || row.where !== "";
  const [largest] = row.parts;
  const part = failed
    ? cell("part failed", row.where && [h("code", {}, row.where), row.what && " · "], row.what)
    : cell("part", largest ? `${largest[0]} ${ms(largest[2])}` : "", stripes(row));
  return [at, cell("route", row.route), cell("took", ms(row.ns)), part, cell("marks", marksOf(row))];
}

function stripes(row) {
  if (row.parts.length === 0) return null;
  return h(
    "span",
    { class: "stripes", "aria-hidden": "true" },
    row.parts.map(([, bucket, ns]) => h("i", { class: `fill ${partClass(bucket)}`, "$flex-grow": String(Math.max(1, ns / 1e5)) })),
    h("i", { "$flex-grow": String(Math.max(1, (row.ns - row.parts.reduce((sum, [, , ns]) => sum + ns, 0)) / 1e5)) }),
  );
}

export function marksOf(row) {
  const word = (text, kind) => h("span", { class: `mark-word ${kind}` }, text);
  return [
    row.timeout ? word("timeout", "bad") : row.error && word(row.status ? String(row.status) : "error", "bad"),
    !row.timeout && !row.error && row.status !== null && h("span", {}, String(row.status)),
    row.cold && word("cold start", "cold"),
  ];
}

function listKey(event) {
  const at = store.view.indexOf(store.current);
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: SHOWN, PageUp: -SHOWN, Home: -Infinity, End: Infinity };
  if (event.key in steps) {
    const to = Math.min(Math.max((at < 0 ? -1 : at) + steps[event.key], 0), store.view.length - 1);
    store.current = store.view[to] ?? null;
    show(to);
  } else if (event.key === "Enter" && store.current !== null) list.open(store.current);
  else return;
  event.preventDefault();
}

function show(index) {
  const { element, row } = list;
  if (index * row < element.scrollTop) element.scrollTop = index * row;
  if ((index + 1) * row > element.scrollTop + element.clientHeight) element.scrollTop = (index + 1) * row - element.clientHeight;
  drawRows();
}
