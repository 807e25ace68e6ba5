// ---- The two axes for selecting requests: duration and start.

import { requests } from "./report.js";
import { state } from "./state.js";
import { ms, startedOn } from "./words.js";

/** The axis of durations in milliseconds, for `state.from` or `state.to`. */
export function lengthAxis(side, low, high) {
  return {
    low,
    high,
    now: () => state[side] || (side === "from" ? low : high),
    after: (value, steps) => value * (high / low) ** (steps / 50),
    text: (value) => ms(value * 1e6),
    set(value) {
      if (side === "from") state.from = value <= low ? 0 : Math.min(value, state.to || value);
      else state.to = value >= high ? 0 : Math.max(value, state.from, 1);
    },
  };
}

/** The axis of starts in milliseconds since 1970, for `state.since` or `state.until`. */
export function startAxis(side, low, high) {
  return {
    low,
    high,
    now: () => state[side] || (side === "since" ? low : high),
    after: (value, steps) => value + ((high - low) / 50) * steps,
    text: startedOn,
    set(value) {
      if (side === "since") state.since = value <= low ? 0 : Math.min(value, state.until || value);
      else state.until = value >= high ? 0 : Math.max(value, state.since);
    },
  };
}

/** The first and the last start of all requests. */
export function starts() {
  let first = Infinity;
  let last = -Infinity;
  for (const start of requests.start_ms) {
    first = Math.min(first, start);
    last = Math.max(last, start);
  }
  return [first, last];
}
