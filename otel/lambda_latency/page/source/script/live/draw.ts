// ---- Draws the page anew for each report, without taking anything away from a person who is using it.

import type { Drawn, Host } from "../host.js";
import { answers, ask, besideSpans } from "./answers.js";
import { Composed, type Verdict } from "./compose.js";
import { type Row, rowOf } from "./rows.js";

declare function startPage(host: Host): void;

const QUIET_MS = 1000; // without a pointer or a key: nothing moves below a hand
const LEAST_MS = 1000; // between two drawings
const SHARE = 10; // times what a drawing took, until the next one

let page = document.querySelector(".page") as HTMLElement;
const blank = page.cloneNode(true);
let host: Host | null = null;
let alive = new AbortController();
let acted = Number.NEGATIVE_INFINITY;
let nextMs = 0;

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"])
  addEventListener(kind, () => (acted = performance.now()), { capture: true, passive: true });

export const drawn = (): Drawn | null => host?.drawn ?? null;

/** Whether the page can be drawn anew unnoticed. */
export function isFree(): boolean {
  const now = performance.now();
  if (host === null || host.report.requests === 0) return true;
  return (
    now >= nextMs &&
    now - acted > QUIET_MS &&
    !host.drawn?.isReading() &&
    document.querySelector("dialog[open], #suggested:not([hidden])") === null &&
    getSelection()?.isCollapsed !== false
  );
}

/** Draws a report with later rows. The address keeps what is chosen; focus and places of scrolling stay. */
export function draw(verdict: Verdict, rows: readonly Row[]): void {
  const began = performance.now();
  const composed = new Composed(verdict, rows);
  for (const [traceId, answer] of answers) if (typeof answer === "object") composed.addAnswer(traceId, answer);
  const before = {
    anchor: host?.drawn?.anchor ?? null,
    left: scrollX,
    top: scrollY,
    focus: document.activeElement,
    open: [...document.querySelectorAll("details[open][id]")].map(({ id }) => id),
  };
  alive.abort();
  alive = new AbortController();
  performance.clearMarks();
  const copy = blank.cloneNode(true) as HTMLElement;
  page.replaceWith(copy);
  page = copy;
  host = hostOf(composed, before.anchor);
  startPage(host);
  for (const id of before.open) document.getElementById(id)?.setAttribute("open", "");
  scrollTo({ left: before.left, top: before.top, behavior: "instant" });
  giveFocus(before.focus);
  const now = performance.now();
  nextMs = now + Math.max(LEAST_MS, SHARE * (now - began));
}

function hostOf(composed: Composed, anchor: Host["anchor"]): Host {
  const { report, lines } = composed;
  const answered = (traceId: string) => () => {
    const answer = answers.get(traceId);
    if (host?.report !== report) return;
    if (typeof answer === "object") composed.addAnswer(traceId, answer);
    host.answers++;
    host.drawn?.update();
  };
  return {
    report,
    lines,
    anchor,
    signal: alive.signal,
    answers: 0,
    drawn: null,
    failure(traceId) {
      const row = rowOf(traceId);
      return row !== undefined && row.what + row.where !== "" ? row : undefined;
    },
    beside(traceId) {
      void ask(traceId, answered(traceId));
      return besideSpans(traceId);
    },
    missing(traceId) {
      const answer = answers.get(traceId);
      return typeof answer === "string" ? answer : "This request has no spans.";
    },
  };
}

/** Gives the keyboard back to the element with the same id. */
function giveFocus(element: Element | null): void {
  if (element === null || element.isConnected || element.id === "") return;
  const now = document.getElementById(element.id);
  now?.focus({ preventScroll: true });
  if (element instanceof HTMLInputElement && now instanceof HTMLInputElement && element.type === "search")
    now.setSelectionRange(element.selectionStart, element.selectionEnd);
}
