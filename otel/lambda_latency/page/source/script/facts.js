// ---- Facts of requests besides times, such as a version or a tenant: the values that requests are filtered by.

import { count, report, requests } from "./report.js";

let columns = null;

/** For each fact, the index of its value by request: -1 for another or no value, -2 if the request was not read. */
function factColumns() {
  return report.facts.map(({ column, values, of }) => {
    const found = new Int32Array(count).fill(report.read === null || column ? -1 : -2);
    if (column === "route") found.set(requests.route);
    else if (column === "flags") requests.flags.forEach((flags, at) => (found[at] = (flags & values[0]) > 0 ? 0 : -1));
    else if (column === "status") {
      const number = new Map(values.map((value, at) => [value, at]));
      requests.status.forEach((status, at) => (found[at] = number.get(status) ?? -1));
    } else of.forEach((value, at) => (found[report.read === null ? at : report.read[at]] = value));
    return found;
  });
}

/** The columns, computed on first use. */
export const factsOf = () => (columns ??= factColumns());

export const factText = ([fact, value]) => report.facts[fact].texts[value];

/** The fact and the index of its value for a text; null if there is none. */
export function factNamed(text) {
  for (const [fact, { texts }] of report.facts.entries())
    if (texts.includes(text)) return [fact, texts.indexOf(text)];
  return null;
}
