// ---- Words and numbers, formatted as in the text report.

import { report } from "./report.js";

export const THIN = "\u202f";

export const number = (value) => Math.round(value).toLocaleString("en-US");
export const plural = (count, one, many = `${one}s`) => `${number(count)}${THIN}${count === 1 ? one : many}`;
export const capital = (text) => text[0].toUpperCase() + text.slice(1);

// Owners by their names in the report's JSON: as a table cell, and inside a sentence.
export const OWNERS = { ours: "internal", theirs: "external" };
export const OWNED = { ...OWNERS, platform: "the platform's", unknown: "of unknown owner" };

/** A sentence of the report's words: `{n}` is a placeholder, `{n|request|requests}` a number with its noun. */
export function say(key, values = {}) {
  return report.words[key].replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (_, name, one, many) => {
    const value = values[name];
    if (one !== undefined) return plural(value, one, many);
    return typeof value === "number" ? number(value) : value;
  });
}

/** A duration, always in milliseconds, with decimals only below 1 ms. */
export function ms(ns) {
  const value = ns / 1e6;
  const decimals = [1, 2, 3].find((places) => Math.round(value * 10 ** places) > 0);
  const rounded = decimals && Math.round(value * 10 ** decimals) / 10 ** decimals;
  return `${value > 0 && value < 1 && rounded < 1 ? rounded.toFixed(decimals) : number(value)}${THIN}ms`;
}

export function signedMs(ns) {
  if (Math.abs(ns) < 5e5) return `±0${THIN}ms`;
  return `${ns < 0 ? "−" : "+"}${ms(Math.abs(ns))}`;
}

export function percent(part, whole) {
  const share = whole ? (100 * part) / whole : 0;
  const sign = share < -0.5 ? "−" : "";
  return `${share > 0 && share < 0.5 ? "<1" : sign + number(Math.abs(share))}${THIN}%`;
}

/** The time of day; empty for an invalid date. */
export function clock(epochMs) {
  const at = new Date(epochMs);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(11, 19);
}

export const severalDays = report.window.from !== null && report.window.from.slice(0, 10) !== report.window.to.slice(0, 10);

/** The start of a request, with its day if the requests are of several days. */
export function started(epochMs) {
  const at = new Date(epochMs);
  if (!severalDays || Number.isNaN(at.getTime())) return clock(epochMs);
  return `${at.toISOString().slice(5, 10)} ${clock(epochMs)}`;
}

/** The day and time of a request's start. */
export function startedOn(epochMs) {
  const at = new Date(epochMs);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(0, 19).replace("T", " ");
}

export function windowWords({ from, to }) {
  if (!from) return "";
  const [day, last] = [from.slice(0, 10), to.slice(0, 10)];
  const digits = from.slice(0, 16) === to.slice(0, 16) ? 19 : 16; // seconds, if all start within one minute
  const [begin, end] = [from.slice(11, digits), to.slice(11, digits)];
  return day === last ? `${day} ${begin}–${end} UTC` : `${day} ${begin} to ${last} ${end} UTC`;
}

const DAY_MS = 86_400_000;

/** A trace id in its source's format: X-Ray's ids contain the start second, 64-bit ids have leading zeros. */
export function traceName(id, startMs) {
  if (id.startsWith("0".repeat(16))) return id.slice(16);
  const isXRay = Math.abs(1000 * Number.parseInt(id.slice(0, 8), 16) - startMs) < DAY_MS;
  return isXRay ? `1-${id.slice(0, 8)}-${id.slice(8)}` : id;
}

export const SMALL = "11.5px";
let ruler = null;

/** The width of a text in a chart, in pixels. */
export function wide(text, letters = SMALL) {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = `${letters} ${getComputedStyle(document.documentElement).fontFamily}`;
  return ruler.measureText(text).width;
}
