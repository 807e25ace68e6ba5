// ---- Draws many stretches of time as a few paths: each pixel has the colour of the part with most of its time.

import { at } from "./data.js";
import { s } from "./elements.js";
import { partClass } from "./palette.js";
import type { Stretch } from "./tree.js";

/** A path per part; `where` maps an instant to its position, linearly. */
export function pixels(
  stretches: readonly Stretch[],
  where: (time: number) => number,
  top: number,
  height: number,
): SVGElement[] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { start, end } of stretches) [least, most] = [Math.min(least, start), Math.max(most, end)];
  if (least === Number.POSITIVE_INFINITY) return [];
  const [first, last] = [Math.floor(where(least)), Math.ceil(where(most))];
  const times = new Map<number, Float64Array>(); // by part: its time in each pixel
  for (const { start, end, part } of stretches) {
    let sums = times.get(part);
    if (sums === undefined) {
      sums = new Float64Array(last - first + 1);
      times.set(part, sums);
    }
    const [left, right] = [where(start), where(end)];
    for (let x = Math.floor(left); x < right; x++)
      sums[x - first] = at(sums, x - first) + Math.min(right, x + 1) - Math.max(left, x);
  }
  const paths = new Map<string, string>();
  const draw = (part: number, from: number, to: number): void => {
    const name = partClass(part);
    paths.set(name, `${paths.get(name) ?? ""}M${first + from} ${top}h${to - from}v${height}h${from - to}z`);
  };
  let [run, begin] = [-1, 0]; // the part of the last pixels, and their first one
  for (let x = 0; x <= last - first; x++) {
    let [largest, time] = [-1, 0];
    for (const [part, sums] of times) if (at(sums, x) > time) [largest, time] = [part, at(sums, x)];
    if (largest === run) continue;
    if (run >= 0) draw(run, begin, x);
    [run, begin] = [largest, x];
  }
  if (run >= 0) draw(run, begin, last - first + 1);
  return [...paths].map(([name, shape]) => s("path", { d: shape, class: `waited crisp ${name}` }));
}
