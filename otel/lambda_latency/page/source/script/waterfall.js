// ---- The waterfall of the open request: filled on the critical path, an outline where a span was open off the path.
// Only visible rows exist: a request may have 20,000 spans.

import { writeAddress } from "./address.js";
import { deadlines, drawBar, gridOf, pathLine, timeAxis } from "./bars.js";
import { drawDetails } from "./details.js";
import { byId, h, s, targetOf } from "./elements.js";
import { fallKey, foldRow, zoomTo } from "./moves.js";
import { drawOverview } from "./overview.js";
import { requests } from "./report.js";
import { foldedAtFirst, sumsOf, treeOf, visibleRows } from "./rows.js";
import { isFound } from "./spansearch.js";
import { ms, say } from "./words.js";

const NARROW = 760;
export const AXIS = 26;
export const BAR = 14;
const FIGURES = 74; // pixels of each of the two columns of figures, at least
const DIGIT = 8.5; // pixels
const PRINTED = 12; // rows on paper, as in print.css: a page has room for no more
const FEW_ROWS = 60; // up to this number all rows exist
const CHUNK = 10; // rows that are added and removed together

export const fall = {
  request: -1,
  tree: null,
  folded: new Set(),
  merged: new Set(),
  pathOnly: false,
  found: null, // the spans that a search found
  rows: [],
  rowAt: new Int32Array(0),
  current: 0,
  zoom: null,
  details: false,
  element: null,
  width: 0,
  first: 0,
  end: 0,
};

export function loadFall(request) {
  const tree = request < 0 ? null : treeOf(request);
  Object.assign(fall, {
    request,
    tree,
    folded: new Set(),
    merged: new Set(tree?.groups.keys()),
    pathOnly: false,
    found: null,
    rows: [],
    current: 0,
    zoom: null,
    details: false,
    element: null,
  });
  if (tree === null) return;
  fall.folded = foldedAtFirst(tree);
  setRows();
  fall.inner = h("div", { class: "fall-inner", role: "presentation" });
  fall.heads = h("div", { class: "fall-heads", role: "presentation" });
  fall.element = h(
    "div",
    { class: "fall", id: "fall", role: "treegrid", tabindex: 0, "aria-label": say("request.spans") },
    fall.heads,
    fall.inner,
  );
  fall.element.addEventListener("keydown", fallKey);
  fall.element.addEventListener("scroll", () => drawRowsOfFall(false), { passive: true });
}

/** Computes the visible rows, and the row of each span: its own, or that of the span it is folded into. */
export function setRows() {
  fall.rows = visibleRows(fall.tree, fall);
  fall.rowAt = new Int32Array(fall.tree.spans.length).fill(-1);
  fall.rows.forEach(({ span, members }, at) => {
    if (members === null) fall.rowAt[span] = at;
    else for (const one of members) fall.rowAt[one] = at;
  });
  fall.tree.spans.forEach(({ parent }, span) => {
    if (fall.rowAt[span] < 0 && parent >= 0) fall.rowAt[span] = fall.rowAt[parent];
  });
}

/** The layout of the rows: sizes, and functions from instants and rows to positions. */
export function fallFrame() {
  const { width } = fall;
  const narrow = width <= NARROW;
  const names = narrow ? 0 : Math.round(Math.min(330, width * 0.3));
  const figures = Math.max(FIGURES, Math.ceil(ms(fall.tree.end).length * DIGIT));
  const [left, right] = [narrow ? 2 : names + 2 * figures + 18, width - (narrow ? 2 : 14)];
  const [from, to] = fall.zoom ?? [0, fall.tree.end];
  const at = (time) => left + Math.max(-0.02, Math.min(1.02, (time - from) / (to - from))) * (right - left);
  const row = narrow ? 52 : 32;
  const middle = (number_) => (number_ - fall.first) * row + (narrow ? 38 : 17);
  return { width, narrow, names, figures, left, right, from, to, at, row, middle };
}

export function drawFall() {
  if (fall.tree === null || fall.width === 0) return;
  const own = fallFrame();
  fall.element.style.setProperty("--names", `${own.names}px`);
  fall.element.style.setProperty("--figures", `${own.figures}px`);
  fall.element.setAttribute("aria-rowcount", fall.rows.length + 1);
  drawOverview();
  const { length: all } = fall.rows;
  byId("printed").textContent = all > PRINTED ? say("request.printed", { n: PRINTED, all }) : "";
  fall.inner.style.height = `${fall.rows.length * own.row}px`;
  const picture = s("svg", { width: own.width, height: AXIS, "aria-hidden": "true" });
  timeAxis(picture, own);
  const heads = ["span", "waited", "took"].map((name) => h("span", { role: "columnheader" }, say(`request.${name}`)));
  fall.heads.replaceChildren(h("div", { class: "span-heads", role: "row" }, heads), picture);
  drawRowsOfFall(true);
}

/** Draws the visible rows and some beside them; `anew`: also if the same rows are visible. */
export function drawRowsOfFall(anew) {
  const own = fallFrame();
  let [first, end] = [0, fall.rows.length];
  if (end > FEW_ROWS) {
    const [top, height] = [fall.element.scrollTop, fall.element.clientHeight || 700];
    first = Math.max(0, Math.floor(top / own.row / CHUNK) * CHUNK - CHUNK);
    end = Math.min(end, Math.ceil((top + height) / own.row / CHUNK) * CHUNK + CHUNK);
  }
  if (!anew && first === fall.first && end === fall.end) return;
  Object.assign(fall, { first, end });
  const height = (end - first) * own.row;
  const picture = s("svg", { width: own.width, height, "aria-hidden": "true", $top: `${first * own.row}px` });
  gridOf(picture, own, height);
  const bars = s("g", {});
  const rows = [];
  for (let at = first; at < end; at++) {
    drawBar(bars, own, fall.rows[at], at);
    rows.push(nameRow(fall.rows[at], at, own));
  }
  picture.append(pathLine(own, height), bars);
  deadlines(picture, own, height);
  fall.inner.replaceChildren(...rows, picture);
  markRow();
}

function nameRow(row, at, own) {
  const { tree, folded } = fall;
  const span = tree.spans[row.span];
  const { waited, took, below } = sumsOf(tree, row);
  const on = below > 0;
  const isFolded = row.members === null ? folded.has(row.span) : fall.merged.has(row.span);
  const name = row.members === null ? span.name : say("request.repeats", { n: row.members.length, name: span.name });
  const late = span.start >= requests.wall_ns[fall.request];
  const marks = [
    span.mark && h("span", { class: "mark-word bad" }, span.mark),
    !span.mark && span.open && h("span", { class: "mark-word bad" }, say("request.open")),
    late && h("span", { class: "mark-word" }, say("request.after")),
  ];
  const twist =
    row.inside > 0
      ? h(
          "button",
          { class: "twist", tabindex: -1, "aria-label": say(isFolded ? "request.unfold" : "request.fold") },
          isFolded ? "▸" : "▾",
        )
      : h("i", { class: "twist" });
  const element = h(
    "div",
    {
      class: `span-row${on ? "" : " off"}${isFound(row) ? "" : " unfound"}`,
      role: "row",
      id: `span-${at}`,
      "aria-level": row.depth + 1,
      "aria-expanded": row.inside > 0 && String(!isFolded),
      "aria-rowindex": at + 2,
      $height: `${own.row}px`,
      $top: `${at * own.row}px`,
    },
    h(
      "div",
      {
        class: "span-name",
        role: "gridcell",
        "$--depth": own.narrow ? Math.min(row.depth, 6) : Math.min(row.depth, 12),
      },
      twist,
      h("span", { class: "isolated", title: name }, name),
      marks,
    ),
    h(
      "div",
      { class: "waited-ms", role: "gridcell" },
      waited > 0 ? ms(waited) : "–",
    ),
    h("div", { class: "took-ms", role: "gridcell" }, ms(took)),
  );
  element.addEventListener("click", (event) => {
    fall.current = at;
    if (event.target.closest("button.twist")) {
      foldRow(row, !isFolded);
      return;
    }
    fall.details = true;
    markRow();
    writeAddress();
  });
  return element;
}

const TWICE_MS = 450; // between the two clicks of a double click
const TWICE_PX = 5;
let clicked = null;

// The first click opens the details, which may cover the row: the second click still counts for the row.
addEventListener(
  "click",
  (event) => {
    const near =
      clicked !== null &&
      event.timeStamp - clicked.time < TWICE_MS &&
      Math.hypot(event.clientX - clicked.x, event.clientY - clicked.y) < TWICE_PX;
    if (near) {
      event.stopPropagation();
      zoomTo(clicked.row);
      clicked = null;
      return;
    }
    const row = targetOf(event).closest?.(".span-row");
    clicked =
      row == null || targetOf(event).closest("button.twist")
        ? null
        : { time: event.timeStamp, x: event.clientX, y: event.clientY, row: fall.rows[row.id.slice(5)] };
  },
  true,
);

export function markRow() {
  for (const element of fall.element.querySelectorAll(".span-row")) {
    const on = element.id === `span-${fall.current}`;
    element.classList.toggle("current", on);
    element.setAttribute("aria-selected", on);
  }
  if (fall.current >= fall.first && fall.current < fall.end)
    fall.element.setAttribute("aria-activedescendant", `span-${fall.current}`);
  else fall.element.removeAttribute("aria-activedescendant");
  drawDetails();
}
