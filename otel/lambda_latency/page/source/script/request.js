// ---- One request: its parts in one line, the stack of a timeout, and the waterfall.

import { twinTable } from "./twin.js";
import { spanTools } from "./spansearch.js";
import { overviewOf } from "./overview.js";
import { writeAddress } from "./address.js";
import { byId, h, onWidth, reveal, s } from "./elements.js";
import { drawRows, list, marksOf, toRow } from "./list.js";
import { zoomTo } from "./moves.js";
import { TIMEOUT, bucketsOf, count, has, label, largestPart, nsIn, report, requests, routeOf, swatch } from "./report.js";
import { stackOf } from "./stack.js";
import { apply, reset, state, view } from "./state.js";
import { drawFall, fall, loadFall } from "./waterfall.js";
import { ms, percent, say, startedOn, traceName } from "./words.js";

const FEW_PARTS = 6;

export function drawRequestSection() {
  const element = h("section", { id: "request", class: "wide", "aria-labelledby": "request-title" });
  byId("sections").append(element);
  onWidth(element, (width) => {
    fall.width = width;
    drawFall();
  });
  showRequest(-1);
}

export function showRequest(request) {
  loadFall(request);
  const element = byId("request");
  if (request < 0) {
    const hint = h("p", { class: "hint" }, say("request.choose"));
    element.replaceChildren(h("h2", { id: "request-title" }, say("request.title")), hint);
    return;
  }
  element.replaceChildren(
    requestHead(request),
    partsOf(request),
    ...[stackOf(request)].flat(),
    ...spansOrHint(request),
  );
  if (fall.tree !== null) drawFall();
}

function requestHead(request) {
  const id = requests.trace_id[request];
  const largest = largestPart(request);
  const wall = requests.wall_ns[request];
  const most =
    largest < 0
      ? ""
      : `${say("request.went", { took: ms(nsIn(request, largest)), share: percent(nsIn(request, largest), wall), part: label(largest) })} `;
  const name = traceName(id, requests.start_ms[request]);
  const began = startedOn(requests.start_ms[request]);
  const status = requests.status[request];
  const facts_ = [
    most,
    began && say("request.started", { at: began }),
    status !== null && say("request.answered", { status: String(status) }),
    began && ".",
  ];
  const console_ =
    report.console?.startsWith("https://") &&
    h("a", { href: report.console + name, rel: "noreferrer noopener", target: "_blank" }, say("request.xray"));
  const tool = (name, text, id_, act) =>
    h("button", { class: "button", id: id_, "aria-label": name, title: name, onclick: act }, text);
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
    h(
      "div",
      { class: "tools" },
      h("button", { class: "button", id: "whole", hidden: true, onclick: () => zoomTo(null) }, say("request.whole")),
      count > 1 && [
        tool(say("request.previous"), "↑", "previous", () => step(-1)),
        tool(say("request.next"), "↓", "next", () => step(1)),
        h("button", { class: "button", id: "close", onclick: closeRequest }, say("request.close")),
      ],
    ),
    h("p", { class: "says" }, facts_.filter(Boolean).join("")),
    h("p", { class: "ids" }, h("code", {}, name), console_ && [" · ", console_]),
  );
}

function partsOf(request) {
  const buckets = bucketsOf(request);
  const found = [];
  for (let at = 0; at < buckets.length; at += 2) found.push([buckets[at], buckets[at + 1]]);
  const rest = found.slice(FEW_PARTS);
  const item = ([part, ns]) =>
    h("li", {}, swatch(part), h("span", { class: "isolated" }, label(part)), h("b", {}, ms(ns)));
  const more =
    rest.length > 0 && h("li", {}, say("request.more", { n: rest.length }), h("b", {}, ms(rest.reduce((sum, [, ns]) => sum + ns, 0))));
  return h(
    "ul",
    { class: "parts-of-one", "aria-label": say("request.parts") },
    found.slice(0, FEW_PARTS).map(item),
    more,
  );
}

function spansOrHint(request) {
  if (fall.tree === null) {
    const command = `lambda-latency report ${report.sources.slice(0, 1).join("")} --trace ${requests.trace_id[request]}`;
    return [
      h(
        "p",
        { class: "hint" },
        say("request.kept", { n: report.kept }),
        " ",
        h("code", {}, command),
      ),
    ];
  }
  const { orphans, others, aside } = fall.tree;
  const names = (few) => few.slice(0, 5).join(", ") + (few.length > 5 ? "…" : "");
  const beside = [
    orphans.length > 0 && say("request.orphans", { n: orphans.length, names: names(orphans) }),
    aside.length > 0 && say("request.aside", { names: names(aside) }),
    others.length > 0 && say("request.roots", { n: others.length, names: names(others) }),
  ].filter(Boolean);
  const details = h("div", {
    class: "details",
    id: "details",
    role: "region",
    "aria-label": say("request.selected"),
    hidden: true,
  });
  return [spanTools(), ...overviewOf(), fall.element, h("p", { id: "printed" }), details, fallLegend(request), ...beside.map((text) => h("p", { class: "key isolated" }, text)), twinTable(request)].filter(Boolean);
}

function fallLegend(request) {
  const sign = (...shapes) => s("svg", { width: 28, height: 14, "aria-hidden": "true" }, shapes);
  const late = fall.tree.end > requests.wall_ns[request] * 1.001;
  return h(
    "p",
    { class: "key" },
    h(
      "span",
      {},
      sign(
        s("rect", { y: 0, width: 28, height: 9, class: "waited warm" }),
        s("line", { x1: 0, x2: 28, y1: 12, y2: 12, class: "path" }),
      ),
      say("request.key_path"),
    ),
    h(
      "span",
      {},
      sign(s("rect", { x: 0.5, y: 0.5, width: 27, height: 9, rx: 2, class: "outline" })),
      say("request.key_open"),
    ),
    h(
      "span",
      {},
      sign(s("rect", { x: 0.5, y: 0.5, width: 27, height: 9, rx: 2, class: "outline loose" })),
      say("request.key_off"),
    ),
    late && h("span", {}, sign(s("line", { x1: 14, x2: 14, y1: 0, y2: 14, class: "answered" })), say("request.key_answered")),
    has(request, TIMEOUT) &&
      h("span", {}, sign(s("line", { x1: 14, x2: 14, y1: 0, y2: 14, class: "deadline" })), say("request.key_deadline")),
  );
}

/** Opens a request; with `go` also scrolls to it, and focuses its waterfall. */
export function openRequest(request, go) {
  state.open = request;
  showRequest(request);
  writeAddress();
  if (list.element !== null) drawRows();
  const element = byId("request");
  const { top } = element.getBoundingClientRect();
  if (top < -40 || top > innerHeight * (go ? 0.55 : 0.75)) reveal(element);
  if (go) (fall.element ?? byId("request-title")).focus({ preventScroll: true });
}

export function openTrace(id) {
  const request = requests.trace_id.indexOf(id);
  if (request < 0) return;
  if (count > 1 && !view.includes(request)) {
    reset();
    state.open = request;
    apply();
  }
  if (count > 1) toRow(view.indexOf(request));
  openRequest(request, true);
}

export function step(by) {
  if (view.length === 0) return;
  const at = view.indexOf(state.open);
  toRow((at < 0 ? list.current : at) + by);
  openRequest(view[list.current], false);
}

export function closeRequest() {
  state.open = -1;
  showRequest(-1);
  writeAddress();
  drawRows();
  list.element.focus();
}
