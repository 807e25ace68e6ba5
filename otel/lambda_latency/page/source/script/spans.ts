// ---- The spans of requests: lines in deflated blocks, which are inflated when a request of theirs is opened.

import { at, endsOf, report, requests } from "./data.js";
import { host } from "./host.js";
import { inflate } from "./inflate.js";

export interface Span {
  name: string;
  parent: number;
  part: number;
  start: number; // nanoseconds after the request's start
  end: number;
  mark?: string;
  open?: boolean;
}

export interface SpanEvent {
  name: string;
  at: number;
  attributes?: Record<string, unknown>;
}

/** What a span says beside its times. */
export interface Details {
  span_id: string;
  name: string;
  kind?: string;
  scope?: string;
  service?: string;
  status?: string;
  message?: string;
  attributes?: Record<string, unknown>;
  events?: SpanEvent[];
  links?: { trace_id: string; span_id: string }[];
}

/** The spans of a request in tree order, and its critical path as `[row, start, end, part]`. */
export interface Spans {
  spans: Span[];
  path: [number, number, number, number][];
  orphans: string[];
  others: string[];
  aside: string[];
  details: Told;
}

/** The details of rows as one text, in which that of a row ends at the end with the row's number + 1; some are parsed. */
export interface Told {
  text: string;
  ends: Int32Array;
  parsed: Map<number, Details[]>;
}

interface Block {
  first: number; // the number of its first line
  packed: string;
  lines: string[] | null;
}

let blocks: Block[] | null = null;
const MOST_OPEN = 12; // blocks that stay inflated: a person goes back and forth between few requests

function blocksOf(): Block[] {
  let first = 0;
  return (document.getElementById("spans")?.textContent ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const colon = line.indexOf(":");
      const block = { first, packed: line.slice(colon + 1), lines: null };
      first += Number(line.slice(0, colon));
      return block;
    });
}

function linesOf(block: Block): string[] {
  if (block.lines !== null) return block.lines;
  const opened = (blocks ?? []).filter((one) => one.lines !== null);
  if (opened.length >= MOST_OPEN) for (const one of opened) one.lines = null;
  const packed = Uint8Array.from(atob(block.packed), (letter) => letter.charCodeAt(0));
  block.lines = new TextDecoder().decode(inflate(packed)).split("\n");
  return block.lines;
}

/** The line of a request's spans; empty if the page does not contain them. */
export function lineOf(request: number): string {
  const line = at(requests.spans, request);
  if (line < 0) return "";
  if (host !== null) return host.lines[line] ?? "";
  blocks ??= blocksOf();
  const block = blocks.findLast((one) => one.first <= line);
  return block === undefined ? "" : (linesOf(block)[line - block.first] ?? "");
}

/** The spans of a request, parsed on each call; null if the page does not contain them.
 * Their details stay texts until `detailsOf` parses them. */
export function spansOf(request: number): Spans | null {
  const line = lineOf(request);
  if (line === "") return null;
  const first = line.indexOf("\t");
  const rows = JSON.parse(first < 0 ? line : line.slice(0, first)) as Omit<Spans, "details">;
  return { ...rows, details: { text: line, ends: endsOf(line, "\t", rows.spans.length + 1), parsed: new Map() } };
}

/** The details of a row of a tree: those of its span, then those of spans that share the row. */
export function detailsOf({ details }: { details: Spans["details"] }, row: number): Details[] {
  const known = details.parsed.get(row);
  if (known !== undefined) return known;
  const told = details.text.slice(at(details.ends, row) + 1, at(details.ends, row + 1));
  const parsed = told === "" ? [] : (JSON.parse(told) as Details[]);
  details.parsed.set(row, parsed);
  return parsed;
}

/** The requests whose spans the page contains, those of one block together. */
export function keptRequests(): number[] {
  const found = new Array<number>(report.kept).fill(-1);
  requests.spans.forEach((line, request) => {
    if (line >= 0) found[line] = request;
  });
  return found.filter((request) => request >= 0);
}
