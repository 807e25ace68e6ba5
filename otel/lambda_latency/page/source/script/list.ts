// ---- The requests: filters, and the list of the chosen ones.

import type { Sort } from "./choice.js";
import {
  COLD_START,
  ERROR,
  THROTTLED,
  TIMEOUT,
  at,
  bucketsOf,
  has,
  hasSpans,
  isScarce,
  largestPart,
  nsIn,
  placeOf,
  requests,
  routeOf,
} from "./data.js";
import { type Child, fill, h, onWidth, reveal, section } from "./elements.js";
import { filters, found } from "./filters.js";
import { Grid } from "./grid.js";
import { type Anchor, host } from "./host.js";
import { label } from "./labels.js";
import { openRequest } from "./open.js";
import { DOWN_FIRST } from "./order.js";
import { partClass, swatch } from "./palette.js";
import { change, follow, left, state, view } from "./store.js";
import { ms, say, severalDays, started } from "./words.js";

const COLUMNS: readonly Sort[] = ["start", "route", "took", "part", "marks"];
const SHOWN = 12; // rows without scrolling
const MOST_STRIPES = 6;
const NARROW = 520; // pixels

let grid: Grid | null = null;

/** The row that a reader has scrolled to; null if the list shows its first one. */
export function anchorOfList(): Anchor | null {
  const top = grid?.topRow;
  return top ? { traceId: at(requests.trace_id, top.item), hidden: top.hidden } : null;
}

export function drawList(): HTMLElement {
  const own = new Grid({
    id: "list",
    label: say("list.title"),
    columns: COLUMNS,
    heads: COLUMNS.map(columnHead),
    shown: SHOWN,
    fill: fillRow,
    open: openRequest,
    isOpen: (request) => request === state.open,
  });
  grid = own;
  const none = h("p", { class: "hint", id: "nothing" }, say("list.none"));
  const element = section("requests", say("list.title"), null, filters(), found(), own.element, none);
  element.classList.add("wide");
  const longest = ms(requests.wall_ns.reduce((most, each) => Math.max(most, each), 0));
  own.element.style.setProperty("--start", severalDays ? "116px" : "64px");
  own.element.style.setProperty("--took", `max(72px, ${longest.length}ch)`);
  onWidth(element, (width) => own.resize(width <= NARROW ? 58 : 36));
  let drawn: unknown[] = [];
  follow((now, before, aim) => {
    const of = [view, left, now.part];
    if (
      of.some((one, place) => one !== drawn[place]) &&
      !sameRows(drawn[0], drawn[1] === left && drawn[2] === now.part)
    ) {
      none.hidden = view.length > 0;
      own.show(view);
    }
    drawn = of;
    const place = now.open < 0 ? -1 : view.indexOf(now.open);
    if (now.open !== before.open && place >= 0) own.toRow(place);
    else own.draw();
    if (aim.go === "list") reveal(element);
    if (now.open < 0 && before.open >= 0 && aim.focus) own.element.focus();
  });
  return element;
}

/** Whether the list shows these requests already. */
function sameRows(before: unknown, isSame: boolean): boolean {
  return (
    isSame &&
    before instanceof Int32Array &&
    before.length === view.length &&
    before.every((one, place) => one === view[place])
  );
}

function columnHead(key: Sort): HTMLElement {
  const title = say(`list.${key}`);
  const turn = (): void => change({ sort: key, down: state.sort === key ? !state.down : DOWN_FIRST[key] });
  const button = h("button", { "data-sort": key, onclick: turn }, title);
  const element = h("span", { role: "columnheader", class: key }, button);
  follow(() => {
    const isOn = state.sort === key;
    const name = key === "part" && state.part >= 0 ? say("list.in", { part: label(state.part) }) : title;
    button.textContent = isOn ? `${name} ${state.down ? "↓" : "↑"}` : name;
    if (isOn) element.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else element.removeAttribute("aria-sort");
  });
  return element;
}

function fillRow(request: number, cells: HTMLElement[]): void {
  const [start, route, took, part, marks] = cells as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  start.textContent = started(at(requests.start_ms, request));
  route.textContent = routeOf(request);
  route.title = routeOf(request);
  took.textContent = ms(at(left, request));
  fill(part, partCell(request));
  fill(
    marks,
    marksOf(request),
    isScarce && hasSpans(request) && h("span", { class: "mark-word" }, say("mark.spans").toLowerCase()),
  );
}

/** Scrolls the list to the row that was there before. */
export function toAnchor({ traceId, hidden }: Anchor): void {
  grid?.toTop(placeOf(traceId), hidden);
}

function partCell(request: number): Child {
  const failure = host?.failure(at(requests.trace_id, request));
  if (failure !== undefined)
    return h("span", { class: "word failed" }, failure.where && [h("code", {}, failure.where), " "], failure.what);
  const buckets = bucketsOf(request);
  const shown = state.part >= 0 ? state.part : largestPart(request);
  if (shown < 0) return null;
  const stripes = [];
  for (let place = 0; place < buckets.length && stripes.length < MOST_STRIPES; place += 2) {
    const isTicked = state.without.has(at(buckets, place));
    stripes.push(
      h("i", {
        class: `fill ${partClass(at(buckets, place))}${isTicked ? " ticked" : ""}`,
        "$flex-grow": at(buckets, place + 1),
      }),
    );
  }
  const time = state.part >= 0 && h("b", {}, ` ${ms(nsIn(request, shown))}`);
  return [
    h("span", { class: "word", title: label(shown) }, swatch(shown), label(shown), time),
    h("span", { class: "stripes", "aria-hidden": "true" }, stripes),
  ];
}

export function marksOf(request: number): Child[] {
  const status = requests.status[request] ?? 0;
  const word = (name: string, kind: string): Child => h("span", { class: `mark-word ${kind}` }, name.toLowerCase());
  return [
    has(request, TIMEOUT) && word(say("mark.timeout"), "bad"),
    has(request, ERROR) && word(status >= 400 ? String(status) : say("mark.error"), "bad"),
    has(request, COLD_START) && word(say("mark.cold"), "cold"),
    has(request, THROTTLED) && word(say("mark.throttled"), "throttled"),
  ];
}
