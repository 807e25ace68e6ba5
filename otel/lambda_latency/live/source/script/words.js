// ---- Words and numbers.

export const number = (value) => Math.round(value).toLocaleString("en-US");
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** A duration in milliseconds, with decimals only below 10 ms. */
export function ms(ns) {
  const value = ns / 1e6;
  const places = value > 0 && value < 10 ? (value < 1 ? 2 : 1) : 0;
  return `${places ? value.toFixed(places) : number(value)} ms`;
}

const two = (value, width = 2) => String(value).padStart(width, "0");

/** The time of day on this machine, with milliseconds. */
export function clock(epochMs) {
  const at = new Date(epochMs);
  if (Number.isNaN(at.getTime())) return "";
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
}

export const partClass = (bucket) => `p-${String(bucket).replaceAll(" ", "-")}`;

export function megabytes(bytes) {
  return `${number(bytes / 1048576)} MB`;
}
