// ---- Draws many sections of time as a few paths: each pixel has the colour of the part with most of its time.

import { s } from "./elements.js";
import { partClass } from "./report.js";

/** A path per part; `at` maps an instant to its position, linearly. */
export function pixels(sections, at, top, height) {
  let [least, most] = [Infinity, -Infinity];
  for (const { start, end } of sections) [least, most] = [Math.min(least, start), Math.max(most, end)];
  if (least === Infinity) return [];
  const [first, last] = [Math.floor(at(least)), Math.ceil(at(most))];
  const times = new Map(); // by part: its time in each pixel
  for (const { start, end, part } of sections) {
    let sums = times.get(part);
    if (sums === undefined) times.set(part, (sums = new Float64Array(last - first + 1)));
    const [left, right] = [at(start), at(end)];
    for (let x = Math.floor(left); x < right; x++) sums[x - first] += Math.min(right, x + 1) - Math.max(left, x);
  }
  const paths = new Map();
  const draw = (part, from, to) => {
    const name = partClass(part);
    paths.set(name, `${paths.get(name) ?? ""}M${first + from} ${top}h${to - from}v${height}h${from - to}z`);
  };
  let [run, begin] = [-1, 0]; // the part of the last pixels, and their first one
  for (let x = 0; x <= last - first; x++) {
    let [largest, time] = [-1, 0];
    for (const [part, sums] of times) if (sums[x] > time) [largest, time] = [part, sums[x]];
    if (largest === run) continue;
    if (run >= 0) draw(run, begin, x);
    [run, begin] = [largest, x];
  }
  if (run >= 0) draw(run, begin, last - first + 1);
  return [...paths].map(([name, shape]) => s("path", { d: shape, class: `waited crisp ${name}` }));
}
