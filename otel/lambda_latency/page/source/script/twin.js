// ---- A typical request of the open request's route, and the comparison of their calls.

import { h } from "./elements.js";
import { ERROR, TIMEOUT, count, has, hasSpans, isSlow, requests } from "./report.js";
import { openTrace } from "./request.js";
import { treeOf } from "./rows.js";
import { fall } from "./waterfall.js";
import { ms, say, signedMs } from "./words.js";

const MOST_CALLS = 8;
const LEAST_CALL = 0.01; // least share of the difference
let known = { of: -1, twin: null };

/** The request of the same route nearest to its median whose spans the page contains; null if there is none. */
export function typicalTwin(request) {
  if (known.of !== request) known = { of: request, twin: findTwin(request) };
  return known.twin;
}

function findTwin(request) {
  const route = requests.route[request];
  const usual = Float64Array.from(requests.wall_ns.filter((_, at) => requests.route[at] === route)).sort();
  if (usual.length < 3) return null;
  const middle = usual[Math.floor(usual.length / 2)];
  let best = -1;
  for (let at = 0; at < count; at++) {
    if (at === request || requests.route[at] !== route || !hasSpans(at) || isSlow(at) || has(at, ERROR | TIMEOUT)) continue;
    if (best < 0 || Math.abs(requests.wall_ns[at] - middle) < Math.abs(requests.wall_ns[best] - middle)) best = at;
  }
  if (best < 0) return null;
  const tree = treeOf(best);
  return tree.path.length === 0 ? null : { request: best, tree };
}

/** The waits of a request by span name, in nanoseconds. */
function waits({ spans, waited }) {
  const sums = new Map();
  spans.forEach((span, at) => {
    if (waited[at] > 0) sums.set(span.name, (sums.get(span.name) ?? 0) + waited[at]);
  });
  return sums;
}

/** The table of calls whose wait differs most from the typical request. */
export function twinTable(request) {
  const twin = typicalTwin(request);
  if (twin === null) return null;
  const [here, there] = [waits(fall.tree), waits(twin.tree)];
  const rows = [...new Set([...here.keys(), ...there.keys()])].map((name) => {
    const [now, usual] = [here.get(name) ?? 0, there.get(name) ?? 0];
    return { name, now, usual, more: now - usual };
  });
  const whole = Math.abs(requests.wall_ns[request] - requests.wall_ns[twin.request]);
  const told = rows
    .filter((row) => Math.abs(row.more) >= Math.max(5e5, whole * LEAST_CALL))
    .sort((a, b) => Math.abs(b.more) - Math.abs(a.more))
    .slice(0, MOST_CALLS);
  const heads = ["request.this", "request.typical", "difference"];
  const open = h("button", { class: "link", id: "open-twin" }, say("request.open_twin"));
  open.addEventListener("click", () => openTrace(requests.trace_id[twin.request]));
  const numbers = { took: ms(requests.wall_ns[request]), typical: ms(requests.wall_ns[twin.request]) };
  return h(
    "div",
    { class: "twin", id: "twin" },
    h("h3", {}, say("request.twin")),
    h("p", { class: "says" }, say(told.length > 0 ? "request.twin_says" : "request.twin_same", numbers), " ", open),
    told.length > 0 &&
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, say("request.call")),
            heads.map((name) => h("th", { scope: "col", class: "num" }, say(name))),
          ),
        ),
        h(
          "tbody",
          {},
          told.map(({ name, now, usual, more }) =>
            h(
              "tr",
              {},
              h("td", { class: "isolated" }, name),
              [ms(now), ms(usual), signedMs(more)].map((text) => h("td", { class: "num" }, text)),
            ),
          ),
        ),
      ),
  );
}
