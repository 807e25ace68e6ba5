// ---- One request: its parts in one line, the stack of a timeout, the waterfall, and another request beside it.

import { comparison, otherOf } from "./compare.js";
import { TIMEOUT, at, bucketsOf, has, largestPart, nsIn, report, requests, routeOf, several, wallOf } from "./data.js";
import { drawDetails } from "./details.js";
import { type Child, byId, fill, h, onWidth, reveal, s } from "./elements.js";
import { host, whileDrawn } from "./host.js";
import { label } from "./labels.js";
import { marksOf } from "./list.js";
import { step } from "./open.js";
import { Overview } from "./overview.js";
import { swatch } from "./palette.js";
import type { Row } from "./rows.js";
import { detailsOf, spansOf } from "./spans.js";
import { spanTools } from "./spantools.js";
import { deadlineStack } from "./stack.js";
import { change, follow, state } from "./store.js";
import { type Tree, treeOf } from "./tree.js";
import { Waterfall } from "./waterfall.js";
import { ms, percent, say, startedOn, traceName } from "./words.js";

const FEW_PARTS = 6;
const PRINTED = 12; // rows on paper, as in print.css: a page has room for no more

/** The waterfall of the open request, if the page has its spans. */
export let fall: Waterfall | null = null;
let overview: Overview | null = null;
let width = 0;
let moved: (() => void) | null = null;

/** Calls a function after each change of the waterfall: its zoom, its current row, the details. */
export function onMove(told: () => void): void {
  moved = told;
}

export function drawRequest(): HTMLElement {
  const element = h("section", { id: "request", class: "wide", "aria-labelledby": "request-title" });
  onWidth(element, (now) => {
    width = now;
    resize();
  });
  let drawn = "";
  follow((now, _before, aim) => {
    const of = `${now.open} ${now.pinned} ${[...now.without].join()} ${host?.answers}`;
    if (of !== drawn) show(element, now.open);
    drawn = of;
    if (aim.go !== "request" || now.open < 0) return;
    const { top } = element.getBoundingClientRect();
    if (top < -40 || top > innerHeight * (aim.focus ? 0.55 : 0.75)) reveal(element);
    if (aim.focus) (fall?.element ?? byId("request-title")).focus({ preventScroll: true });
  });
  addEventListener("click", twice, { ...whileDrawn, capture: true });
  return element;
}

function resize(): void {
  fall?.resize(width);
  overview?.resize(width);
}

export function closeRequest(): void {
  change({ open: -1 }, { focus: true });
}

function show(element: HTMLElement, request: number): void {
  [fall, overview] = [null, null];
  if (request < 0) {
    fill(
      element,
      h("h2", { id: "request-title" }, say("request.title")),
      h("p", { class: "hint" }, say("request.choose")),
    );
    return;
  }
  const spans = spansOf(request);
  const tree = spans === null ? null : treeOf(spans, wallOf(request));
  fill(
    element,
    requestHead(request),
    partsOf(request),
    deadlineStack(request),
    host?.beside(at(requests.trace_id, request)),
    tree === null ? spanless(request) : spanned(request, tree),
  );
  resize();
}

function requestHead(request: number): HTMLElement {
  const wall = wallOf(request);
  const largest = largestPart(request);
  const most =
    largest < 0
      ? ""
      : `${say("request.went", { took: ms(nsIn(request, largest)), share: percent(nsIn(request, largest), wall), part: label(largest) })} `;
  const name = traceName(at(requests.trace_id, request), at(requests.start_ms, request));
  const began = startedOn(at(requests.start_ms, request));
  const status = requests.status[request] ?? null;
  const told = [
    most,
    began && say("request.started", { at: began }),
    status !== null && say("request.answered", { status: String(status) }),
    began && ".",
  ];
  const console_ =
    report.console?.startsWith("https://") &&
    h("a", { href: report.console + name, rel: "noreferrer noopener", target: "_blank" }, say("request.xray"));
  return h(
    "div",
    { class: "request-head" },
    h(
      "h2",
      { id: "request-title", tabindex: -1 },
      h("span", { class: "isolated" }, routeOf(request)),
      ` · ${ms(wall)} `,
      marksOf(request),
    ),
    h("div", { class: "tools" }, tools(request)),
    h("p", { class: "says" }, told.filter(Boolean).join("")),
    h("p", { class: "ids" }, h("code", {}, name), console_ && [" · ", console_]),
  );
}

function tools(request: number): Child {
  const tool = (name: string, text: string, id: string, onclick: () => void): HTMLElement =>
    h("button", { class: "button", id, "aria-label": name, title: name, onclick }, text);
  const whole = h(
    "button",
    { class: "button", id: "whole", hidden: true, onclick: () => fall?.show(null) },
    say("request.whole"),
  );
  if (!several) return whole;
  const isPinned = state.pinned === request;
  return [
    whole,
    h(
      "button",
      {
        class: "button",
        id: "pin",
        "aria-pressed": String(isPinned),
        onclick: () => change({ pinned: isPinned ? -1 : request }),
      },
      say(isPinned ? "request.pinned" : "request.pin"),
    ),
    tool(say("request.previous"), "↑", "previous", () => step(-1)),
    tool(say("request.next"), "↓", "next", () => step(1)),
    h("button", { class: "button", id: "close", onclick: closeRequest }, say("request.close")),
  ];
}

function partsOf(request: number): HTMLElement {
  const buckets = bucketsOf(request);
  const found: [number, number][] = [];
  for (let place = 0; place < buckets.length; place += 2) found.push([at(buckets, place), at(buckets, place + 1)]);
  const rest = found.slice(FEW_PARTS);
  const item = ([part, ns]: [number, number]): HTMLElement =>
    h(
      "li",
      { class: state.without.has(part) && "ticked" },
      swatch(part),
      h("span", { class: "isolated" }, label(part)),
      h("b", {}, ms(ns)),
    );
  const without = [...state.without].reduce((sum, part) => sum + nsIn(request, part), 0);
  return h(
    "ul",
    { class: "parts-of-one", "aria-label": say("request.parts") },
    found.slice(0, FEW_PARTS).map(item),
    rest.length > 0 &&
      h("li", {}, say("request.more", { n: rest.length }), h("b", {}, ms(rest.reduce((sum, [, ns]) => sum + ns, 0)))),
    state.without.size > 0 && h("li", {}, say("request.without"), h("b", {}, ms(wallOf(request) - without))),
  );
}

function spanless(request: number): Child {
  if (host !== null) return h("p", { class: "hint" }, host.missing(at(requests.trace_id, request)));
  const command = `lambda-latency report ${report.sources.slice(0, 1).join("")} --trace ${at(requests.trace_id, request)}`;
  return h("p", { class: "hint" }, say("request.kept", { n: report.kept }), " ", h("code", {}, command));
}

function spanned(request: number, tree: Tree): Child {
  const other = several ? otherOf(request) : null;
  const details = h("div", {
    class: "details",
    id: "details",
    role: "region",
    tabindex: 0,
    "aria-label": say("request.selected"),
    hidden: true,
  });
  const printed = h("p", { id: "printed" });
  const own = new Waterfall(tree, {
    deadline: has(request, TIMEOUT) ? deadlineOf(request, tree) : null,
    moved: () => {
      byId("whole").hidden = own.zoom === null;
      printed.textContent =
        own.rows.length > PRINTED ? say("request.printed", { n: PRINTED, all: own.rows.length }) : "";
      drawDetails(details, own);
      overview?.draw();
      moved?.();
    },
  });
  fall = own;
  printed.textContent = own.rows.length > PRINTED ? say("request.printed", { n: PRINTED, all: own.rows.length }) : "";
  overview = new Overview(own, other?.tree ?? null, "overview-says");
  const twin =
    other === null
      ? ""
      : say(other.isPinned ? "request.overview_two" : "request.overview_twin", { took: ms(wallOf(other.request)) });
  const { orphans, others, aside } = tree;
  const names = (few: string[]): string => few.slice(0, 5).join(", ") + (few.length > 5 ? "…" : "");
  const beside = [
    orphans.length > 0 && say("request.orphans", { n: orphans.length, names: names(orphans) }),
    aside.length > 0 && say("request.aside", { names: names(aside) }),
    others.length > 0 && say("request.roots", { n: others.length, names: names(others) }),
  ];
  return [
    spanTools(own, state.query),
    overview.element,
    h(
      "p",
      { class: "key", id: "overview-says" },
      say("request.overview", { took: ms(wallOf(request)), typical: twin }),
    ),
    own.box,
    printed,
    details,
    legend(request, tree),
    beside.map((text) => text && h("p", { class: "key isolated" }, text)),
    several && comparison(request, tree),
  ];
}

/** The deadline: the limit after the start of the outermost span with `lambda.timeout`. */
function deadlineOf(request: number, tree: Tree): number {
  const wall = wallOf(request);
  const timeout = report.timeouts.find((one) => one.trace_id === requests.trace_id[request]);
  const outermost = tree.spans.find((_, place) =>
    detailsOf(tree, place).some((one) => one.attributes?.["lambda.timeout"] === true),
  );
  return timeout !== undefined && timeout.limit_ns > 0 && outermost !== undefined
    ? Math.min(wall, outermost.start + timeout.limit_ns)
    : wall;
}

function legend(request: number, tree: Tree): HTMLElement {
  const sign = (...shapes: SVGElement[]): Child => s("svg", { width: 28, height: 14, "aria-hidden": "true" }, shapes);
  const upright = (name: string): Child => sign(s("line", { x1: 14, x2: 14, y1: 0, y2: 14, class: name }));
  const box = (name: string): Child => sign(s("rect", { x: 0.5, y: 0.5, width: 27, height: 9, rx: 2, class: name }));
  const path = sign(
    s("rect", { y: 0, width: 28, height: 9, class: "waited warm" }),
    s("line", { x1: 0, x2: 28, y1: 12, y2: 12, class: "path" }),
  );
  return h(
    "p",
    { class: "key" },
    h("span", {}, path, say("request.key_path")),
    h("span", {}, box("outline"), say("request.key_open")),
    h("span", {}, box("outline loose"), say("request.key_off")),
    tree.end > tree.wall * 1.001 && h("span", {}, upright("answered"), say("request.key_answered")),
    has(request, TIMEOUT) && h("span", {}, upright("deadline"), say("request.key_deadline")),
  );
}

const TWICE_MS = 450; // between the two clicks of a double click
const TWICE_PX = 5;
let clicked: { time: number; x: number; y: number; row: Row | undefined } | null = null;

/** The first click opens the details, which may cover the row: the second click still counts for the row. */
function twice(event: MouseEvent): void {
  const { target, timeStamp: time, clientX: x, clientY: y } = event;
  if (
    clicked?.row !== undefined &&
    time - clicked.time < TWICE_MS &&
    Math.hypot(x - clicked.x, y - clicked.y) < TWICE_PX
  ) {
    event.stopPropagation();
    fall?.zoomTo(clicked.row);
    clicked = null;
    return;
  }
  const row = target instanceof Element && target.closest("button.twist") === null ? target.closest(".span-row") : null;
  const found = row === null ? undefined : fall?.rows[Number(row.id.slice("span-".length))];
  clicked = found === undefined || found.isLate ? null : { time, x, y, row: found };
}
