// ---- The details of one span: times, attributes, events and links.

import { byId, h } from "./elements.js";
import { zoomTo } from "./moves.js";
import { detailsOf, label, requests, swatch } from "./report.js";
import { state } from "./state.js";
import { fall, markRow } from "./waterfall.js";
import { ms, say, traceName } from "./words.js";

export function drawDetails() {
  const element = byId("details");
  element.hidden = !fall.details;
  if (!fall.details) return;
  const { span: at } = fall.rows[fall.current];
  const span = fall.tree.spans[at];
  const close = () => {
    fall.details = false;
    markRow();
    fall.element.focus({ preventScroll: true });
  };
  const waited = fall.tree.waited[at];
  const says = [
    say("span.from_to", { from: ms(span.start), to: ms(span.end) }),
    " ",
    h("b", {}, ms(span.end - span.start)),
    waited > 0
      ? [", ", say("span.waited", { waited: ms(waited) }), " ", ownParts(at)]
      : `, ${say("span.not_waited")}`,
    span.open && `. ${say("span.open")}`,
    ".",
  ];
  element.replaceChildren(
    h(
      "div",
      { class: "details-head" },
      h("h3", { class: "isolated" }, span.name),
      h("button", { class: "link", id: "zoom", onclick: () => zoomTo(fall.rows[fall.current]) }, say("span.zoom")),
      h("button", { class: "link", id: "close-details", onclick: close }, say("request.close")),
    ),
    h("p", { class: "says" }, says),
    ...detailsOf(fall.tree, at).flatMap((one, number_) => oneSpan(one, number_ > 0)),
  );
}

function ownParts(at) {
  const sums = new Map();
  for (const { start, end, part } of fall.tree.own[at]) sums.set(part, (sums.get(part) ?? 0) + end - start);
  return [...sums].flatMap(([part, ns], number_) => [
    number_ > 0 && ", ",
    swatch(part),
    label(part),
    sums.size > 1 && ` ${ms(ns)}`,
  ]);
}

const HEADS = {
  kind: "span kind",
  service: "service.name",
  status: "status",
  message: "status message",
  scope: "scope",
  span_id: "span id",
};

function oneSpan(told, inside) {
  const events = told.events ?? [];
  const heads = Object.entries(HEADS)
    .filter(([name]) => told[name])
    .map(([name, title]) => [title, told[name]]);
  const attributes = Object.entries(told.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    inside && h("h4", { class: "isolated" }, told.name),
    pairs(heads),
    attributes.length > 0 && h("h4", {}, say("span.attributes")),
    pairs(attributes),
    events.length > 0 && h("h4", {}, say("span.events")),
    events.map((event) => [
      h("p", { class: "event isolated" }, h("b", {}, event.name), " ", say("span.at", { at: ms(event.at) })),
      pairs(Object.entries(event.attributes ?? {})),
    ]),
    told.links && h("h4", {}, say("span.links")),
    told.links && pairs(told.links.map((link) => [traceName(link.trace_id, requests.start_ms[state.open]), link.span_id])),
  ]
    .flat(Infinity)
    .filter(Boolean);
}

function pairs(entries) {
  if (entries.length === 0) return null;
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  return h(
    "dl",
    { class: "pairs" },
    entries.map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", { class: "isolated" }, text(value))),
    ),
  );
}
