// ---- The report: the JSON of `lambda-latency report --format json`, with requests as columns. Nothing here draws.

import { host } from "./host.js";
import type { Island } from "./island.js";

const island = (): Island => JSON.parse(document.getElementById("report")?.textContent ?? "");
export const report = host?.report ?? island();
export const requests = report.columns;
export const count = report.requests;
/** Whether the page is about requests beside each other: a file with one request shows that request alone. */
export const several = count > (host === null ? 1 : 0);
export const every = Int32Array.from({ length: count }, (_, request) => request);

export const COLD_START = 1;
export const ERROR = 2;
export const TIMEOUT = 4;
export const THROTTLED = 8;

/** A number of a list whose index is known to be inside. */
export const at = <T>(list: ArrayLike<T>, index: number): T => list[index] as T;

export const has = (request: number, flag: number): boolean => (at(requests.flags, request) & flag) !== 0;
export const routeOf = (request: number): string => at(requests.routes, at(requests.route, request));
export const wallOf = (request: number): number => at(requests.wall_ns, request);
export const placeOf = (traceId: string | null | undefined): number =>
  traceId == null ? -1 : requests.trace_id.indexOf(traceId);

/** How many of some requests have a flag. */
export function counted(some: Int32Array, flag: number): number {
  let found = 0;
  for (const request of some) if (has(request, flag)) found++;
  return found;
}

/** Where each piece of a text ends, for a list of pieces takes many times their room. */
export function endsOf(text: string, mark: string, pieces: number): Int32Array {
  const found = new Int32Array(pieces);
  for (let piece = 0, end = -1; piece < pieces; piece++) {
    end = text.indexOf(mark, end + 1);
    if (end < 0) end = text.length;
    found[piece] = end;
  }
  return found;
}

let cellEnds: Int32Array | null = null;
const partLists: number[][] = [];

function cellText(request: number): string {
  cellEnds ??= endsOf(requests.buckets, ";", count);
  return requests.buckets.slice(request > 0 ? at(cellEnds, request - 1) + 1 : 0, at(cellEnds, request));
}

/** The cells of a request with their nanoseconds, `[cell, ns, cell, ns, ...]`; all cells of a part are together. */
export const cellsOf = (request: number): number[] =>
  cellText(request) === "" ? [] : cellText(request).split(" ").map(Number);

export const partOfCell = (cell: number): number => at(at(requests.cells, cell), 0) as number;

/** The parts of a request with their nanoseconds, `[part, ns, part, ns, ...]`, the largest first; parsed on first use. */
export function bucketsOf(request: number): number[] {
  const known = partLists[request];
  if (known !== undefined) return known;
  const cells = cellsOf(request);
  const found: number[] = [];
  for (let place = 0; place < cells.length; place += 2) {
    const part = partOfCell(at(cells, place));
    if (found.at(-2) === part) found[found.length - 1] = at(found, found.length - 1) + at(cells, place + 1);
    else found.push(part, at(cells, place + 1));
  }
  partLists[request] = found;
  return found;
}

/** The largest part of a request, or -1; the others are not parsed. */
export function largestPart(request: number): number {
  const text = cellText(request);
  return text === "" ? -1 : partOfCell(Number.parseInt(text, 10));
}

export function nsIn(request: number, part: number): number {
  const buckets = bucketsOf(request);
  for (let place = 0; place < buckets.length; place += 2) if (buckets[place] === part) return at(buckets, place + 1);
  return 0;
}

/** The part of the class of a slow request, or -1. */
export const classOf = new Int32Array(count).fill(-1);
for (const [part, members] of report.members) for (const request of members) classOf[request] = part;

const slow = new Uint8Array(count);
for (const request of report.slow) slow[request] = 1;
export const isSlow = (request: number): boolean => slow[request] === 1;

// Whether only some requests have a waterfall in this page; their rows are marked.
export const isScarce = report.kept < count;
/** Whether a request has no waterfall: a live page gets one when it opens the request. */
export const isBare = (request: number): boolean => host === null && !hasSpans(request);
export const hasSpans = (request: number): boolean => at(requests.spans, request) >= 0;

/** The value at a percentile of ordered values, by nearest rank. */
export const atRank = (ordered: Float64Array, percent: number): number =>
  ordered.length === 0 ? 0 : at(ordered, Math.max(1, Math.ceil((percent * ordered.length) / 100)) - 1);
