// ---- One request: what went wrong, its waterfall, and what its functions printed.

import { byId, h, reveal } from "../../../page/source/script/elements.js";
import { ms, plural } from "../../../page/source/script/numbers.js";
import { drawRows, list, marksOf } from "./list.js";
import { store } from "./rows.js";
import { clock, partClass } from "./words.js";

const MOST_SPANS = 500;
const LATE = 1.5; // an axis may be so many times as long as the request

const fall = { element: null, details: null, current: -1, opened: -1, rows: [] };

export async function openRequest(row, focus = true) {
  store.open = row.id;
  drawRows();
  const element = byId("request");
  element.hidden = false;
  let told = null;
  let why = "";
  try {
    const answer = await fetch(`request/${encodeURIComponent(row.id)}`);
    if (answer.ok) told = await answer.json();
    else why = await answer.text();
  } catch {
    why = "The server does not answer.";
  }
  if (store.open !== row.id) return;
  element.replaceChildren(head(row), ...(told === null ? [h("p", { class: "hint" }, why)] : parts(row, told)));
  if (focus) reveal(element);
  if (focus) byId("request-title").focus({ preventScroll: true });
}

export function closeRequest() {
  if (store.open === "") return;
  store.open = "";
  byId("request").hidden = true;
  drawRows();
  list.element.focus();
}

function head(row) {
  return h(
    "div",
    { class: "request-head" },
    h("h2", { id: "request-title", tabindex: -1 }, h("span", { class: "isolated" }, row.route), ` · ${ms(row.ns)} `, marksOf(row)),
    h("button", { class: "button", id: "close", onclick: closeRequest }, "Close"),
    h("p", { class: "ids" }, `ended at ${clock(row.end)} · `, h("code", {}, row.id)),
  );
}

function parts(row, told) {
  const [rows, ...details] = told.line.split("\t");
  return [failure(row, told), waterfall(row, { ...JSON.parse(rows), details }, told.parts), log(told)].flat().filter(Boolean);
}

function failure(row, told) {
  if (row.what === "" && row.where === "") return null;
  const limit = told.limit_ns > 0 ? ` after its limit of ${ms(told.limit_ns)}` : "";
  const frame = ([place, name, text, own]) => h("li", { class: own && "own" }, `${place}  ${name}${text ? `\n    ${text}` : ""}`);
  return h(
    "div",
    { class: "stack", id: "stack" },
    h("p", {}, h("b", {}, row.what || "failed"), limit, row.where && [" at ", h("code", {}, row.where)]),
    told.frames.length > 0 && h("ol", { tabindex: 0, "aria-label": "Stack at the deadline" }, told.frames.map(frame)),
  );
}

function log(told) {
  if (told.logs.length === 0) return null;
  const several = new Set(told.logs.map(([name]) => name)).size > 1;
  return h(
    "div",
    { class: "log", id: "log" },
    h("p", {}, h("b", {}, "Printed"), told.left_out > 0 && `, ${plural(told.left_out, "more line was", "more lines were")} not kept`),
    h("ol", { tabindex: 0, "aria-label": "What the functions printed" }, told.logs.map(([name, line]) => h("li", {}, several && h("b", {}, `${name}: `), line))),
  );
}

function waterfall(row, tree, labels) {
  const depths = [];
  for (const span of tree.spans) depths.push(span.parent < 0 ? 0 : depths[span.parent] + 1);
  const last = tree.spans.reduce((most, span) => Math.max(most, span.end), 1);
  const end = last > row.ns * LATE && row.ns > 0 ? row.ns * LATE : last;
  const owned = new Map();
  for (const [at, from, to, part] of tree.path) {
    if (!owned.has(at)) owned.set(at, []);
    owned.get(at).push([from, to, part]);
  }
  const share = (value) => `${Math.max(0, Math.min(100, (100 * value) / end))}%`;
  const piece = (from, to, kind) => h("i", { class: kind, $left: share(from), $width: `calc(${share(to)} - ${share(from)})` });
  fall.rows = tree.spans.slice(0, MOST_SPANS).map((span, at) =>
    h(
      "div",
      { class: "span-row", id: `span-${at}`, role: "treeitem", "aria-level": depths[at] + 1, onclick: () => choose(at, tree, labels) },
      h("span", { class: "span-name isolated", "$--depth": String(Math.min(depths[at], 12)) }, span.name, span.mark && [" ", h("span", { class: `mark-word ${span.mark === "throttled" ? "throttled" : "bad"}` }, span.mark)]),
      h("span", { class: "span-took" }, ms(span.end - span.start)),
      h("span", { class: "track", "aria-hidden": "true" }, piece(span.start, span.end, span.open ? "bar unended" : "bar"), (owned.get(at) ?? []).map(([from, to, part]) => piece(from, to, `fill ${partClass(labels[part][1])}`))),
    ),
  );
  fall.current = fall.opened = -1;
  fall.details = h("div", { class: "details", role: "region", "aria-label": "Attributes of the span", hidden: true });
  fall.element = h("div", { class: "fall", id: "fall", role: "tree", tabindex: 0, "aria-label": "Spans of the request", onkeydown: (event) => fallKey(event, tree, labels) }, fall.rows);
  const rest = tree.spans.length - fall.rows.length;
  return [
    h("p", { class: "key" }, "Colour: the time that the request waited for", labels.map(([label, bucket]) => h("span", {}, h("span", { class: `swatch ${partClass(bucket)}`, "aria-hidden": "true" }), label)).slice(0, 10)),
    fall.element,
    fall.details,
    rest > 0 && h("p", { class: "hint" }, `${plural(rest, "more span")}: the report shows all.`),
    end < last && h("p", { class: "key" }, `Spans after the response end at ${ms(last)}; the axis ends at ${ms(end)}.`),
  ];
}

/** Shows the attributes of a span below the waterfall; a second time, hides them. */
function choose(at, tree, labels) {
  const again = fall.opened === at;
  mark(at);
  fall.opened = again ? -1 : at;
  fall.details.hidden = again;
  if (again) return;
  const waited = tree.path.filter(([of]) => of === at).reduce((sum, [, from, to]) => sum + to - from, 0);
  const span = tree.spans[at];
  fall.details.replaceChildren(
    h("h3", { class: "isolated" }, span.name),
    h("p", {}, `${ms(span.start)} to ${ms(span.end)}; the request waited ${ms(waited)} for it`, labels[span.part] && ` (${labels[span.part][0]})`, "."),
    ...JSON.parse(tree.details[at]).flatMap(details).flat(Infinity).filter(Boolean),
  );
}

const HEADS = { kind: "span kind", service: "service.name", status: "status", message: "status message", scope: "scope", span_id: "span id" };

function details(one, number) {
  const heads = Object.entries(HEADS).filter(([name]) => one[name]).map(([name, title]) => [title, one[name]]);
  const attributes = Object.entries(one.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    number > 0 && h("h3", { class: "isolated" }, one.name),
    pairs([...heads, ...attributes]),
    (one.events ?? []).map((event) => [h("h3", { class: "isolated" }, `${event.name} at ${ms(event.at)}`), pairs(Object.entries(event.attributes ?? {}))]),
  ];
}

function pairs(entries) {
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  return entries.length > 0 && h("dl", { class: "pairs" }, entries.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "isolated" }, text(value)))));
}

function mark(at) {
  fall.rows[fall.current]?.classList.remove("current");
  fall.current = at;
  const row = fall.rows[at];
  if (row === undefined) return;
  row.classList.add("current");
  row.scrollIntoView({ block: "nearest" });
  fall.element.setAttribute("aria-activedescendant", row.id);
}

function fallKey(event, tree, labels) {
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  if (step !== undefined) mark(Math.min(Math.max(fall.current + step, 0), fall.rows.length - 1));
  else if (event.key === "Enter" && fall.current >= 0) choose(fall.current, tree, labels);
  else return;
  event.preventDefault();
}
