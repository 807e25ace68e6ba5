// ---- The URL's fragment: filters, order, the open request, its span and zoom, by name, so that a view can be shared and
// also applies to a later report. Back returns to the previous view.

import type { Flag, Sort, State, View } from "./choice.js";
import { at, placeOf, report, requests, several } from "./data.js";
import { byId, h } from "./elements.js";
import { factNamed, factText } from "./facts.js";
import { FLAGS } from "./filter.js";
import { WIDE } from "./findings.js";
import { host, whileDrawn } from "./host.js";
import { DOWN_FIRST, SORT } from "./order.js";
import { fall, onMove } from "./request.js";
import { detailsOf } from "./spans.js";
import { follow, restored, state } from "./store.js";
import { say } from "./words.js";

const PARTS = report.parts.map(({ bucket, label }) => (bucket === "external" ? label : `${bucket}: ${label}`));
const VIEWS: readonly View[] = ["time", "length", "percentiles"];
const NUMBERS = ["from", "to", "since", "until"] as const;
const PAUSE_MS = 700; // changes within this time are one history entry: letters of a search, arrow keys on a handle

let written = location.hash;
let isRestoring = false;
let lastStep = Number.NEGATIVE_INFINITY;

/** The request that is open at first: the example of the first finding that has one. A live page opens none. */
const example = report.findings.find((card) => card.trace_id !== undefined)?.trace_id ?? report.verdict.trace_id;
const proof = host === null ? placeOf(example) : -1;

/** The finding that is shown at first: beside the rows the first one, on a small window none. */
const first = (): number => (WIDE.matches && report.findings.length > 0 ? 0 : -1);

const spanName = (span: number): string => (fall === null ? "" : (detailsOf(fall.tree, span)[0]?.span_id ?? ""));

function addressWords(): string {
  const words = new URLSearchParams();
  const card = report.findings[state.finding];
  if (card !== undefined) words.set("finding", card.key);
  if (state.query) words.set("q", state.query);
  if (state.route >= 0) words.set("route", at(requests.routes, state.route));
  if (state.part >= 0) words.set("part", at(PARTS, state.part));
  if (state.fact !== null) words.set("fact", factText(state.fact));
  if (state.only.size > 0) words.set("only", [...state.only].join(","));
  for (const part of state.without) words.append("without", at(PARTS, part));
  for (const name of NUMBERS) if (state[name] > 0) words.set(name, String(state[name]));
  if (state.sort !== SORT || !state.down) words.set("sort", (state.down ? "-" : "") + state.sort);
  if (state.view !== "time") words.set("view", state.view);
  if (state.open >= 0 && state.open !== proof && several) words.set("trace", at(requests.trace_id, state.open));
  if (state.open < 0 && proof >= 0) words.set("trace", "none");
  if (state.shown !== first()) words.set("shown", report.findings[state.shown]?.key ?? "none");
  if (state.pinned >= 0) words.set("with", at(requests.trace_id, state.pinned));
  const row = fall?.rows[fall.current];
  if (fall?.details && row !== undefined) words.set("span", spanName(row.span));
  if (fall?.zoom) words.set("zoom", fall.zoom.map(Math.round).join("-"));
  return words.size > 0 ? `#${words}` : "";
}

/** Writes the view into the URL, as a new history entry unless it continues the last change. */
function write(isStep: boolean): void {
  if (isRestoring) return;
  const words = addressWords();
  if (words === written) return;
  written = words;
  const now = performance.now();
  const way = isStep && now - lastStep > PAUSE_MS ? "pushState" : "replaceState";
  if (isStep) lastStep = now;
  try {
    history[way](null, "", words || location.pathname + location.search);
  } catch {
    // A frame without an origin cannot write its URL.
  }
}

/** The view of the URL; what it names and this report lacks is as at the beginning. */
function read(words: URLSearchParams): Partial<State> {
  const whole = (name: string): number => {
    const value = Number(words.get(name) ?? 0);
    return Number.isInteger(value) && value > 0 ? value : 0;
  };
  const sort = words.get("sort") ?? `-${SORT}`;
  const name = sort.replace(/^-/, "");
  const isSort = Object.hasOwn(DOWN_FIRST, name);
  const named = words.get("trace");
  const open = named === "none" ? -1 : placeOf(named);
  byId("gone").hidden = named === null || named === "none" || open >= 0;
  return {
    query: words.get("q") ?? "",
    route: requests.routes.indexOf(words.get("route") ?? "\n"),
    part: PARTS.indexOf(words.get("part") ?? "\n"),
    finding: report.findings.findIndex(({ key }) => key === words.get("finding")),
    fact: factNamed(words.get("fact")),
    without: new Set(
      words
        .getAll("without")
        .map((one) => PARTS.indexOf(one))
        .filter((part) => part >= 0),
    ),
    only: new Set((words.get("only") ?? "").split(",").filter((one): one is Flag => Object.hasOwn(FLAGS, one))),
    ...Object.fromEntries(NUMBERS.map((one) => [one, whole(one)])),
    sort: isSort ? (name as Sort) : SORT,
    down: isSort ? sort.startsWith("-") : true,
    view: VIEWS.find((one) => one === words.get("view")) ?? "time",
    open: named === null ? proof : open,
    pinned: placeOf(words.get("with")),
    shown: words.has("shown") ? report.findings.findIndex(({ key }) => key === words.get("shown")) : first(),
  };
}

/** Restores span and zoom of the open request. */
function restoreSpan(words: URLSearchParams): void {
  if (fall === null) return;
  const own = fall;
  const span = words.has("span") ? own.tree.spans.findIndex((_, place) => spanName(place) === words.get("span")) : -1;
  if (span >= 0) {
    own.current = Math.max(0, at(own.rowAt, span));
    own.details = true;
  }
  const [from = Number.NaN, to = Number.NaN] = (words.get("zoom") ?? "").split("-").map(Number);
  if (to > from) own.show([from, to]);
  else if (span >= 0) {
    own.markRow();
    own.show(null);
  }
}

/** Restores the view of the URL. The page does not scroll, so that the sentence stays visible. */
function restore(): void {
  isRestoring = true;
  const words = new URLSearchParams(location.hash.slice(1));
  restored(read(words), { step: false });
  restoreSpan(words);
  isRestoring = false;
  written = addressWords();
}

/** Follows the store and the waterfall with the URL, and the URL with the store. */
export function keepAddress(): void {
  byId("headline").before(h("p", { id: "gone", class: "hint", role: "status", hidden: true }, say("address.gone")));
  restore();
  follow((_now, _before, aim) => write(aim.step !== false));
  onMove(() => write(true));
  addEventListener("popstate", restore, whileDrawn); // also fired for a changed fragment
}
