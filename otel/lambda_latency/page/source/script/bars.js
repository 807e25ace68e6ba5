// ---- Draws a waterfall: axis, bars, the line along the critical path, the deadline.

import { s } from "./elements.js";
import { pixels } from "./pixels.js";
import { TEXTURED, TIMEOUT, detailsOf, has, partClass, parts, report, requests } from "./report.js";
import { sectionsOf, sumsOf } from "./rows.js";
import { AXIS, BAR, fall } from "./waterfall.js";
import { THIN, wide } from "./words.js";

const MANY_SECTIONS = 200;

/** Round instants with their positions. */
function instants({ left, right, from, to, at }) {
  const span = (to - from) / 1e6;
  const least = span / Math.max(2, (right - left) / 96);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= least);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let number_ = Math.ceil(from / 1e6 / step); number_ * step <= to / 1e6; number_++) {
    const value = number_ * step;
    const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    found.push({ x: at(value * 1e6), text: `${text}${THIN}ms` });
  }
  return found;
}

export function timeAxis(picture, own) {
  for (const { x, text } of instants(own)) {
    picture.append(s("line", { x1: x, x2: x, y1: AXIS - 5, y2: AXIS, class: "grid" }));
    const half = wide(text) / 2;
    const anchor = x - half < own.left - 6 ? "start" : x + half > own.width ? "end" : "middle";
    picture.append(s("text", { x, y: 17, "text-anchor": anchor }, text));
  }
}

export function gridOf(picture, own, height) {
  for (const { x } of instants(own)) picture.append(s("line", { x1: x, x2: x, y1: 0, y2: height, class: "grid" }));
}

export function drawBar(bars, own, row, at) {
  const { tree, folded } = fall;
  const span = tree.spans[row.span];
  const { start: begin, end, below } = sumsOf(tree, row);
  if (end < own.from || begin > own.to) return;
  const [left, right] = [own.at(begin), Math.max(own.at(begin) + 2, own.at(end))];
  const top = own.middle(at) - BAR / 2;
  const loose = span.open || below === 0;
  bars.append(
    s("rect", {
      x: left + 0.5,
      y: top + 0.5,
      width: Math.max(1, right - left - 1),
      height: BAR - 1,
      rx: 2,
      class: loose ? "outline loose" : "outline",
    }),
  );
  const sections = sectionsOf(tree, row, folded).filter((one) => one.end >= own.from && one.start <= own.to);
  if (sections.length > MANY_SECTIONS) {
    bars.append(...pixels(sections, own.at, top, BAR));
    return;
  }
  let drawn = -Infinity;
  for (const { start, end, part } of sections) {
    const x = own.at(start);
    const width = Math.max(1, own.at(end) - x);
    // Sections within a filled pixel are skipped: a handler may wait between 20,000 calls.
    if (x + width < drawn + 0.5) continue;
    drawn = x + width;
    bars.append(s("rect", { x, y: top, width, height: BAR, class: `waited ${partClass(part)}` }));
    if (TEXTURED.has(parts[part].bucket))
      bars.append(s("rect", { x, y: top, width, height: BAR, fill: `url(#${partClass(part)})` }));
  }
  if (row.members === null) eventMarks(bars, own, detailsOf(tree, row.span), top);
}

/** Draws a tick for each event of a span, over its bar. */
function eventMarks(bars, own, details, top) {
  let drawn = -Infinity;
  for (const { at: time } of details.flatMap((one) => one.events ?? [])) {
    if (time < own.from || time > own.to || own.at(time) < drawn + 1) continue;
    drawn = own.at(time);
    bars.append(s("path", { d: `M${drawn} ${top - 2}v${BAR + 4}`, class: "event-mark" }));
  }
}

/** The line of the critical path: along the lower edge of filled sections, and from row to row. */
export function pathLine(own, height) {
  let path = "";
  let before = -1;
  let turned = -Infinity; // where the line last changed rows: changes within three pixels are drawn once
  const inside = (row) => row >= fall.first && row < fall.end;
  const y = (row) => Math.max(0, Math.min(height, own.middle(row) + BAR / 2 + 2));
  const drawn = new Float64Array(Math.max(0, fall.end - fall.first)).fill(-Infinity); // by row: the end of its last piece
  for (const [span, start, end] of fall.tree.path) {
    if (end < own.from || start > own.to) continue;
    const row = fall.rowAt[span];
    if (!inside(row) && !inside(before)) {
      before = row;
      continue;
    }
    const [left, right] = [own.at(start), own.at(end)];
    // In the narrow layout, names are above their bars: a line from row to row would cross them.
    if (!own.narrow && before !== row && inside(before) && inside(row) && left - turned >= 3) {
      path += `M${left.toFixed(1)} ${y(before)}V${y(row)}`;
      turned = left;
    }
    // A piece within the half pixel that the last one of its row has drawn is skipped.
    if (inside(row) && right > drawn[row - fall.first]) {
      drawn[row - fall.first] = Math.max(right, left + 0.5);
      path += `M${left.toFixed(1)} ${y(row)}H${drawn[row - fall.first].toFixed(1)}`;
    }
    before = row;
  }
  return s("path", { d: path, class: "path" });
}

/** Draws the end of the response, if spans continue after it, and the deadline of a timeout. */
export function deadlines(picture, own, height) {
  const wall = requests.wall_ns[fall.request];
  const line = (time, name) =>
    picture.append(s("line", { x1: own.at(time), x2: own.at(time), y1: 0, y2: height, class: name }));
  if (fall.tree.end > wall * 1.001) line(wall, "answered");
  if (has(fall.request, TIMEOUT)) line(deadlineOf(wall), "deadline");
}

/** The deadline: the limit after the start of the outermost span with `lambda.timeout`. */
function deadlineOf(wall) {
  const timeout = report.timeouts.find((one) => one.trace_id === requests.trace_id[fall.request]);
  const outermost = fall.tree.spans.find((_, at) =>
    detailsOf(fall.tree, at).some((one) => one.attributes?.["lambda.timeout"] === true),
  );
  return timeout && timeout.limit_ns > 0 && outermost ? Math.min(wall, outermost.start + timeout.limit_ns) : wall;
}
