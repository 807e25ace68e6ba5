// ---- Words of the page alone.

import { number } from "../../../page/source/script/numbers.js";

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
