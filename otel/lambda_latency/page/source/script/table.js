// ---- The tables of parts: one row per part, with its name as a filter, its owner, a bar and its numbers.

import { h, unseen } from "./elements.js";
import { count, label, partClass, swatch } from "./report.js";
import { only } from "./state.js";
import { OWNERS, THIN, ms, number, percent, say, signedMs } from "./words.js";

/** A table head; `numbers` are keys of the report's words. */
export function partsHead(numbers) {
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      h("th", { scope: "col" }, say("part")),
      h("th", { scope: "col", class: "owner" }, say("owner")),
      h("th", { scope: "col", class: "bars" }, unseen(say("difference"))),
      numbers.map((name) => h("th", { scope: "col", class: `num ${name}` }, say(name))),
      h("th", { scope: "col", class: "trouble" }, unseen(say("trouble"))),
    ),
  );
}

export const ownerCell = (row) =>
  h("td", { class: "owner" }, h("span", { class: `pill ${row.owner}` }, OWNERS[row.owner] ?? row.owner));

/** The name of a part: a button that filters the list, if there is one. */
export function partName(row) {
  const name = [swatch(row.part), h("span", { class: "isolated" }, label(row.part))];
  if (count === 1) return h("td", { class: "name" }, h("span", { class: "part" }, name));
  const show = () => only({ part: row.part, sort: "part", down: true });
  return h("td", { class: "name" }, h("button", { class: "part", title: say("parts.show"), onclick: show }, name));
}

export function trouble(row) {
  const found = [
    row.errors > 0 && say("parts.errors", { n: row.errors }),
    row.throttles > 0 && say("parts.throttled", { n: row.throttles }),
  ];
  return h("td", { class: "trouble" }, found.filter(Boolean).join(", "));
}

export const callsCell = ({ calls }) =>
  h("td", { class: calls > 0 ? "num calls" : "num calls none", "data-head": say("calls") }, calls > 0 ? number(calls) : "–");

/** The axis of differences: the position of its zero, and a function from nanoseconds to width, both in percent. */
export function differences(rows) {
  const most = Math.max(1, ...rows.map((row) => row.difference_ns));
  const least = Math.min(0, ...rows.map((row) => row.difference_ns));
  const whole = most - (least < -most / 200 ? least : 0);
  return { zero: (100 * (whole - most)) / whole, of: (ns) => (100 * Math.abs(ns)) / whole };
}

/** A row that compares a part's time in both groups of requests (`names`), with the difference as a bar. */
export function comparedRow(row, axis, lead, names) {
  const share = Math.min(row.difference_share, 1);
  const [left, width] = [axis.zero - (row.difference_ns < 0 ? axis.of(row.difference_ns) : 0), axis.of(row.difference_ns)];
  return h(
    "tr",
    { class: lead && "lead" },
    partName(row),
    ownerCell(row),
    h(
      "td",
      { class: "bars" },
      h(
        "div",
        { class: "diverging", "$--zero": `${axis.zero}%` },
        h("div", { class: `fill ${partClass(row.part)}`, "$margin-left": `${Math.max(0, left)}%`, $width: `${width}%` }),
      ),
    ),
    h("td", { class: "num typical-ms", "data-head": names[0] }, ms(row.typical_mean_ns)),
    h("td", { class: "num slow-ms", "data-head": names[1] }, ms(row.slow_mean_ns)),
    h("td", { class: "num difference" }, signedMs(row.difference_ns)),
    h("td", { class: "num share" }, Math.abs(share) < 0.005 ? `0${THIN}%` : percent(share, 1)),
    row.calls === undefined ? h("td", { class: "trouble" }) : [callsCell(row), trouble(row)],
  );
}
