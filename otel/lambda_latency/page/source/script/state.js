// ---- The state: filters, order, the open request.

import { writeAddress } from "./address.js";
import { factsOf } from "./facts.js";
import { byId, reveal } from "./elements.js";
import {
  COLD_START,
  ERROR,
  THROTTLED,
  TIMEOUT,
  count,
  has,
  hasSpans,
  isScarce,
  isSlow,
  label,
  largestPart,
  nsIn,
  requests,
  routeOf,
} from "./report.js";
import { leftOf } from "./whatif.js";
import { traceName } from "./words.js";

export const state = {
  query: "",
  route: -1,
  part: -1,
  fact: null, // a fact, and the index of its value
  only: new Set(),
  without: new Set(), // parts whose time is subtracted
  from: 0, // least duration in milliseconds
  to: 0,
  since: 0, // earliest start in milliseconds since 1970
  until: 0,
  sort: "took",
  down: true,
  open: -1,
  view: "time",
};
export let view = Int32Array.from(requests.wall_ns.keys());
export const watchers = [];

export const SORTS = {
  start: (request) => requests.start_ms[request],
  route: (request) => requests.route[request],
  took: (request) => requests.wall_ns[request],
  part: (request) => (state.part < 0 ? -largestPart(request) : nsIn(request, state.part)),
  marks: (request) => requests.flags[request],
};
export const DOWN_FIRST = { start: false, route: false, took: true, part: true, marks: true };
export const FLAGS = {
  slow: isSlow,
  cold: (request) => has(request, COLD_START),
  error: (request) => has(request, ERROR),
  timeout: (request) => has(request, TIMEOUT),
  throttled: (request) => has(request, THROTTLED),
  ...(isScarce && { spans: hasSpans }),
};

let haystacks = null;

function haystack(request) {
  haystacks ??= new Array(count);
  const found = haystacks[request];
  if (found !== undefined) return found;
  const id = requests.trace_id[request];
  const largest = largestPart(request);
  const words = [
    id,
    traceName(id, requests.start_ms[request]),
    routeOf(request),
    requests.status[request] ?? "",
    largest < 0 ? "" : label(largest),
    ...Object.entries(FLAGS).map(([name, is]) => (is(request) ? name : "")),
  ];
  return (haystacks[request] = words.join("\n").toLowerCase());
}

export function reset() {
  Object.assign(state, { query: "", route: -1, part: -1, fact: null, only: new Set(), from: 0, to: 0, since: 0, until: 0 });
}

export const isFiltered = () =>
  state.query !== "" ||
  state.route >= 0 ||
  state.part >= 0 ||
  state.fact !== null ||
  state.only.size > 0 ||
  state.from > 0 ||
  state.to > 0 ||
  state.since > 0 ||
  state.until > 0;

let order = { of: "", requests: new Int32Array(0) };

// Whether durations and indices fit into one exact number each, which the browser sorts without calling a function.
const isSortable = requests.wall_ns.every((ns) => (ns + 1) * count < Number.MAX_SAFE_INTEGER);

function byDuration(down) {
  const both = Float64Array.from(requests.wall_ns, (ns, at) => ns * count + (down ? count - 1 - at : at)).sort();
  const found = Int32Array.from(both, (one) => one % count);
  return down ? found.reverse().map((at) => count - 1 - at) : found;
}

function byKey() {
  const key = Float64Array.from({ length: count }, (_, request) => SORTS[state.sort](request));
  const sign = state.down ? -1 : 1;
  return Int32Array.from(requests.wall_ns.keys()).sort(
    (a, b) => sign * (key[a] - key[b]) || requests.wall_ns[b] - requests.wall_ns[a] || a - b,
  );
}

/** All requests in the chosen order: filters keep it. */
function ordered() {
  const of = [state.sort, state.down, state.sort === "part" && state.part].join();
  if (order.of !== of) {
    order = { of, requests: state.sort === "took" && isSortable ? byDuration(state.down) : byKey() };
  }
  return order.requests;
}

/** Filters and sorts, notifies watchers, and writes the URL; `step`: whether Back returns to the previous view. */
export function apply(step = true) {
  const query = state.query.trim().toLowerCase();
  const wanted = [...state.only].map((name) => FLAGS[name]);
  const low = state.from * 1e6;
  const high = state.to > 0 ? state.to * 1e6 : Infinity;
  const fact = state.fact === null ? null : factsOf()[state.fact[0]];
  const lengths = leftOf(); // the durations in the charts, on which ranges are selected
  const found = [];
  for (const request of ordered()) {
    if (state.route >= 0 && requests.route[request] !== state.route) continue;
    if (lengths[request] < low || lengths[request] > high) continue;
    const start = requests.start_ms[request];
    if (start < state.since || (state.until > 0 && start > state.until)) continue;
    if (fact !== null && fact[request] !== state.fact[1]) continue;
    if (!wanted.every((is) => is(request))) continue;
    if (state.part >= 0 && nsIn(request, state.part) === 0) continue;
    if (query !== "" && !haystack(request).includes(query)) continue;
    found.push(request);
  }
  view = Int32Array.from(found);
  for (const watcher of watchers) watcher();
  writeAddress(step);
}

/** Applies only one filter, and scrolls to the list. */
export function only(change) {
  reset();
  Object.assign(state, change);
  apply();
  reveal(byId("requests"));
}
