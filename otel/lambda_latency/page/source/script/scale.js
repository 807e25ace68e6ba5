// ---- A logarithmic axis of milliseconds.

import { requests } from "./report.js";
import { THIN } from "./words.js";

// The steps within a power of ten, coarse ones first: an axis uses the first set with enough ticks.
const STEPS = [
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9],
];
const ENOUGH_MARKS = 4;

/** The range from the shortest to the longest request (milliseconds), rounded outwards. */
export function limits() {
  let least = Infinity;
  let most = 0;
  for (const wall of requests.wall_ns) {
    least = Math.min(least, wall);
    most = Math.max(most, wall);
  }
  const low = Math.max(least / 1e6, 0.01);
  const high = Math.max((most / 1e6) * 1.03, low * 1.2);
  const round = (value, choose) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return choose([...STEPS[2], 10].map((step) => step * power));
  };
  return [
    round(low, (steps) => steps.filter((step) => step <= low * 1.0001).at(-1)),
    round(high, (steps) => steps.find((step) => step >= high * 0.9999)),
  ];
}

export function logScale(low, high, left, right) {
  const span = Math.log(high / low);
  return {
    at: (value) => left + (Math.log(Math.max(value, low) / low) / span) * (right - left),
    value: (x) => low * Math.exp(((x - left) / (right - left)) * span),
    /** Round values with their positions, at least `apart` pixels from each other. */
    ticks(apart) {
      const found = STEPS.map((steps) => this.ticksOf(steps, apart));
      return found.find((ticks) => ticks.length >= ENOUGH_MARKS) ?? found.at(-1);
    },
    ticksOf(steps, apart) {
      const found = [];
      for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
        for (const step of steps) {
          const value = step * power;
          const x = this.at(value);
          if (value < low * 0.999 || value > high * 1.001 || (found.length > 0 && Math.abs(x - found.at(-1).x) < apart))
            continue;
          found.push({ x, value });
        }
      }
      return found;
    },
  };
}

export const axisWords = (value) =>
  value >= 1000 ? `${Number((value / 1000).toPrecision(2)).toLocaleString("en-US")}${THIN}s` : `${Number(value.toPrecision(2))}${THIN}ms`;
