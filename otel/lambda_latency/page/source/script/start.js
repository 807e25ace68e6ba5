// ---- Global keys, and the order of the page.

import { restore } from "./address.js";
import { clearRange } from "./brush.js";
import { drawChange } from "./change.js";
import { drawDistribution } from "./distribution.js";
import { byId, targetOf } from "./elements.js";
import { drawFlame } from "./flame.js";
import { drawList } from "./list.js";
import { drawParts } from "./parts.js";
import { count, report } from "./report.js";
import { closeRequest, drawRequestSection, openTrace, showRequest, step } from "./request.js";
import { drawProblems, drawSampling } from "./rest.js";
import { apply, state } from "./state.js";
import { drawHead, drawVerdict } from "./verdict.js";
import { fall, markRow } from "./waterfall.js";

const keys = byId("keys");

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  const typing = targetOf(event).closest("input, select, textarea") !== null;
  if (event.key === "Escape") oneStepBack(event.target);
  else if (!typing && byId("shortcuts").checked && Object.hasOwn(EVERYWHERE, event.key)) {
    event.preventDefault();
    EVERYWHERE[event.key]();
  }
});

const EVERYWHERE = {
  "/": () => byId("search")?.focus(),
  "?": () => keys.showModal(),
  j: () => count > 1 && step(1),
  k: () => count > 1 && step(-1),
  v: () => report.verdict.trace_id && openTrace(report.verdict.trace_id),
};

function oneStepBack(target) {
  if (target.id === "search" && state.query !== "") {
    state.query = "";
    apply();
  } else if (fall.details) {
    fall.details = false;
    markRow();
  } else if (state.open >= 0 && count > 1) closeRequest();
  else if (state.from + state.to + state.since + state.until > 0) clearRange();
}

const REMEMBERED = "lambda-latency.single-keys";

/** Stores the setting of single-letter keys, which users of speech input switch off, in the browser if possible. */
function rememberShortcuts() {
  const box = byId("shortcuts");
  try {
    box.checked = localStorage.getItem(REMEMBERED) !== "off";
    box.addEventListener("change", () => localStorage.setItem(REMEMBERED, box.checked ? "on" : "off"));
  } catch {
    // A page without an origin has no storage.
  }
}

function start() {
  drawHead();
  drawVerdict();
  drawChange();
  if (count > 1) drawDistribution();
  if (count > 0) drawParts();
  drawFlame();
  if (count > 1) drawList();
  if (count > 0) drawRequestSection();
  drawSampling();
  drawProblems();
  if (count <= 1) document.querySelector(".skip").remove();
  byId("sections").classList.toggle("alone", count <= 1);
  byId("help").addEventListener("click", () => keys.showModal());
  rememberShortcuts();
  byId("close-keys").addEventListener("click", () => keys.close());
  if (count > 1) {
    restore();
    addEventListener("popstate", restore); // also fired for a changed fragment
  } else if (count === 1) {
    state.open = 0;
    showRequest(0);
  }
  performance.mark("ready");
}

start();
