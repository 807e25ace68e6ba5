// ---- The list of requests: only visible rows exist.

import { h, onWidth, section } from "./elements.js";
import { filters, found } from "./filters.js";
import {
  COLD_START,
  ERROR,
  THROTTLED,
  TIMEOUT,
  bucketsOf,
  has,
  hasSpans,
  isScarce,
  label,
  largestPart,
  nsIn,
  partClass,
  requests,
  routeOf,
  swatch,
} from "./report.js";
import { openRequest } from "./request.js";
import { DOWN_FIRST, apply, state, view, watchers } from "./state.js";
import { ms, say, severalDays, started } from "./words.js";

const COLUMNS = [
  "start",
  "route",
  "took",
  "part",
  "marks",
];
const SHOWN = 12; // rows without scrolling
const LIST_HEADS = 34; // pixels of the heads with their borders
const BESIDE = 4; // rows kept above and below the visible ones
const MOST_STRIPES = 6;

// `top` and `height` are cached: reading them from the browser forces a layout.
export const list = { element: null, inner: null, pool: [], current: 0, row: 36, top: 0, height: 0 };

export function drawList() {
  const heads = COLUMNS.map((key) => columnHead(key, say(`list.${key}`)));
  list.inner = h("div", { class: "inner", role: "rowgroup" });
  list.element = h(
    "div",
    { class: "list", id: "list", role: "grid", tabindex: 0, "aria-label": say("list.title"), "aria-describedby": "found" },
    h("div", { class: "row heads", role: "row" }, heads),
    list.inner,
  );
  const none = h("p", { class: "hint", id: "nothing" }, say("list.none"));
  const element = section("requests", say("list.title"), null, filters(), found(), list.element, none);
  element.classList.add("wide");
  list.element.style.setProperty("--start", severalDays ? "116px" : "64px");
  const longest = ms(requests.wall_ns.reduce((most, each) => Math.max(most, each), 0));
  list.element.style.setProperty("--took", `max(72px, ${longest.length}ch)`);
  list.element.addEventListener("scroll", scrolled, { passive: true });
  list.element.addEventListener("keydown", listKey);
  onWidth(element, (width) => {
    list.row = width <= 520 ? 58 : 36;
    resizeList();
  });
  watchers.push(() => {
    none.hidden = view.length > 0;
    list.element.hidden = view.length === 0;
    list.element.setAttribute("aria-rowcount", view.length + 1);
    list.current = 0;
    scrollRows(0);
    resizeList();
  });
}

function columnHead(key, title) {
  const button = h("button", { "data-sort": key }, title);
  const element = h("span", { role: "columnheader", class: key }, button);
  button.addEventListener("click", () => {
    state.down = state.sort === key ? !state.down : DOWN_FIRST[key];
    state.sort = key;
    apply();
  });
  watchers.push(() => {
    const on = state.sort === key;
    const name = key === "part" && state.part >= 0 ? say("list.in", { part: label(state.part) }) : title;
    button.textContent = on ? `${name} ${state.down ? "↓" : "↑"}` : name;
    if (on) element.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else element.removeAttribute("aria-sort");
  });
  return element;
}

function resizeList() {
  for (const row of list.pool) row.at = -1;
  list.height = Math.min(SHOWN, Math.max(1, view.length)) * list.row;
  list.inner.style.height = `${view.length * list.row}px`;
  list.element.style.height = `${list.height + LIST_HEADS}px`;
  drawRows();
}

function scrolled() {
  list.top = list.element.scrollTop;
  drawRows();
}

function scrollRows(top) {
  if (top !== list.top) list.element.scrollTop = top;
  list.top = top;
}

function newRow() {
  const cells = COLUMNS.map((key) => h("span", { role: "gridcell", class: key }));
  const element = h("div", { class: "row", role: "row" }, cells);
  const row = { element, cells, at: -1, request: -1 };
  element.addEventListener("click", () => {
    list.current = row.at;
    openRequest(view[row.at], false);
  });
  list.inner.append(element);
  return row;
}

export function drawRows() {
  const first = Math.max(0, Math.floor(list.top / list.row) - BESIDE);
  const end = Math.min(view.length, Math.ceil((list.top + list.height) / list.row) + BESIDE);
  while (list.pool.length < end - first) list.pool.push(newRow());
  list.pool.forEach((row, number_) => {
    const at = first + number_;
    row.element.hidden = at >= end;
    if (at >= end) {
      row.at = -1;
      row.element.removeAttribute("id");
      return;
    }
    if (row.at !== at || row.request !== view[at]) fillRow(row, at);
    row.element.classList.toggle("current", at === list.current);
    row.element.classList.toggle("open", view[at] === state.open);
    row.element.setAttribute("aria-selected", view[at] === state.open);
  });
  if (list.current >= first && list.current < end)
    list.element.setAttribute("aria-activedescendant", `row-${list.current}`);
  else list.element.removeAttribute("aria-activedescendant");
}

function fillRow(row, at) {
  const request = view[at];
  Object.assign(row, { at, request });
  row.element.id = `row-${at}`;
  row.element.setAttribute("aria-rowindex", at + 2);
  row.element.style.top = `${at * list.row}px`;
  const [start, route, took, part, marks] = row.cells;
  start.textContent = started(requests.start_ms[request]);
  route.textContent = route.title = routeOf(request);
  took.textContent = ms(requests.wall_ns[request]);
  part.replaceChildren(...partCell(request));
  marks.replaceChildren(...marksOf(request), isScarce && hasSpans(request) ? h("span", { class: "mark-word" }, say("mark.spans").toLowerCase()) : "");
}

function partCell(request) {
  const buckets = bucketsOf(request);
  const shown = state.part >= 0 ? state.part : largestPart(request);
  if (shown < 0) return [];
  const stripes = [];
  for (let at = 0; at < buckets.length && stripes.length < MOST_STRIPES; at += 2) {
    stripes.push(h("i", { class: `fill ${partClass(buckets[at])}`, "$flex-grow": buckets[at + 1] }));
  }
  const time = state.part >= 0 && h("b", {}, ` ${ms(nsIn(request, shown))}`);
  return [
    h("span", { class: "word", title: label(shown) }, swatch(shown), label(shown), time),
    h("span", { class: "stripes", "aria-hidden": "true" }, stripes),
  ];
}

export function marksOf(request) {
  const status = requests.status[request];
  const found = [];
  if (has(request, TIMEOUT)) found.push(h("span", { class: "mark-word bad" }, say("mark.timeout").toLowerCase()));
  if (has(request, ERROR)) found.push(h("span", { class: "mark-word bad" }, status >= 400 ? String(status) : say("mark.error").toLowerCase()));
  if (has(request, COLD_START)) found.push(h("span", { class: "mark-word cold" }, say("mark.cold").toLowerCase()));
  if (has(request, THROTTLED)) found.push(h("span", { class: "mark-word throttled" }, say("mark.throttled").toLowerCase()));
  return found;
}

export function toRow(at) {
  list.current = Math.max(0, Math.min(view.length - 1, at));
  const top = list.current * list.row;
  if (top < list.top) scrollRows(top);
  else if (top + list.row > list.top + list.height) scrollRows(top + list.row - list.height);
  drawRows();
}

function listKey(event) {
  if (event.target !== list.element || event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(1, Math.floor(list.height / list.row) - 1);
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  const move = moves[event.key];
  if (move !== undefined) toRow(list.current + move);
  else if ((event.key === "Enter" || event.key === " ") && view.length > 0) openRequest(view[list.current], true);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
