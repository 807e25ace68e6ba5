// ---- Which requests are chosen.

import {
  COLD_START,
  ERROR,
  THROTTLED,
  TIMEOUT,
  at,
  count,
  has,
  hasSpans,
  isScarce,
  isSlow,
  largestPart,
  nsIn,
  report,
  requests,
  routeOf,
} from "./data.js";
import { factsOf } from "./facts.js";
import { host } from "./host.js";
import { label } from "./labels.js";
import { matching } from "./search.js";
import type { Choice, Flag } from "./choice.js";
import { traceName } from "./words.js";

export const FLAGS: Record<Exclude<Flag, "spans">, (request: number) => boolean> &
  Partial<Record<"spans", (request: number) => boolean>> = {
  slow: isSlow,
  cold: (request) => has(request, COLD_START),
  error: (request) => has(request, ERROR),
  timeout: (request) => has(request, TIMEOUT),
  throttled: (request) => has(request, THROTTLED),
  ...(isScarce && { spans: hasSpans }),
};

const haystacks: string[] = [];

/** What a search finds of a request without its spans: ids, route, status, largest part, marks. */
function haystack(request: number): string {
  const known = haystacks[request];
  if (known !== undefined) return known;
  const id = at(requests.trace_id, request);
  const marks = Object.entries(FLAGS).map(([name, is]) => (is(request) ? name : ""));
  const { what = "", where = "" } = host?.failure(id) ?? {};
  const words = [
    id,
    traceName(id, at(requests.start_ms, request)),
    routeOf(request),
    requests.status[request] ?? "",
    label(largestPart(request)),
    what,
    where,
    ...marks,
  ];
  const found = words.join("\n").toLowerCase();
  haystacks[request] = found;
  return found;
}

/** For each request, whether it is one of a finding; null without a finding, or if it names none. */
export function membersOf(finding: number): Uint8Array | null {
  const members = report.findings[finding]?.members;
  if (members === undefined) return null;
  const found = new Uint8Array(count);
  for (const request of members) found[request] = 1;
  return found;
}

/** The chosen ones of some requests, in their order. `lengths` are the durations that ranges select by. */
export function filtered(some: Int32Array, choice: Choice, lengths: Float64Array): Int32Array {
  const query = choice.query.trim().toLowerCase();
  const wanted = [...choice.only].flatMap((name) => FLAGS[name] ?? []);
  const [low, high] = [choice.from * 1e6, choice.to > 0 ? choice.to * 1e6 : Number.POSITIVE_INFINITY];
  const fact = choice.fact === null ? null : at(factsOf(), choice.fact[0]);
  const members = membersOf(choice.finding);
  const inSpans = query === "" ? null : matching(query);
  const found = new Int32Array(some.length);
  let chosen = 0;
  for (const request of some) {
    if (choice.route >= 0 && requests.route[request] !== choice.route) continue;
    if (at(lengths, request) < low || at(lengths, request) > high) continue;
    const start = at(requests.start_ms, request);
    if (start < choice.since || (choice.until > 0 && start > choice.until)) continue;
    if (fact !== null && fact[request] !== choice.fact?.[1]) continue;
    if (members !== null && members[request] === 0) continue;
    if (!wanted.every((is) => is(request))) continue;
    if (choice.part >= 0 && nsIn(request, choice.part) === 0) continue;
    if (inSpans !== null && !inSpans.has(request) && !haystack(request).includes(query)) continue;
    found[chosen++] = request;
  }
  return found.slice(0, chosen);
}
