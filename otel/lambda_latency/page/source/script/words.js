// ---- Words and numbers, as the report's text has them.

const THIN = "\u202f";

const number = (value) => Math.round(value).toLocaleString("en-US");
const plural = (count, one, many = `${one}s`) => `${number(count)}${THIN}${count === 1 ? one : many}`;
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// Owners by their names in the report's JSON: in a cell of their own, and inside a sentence.
const OWNERS = { ours: "internal", theirs: "external" };
const OWNED = { ...OWNERS, platform: "the platform's", unknown: "of unknown owner" };

/** Always milliseconds, with decimals only under one of them. */
function ms(ns) {
  const value = ns / 1e6;
  const decimals = [1, 2, 3].find((places) => Math.round(value * 10 ** places) > 0);
  const rounded = decimals && Math.round(value * 10 ** decimals) / 10 ** decimals;
  return `${value > 0 && value < 1 && rounded < 1 ? rounded.toFixed(decimals) : number(value)}${THIN}ms`;
}

function signedMs(ns) {
  if (Math.abs(ns) < 5e5) return `±0${THIN}ms`;
  return `${ns < 0 ? "−" : "+"}${ms(Math.abs(ns))}`;
}

function percent(part, whole) {
  const share = whole ? (100 * part) / whole : 0;
  const sign = share < -0.5 ? "−" : "";
  return `${share > 0 && share < 0.5 ? "<1" : sign + number(Math.abs(share))}${THIN}%`;
}

/** Time of day; what is no time that a calendar has stays empty. */
function clock(epochMs) {
  const at = new Date(epochMs);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(11, 19);
}

function windowWords({ from, to }) {
  if (!from) return "";
  const [day, last] = [from.slice(0, 10), to.slice(0, 10)];
  const [begin, end] = [from.slice(11, 16), to.slice(11, 16)];
  return day === last ? `${day} ${begin}–${end} UTC` : `${day} ${begin} to ${last} ${end} UTC`;
}

const DAY_MS = 86_400_000;

/** A trace id as its source writes it: X-Ray's begins with the second of its start, one of 64 bits has zeros before it. */
function traceName(id, startMs) {
  if (id.startsWith("0".repeat(16))) return id.slice(16);
  const isXRay = Math.abs(1000 * Number.parseInt(id.slice(0, 8), 16) - startMs) < DAY_MS;
  return isXRay ? `1-${id.slice(0, 8)}-${id.slice(8)}` : id;
}

/** A name that may break after its dots, dashes and slashes. */
function breakable(text) {
  return text.split(/(?<=[./_-])/).flatMap((piece, at) => (at ? [h("wbr"), piece] : [piece]));
}

const SMALL = "11.5px";
const NODE = "600 13px";
let ruler = null;

/** How many pixels a text takes in a picture. */
function wide(text, letters = SMALL) {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = `${letters} ${getComputedStyle(document.documentElement).fontFamily}`;
  return ruler.measureText(text).width;
}

/** As much of a text as so many pixels hold. */
function fitted(text, pixels, letters) {
  if (wide(text, letters) <= pixels) return text;
  const kept = [...text];
  while (kept.length > 1 && wide(`${kept.join("")}…`, letters) > pixels) kept.pop();
  return `${kept.join("")}…`;
}
