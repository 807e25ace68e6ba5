// ---- Draws a waterfall: axis, bars, the line along the critical path, the deadline.

import { at } from "./data.js";
import { s } from "./elements.js";
import { partClass, textureOf } from "./palette.js";
import { pixels } from "./pixels.js";
import { type Row, stretchesOf } from "./rows.js";
import { detailsOf } from "./spans.js";
import type { Tree } from "./tree.js";
import { THIN, wide } from "./words.js";

/** Sizes of a waterfall, and functions from instants and rows to positions. */
export interface Layout {
  width: number;
  narrow: boolean;
  names: number;
  figures: number;
  left: number;
  right: number;
  from: number;
  to: number;
  row: number;
  at(time: number): number;
  middle(row: number): number;
}

export const AXIS = 26;
export const BAR = 14;
const MANY_STRETCHES = 200;
const SECONDS = 1e10; // nanoseconds, from which on an axis is in seconds

/** Round instants with their positions. */
function instants({ left, right, from, to, at: where }: Layout): { x: number; text: string }[] {
  const span = (to - from) / 1e6;
  const least = span / Math.max(2, (right - left) / 96);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= least) ?? 10 * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let number = Math.ceil(from / 1e6 / step); number * step <= to / 1e6; number++) {
    const value = number * step;
    found.push({ x: where(value * 1e6), text: instantWords(value, digits, to >= SECONDS) });
  }
  return found;
}

/** An instant of an axis in milliseconds, or on an axis of 10 s and more in seconds. */
function instantWords(value: number, digits: number, inSeconds: boolean): string {
  if (inSeconds) return `${(value / 1e3).toLocaleString("en-US", { maximumFractionDigits: 3 })}${THIN}s`;
  const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text}${THIN}ms`;
}

export function timeAxis(picture: SVGElement, own: Layout): void {
  for (const { x, text } of instants(own)) {
    picture.append(s("line", { x1: x, x2: x, y1: AXIS - 5, y2: AXIS, class: "grid" }));
    const half = wide(text) / 2;
    const anchor = x - half < own.left - 6 ? "start" : x + half > own.width ? "end" : "middle";
    picture.append(s("text", { x, y: 17, "text-anchor": anchor }, text));
  }
}

export function gridOf(picture: SVGElement, own: Layout, height: number): void {
  for (const { x } of instants(own)) picture.append(s("line", { x1: x, x2: x, y1: 0, y2: height, class: "grid" }));
}

export function drawBar(bars: SVGElement, own: Layout, tree: Tree, folded: Set<number>, row: Row, place: number): void {
  const span = at(tree.spans, row.span);
  const { start: begin, end, below } = row.sums;
  const top = own.middle(place) - BAR / 2;
  if (row.isLate && end > own.to) {
    bars.append(s("path", { d: `M${own.right - 9} ${top + 2}l8 5l-8 5`, class: "after" }));
    if (begin > own.to) return;
  }
  if (end < own.from || begin > own.to) return;
  const [left, right] = [own.at(begin), Math.max(own.at(begin) + 2, own.at(end))];
  const isLoose = span.open || below === 0;
  const width = Math.max(1, right - left - 1);
  bars.append(
    s("rect", {
      x: left + 0.5,
      y: top + 0.5,
      width,
      height: BAR - 1,
      rx: 2,
      class: isLoose ? "outline loose" : "outline",
    }),
  );
  const stretches = stretchesOf(tree, row, folded).filter((one) => one.end >= own.from && one.start <= own.to);
  if (stretches.length > MANY_STRETCHES) {
    bars.append(...pixels(stretches, own.at, top, BAR));
    return;
  }
  let drawn = Number.NEGATIVE_INFINITY;
  for (const { start, end: stop, part } of stretches) {
    const x = own.at(start);
    const long = Math.max(1, own.at(stop) - x);
    // Stretches within a filled pixel are skipped: a handler may wait between 20,000 calls.
    if (x + long < drawn + 0.5) continue;
    drawn = x + long;
    bars.append(s("rect", { x, y: top, width: long, height: BAR, class: `waited ${partClass(part)}` }));
    if (textureOf(part) !== "")
      bars.append(s("rect", { x, y: top, width: long, height: BAR, fill: `url(#${textureOf(part)})` }));
  }
  if (row.members === null) eventMarks(bars, own, tree, row.span, top);
}

/** Draws a tick for each event of a span, over its bar. */
function eventMarks(bars: SVGElement, own: Layout, tree: Tree, span: number, top: number): void {
  let drawn = Number.NEGATIVE_INFINITY;
  for (const { at: time } of detailsOf(tree, span).flatMap((one) => one.events ?? [])) {
    if (time < own.from || time > own.to || own.at(time) < drawn + 1) continue;
    drawn = own.at(time);
    bars.append(s("path", { d: `M${drawn} ${top - 2}v${BAR + 4}`, class: "event-mark" }));
  }
}

/** The line of the critical path: along the lower edge of filled stretches, and from row to row. */
export function pathLine(own: Layout, tree: Tree, rowAt: Int32Array, first: number, end: number): SVGElement {
  const height = (end - first) * own.row;
  let path = "";
  let before = -1;
  let turned = Number.NEGATIVE_INFINITY; // where the line last changed rows: changes within three pixels are drawn once
  const isInside = (row: number): boolean => row >= first && row < end;
  const y = (row: number): number => Math.max(0, Math.min(height, own.middle(row) + BAR / 2 + 2));
  const drawn = new Float64Array(Math.max(0, end - first)).fill(Number.NEGATIVE_INFINITY); // by row: the end of its last piece
  for (const [span, start, stop] of tree.path) {
    if (stop < own.from || start > own.to) continue;
    const row = at(rowAt, span);
    if (!isInside(row) && !isInside(before)) {
      before = row;
      continue;
    }
    const [left, right] = [own.at(start), own.at(stop)];
    // In the narrow layout, names are above their bars: a line from row to row would cross them.
    if (!own.narrow && before !== row && isInside(before) && isInside(row) && left - turned >= 3) {
      path += `M${left.toFixed(1)} ${y(before)}V${y(row)}`;
      turned = left;
    }
    // A piece within the half pixel that the last one of its row has drawn is skipped.
    if (isInside(row) && right > at(drawn, row - first)) {
      const to = Math.max(right, left + 0.5);
      drawn[row - first] = to;
      path += `M${left.toFixed(1)} ${y(row)}H${to.toFixed(1)}`;
    }
    before = row;
  }
  return s("path", { d: path, class: "path" });
}

/** Draws the end of the response, if spans continue after it, and the deadline of a timeout. */
export function deadlines(picture: SVGElement, own: Layout, tree: Tree, deadline: number | null, height: number): void {
  const line = (time: number, name: string): void => {
    if (time <= own.to)
      picture.append(s("line", { x1: own.at(time), x2: own.at(time), y1: 0, y2: height, class: name }));
  };
  if (tree.end > tree.wall * 1.001) line(tree.wall, "answered");
  if (deadline !== null) line(deadline, "deadline");
}
