// ---- Words and numbers, formatted as in the text report.

import { report } from "./data.js";
import { ms, number, plural, THIN } from "./numbers.js";

export { ms, number, plural, THIN };

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A sentence of the report's words: `{n}` is a placeholder, `{n|request|requests}` a number with its noun. */
export function say(key: string, values: Record<string, string | number> = {}): string {
  const told = report.words[key] ?? key;
  return told.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = values[name] ?? "";
    if (one !== undefined) return plural(Number(value), one, many);
    return typeof value === "number" ? number(value) : value;
  });
}

/** A text in which instants of the day of these requests have their time of day alone. */
export const withClocks = (text: string): string =>
  severalDays ? text : text.replace(/\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?Z/g, "$1");

export function signedMs(ns: number): string {
  if (Math.abs(ns) < 5e5) return `±0${THIN}ms`;
  return `${ns < 0 ? "−" : "+"}${ms(Math.abs(ns))}`;
}

const NEARLY_ALL = "nearly all";

/** A share of a whole; rounding, and clocks of several machines, never make it more than the whole. */
export function percent(part: number, whole: number): string {
  const share = whole ? (100 * part) / whole : 0;
  const sign = share < -0.5 ? "−" : "";
  const told = share > 99.5 && part !== whole ? NEARLY_ALL : `${sign}${number(Math.min(100, Math.abs(share)))}${THIN}%`;
  return share > 0 && share < 0.5 ? `<1${THIN}%` : told;
}

/** The time of day; empty for an invalid date. */
export function clock(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(11, 19);
}

const { from: first, to: last } = report.window;
export const severalDays = first !== null && last !== null && first.slice(0, 10) !== last.slice(0, 10);

/** The start of a request, with its day if the requests are of several days. */
export function started(epochMs: number): string {
  const date = new Date(epochMs);
  if (!severalDays || Number.isNaN(date.getTime())) return clock(epochMs);
  return `${date.toISOString().slice(5, 10)} ${clock(epochMs)}`;
}

/** The day and time of a request's start. */
export function startedOn(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 19).replace("T", " ");
}

export function windowWords(): string {
  if (first === null || last === null) return "";
  const digits = first.slice(0, 16) === last.slice(0, 16) ? 19 : 16; // seconds, if all start within one minute
  const [begin, end] = [first.slice(11, digits), last.slice(11, digits)];
  const day = first.slice(0, 10);
  if (first.slice(0, digits) === last.slice(0, digits)) return `${day} ${begin} UTC`;
  return severalDays ? `${day} ${begin} to ${last.slice(0, 10)} ${end} UTC` : `${day} ${begin}–${end} UTC`;
}

const DAY_MS = 86_400_000;

/** A trace id in its source's format: X-Ray's ids contain the start second, 64-bit ids have leading zeros. */
export function traceName(id: string, startMs: number): string {
  if (id.startsWith("0".repeat(16))) return id.slice(16);
  const isXRay = Math.abs(1000 * Number.parseInt(id.slice(0, 8), 16) - startMs) < DAY_MS;
  return isXRay ? `1-${id.slice(0, 8)}-${id.slice(8)}` : id;
}

export const SMALL = "11.5px";
const MOST_WIDTHS = 5000;
let ruler: CanvasRenderingContext2D | null = null;
let family = "";
const widths = new Map<string, number>();

/** The width of a text in a chart, in pixels. Each is measured once: asking for the font may style the page anew. */
export function wide(text: string, letters = SMALL): number {
  const key = `${letters} ${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  ruler ??= document.createElement("canvas").getContext("2d");
  if (ruler === null) return text.length * 7;
  family ||= getComputedStyle(document.documentElement).fontFamily;
  ruler.font = `${letters} ${family}`;
  const { width } = ruler.measureText(text);
  if (widths.size < MOST_WIDTHS) widths.set(key, width);
  return width;
}
