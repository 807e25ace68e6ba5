// ---- The shown finding: its example's critical path and that of a typical request on one scale, what changed, what
// to do next, and four actions.

import { copying } from "./carry.js";
import { typicalOf, waits } from "./compare.js";
import { at, count, placeOf, report, requests, routeOf, several, wallOf } from "./data.js";
import { type Child, append, fill, h, onWidth, s } from "./elements.js";
import { findingClass } from "./headline.js";
import type { Finding, Place } from "./island.js";
import { openTrace } from "./open.js";
import { partClass, swatch } from "./palette.js";
import { pixels } from "./pixels.js";
import { inWords } from "./sentence.js";
import { detailsOf, spansOf } from "./spans.js";
import { follow, only, state } from "./store.js";
import { type Tree, treeOf } from "./tree.js";
import { ms, say, started } from "./words.js";

const STRIP = 16; // pixels
const BESIDE = 74; // pixels of a duration behind a strip
const MOST_CHANGES = 3;
const LONGEST = 200; // letters of a statement
const STATEMENTS = ["db.query.text", "db.statement", "url.full", "http.url"];

export function drawDetail(): HTMLElement {
  const element = h("div", { class: "detail", id: "detail" });
  follow((now, before) => {
    if (now !== before && now.shown === before.shown) return;
    const finding = report.findings[now.shown];
    fill(element, finding !== undefined && detailBody(finding, now.shown));
  });
  return element;
}

/** What a finding's chart is about: the name, the number of its requests, and their durations. */
export function detailTitle(): Child {
  const finding = report.findings[state.shown];
  if (finding?.members === undefined) return say("map.title");
  const walls = finding.members.map(wallOf);
  const [least, most] = [walls.reduce((a, b) => Math.min(a, b)), walls.reduce((a, b) => Math.max(a, b))];
  const range = ms(least) === ms(most) ? ms(most) : `${ms(least)}–${ms(most)}`;
  return [
    h("span", { class: `swatch ${findingClass(finding)}` }),
    h("span", { class: "isolated" }, say("detail.title", { name: finding.row.name, n: walls.length, range })),
  ];
}

export function detailBody(finding: Finding, place: number): Child {
  const { kind, pieces, shows = [], depends = [], places: some = [], next = [] } = finding;
  const example = several && EXAMPLES.has(kind) ? placeOf(finding.trace_id) : -1;
  const spans = example < 0 ? null : spansOf(example);
  const tree = spans === null ? null : treeOf(spans, wallOf(example));
  return [
    isToldOpen(finding) && h("p", { class: "told" }, inWords(pieces)),
    tree !== null && exampleOf(finding, example, tree),
    shows.length > 0 && h("p", { class: "told" }, inWords(shows)),
    depends.map((sentence) => h("p", { class: "depends" }, inWords(sentence))),
    some.length > 0 && places(some),
    next.length > 0 && nextStep(next, finding, tree),
    several && actions(finding, place),
    evidence(finding, place),
  ];
}

const isInRow = (kind: Finding["kind"], row: Finding["row"]): boolean =>
  kind === "class" || (kind === "change" && row.time !== undefined);

/** Whether the sentence stands open: the row of a cause says all of it, and the headline that of the only finding. */
function isToldOpen({ kind, pieces, row }: Finding): boolean {
  if (isInRow(kind, row)) return false;
  const text = (some: readonly { text: string }[]): string => some.map((piece) => piece.text).join("");
  return text(pieces) !== text(report.headline);
}

const EXAMPLES = new Set<Finding["kind"]>(["class", "change", "timeout", "failed"]); // kinds that show one

/** The example above a typical request on one scale, and the calls whose waits differ most. */
function exampleOf(finding: Finding, request: number, tree: Tree): Child {
  const other = typicalOf(request);
  const says = say("detail.example", { route: routeOf(request), start: started(at(requests.start_ms, request)) });
  const strips = [strip(says, tree, Math.max(tree.wall, other?.tree.wall ?? 0))];
  if (other !== null)
    strips.push(
      strip(say("detail.typical", { route: routeOf(request) }), other.tree, Math.max(tree.wall, other.tree.wall)),
    );
  return [strips, other !== null && changes(finding, tree, other.tree)];
}

function strip(says: string, tree: Tree, end: number): HTMLElement {
  const box = h("div", { class: "strip" });
  onWidth(box, (width) => {
    const room = Math.max(1, width - BESIDE);
    const stretches = tree.path.map(([, start, stop, part]) => ({ start, end: stop, part }));
    const drawn = pixels(stretches, (time) => (time * room) / Math.max(1, end), 0, STRIP);
    const x = (tree.wall * room) / Math.max(1, end) + 6;
    const text = s("text", { x, y: STRIP - 4, class: "strong" }, ms(tree.wall));
    box.replaceChildren(s("svg", { width, height: STRIP, role: "img", "aria-label": says }, drawn, text));
  });
  return h("figure", {}, h("figcaption", { class: "isolated" }, says), box);
}

interface Change {
  name: string;
  part: number;
  before: number;
  now: number;
}

/** The waits that grew most, and the sum of all others. */
function changes(finding: Finding, tree: Tree, typical: Tree): Child {
  const [now, before] = [waits(tree), waits(typical)];
  const all = [...new Set([...now.keys(), ...before.keys()])]
    .map((name): Change => ({ name, part: partOf(tree, name), before: before.get(name) ?? 0, now: now.get(name) ?? 0 }))
    .sort((a, b) => b.now - b.before - (a.now - a.before));
  const shown = all.slice(0, MOST_CHANGES).filter((one) => one.now - one.before > (tree.wall - typical.wall) / 20);
  const rest = all.slice(shown.length);
  const sum = (key: "before" | "now"): number => rest.reduce((total, one) => total + one[key], 0);
  if (rest.length > 0) shown.push({ name: say("detail.rest"), part: -1, before: sum("before"), now: sum("now") });
  const most = Math.max(1, ...shown.map((one) => one.now));
  const row = ({ name, part, before: old, now: time }: Change): HTMLElement =>
    h(
      "tr",
      {},
      h("td", { class: "isolated" }, name),
      h("td", { class: "num" }, ms(old)),
      h("td", { class: "num" }, `→ ${ms(time)}`),
      h(
        "td",
        { class: "bars" },
        h("div", { class: `fill ${part < 0 ? "c0" : partClass(part)}`, $width: `${(100 * time) / most}%` }),
      ),
      h("td", { class: "calls" }, callWords(finding, part, old)),
    );
  const heads = ["request.call", "request.typical", "detail.here"].map((name, place) =>
    h("th", { scope: "col", class: place > 0 ? "num" : "" }, say(name)),
  );
  const head = h("tr", {}, heads, h("td", {}), h("td", {}));
  return h("table", { class: "changes" }, h("thead", { class: "unseen" }, head), h("tbody", {}, shown.map(row)));
}

/** The part that a request waits for most in spans of a name, or -1. */
function partOf(tree: Tree, name: string): number {
  const sums = new Map<number, number>();
  tree.spans.forEach((span, place) => {
    if (span.name === name)
      for (const { start, end, part } of at(tree.own, place)) sums.set(part, (sums.get(part) ?? 0) + end - start);
  });
  return [...sums].reduce((most, one) => (one[1] > most[1] ? one : most), [-1, 0])[0];
}

/** Whether a call is one that the typical request lacks, or one of more calls, or takes longer. */
function callWords({ calls, part: blamed }: Finding, part: number, before: number): string {
  const [usual = 0, now = 0] = calls ?? [];
  if (part < 0 || part !== blamed) return "";
  if (before === 0) return say("detail.new_call");
  if (now === 0) return "";
  return usual === now ? say("detail.calls", { n: now }) : say("detail.more_calls", { n: now, usual });
}

function nextStep(next: readonly string[], finding: Finding, tree: Tree | null): HTMLElement {
  const statement = tree === null || finding.part === undefined ? "" : statementOf(tree, finding.part);
  return h(
    "p",
    { class: "next" },
    h("b", {}, say("verdict.next"), " "),
    next.join(" "),
    statement !== "" && [" ", h("code", { class: "isolated" }, statement)],
  );
}

/** The query or the address of the call that a request waits for most in a part; empty if no span says it. */
function statementOf(tree: Tree, part: number): string {
  const time = (place: number): number =>
    at(tree.own, place).reduce((sum, one) => (one.part === part ? sum + one.end - one.start : sum), 0);
  const longest = tree.spans.reduce((most, _, place) => (time(place) > time(most) ? place : most), 0);
  const values = detailsOf(tree, longest).flatMap(({ attributes = {} }) => STATEMENTS.map((name) => attributes[name]));
  const text = values.find((value) => typeof value === "string" && value !== "");
  return typeof text === "string" ? text.slice(0, LONGEST) : "";
}

/** The buttons: its requests, the example, what differs, and the finding as the text of an issue. */
function actions(finding: Finding, place: number): Child {
  const { members = [], trace_id: trace, issue } = finding;
  const button = (text: string, id: string, onclick: () => void): HTMLElement =>
    h("button", { class: "button", id, onclick }, text);
  const some = members.length > 0 && members.length < count;
  const shown = [
    some && button(say("card.show", { n: members.length }), `show-${place}`, () => only({ finding: place })),
    trace !== undefined && button(say("verdict.example"), `example-${place}`, () => openTrace(trace)),
    some && button(say("detail.differs"), `differs-${place}`, () => only({ finding: place }, "parts")),
    issue !== undefined && copying(`issue-${place}`, "carry.issue", () => issue, "button"),
  ].filter(Boolean);
  return shown.length > 0 && h("div", { class: "acts" }, shown);
}

/** The lines of own code, each with its source text and what it called. */
function places(some: readonly Place[]): HTMLElement {
  const line = (one: Place): HTMLElement => {
    const frame = h("code", {}, one.label);
    return h(
      "li",
      {},
      h(
        "details",
        {},
        h("summary", {}, frame.cloneNode(true), ` ${ms(one.excess_ns)}`, one.doing && `, ${one.doing}`),
        h(
          "ol",
          { class: "frames", "aria-label": say("stack.label") },
          h("li", { class: "own" }, frame, one.source && h("code", { class: "code" }, one.source)),
          one.called && h("li", {}, h("code", {}, one.called)),
        ),
        h(
          "p",
          {},
          say("card.place", { slow: ms(one.slow_ns) }),
          one.requests > 0 && say("card.largest", { n: one.requests }),
        ),
      ),
    );
  };
  return h("ul", { class: "places", "aria-label": say("card.places") }, some.map(line));
}

/** What stands behind a finding; folded, but of a verdict. */
function evidence(
  { pieces, evidence: sentences = [], ground, log, part, kind, against, row }: Finding,
  place: number,
): Child {
  const lines = isInRow(kind, row) ? [pieces, ...sentences] : sentences;
  const shown = [
    lines.map((line) => h("p", { class: "evidence" }, inWords(line))),
    ground &&
      part !== undefined &&
      h(
        "p",
        { class: "evidence" },
        swatch(part),
        say("card.ground", { part: report.parts[part]?.label ?? "", ground }),
      ),
    log && h("p", { class: "evidence" }, say("card.log"), " ", h("code", { class: "isolated" }, log)),
    against !== undefined &&
      several &&
      h(
        "button",
        { class: "link", id: `against-${place}`, onclick: () => openTrace(against) },
        say("verdict.counterexample"),
      ),
  ].flat();
  if (shown.filter(Boolean).length === 0) return null;
  if (kind === "verdict") return shown;
  const folded = h("details", { class: "why" }, h("summary", {}, say("card.why")));
  append(folded, shown);
  return folded;
}
