// ---- Requests by start and duration: a mark each for up to a few hundred, a heat map for more. Dimmed if not chosen.

import { ERROR, TIMEOUT, at, classOf, count, has, isSlow } from "./data.js";
import { s } from "./elements.js";
import { colourOf, mark } from "./marks.js";
import { chosen, lit } from "./store.js";
import { thenOutline } from "./then.js";

export type Place = (request: number) => readonly [number, number];

export interface Cell {
  x: number;
  y: number;
  requests: number;
  slow: number;
  chosen: number;
  lit: boolean;
  colours: Map<string, number>;
}

export const MOST_MARKS = 400;
export const CELL = 7; // pixels
const LEVELS = 5; // of darkness
const LEAST_OF_SLOW = 4; // the level from which a single slow request is visible
const MOST_WRONG = 300; // marks of errors and timeouts over a heat map

// The colour of each request as a number: computed once, it does not depend on what is chosen.
const names: string[] = [];
const colours = new Uint8Array(count);
for (let request = 0; request < count; request++) {
  const part = at(classOf, request);
  const colour = part >= 0 || isSlow(request) ? colourOf(request) : "warm";
  let number = names.indexOf(colour);
  if (number < 0) number = names.push(colour) - 1;
  colours[request] = number;
}

const keyAt = (x: number, y: number): number => Math.floor(x / CELL) * 4096 + Math.floor(y / CELL);

/** The requests by grid cell. */
function cells(place: Place): Map<number, Cell> {
  const found = new Map<number, Cell>();
  for (let request = 0; request < count; request++) {
    const [x, y] = place(request);
    const key = keyAt(x, y);
    let cell = found.get(key);
    if (cell === undefined) {
      cell = {
        x: Math.floor(x / CELL) * CELL,
        y: Math.floor(y / CELL) * CELL,
        requests: 0,
        slow: 0,
        chosen: 0,
        lit: false,
        colours: new Map(),
      };
      found.set(key, cell);
    }
    cell.requests++;
    if (isSlow(request)) cell.slow++;
    if (lit?.[request] === 1) cell.lit = true;
    if (chosen[request] === 0) continue;
    cell.chosen++;
    const colour = at(names, at(colours, request));
    cell.colours.set(colour, (cell.colours.get(colour) ?? 0) + 1);
  }
  return found;
}

const largest = (some: Map<string, number>): string =>
  [...some].reduce((most, one) => (one[1] > most[1] ? one : most), ["dim", 0])[0];

export interface Heat {
  shapes: SVGElement[];
  at(x: number, y: number): Cell | undefined;
}

/** The shapes of all requests, and a function from a point to its cell: marks for few requests, a path per tint for many. */
export function heat(place: Place): Heat {
  if (count <= MOST_MARKS) {
    const marks = Array.from({ length: count }, (_, request) => mark(request, ...place(request), 3.2));
    return { shapes: marks, at: () => undefined };
  }
  const found = cells(place);
  const most = Math.max(2, ...[...found.values()].map((cell) => cell.requests));
  const paths = new Map<string, string>();
  for (const { x, y, requests, chosen: some, lit: isLit, colours: shown } of found.values()) {
    // Tints are logarithmic: a few requests in a cell are visible beside thousands in another.
    const level = 1 + Math.round(((LEVELS - 1) * Math.log(some || requests)) / Math.log(most));
    const colour = largest(shown);
    const name = `${colour} h${colour === "warm" || colour === "dim" ? level : Math.max(level, LEAST_OF_SLOW)}${isLit ? " lit" : ""}`;
    paths.set(name, `${paths.get(name) ?? ""}M${x} ${y}h${CELL}v${CELL}h-${CELL}z`);
  }
  const wrong: SVGElement[] = [];
  for (let request = 0; request < count && wrong.length < MOST_WRONG; request++)
    if (has(request, TIMEOUT | ERROR)) wrong.push(mark(request, ...place(request), 2.8));
  return {
    shapes: [...[...paths].map(([name, path]) => s("path", { d: path, class: `bar cell ${name}` })), ...wrong],
    at: (x, y) => found.get(keyAt(x, y)),
  };
}

const STEP = 6; // pixels of a bar at the margin

/** The distribution of durations at the margin, as bars between two x positions; those not chosen are at the end. An
 * outline is that of a baseline. `lengths` maps milliseconds to y. */
export function margin(
  y: (request: number) => number,
  lengths: (ms: number) => number,
  left: number,
  right: number,
): SVGElement[] {
  const bins = new Map<number, Map<string, number>>();
  for (let request = 0; request < count; request++) {
    const bin = Math.floor(y(request) / STEP);
    let some = bins.get(bin);
    if (some === undefined) {
      some = new Map();
      bins.set(bin, some);
    }
    const colour = chosen[request] === 0 ? "dim" : at(names, at(colours, request));
    some.set(colour, (some.get(colour) ?? 0) + 1);
  }
  const sums = [...bins.values()].map((some) => [...some.values()].reduce((sum, one) => sum + one, 0));
  const most = Math.max(...sums);
  const paths = new Map<string, string>();
  const rank = (name: string): number => (name === "warm" ? 1 : name === "dim" ? 2 : 0);
  for (const [bin, some] of bins) {
    let x = left;
    for (const [name, requests] of [...some].sort(([a], [b]) => rank(a) - rank(b))) {
      const wide = Math.max(1.5, (requests / most) * (right - left - 3));
      paths.set(
        name,
        `${paths.get(name) ?? ""}M${x.toFixed(1)} ${bin * STEP}h${wide.toFixed(1)}v${STEP - 1}h-${wide.toFixed(1)}z`,
      );
      x += wide;
    }
  }
  const room = right - left - 3;
  const before = thenOutline(lengths, (share) => left + Math.min(1, (share * STEP * count) / most) * room, true);
  return [
    ...[...paths].map(([name, path]) => s("path", { d: path, class: `bar ${name}` })),
    ...(before ? [before] : []),
  ];
}
