// ---- Search over the spans of all kept requests: names, attributes, values; and suggestions while one types.

import { at } from "./data.js";
import { keptRequests, lineOf } from "./spans.js";

let texts: [number, string][] | null = null;
const LEAST_LETTERS = 2; // of a search in spans: a letter is in each
const MOST_SUGGESTED = 8;
const MOST_REMEMBERED = 40;
const MOST_READ = 300; // requests whose spans are read for suggestions

/** The kept requests with what their spans say as one lower-case text each: no times, which contain any number. */
function kept(): [number, string][] {
  texts ??= keptRequests().map((request) => [request, said(lineOf(request))]);
  return texts;
}

/** Reads the spans before the first search needs them: a person takes a moment from the field to the first letters. */
export function readAhead(): void {
  setTimeout(kept);
}

const QUOTED = String.raw`[^"\\]*(?:\\.[^"\\]*)*`; // what stands between two quotes of JSON
const NAMES = new RegExp(`"(name|mark)":"${QUOTED}"`, "g");

function said(line: string): string {
  const tab = line.indexOf("\t");
  const names = line.slice(0, tab).match(NAMES) ?? [];
  return `${names.join()}${line.slice(tab).replace(/"at":\d+/g, "")}`.toLowerCase();
}

const found = new Map<string, ReadonlySet<number>>();

/** The requests with a span in which a text occurs, as JSON writes it. */
export function matching(query: string): ReadonlySet<number> {
  if (query.length < LEAST_LETTERS) return new Set();
  const known = found.get(query);
  if (known !== undefined) return known;
  if (found.size >= MOST_REMEMBERED) found.clear();
  const value = valueQuery(query);
  const written = value === null ? [JSON.stringify(query).slice(1, -1)] : [`${value},`, `${value}}`];
  const is = (text: string): boolean => written.some((one) => text.includes(one));
  const members = new Set(kept().flatMap(([request, text]) => (is(text) ? [request] : [])));
  found.set(query, members);
  return members;
}

/** `tenant.id = acme` as JSON writes it; null for another text. */
function valueQuery(query: string): string | null {
  const [name, value, ...rest] = query.split(" = ");
  if (name === undefined || value === undefined || rest.length > 0 || name === "" || value === "") return null;
  const isPlain = /^(-?\d+(\.\d+)?|true|false|null)$/.test(value);
  return `${JSON.stringify(name)}:${isPlain ? value : JSON.stringify(value)}`;
}

/** Names and values of attributes, and names of spans, in which a text occurs; the most frequent first. */
export function suggestions(query: string): string[] {
  const wanted = query.trim().toLowerCase();
  if (wanted.length < LEAST_LETTERS) return [];
  const counts = new Map<string, number>();
  const escaped = JSON.stringify(wanted)
    .slice(1, -1)
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pair = new RegExp(
    `"([\\w.\\-/]*)":("${QUOTED}${escaped}${QUOTED}"|-?[\\d.]*${/^[\d.]+$/.test(wanted) ? escaped : "(?!)"}[\\d.]*)`,
    "gi",
  );
  const named = new RegExp(`"([\\w.\\-/]*${escaped}[\\w.\\-/]*)":("${QUOTED}"|-?[\\d.]+|true|false)`, "gi");
  for (const request of keptRequests().slice(0, MOST_READ)) {
    const line = lineOf(request);
    const inLine = new Set<string>();
    for (const [, name = "", value = ""] of [...line.matchAll(pair), ...line.matchAll(named)]) {
      const told = suggested(name, value);
      if (told !== null) inLine.add(told);
    }
    for (const one of inLine) counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .slice(0, MOST_SUGGESTED)
    .map((one) => at(one, 0) as string);
}

// Keys of a line of spans that are no attributes.
const OF_LINE = new Set([
  "parent",
  "part",
  "start",
  "end",
  "open",
  "at",
  "span_id",
  "trace_id",
  "kind",
  "scope",
  "status",
  "orphans",
  "others",
  "aside",
]);
const LONGEST = 80;

function suggested(name: string, value: string): string | null {
  const text = value.startsWith('"') ? (JSON.parse(value) as string) : value;
  if (text.length > LONGEST || text === "" || OF_LINE.has(name)) return null;
  return name === "name" || name === "message" || name === "mark" || name === "service" ? text : `${name} = ${text}`;
}
