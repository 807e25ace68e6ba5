// ---- The report: the JSON of `lambda-latency report --json`, with requests as columns and spans as lines.

import { byId, h } from "./elements.js";

export const report = JSON.parse(byId("report").textContent);
export const requests = report.columns;
export const count = report.requests;

export const COLD_START = 1;
export const ERROR = 2;
export const TIMEOUT = 4;
export const THROTTLED = 8;

export const parts = report.parts;
export const label = (part) => parts[part].label;
// The parts of some buckets have three shades of its colour, in turn: three hosts are three blues.
const SHADES = 3;
const SHADED = ["external", "aws", "database", "own code"];
const shades = new Map();
const shadeOf = parts.map(({ bucket }) => {
  const at = shades.get(bucket) ?? 0;
  shades.set(bucket, at + 1);
  return SHADED.includes(bucket) && at % SHADES > 0 ? `-${at % SHADES}` : "";
});
export const partClass = (part) => `p-${parts[part].bucket.replaceAll(" ", "-")}${shadeOf[part]}`;
export const swatch = (part) => h("span", { class: `swatch ${partClass(part)}`, "aria-hidden": "true" });
// These also have a texture, because not everybody can distinguish eleven hues.
export const TEXTURED = new Set(["connect", "retries", "cold start", "telemetry", "unknown"]);

export const has = (request, flag) => (requests.flags[request] & flag) !== 0;
export const counted = (flag) => requests.flags.reduce((sum, flags) => sum + ((flags & flag) !== 0 ? 1 : 0), 0);

let bucketTexts = null;
const bucketLists = [];

/** The parts of a request with their nanoseconds, `[part, ns, part, ns, ...]`, the largest first; parsed on first use. */
export function bucketsOf(request) {
  bucketTexts ??= requests.buckets.split(";");
  return (bucketLists[request] ??= bucketTexts[request] === "" ? [] : bucketTexts[request].split(" ").map(Number));
}

export const largestPart = (request) => bucketsOf(request)[0] ?? -1;
// Whether only some requests have a waterfall in this page; their rows are marked.
export const isScarce = report.kept < count;
export const hasSpans = (request) => requests.spans[request] >= 0;
// The part that a slow request waited for beyond a typical one of its route.
export const slowFor = new Map(report.slow.map(([request, part]) => [request, part]));
const slow = new Uint8Array(count);
for (const request of slowFor.keys()) slow[request] = 1;
export const isSlow = (request) => slow[request] === 1;
export const routeOf = (request) => requests.routes[requests.route[request]];

export function nsIn(request, part) {
  const buckets = bucketsOf(request);
  for (let at = 0; at < buckets.length; at += 2) if (buckets[at] === part) return buckets[at + 1];
  return 0;
}

let spanLines = null;

/** The spans of a request, parsed from their line on each call; null if the page does not contain them.
 * Their details stay texts until `detailsOf` parses them. */
export function spansOf(request) {
  const line = requests.spans[request];
  if (line < 0) return null;
  spanLines ??= byId("spans").textContent.split("\n");
  const [rows, ...details] = spanLines[line].split("\t");
  return { ...JSON.parse(rows), details };
}

/** The details of a row of a tree: those of its span, then those of spans that share the row. */
export function detailsOf({ details }, at) {
  if (typeof details[at] === "string") details[at] = JSON.parse(details[at]);
  return details[at];
}
