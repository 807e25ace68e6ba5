// ---- The findings as rows of three lines; below them what no finding says, what-if, and what can be copied.

import { carryButtons } from "./carry.js";
import { at, count, report, requests, several } from "./data.js";
import { detailBody } from "./detail.js";
import { starts } from "./axes.js";
import { type Child, breakable, byId, fill, h, s } from "./elements.js";
import { findingClass, hasRow } from "./headline.js";
import { host, whileDrawn } from "./host.js";
import type { Finding } from "./island.js";
import { swatch } from "./palette.js";
import { change, follow, state, toggled } from "./store.js";
import { say, withClocks } from "./words.js";

const EXAMPLES = [
  "lambda-latency demo",
  "lambda-latency report --xray --since 1h",
  "lambda-latency report traces.jsonl",
];
const CONFIDENCE = { high: 3, medium: 2, low: 1 };
export const WIDE = matchMedia("(min-width: 1000px)"); // as in base.css

export function drawFindings(): void {
  const [only] = report.findings;
  if (!several) {
    fill(
      byId("verdict"),
      only !== undefined && detailBody(only, 0),
      count === 0 && host === null && tries(),
      notes(),
      carry(),
    );
    return;
  }
  const rows = report.findings.filter(hasRow).map(row); // one without a row is the last
  fill(byId("verdict"), h("div", { class: "rows" }, rows), notes(), whatIf(), carry());
  follow((now) => settle(rows[now.shown]));
  WIDE.addEventListener("change", () => settle(rows[state.shown]), whileDrawn);
}

/** Puts what belongs to a finding beside the rows, or on a small window below its row. */
function settle(row: HTMLElement | undefined): void {
  const [beside, focused] = [byId("beside"), document.activeElement];
  const place = WIDE.matches || row === undefined ? byId("first") : row;
  if (beside.parentElement === place) return;
  place.append(beside);
  if (focused instanceof HTMLElement && beside.contains(focused)) focused.focus({ preventScroll: true });
}

function row(finding: Finding, place: number): HTMLElement {
  const { name, time = "", requests: which = "", callers } = finding.row;
  const head = h(
    "button",
    {
      class: "row-head",
      id: `finding-${place}`,
      onclick: () => change({ shown: state.shown === place && !WIDE.matches ? -1 : place }),
    },
    h(
      "span",
      { class: "title" },
      h("b", { class: "isolated" }, breakable(name)),
      finding.owner !== undefined && h("span", { class: `pill ${finding.owner}` }, finding.owner),
    ),
    h("b", { class: "time" }, time),
    h("span", { class: "which isolated" }, which, callers && `, ${say("row.called", { caller: callers })}`),
    h("span", { class: "unit" }, finding.row.unit ?? "", sure(finding)),
    when(finding),
  );
  const element = h("article", { class: `row-of-finding ${findingClass(finding)}` }, head);
  follow(() => {
    const isShown = state.shown === place;
    element.classList.toggle("chosen", isShown);
    head.setAttribute("aria-expanded", String(isShown));
  });
  return element;
}

function sure({ confidence, kind }: Finding): Child {
  if (confidence === undefined || kind !== "class") return null;
  const dots = [1, 2, 3].map((dot) => h("i", { class: dot <= CONFIDENCE[confidence] ? "on" : "" }));
  return [" · ", h("span", { class: "dots", "aria-hidden": "true" }, dots), say(`row.${confidence}`)];
}

/** When its requests came, and what they have in common. */
function when({ members = [], row: { when: told, depends }, kind }: Finding): Child {
  if (members.length === 0 || kind === "verdict") return null;
  const isTold = kind === "class" || kind === "change";
  return h(
    "span",
    { class: "when" },
    spark(members),
    isTold && h("span", { class: "isolated" }, withClocks(told ?? say("row.all_along"))),
    depends && h("span", { class: "isolated" }, say("row.depends", { value: depends })),
  );
}

const [BINS, BIN, HEIGHT] = [24, 4, 16]; // number, and pixels

/** The number of requests over the time of all requests, as bars. */
function spark(members: readonly number[]): SVGElement {
  const [first, last] = starts();
  const bins = new Uint32Array(BINS);
  for (const request of members) {
    const share = (at(requests.start_ms, request) - first) / Math.max(1, last - first);
    const bin = Math.min(BINS - 1, Math.floor(share * BINS));
    bins[bin] = at(bins, bin) + 1;
  }
  const most = Math.max(...bins);
  const path = Array.from(bins, (many, bin) => {
    const high = Math.ceil((many / most) * HEIGHT);
    return many > 0 ? `M${bin * BIN} ${HEIGHT - high}h${BIN - 1}v${high}h${1 - BIN}z` : "";
  });
  return s("svg", { width: BINS * BIN, height: HEIGHT, "aria-hidden": "true" }, s("path", { d: path.join("") }));
}

function tries(): Child {
  return [h("p", {}, say("verdict.try")), EXAMPLES.map((line) => h("code", { class: "command" }, line))];
}

/** What no finding says, folded. */
function notes(): Child {
  const lines = report.notes.map((text) => h("p", { class: "note isolated" }, text));
  if (count === 0) return lines;
  return (
    lines.length > 0 &&
    h("details", { class: "notes" }, h("summary", {}, say("notes.title", { n: lines.length })), lines)
  );
}

/** The saving of each of the largest parts, folded: a ticked part is taken away everywhere on the page. */
function whatIf(): Child {
  if (report.saves.length === 0) return null;
  const line = ({ part, pieces }: (typeof report.saves)[number]): HTMLElement => {
    const box = h("input", {
      type: "checkbox",
      id: `without-${part}`,
      onchange: () => change({ without: toggled(state.without, part) }),
    });
    follow(() => (box.checked = state.without.has(part)));
    return h("li", {}, h("label", { class: "tick" }, box, swatch(part), pieces.map(({ text }) => text).join("")));
  };
  return h(
    "details",
    { class: "notes", id: "what-if" },
    h("summary", {}, say("whatif.title")),
    h("ul", { class: "saves" }, report.saves.map(line)),
    h("p", { class: "note" }, report.bound),
  );
}

const carry = (): Child =>
  count > 0 && h("details", { class: "notes", id: "carry" }, h("summary", {}, say("carry.title")), carryButtons());
