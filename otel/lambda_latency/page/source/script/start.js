// ---- Keys that work everywhere, and the order of the page.

const keys = byId("keys");

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  const typing = event.target.closest("input, select, textarea") !== null;
  if (event.key === "Escape") oneStepBack(event.target);
  else if (!typing && Object.hasOwn(EVERYWHERE, event.key)) {
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
  else if (state.from > 0 || state.to > 0) clearRange();
}

function start() {
  drawHead();
  drawVerdict();
  drawChange();
  if (count > 1) drawDistribution();
  if (count > 0) drawParts();
  if (count > 0) drawMap();
  if (count > 1) drawList();
  if (count > 0) drawRequestSection();
  drawSampling();
  drawProblems();
  byId("sections").classList.toggle("alone", count <= 1);
  byId("help").addEventListener("click", () => keys.showModal());
  byId("close-keys").addEventListener("click", () => keys.close());
  if (count > 1) {
    restore();
    addEventListener("popstate", restore); // of a changed # too
  } else if (count === 1) {
    state.open = 0;
    showRequest(0);
  }
  performance.mark("ready");
}

start();
