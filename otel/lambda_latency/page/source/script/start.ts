// ---- The page: its sections in their order, and the keys that work everywhere.

import { keepAddress } from "./address.js";
import { drawBar } from "./bar.js";
import { clearRange } from "./brush.js";
import { drawChange } from "./change.js";
import { count, report, several } from "./data.js";
import { distribution } from "./distribution.js";
import { append, byId, h } from "./elements.js";
import { searchField } from "./filters.js";
import { drawFindings } from "./findings.js";
import { drawFlame } from "./flame.js";
import { drawHeadline } from "./headline.js";
import { type Host, host, whileDrawn } from "./host.js";
import { anchorOfList, drawList, toAnchor } from "./list.js";
import { openTrace, step } from "./open.js";
import { drawParts } from "./parts.js";
import { closeRequest, drawRequest, fall } from "./request.js";
import { drawProblems, drawSampling } from "./rest.js";
import { drawServices } from "./services.js";
import { nextFound } from "./spantools.js";
import { stillNotes } from "./still.js";
import { change, state } from "./store.js";
import { factsStrip } from "./strip.js";
import { plural, say, windowWords } from "./words.js";

const keys = byId("keys") as HTMLDialogElement;
const shortcuts = byId("shortcuts") as HTMLInputElement;

addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    const isTyping = event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
    const act = EVERYWHERE[event.key];
    if (event.key === "Escape") oneStepBack();
    else if (!isTyping && shortcuts.checked && act !== undefined) {
      event.preventDefault();
      act();
    }
  },
  whileDrawn,
);

const EVERYWHERE: Record<string, () => void> = {
  "/": () => document.getElementById("search")?.focus(),
  "?": () => keys.showModal(),
  j: () => several && step(1),
  k: () => several && step(-1),
  n: () => nextSpanOrRequest(1),
  N: () => nextSpanOrRequest(-1),
  v: () => openTrace(report.verdict.trace_id),
};

/** The next span that the search found, or the next request if none is in the open one. */
function nextSpanOrRequest(by: number): void {
  if (fall !== null && fall.found !== null && fall.found.size > 0) nextFound(fall, by);
  else if (several) step(by);
}

function oneStepBack(): void {
  if (fall?.details) byId("close-details").click();
  else if (state.open >= 0 && several) closeRequest();
  else if (state.from + state.to + state.since + state.until > 0) clearRange();
}

const REMEMBERED = "lambda-latency.single-keys";

/** Stores the setting of single-letter keys, which users of speech input switch off, in the browser if possible. */
function rememberShortcuts(): void {
  try {
    shortcuts.checked = localStorage.getItem(REMEMBERED) !== "off";
    shortcuts.addEventListener(
      "change",
      () => localStorage.setItem(REMEMBERED, shortcuts.checked ? "on" : "off"),
      whileDrawn,
    );
  } catch {
    // A page without an origin has no storage.
  }
}

function head(): void {
  const more = report.sources.length > 3 ? ` ${say("head.more", { n: report.sources.length - 3 })}` : "";
  append(byId("head"), [
    h("span", {}, h("b", {}, "lambda-latency")),
    h("span", { class: "isolated" }, report.sources.slice(0, 3).join(", ") + more),
    several && searchField(),
    h("span", { class: "of-all" }, [count > 0 && plural(count, "request"), windowWords()].filter(Boolean).join(" · ")),
    several && factsStrip(),
  ]);
  append(byId("made"), [`lambda-latency ${report.version}`, count > 0 && ` · ${report.seen}`]);
  append(byId("command"), [report.command]);
}

/** Gives a live page what it does with this one. */
function giveBack(own: Host): void {
  own.drawn = {
    isReading: () => state.open >= 0,
    update: () => change({}, { step: false }),
    open: openTrace,
    get anchor() {
      return anchorOfList();
    },
  };
  if (own.anchor !== null) toAnchor(own.anchor);
}

function start(): void {
  head();
  drawHeadline();
  if (several) append(byId("beside"), [distribution()]);
  drawFindings();
  drawBar();
  const parts = count > 0 && drawParts();
  const requests = [several && drawList(), count > 0 && drawRequest()];
  append(byId("sections"), [
    drawChange(),
    host === null ? [parts, requests] : [requests, parts], // whoever waits for a request looks at the list
    drawFlame(),
    drawServices(),
    drawSampling(),
    drawProblems(),
  ]);
  stillNotes();
  if (!several) document.querySelector(".skip")?.remove();
  document.body.classList.toggle("alone", !several);
  byId("help").hidden = count === 0;
  byId("help").addEventListener("click", () => keys.showModal());
  byId("close-keys").addEventListener("click", () => keys.close(), whileDrawn);
  rememberShortcuts();
  if (several) keepAddress();
  else if (count === 1) change({ open: 0, shown: 0 }, { step: false });
  if (host !== null) giveBack(host);
  performance.mark("ready");
}

start();
