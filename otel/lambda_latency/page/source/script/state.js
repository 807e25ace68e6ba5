// ---- The state: filters, order, the open request. It is in the address, so that a view can be shared.

const state = {
  query: "",
  route: -1,
  part: -1,
  node: -1,
  only: new Set(),
  from: 0,
  to: 0,
  sort: "took",
  down: true,
  open: -1,
  view: "length",
};
let view = Int32Array.from(requests.wall_ns.keys());
const watchers = [];

const SORTS = {
  start: (request) => requests.start_ms[request],
  route: (request) => requests.route[request],
  took: (request) => requests.wall_ns[request],
  part: (request) => (state.part < 0 ? -largestPart(request) : nsIn(request, state.part)),
  marks: (request) => requests.flags[request],
};
const DOWN_FIRST = { start: false, route: false, took: true, part: true, marks: true };
const FLAGS = {
  slow: isSlow,
  cold: (request) => has(request, COLD_START),
  error: (request) => has(request, ERROR),
  timeout: (request) => has(request, TIMEOUT),
  throttled: (request) => has(request, THROTTLED),
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
  ];
  return (haystacks[request] = words.join("\n").toLowerCase());
}

function reset() {
  Object.assign(state, { query: "", route: -1, part: -1, node: -1, only: new Set(), from: 0, to: 0 });
}

const isFiltered = () =>
  state.query !== "" ||
  state.route >= 0 ||
  state.part >= 0 ||
  state.node >= 0 ||
  state.only.size > 0 ||
  state.from > 0 ||
  state.to > 0;

/** Filter and sort, tell everybody, and write it into the address. */
function apply() {
  const query = state.query.trim().toLowerCase();
  const nodes = state.node < 0 ? null : requests.node_sets.map((set) => set.includes(state.node));
  const wanted = [...state.only].map((name) => FLAGS[name]);
  const low = state.from * 1e6;
  const high = state.to > 0 ? state.to * 1e6 : Infinity;
  const found = [];
  for (let request = 0; request < count; request++) {
    if (state.route >= 0 && requests.route[request] !== state.route) continue;
    const wall = requests.wall_ns[request];
    if (wall < low || wall > high) continue;
    if (nodes !== null && !nodes[requests.nodes[request]]) continue;
    if (!wanted.every((is) => is(request))) continue;
    if (state.part >= 0 && nsIn(request, state.part) === 0) continue;
    if (query !== "" && !haystack(request).includes(query)) continue;
    found.push(request);
  }
  const key = Float64Array.from({ length: count }, (_, request) => SORTS[state.sort](request));
  const sign = state.down ? -1 : 1;
  view = Int32Array.from(found).sort(
    (a, b) => sign * (key[a] - key[b]) || requests.wall_ns[b] - requests.wall_ns[a] || a - b,
  );
  for (const watcher of watchers) watcher();
  writeAddress();
}

/** Show only what one filter lets through, and go there. */
function only(change) {
  reset();
  Object.assign(state, change);
  apply();
  reveal(byId("requests"));
}

function writeAddress() {
  const words = new URLSearchParams();
  if (state.query) words.set("q", state.query);
  for (const name of ["route", "part", "node"]) if (state[name] >= 0) words.set(name, state[name]);
  if (state.only.size > 0) words.set("only", [...state.only].join(","));
  for (const name of ["from", "to"]) if (state[name] > 0) words.set(name, state[name]);
  if (state.sort !== "took" || !state.down) words.set("sort", (state.down ? "-" : "") + state.sort);
  if (state.view !== "length") words.set("view", state.view);
  if (state.open >= 0 && count > 1) words.set("trace", requests.trace_id[state.open]);
  try {
    history.replaceState(null, "", words.size > 0 ? `#${words}` : location.pathname + location.search);
  } catch {
    // A frame without an origin cannot write its address.
  }
}

/** Take filters, order and picture from the address; returns the request that it opens, or -1. */
function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  const whole = (name, end) => {
    const value = Number(words.get(name) ?? -1);
    return Number.isInteger(value) && value >= 0 && value < end ? value : -1;
  };
  reset();
  state.query = words.get("q") ?? "";
  state.route = whole("route", requests.routes.length);
  state.part = whole("part", parts.length);
  state.node = whole("node", report.map.nodes.length);
  for (const name of (words.get("only") ?? "").split(",")) if (Object.hasOwn(FLAGS, name)) state.only.add(name);
  state.from = Math.max(0, whole("from", Infinity));
  state.to = Math.max(0, whole("to", Infinity));
  const sort = words.get("sort") ?? "-took";
  const name = sort.replace(/^-/, "");
  state.sort = Object.hasOwn(SORTS, name) ? name : "took";
  state.down = state.sort === name ? sort.startsWith("-") : true;
  state.view = words.get("view") === "time" ? "time" : "length";
  return requests.trace_id.indexOf(words.get("trace"));
}
