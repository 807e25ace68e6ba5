// ---- Draws many sections of time as a few paths: each pixel has the colour of the part with most of its time.

import { s } from "./elements.js";
import { partClass } from "./report.js";

/** A path per part; `at` maps an instant to its position, linearly. */
export function pixels(sections, at, top, height) {
  const most = []; // by pixel: the time of each part
  const first = Math.floor(sections.reduce((least, { start }) => Math.min(least, at(start)), Infinity));
  for (const { start, end, part } of sections) {
    const [left, right] = [at(start), at(end)];
    for (let x = Math.floor(left); x < right; x++) {
      const wide = Math.min(right, x + 1) - Math.max(left, x);
      const sums = (most[x - first] ??= new Map());
      sums.set(part, (sums.get(part) ?? 0) + wide);
    }
  }
  const paths = new Map();
  most.forEach((sums, number) => {
    const [part] = [...sums].reduce((largest, one) => (one[1] > largest[1] ? one : largest));
    const name = partClass(part);
    paths.set(name, `${paths.get(name) ?? ""}M${first + number} ${top}h1v${height}h-1z`);
  });
  return [...paths].map(([name, shape]) => s("path", { d: shape, class: `waited crisp ${name}` }));
}
