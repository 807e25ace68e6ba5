// ---- Words and numbers, as the report's text has them.

const THIN = "\u202f";

const number = (value) => Math.round(value).toLocaleString("en-US");
const plural = (count, one, many = `${one}s`) => `${number(count)}${THIN}${count === 1 ? one : many}`;
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** Always milliseconds, with one decimal only under one of them. */
function ms(ns) {
  const value = ns / 1e6;
  const tenths = Math.round(value * 10);
  return `${value > 0 && value < 1 && tenths > 0 && tenths < 10 ? `0.${tenths}` : number(value)}${THIN}ms`;
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

/** A trace id as X-Ray writes it. */
const traceName = (id) => `1-${id.slice(0, 8)}-${id.slice(8)}`;

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
