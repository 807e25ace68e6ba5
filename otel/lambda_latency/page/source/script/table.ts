// ---- The tables of parts: one row per part, with its name as a filter, its owner, a bar and its numbers.

import { count } from "./data.js";
import { breakable, h, unseen } from "./elements.js";
import { label } from "./labels.js";
import { partClass, swatch } from "./palette.js";
import { only, state } from "./store.js";
import { THIN, ms, number, percent, say, signedMs } from "./words.js";

/** A part in the table that compares chosen requests with the rest. */
export interface PartRow {
  part: number;
  owner: string;
  rest_mean_ns: number;
  chosen_mean_ns: number;
  difference_ns: number;
  difference_share: number;
}

/** A table head; `numbers` are keys of the report's words. */
export function partsHead(numbers: readonly string[]): HTMLElement {
  const head = (name: string, kind: string): HTMLElement => h("th", { scope: "col", class: kind }, name);
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      head(say("part"), ""),
      head(say("owner"), "owner"),
      h("th", { scope: "col", class: "bars" }, unseen(say("difference"))),
      numbers.map((name) => head(say(name), `num ${name}`)),
      h("th", { scope: "col", class: "trouble" }, unseen(say("trouble"))),
    ),
  );
}

export const ownerCell = ({ owner }: { owner: string }): HTMLElement =>
  h("td", { class: "owner" }, h("span", { class: `pill ${owner}` }, owner));

/** The name of a part: a button that filters the list, if there is one. */
export function partName({ part }: { part: number }): HTMLElement {
  const name = [
    swatch(part),
    h("span", { class: "isolated" }, breakable(label(part))),
    state.without.has(part) && h("small", { class: "ticked" }, say("whatif.ticked")),
  ];
  if (count === 1) return h("td", { class: "name" }, h("span", { class: "part" }, name));
  const show = (): void => only({ part, sort: "part", down: true });
  return h("td", { class: "name" }, h("button", { class: "part", title: say("parts.show"), onclick: show }, name));
}

export function trouble({ errors, throttles }: { errors: number; throttles: number }): HTMLElement {
  const found = [
    errors > 0 && say("parts.errors", { n: errors }),
    throttles > 0 && say("parts.throttled", { n: throttles }),
  ];
  return h("td", { class: "trouble" }, found.filter(Boolean).join(", "));
}

export const callsCell = ({ calls }: { calls: number }): HTMLElement =>
  h(
    "td",
    { class: calls > 0 ? "num calls" : "num calls none", "data-head": say("calls") },
    calls > 0 ? number(calls) : "–",
  );

/** The axis of differences: the position of its zero, and a function from nanoseconds to width, both in percent. */
export interface Differences {
  zero: number;
  of(ns: number): number;
}

export function differences(rows: readonly PartRow[]): Differences {
  const most = Math.max(1, ...rows.map((row) => row.difference_ns));
  const least = Math.min(0, ...rows.map((row) => row.difference_ns));
  const whole = most - (least < -most / 200 ? least : 0);
  return { zero: (100 * (whole - most)) / whole, of: (ns) => (100 * Math.abs(ns)) / whole };
}

/** A row that compares a part's time in both groups of requests, with the difference as a bar. */
export function comparedRow(row: PartRow, axis: Differences): HTMLElement {
  const share = Math.round(row.difference_share * 1e6) / 1e6;
  const width = axis.of(row.difference_ns);
  const left = axis.zero - (row.difference_ns < 0 ? width : 0);
  return h(
    "tr",
    {},
    partName(row),
    ownerCell(row),
    h(
      "td",
      { class: "bars" },
      h(
        "div",
        { class: "diverging", "$--zero": `${axis.zero}%` },
        h("div", {
          class: `fill ${partClass(row.part)}`,
          "$margin-left": `${Math.max(0, left)}%`,
          $width: `${width}%`,
        }),
      ),
    ),
    h("td", { class: "num rest-ms", "data-head": say("rest") }, ms(row.rest_mean_ns)),
    h("td", { class: "num chosen-ms", "data-head": say("chosen") }, ms(row.chosen_mean_ns)),
    h("td", { class: "num difference" }, signedMs(row.difference_ns)),
    h("td", { class: "num share" }, Math.abs(share) < 0.005 ? `0${THIN}%` : percent(share, 1)),
    h("td", { class: "trouble" }),
  );
}
