// ---- A linear time axis with ticks at round instants.

import { clock } from "./words.js";

export interface TimeScale {
  at(time: number): number;
  time(x: number): number;
  ticks: { x: number; text: string }[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  ...[1, 2, 5, 10, 30].map((step) => step * SECOND),
  ...[1, 2, 5, 10, 30].map((step) => step * MINUTE),
  ...[1, 3, 6, 12].map((step) => step * HOUR),
  ...[1, 2, 7, 14, 30].map((step) => step * DAY),
];
const APART = 88; // pixels

/** The scale of instants between two positions, and its ticks. */
export function timeScale(first: number, last: number, left: number, right: number): TimeScale {
  const span = Math.max(1, last - first);
  const at = (time: number): number => left + ((time - first) / span) * (right - left);
  const least = (span * APART) / (right - left);
  const step = TIME_STEPS.find((one) => one >= least) ?? Math.ceil(least / DAY) * DAY;
  const ticks = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step)
    ticks.push({ x: at(tick), text: timeWords(tick, step) });
  return { at, time: (x) => first + ((x - left) / (right - left)) * span, ticks };
}

function timeWords(time: number, step: number): string {
  const text = clock(time);
  if (text === "") return "";
  if (time % DAY === 0) return new Date(time).toISOString().slice(5, 10);
  return step < MINUTE ? text : text.slice(0, 5);
}
