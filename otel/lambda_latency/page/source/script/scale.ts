// ---- A logarithmic axis of milliseconds.

import { requests } from "./data.js";
import { THIN, wide } from "./words.js";

export interface Tick {
  x: number;
  value: number;
}

export interface Scale {
  at(value: number): number;
  value(x: number): number;
  /** Round values with their positions, at least `apart` pixels from each other. */
  ticks(apart: number): Tick[];
}

// The steps within a power of ten, coarse ones first: an axis uses the first set with enough ticks.
const FINEST = [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9];
const STEPS = [[1, 2, 5], [1, 1.5, 2, 3, 5, 7], FINEST];
const ENOUGH_MARKS = 4;

/** The range from the shortest to the longest request (milliseconds), rounded outwards. */
export function limits(): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const wall of requests.wall_ns) {
    least = Math.min(least, wall);
    most = Math.max(most, wall);
  }
  const low = Math.max(least / 1e6, 0.01);
  const high = Math.max((most / 1e6) * 1.03, low * 1.2);
  const around = (value: number): number[] => [...FINEST, 10].map((step) => step * 10 ** Math.floor(Math.log10(value)));
  return [
    around(low).findLast((step) => step <= low * 1.0001) ?? low,
    around(high).find((step) => step >= high * 0.9999) ?? high,
  ];
}

export function logScale(low: number, high: number, left: number, right: number): Scale {
  const span = Math.log(high / low);
  const at = (value: number): number => left + (Math.log(Math.max(value, low) / low) / span) * (right - left);
  const ticksOf = (steps: number[], apart: number): Tick[] => {
    const found: Tick[] = [];
    for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
      for (const step of steps) {
        const value = step * power;
        const x = at(value);
        const before = found.at(-1);
        if (value < low * 0.999 || value > high * 1.001 || (before !== undefined && Math.abs(x - before.x) < apart))
          continue;
        found.push({ x, value });
      }
    }
    return found;
  };
  const widest = wide(axisWords(high)) + 10;
  return {
    at,
    value: (x) => low * Math.exp(((x - left) / (right - left)) * span),
    ticks(apart) {
      const found = STEPS.map((steps) => ticksOf(steps, right > left ? Math.max(apart, widest) : apart));
      return found.find((ticks) => ticks.length >= ENOUGH_MARKS) ?? found.at(-1) ?? [];
    },
  };
}

/** The value of a tick in milliseconds, from 10 s on in seconds; only the first one has its unit. */
export function axisWords(value: number, isFirst = true): string {
  const [shown, unit] = value >= 1e4 ? [value / 1e3, "s"] : [value, "ms"];
  const text = Number(shown.toPrecision(2)).toLocaleString("en-US", { maximumFractionDigits: 3 });
  return isFirst || unit === "s" ? `${text}${THIN}${unit}` : text;
}
