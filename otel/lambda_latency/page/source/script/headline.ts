// ---- The first line of the page, and a bar of all time above typical requests, a piece for each finding.

import { report } from "./data.js";
import { type Child, byId, fill, h } from "./elements.js";
import type { Finding } from "./island.js";
import { partClass } from "./palette.js";
import { inWords } from "./sentence.js";
import { change, follow, state } from "./store.js";
import { say } from "./words.js";

/** The classes of a finding's colour: that of its part; red without one if requests failed, else grey. */
export function findingClass({ kind, part }: Finding): string {
  if (kind === "timeout" || kind === "failed" || kind === "gate") return "wrong";
  return part === undefined ? "c0" : partClass(part);
}

export function drawHeadline(): void {
  fill(byId("headline"), h("h1", { id: "sentence" }, inWords(report.headline)), excessBar());
}

function excessBar(): Child {
  const pieces = report.findings.flatMap((finding, place) =>
    finding.row.excess_ns === undefined && !WITHOUT_TIME.has(finding.kind) ? [] : [piece(finding, place)],
  );
  if (report.excess === "" || pieces.length === 0) return null;
  return [
    h("div", { class: "excess", role: "group", "aria-label": say("excess.label") }, pieces),
    h("p", { class: "key" }, say("excess.says", { all: report.excess })),
  ];
}

const WITHOUT_TIME = new Set(["failed", "timeout"]); // kinds of findings that have a piece, however short they are

/** Whether a finding has a row: what requests of other findings spend elsewhere is a piece of the bar alone. */
export const hasRow = ({ kind, members }: Finding): boolean => kind !== "rest" || members !== undefined;

function piece(finding: Finding, place: number): HTMLElement {
  const { name, excess = "", excess_ns: ns = 0 } = finding.row;
  const text = `${name} ${excess}`.trim();
  if (!hasRow(finding))
    return h("span", { class: "piece bare", title: text, "$flex-grow": ns }, h("i", { class: "fill c0" }));
  const element = h(
    "button",
    {
      class: "piece",
      title: text,
      "aria-label": text,
      "$flex-grow": ns,
      onclick: () => change({ shown: place }),
    },
    h("i", { class: `fill ${findingClass(finding)}` }),
    h("span", {}, excess),
  );
  follow(() => element.setAttribute("aria-pressed", String(state.shown === place)));
  return element;
}
