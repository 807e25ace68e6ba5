// ---- Facts of requests besides times, such as a version or a tenant: the values that requests are filtered by.

import { at, count, report, requests } from "./data.js";

let columns: Int32Array[] | null = null;

function factColumns(): Int32Array[] {
  return report.facts.map(({ column, values = [], of = [] }) => {
    const found = new Int32Array(count).fill(report.read === null || column !== undefined ? -1 : -2);
    if (column === "route") found.set(requests.route);
    else if (column === "flags")
      requests.flags.forEach((flags, request) => (found[request] = (flags & at(values, 0)) > 0 ? 0 : -1));
    else if (column === "status") {
      const number = new Map(values.map((value, place) => [value, place]));
      requests.status.forEach((status, request) => (found[request] = number.get(status ?? -1) ?? -1));
    } else of.forEach((value, place) => (found[report.read === null ? place : at(report.read, place)] = value));
    return found;
  });
}

/** For each fact, the index of its value by request: -1 for another or no value, -2 if the request was not read. */
export function factsOf(): Int32Array[] {
  columns ??= factColumns();
  return columns;
}

export const factText = ([fact, value]: readonly [number, number]): string => report.facts[fact]?.texts[value] ?? "";

/** The fact and the index of its value for a text; null if there is none. */
export function factNamed(text: string | null | undefined): readonly [number, number] | null {
  if (text == null) return null;
  for (const [fact, { texts }] of report.facts.entries()) if (texts.includes(text)) return [fact, texts.indexOf(text)];
  return null;
}
