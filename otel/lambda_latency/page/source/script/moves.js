// ---- Navigation in the waterfall: fold, zoom, and their keys.

import { sumsOf } from "./rows.js";
import { writeAddress } from "./address.js";
import { byId } from "./elements.js";
import { AXIS, drawFall, drawRowsOfFall, fall, fallFrame, markRow, setRows } from "./waterfall.js";

/** Folds or unfolds a row: its children, or the spans that share the row. */
export function foldRow({ span, members }, on) {
  const kept = fall.rows[fall.current].span;
  const folded = members === null ? fall.folded : fall.merged;
  if (on) folded.add(span);
  else folded.delete(span);
  setRows();
  fall.current = Math.max(0, fall.rowAt[kept]);
  drawFall();
}

export function zoomTo(row) {
  if (row === null) fall.zoom = null;
  else {
    const { start, end } = sumsOf(fall.tree, row);
    const margin = Math.max((end - start) * 0.04, 1e4);
    fall.zoom = [Math.max(0, start - margin), end + margin];
  }
  byId("whole").hidden = fall.zoom === null;
  drawFall();
  writeAddress();
}

/** Scrolls the current row into view. */
export function inSight() {
  const { row } = fallFrame();
  const { element, current } = fall;
  const [top, bottom] = [current * row, (current + 1) * row + AXIS];
  if (top < element.scrollTop) element.scrollTop = top;
  else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  drawRowsOfFall(false);
  const line = byId(`span-${current}`);
  if (line === null) return;
  line.style.setProperty("scroll-margin-block", `${AXIS + 4}px ${fall.details ? byId("details").offsetHeight + 10 : 10}px`);
  line.scrollIntoView({ block: "nearest", behavior: "instant" });
}

export function fallKey(event) {
  if (event.target !== fall.element || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = fall.rows[fall.current];
  const folded = (row.members === null ? fall.folded : fall.merged).has(row.span);
  const page = Math.max(1, Math.floor(fall.element.clientHeight / fallFrame().row) - 2);
  const to = (at) => (fall.current = Math.max(0, Math.min(fall.rows.length - 1, at)));
  const acts = {
    ArrowDown: () => to(fall.current + 1),
    ArrowUp: () => to(fall.current - 1),
    PageDown: () => to(fall.current + page),
    PageUp: () => to(fall.current - page),
    Home: () => to(0),
    End: () => to(fall.rows.length - 1),
    ArrowRight: () => (row.inside > 0 && folded ? foldRow(row, false) : row.inside > 0 && to(fall.current + 1)),
    ArrowLeft: () => {
      if (row.inside > 0 && !folded) foldRow(row, true);
      else if (fall.tree.spans[row.span].parent >= 0) to(fall.rowAt[fall.tree.spans[row.span].parent]);
    },
    Enter: () => (fall.details = !fall.details),
    " ": () => (fall.details = !fall.details),
    z: () => zoomTo(row),
    0: () => zoomTo(null),
  };
  if (event.key === "Escape" && fall.details) fall.details = false;
  else if (Object.hasOwn(acts, event.key)) acts[event.key]();
  else return;
  event.preventDefault();
  event.stopPropagation();
  markRow();
  inSight();
  writeAddress();
}
