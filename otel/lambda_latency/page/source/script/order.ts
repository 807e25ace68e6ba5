// ---- The order of the list, of all requests: filters keep it.

import { at, count, every, largestPart, nsIn, requests } from "./data.js";
import type { Sort, State } from "./choice.js";
import { host } from "./host.js";

/** The order at first: a live page has the newest request on top. */
export const SORT: Sort = host === null ? "took" : "start";
export const DOWN_FIRST: Record<Sort, boolean> = { start: false, route: false, took: true, part: true, marks: true };

function keyOf({ sort, part }: State, left: Float64Array): (request: number) => number {
  if (sort === "took") return (request) => at(left, request);
  if (sort === "part" && part >= 0) return (request) => nsIn(request, part);
  if (sort === "part") return (request) => -largestPart(request);
  return (request) => at({ start: requests.start_ms, route: requests.route, marks: requests.flags }[sort], request);
}

let known: { of: string; left: Float64Array; requests: Int32Array } = {
  of: "",
  left: new Float64Array(0),
  requests: every,
};

export function ordered(state: State, left: Float64Array): Int32Array {
  const of = [state.sort, state.down, state.sort === "part" && state.part].join();
  if (known.of === of && known.left === left) return known.requests;
  const key = Float64Array.from({ length: count }, (_, request) => keyOf(state, left)(request));
  known = { of, left, requests: byNumber(key, state.down) ?? byKey(key, state.down) };
  return known.requests;
}

/** Sorts by keys that fit into one exact number together with an index, which the browser sorts without a function. */
function byNumber(key: Float64Array, down: boolean): Int32Array | null {
  if (!key.every((one) => Number.isInteger(one) && one >= 0 && (one + 1) * count < Number.MAX_SAFE_INTEGER))
    return null;
  const both = key.map((one, request) => one * count + (down ? count - 1 - request : request)).sort();
  const found = Int32Array.from(both, (one) => one % count);
  return down ? found.reverse().map((request) => count - 1 - request) : found;
}

function byKey(key: Float64Array, down: boolean): Int32Array {
  const sign = down ? -1 : 1;
  const longest = (a: number, b: number): number => at(requests.wall_ns, b) - at(requests.wall_ns, a);
  return every.slice().sort((a, b) => sign * (at(key, a) - at(key, b)) || longest(a, b) || a - b);
}
