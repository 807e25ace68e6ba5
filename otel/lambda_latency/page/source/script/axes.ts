// ---- The two axes for selecting requests: duration and start.

import { requests } from "./data.js";
import { change, state } from "./store.js";
import { ms, startedOn } from "./words.js";

/** An axis that a handle moves on. */
export interface Axis {
  low: number;
  high: number;
  now(): number;
  after(value: number, steps: number): number;
  text(value: number): string;
  set(value: number): void;
}

/** The axis of durations in milliseconds, for `state.from` or `state.to`. */
export function lengthAxis(side: "from" | "to", low: number, high: number): Axis {
  return {
    low,
    high,
    now: () => state[side] || (side === "from" ? low : high),
    after: (value, steps) => value * (high / low) ** (steps / 50),
    text: (value) => ms(value * 1e6),
    set(value) {
      if (side === "from") change({ from: value <= low ? 0 : Math.min(value, state.to || value) });
      else change({ to: value >= high ? 0 : Math.max(value, state.from, 1) });
    },
  };
}

/** The axis of starts in milliseconds since 1970, for `state.since` or `state.until`. */
export function startAxis(side: "since" | "until", low: number, high: number): Axis {
  return {
    low,
    high,
    now: () => state[side] || (side === "since" ? low : high),
    after: (value, steps) => value + ((high - low) / 50) * steps,
    text: startedOn,
    set(value) {
      if (side === "since") change({ since: value <= low ? 0 : Math.min(value, state.until || value) });
      else change({ until: value >= high ? 0 : Math.max(value, state.since) });
    },
  };
}

/** The first and the last start of all requests. */
export function starts(): [number, number] {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const start of requests.start_ms) {
    first = Math.min(first, start);
    last = Math.max(last, start);
  }
  return [first, last];
}
