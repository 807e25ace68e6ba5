// ---- The details of one span: times, attributes, events and links. A value is copied or filtered by.

import { at, requests } from "./data.js";
import { type Child, fill, h, s } from "./elements.js";
import { label } from "./labels.js";
import { swatch } from "./palette.js";
import { type Details, detailsOf } from "./spans.js";
import { only, state } from "./store.js";
import type { Waterfall } from "./waterfall.js";
import { ms, say, traceName } from "./words.js";

export function drawDetails(element: HTMLElement, fall: Waterfall): void {
  element.hidden = !fall.details;
  const row = fall.rows[fall.current];
  if (!fall.details || row === undefined) return;
  const span = at(fall.tree.spans, row.span);
  const close = (): void => {
    fall.details = false;
    element.hidden = true;
    fall.element.focus({ preventScroll: true });
  };
  const waited = at(fall.tree.waited, row.span);
  const says = [
    say("span.from_to", { from: ms(span.start), to: ms(span.end) }),
    " ",
    h("b", {}, ms(span.end - span.start)),
    waited > 0
      ? [", ", say("span.waited", { waited: ms(waited) }), " ", ownParts(fall, row.span)]
      : `, ${say("span.not_waited")}`,
    span.open && `. ${say("span.open")}`,
    ".",
  ];
  fill(
    element,
    h(
      "div",
      { class: "details-head" },
      h("h3", { class: "isolated" }, span.name),
      h("button", { class: "link", id: "zoom", onclick: () => fall.zoomTo(row) }, say("span.zoom")),
      h("button", { class: "link", id: "close-details", onclick: close }, say("request.close")),
    ),
    h("p", { class: "says" }, says),
    detailsOf(fall.tree, row.span).map((one, number) => oneSpan(one, number > 0)),
  );
}

function ownParts({ tree }: Waterfall, span: number): Child {
  const sums = new Map<number, number>();
  for (const { start, end, part } of at(tree.own, span)) sums.set(part, (sums.get(part) ?? 0) + end - start);
  return [...sums].map(([part, ns], number) => [
    number > 0 && ", ",
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
} as const;

function oneSpan(told: Details, isInside: boolean): Child {
  const events = told.events ?? [];
  const heads = (Object.entries(HEADS) as [keyof typeof HEADS, string][]).flatMap(
    ([name, title]): [string, unknown][] => (told[name] ? [[title, told[name]]] : []),
  );
  const attributes = Object.entries(told.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    isInside && h("h4", { class: "isolated" }, told.name),
    pairs(heads, false),
    attributes.length > 0 && h("h4", {}, say("span.attributes")),
    pairs(attributes, true),
    events.length > 0 && h("h4", {}, say("span.events")),
    events.map((event) => [
      h("p", { class: "event isolated" }, h("b", {}, event.name), " ", say("span.at", { at: ms(event.at) })),
      pairs(Object.entries(event.attributes ?? {}), false),
    ]),
    told.links && h("h4", {}, say("span.links")),
    told.links &&
      pairs(
        told.links.map((link) => [traceName(link.trace_id, at(requests.start_ms, state.open)), link.span_id]),
        false,
      ),
  ];
}

const LONGEST = 80; // characters of a value that filters

function pairs(entries: [string, unknown][], filters: boolean): Child {
  if (entries.length === 0) return null;
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  const isPlain = (value: unknown): boolean =>
    ["string", "number", "boolean"].includes(typeof value) && text(value).length <= LONGEST && text(value) !== "";
  const value = (name: string, one: unknown): Child =>
    filters && isPlain(one)
      ? [
          h(
            "button",
            { class: "value", title: say("span.filter"), onclick: () => only({ query: `${name} = ${text(one)}` }) },
            text(one),
          ),
          copyButton(text(one)),
        ]
      : text(one);
  return h(
    "dl",
    { class: "pairs" },
    entries.map(([name, one]) => h("div", {}, h("dt", {}, name), h("dd", { class: "isolated" }, value(name, one)))),
  );
}

function copyButton(text: string): HTMLElement {
  const button = h(
    "button",
    { class: "copy", "aria-label": say("span.copy", { text }), title: say("span.copy", { text }) },
    // Two sheets, drawn: few fonts have a sign for it.
    s(
      "svg",
      { width: 13, height: 13, fill: "none", stroke: "currentColor", "aria-hidden": "true" },
      s("path", { d: "M4.5 4.5h7v7h-7zM8.5 4.5v-3h-7v7h3" }),
    ),
  );
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "✓";
    } catch {
      const shown = button.previousElementSibling;
      if (shown !== null) getSelection()?.selectAllChildren(shown);
    }
  });
  return button;
}
