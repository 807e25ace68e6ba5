// ---- The URL's fragment: filters, order, the open request, its span and zoom, by name, so that a view can be shared and
// also applies to a later report. Back returns to the previous view.

import { factNamed, factText } from "./facts.js";
import { byId } from "./elements.js";
import { count, detailsOf, parts, report, requests } from "./report.js";
import { showRequest } from "./request.js";
import { FLAGS, SORTS, apply, reset, state } from "./state.js";
import { drawFall, fall } from "./waterfall.js";

const BY_NAME = {
  route: requests.routes,
  part: parts.map((part) => (part.bucket === "external" ? part.label : `${part.bucket}: ${part.label}`)),
};
const PAUSE_MS = 700; // changes within this time are one history entry: letters of a search, arrow keys on a handle

let written = location.hash;
let restoring = false;
let lastStep = -Infinity;

function addressWords() {
  const words = new URLSearchParams();
  if (state.query) words.set("q", state.query);
  for (const [name, names] of Object.entries(BY_NAME)) if (state[name] >= 0) words.set(name, names[state[name]]);
  if (state.fact !== null) words.set("fact", factText(state.fact));
  if (state.only.size > 0) words.set("only", [...state.only].join(","));
  for (const part of state.without) words.append("without", BY_NAME.part[part]);
  for (const name of ["from", "to", "since", "until"]) if (state[name] > 0) words.set(name, state[name]);
  if (state.sort !== "took" || !state.down) words.set("sort", (state.down ? "-" : "") + state.sort);
  if (state.view !== "time") words.set("view", state.view);
  if (state.open >= 0 && state.open !== proofRequest() && count > 1) words.set("trace", requests.trace_id[state.open]);
  if (state.open < 0 && count > 1) words.set("trace", "none");
  if (fall.tree !== null && fall.details) words.set("span", spanName(fall.rows[fall.current].span));
  if (fall.tree !== null && fall.zoom !== null) words.set("zoom", fall.zoom.map(Math.round).join("-"));
  return words.size > 0 ? `#${words}` : "";
}

const proofRequest = () => requests.trace_id.indexOf(report.verdict.trace_id);
const spanName = (span) => detailsOf(fall.tree, span)[0].span_id;

/** Writes the view into the URL, as a new history entry unless it continues the last change. */
export function writeAddress(step = true) {
  if (restoring) return;
  const words = addressWords();
  if (words === written) return;
  written = words;
  const now = performance.now();
  const write = step && now - lastStep > PAUSE_MS ? "pushState" : "replaceState";
  if (step) lastStep = now;
  try {
    history[write](null, "", words || location.pathname + location.search);
  } catch {
    // A frame without an origin cannot write its URL.
  }
}

/** Reads filters, order and chart from the URL; returns the open request, or -1. */
function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  const whole = (name) => {
    const value = Number(words.get(name) ?? 0);
    return Number.isInteger(value) && value > 0 ? value : 0;
  };
  reset();
  state.query = words.get("q") ?? "";
  for (const [name, names] of Object.entries(BY_NAME)) state[name] = names.indexOf(words.get(name));
  state.fact = factNamed(words.get("fact"));
  state.without = new Set(words.getAll("without").map((name) => BY_NAME.part.indexOf(name)).filter((part) => part >= 0));
  for (const name of (words.get("only") ?? "").split(",")) if (Object.hasOwn(FLAGS, name)) state.only.add(name);
  for (const name of ["from", "to", "since", "until"]) state[name] = whole(name);
  const sort = words.get("sort") ?? "-took";
  const name = sort.replace(/^-/, "");
  state.sort = Object.hasOwn(SORTS, name) ? name : "took";
  state.down = state.sort === name ? sort.startsWith("-") : true;
  state.view = words.get("view") === "length" ? "length" : "time";
  if (words.get("trace") === "none") return -1;
  const named = requests.trace_id.indexOf(words.get("trace"));
  return named >= 0 ? named : proofRequest();
}

/** Restores span and zoom of the open request from the URL. */
function restoreSpan() {
  if (fall.tree === null) return;
  const words = new URLSearchParams(location.hash.slice(1));
  const span = words.has("span") ? fall.tree.spans.findIndex((_, at) => spanName(at) === words.get("span")) : -1;
  if (span >= 0) {
    fall.current = fall.rowAt[span];
    fall.details = true;
  }
  const zoom = (words.get("zoom") ?? "").split("-").map(Number);
  if (zoom.length === 2 && zoom.every(Number.isFinite) && zoom[1] > zoom[0]) fall.zoom = zoom;
  byId("whole").hidden = fall.zoom === null;
  drawFall();
}

/** Restores the view of the URL. The page does not scroll, so that the sentence stays visible. */
export function restore() {
  restoring = true;
  state.open = readAddress();
  showRequest(state.open);
  apply();
  restoreSpan();
  restoring = false;
  written = addressWords();
}
