// ---- Requests by start and duration: a mark each for up to a few hundred, a heat map for more.

import { s } from "./elements.js";
import { mark } from "./marks.js";
import { COLD_START, ERROR, TIMEOUT, count, has, isSlow, partClass, slowFor } from "./report.js";

export const MOST_MARKS = 400;
const CELL = 7; // pixels
const LEVELS = 5; // of darkness
const LEAST_OF_SLOW = 4; // the level from which a single slow request is visible
const MOST_WRONG = 300; // marks of errors and timeouts over a heat map

/** The colour class of a request; for slow ones, that of the part that they waited for. */
const colourOf = (request) =>
  isSlow(request) ? partClass(slowFor.get(request)) : has(request, COLD_START) ? "p-cold-start" : "warm";

/** The requests by grid cell. */
function cells(place) {
  const found = new Map();
  for (let request = 0; request < count; request++) {
    const [x, y] = place(request);
    const key = Math.floor(x / CELL) * 4096 + Math.floor(y / CELL);
    let cell = found.get(key);
    if (cell === undefined) {
      cell = { x: Math.floor(x / CELL) * CELL, y: Math.floor(y / CELL) * CELL, requests: 0, slow: 0, colours: new Map() };
      found.set(key, cell);
    }
    cell.requests++;
    if (isSlow(request)) cell.slow++;
    const colour = colourOf(request);
    cell.colours.set(colour, (cell.colours.get(colour) ?? 0) + 1);
  }
  return found;
}

const largest = (colours) => [...colours].reduce((most, one) => (one[1] > most[1] ? one : most))[0];

/** The shapes of all requests, and a function from a point to its cell: marks for few requests, a path per tint for many. */
export function heat(place) {
  if (count <= MOST_MARKS) {
    const marks = Array.from({ length: count }, (_, request) => mark(request, ...place(request), 3.2));
    return { shapes: marks, at: () => undefined };
  }
  const found = cells(place);
  const most = Math.max(...[...found.values()].map((cell) => cell.requests));
  const paths = new Map();
  for (const { x, y, requests, colours } of found.values()) {
    // Tints are logarithmic: a few requests in a cell are visible beside thousands in another.
    const level = most === 1 ? LEVELS : 1 + Math.round(((LEVELS - 1) * Math.log(requests)) / Math.log(most));
    const colour = largest(colours);
    const name = `${colour} h${colour === "warm" ? level : Math.max(level, LEAST_OF_SLOW)}`;
    paths.set(name, `${paths.get(name) ?? ""}M${x} ${y}h${CELL}v${CELL}h-${CELL}z`);
  }
  const wrong = [];
  for (let request = 0; request < count && wrong.length < MOST_WRONG; request++)
    if (has(request, TIMEOUT | ERROR)) wrong.push(mark(request, ...place(request), 2.8));
  return {
    shapes: [...[...paths].map(([name, path]) => s("path", { d: path, class: `bar cell ${name}` })), ...wrong],
    at: (x, y) => found.get(Math.floor(x / CELL) * 4096 + Math.floor(y / CELL)),
  };
}

const STEP = 6; // pixels of a bar at the margin

/** The distribution of durations at the margin, as bars between two x positions. */
export function margin(y, left, right) {
  const bins = new Map();
  for (let request = 0; request < count; request++) {
    const bin = Math.floor(y(request) / STEP);
    let colours = bins.get(bin);
    if (colours === undefined) bins.set(bin, (colours = new Map()));
    const colour = colourOf(request);
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  const sums = [...bins.values()].map((colours) => [...colours.values()].reduce((sum, one) => sum + one, 0));
  const most = Math.max(...sums);
  const paths = new Map();
  for (const [bin, colours] of bins) {
    let x = left;
    // Usual requests first: slow and cold ones are at the end of a bar, where they are visible.
    const order = [...colours].sort(([a], [b]) => Number(b === "warm") - Number(a === "warm"));
    for (const [name, requests] of order) {
      const wide = Math.max(1.5, (requests / most) * (right - left - 3));
      paths.set(name, `${paths.get(name) ?? ""}M${x.toFixed(1)} ${bin * STEP}h${wide.toFixed(1)}v${STEP - 1}h-${wide.toFixed(1)}z`);
      x += wide;
    }
  }
  return [...paths].map(([name, path]) => s("path", { d: path, class: `bar ${name}` }));
}
