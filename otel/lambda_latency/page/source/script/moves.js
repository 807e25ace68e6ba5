// ---- Navigation in the waterfall: fold, zoom, and their keys.

function fold(span, on) {
  const kept = fall.rows[fall.current].span;
  if (on) fall.folded.add(span);
  else fall.folded.delete(span);
  fall.rows = visibleRows(fall.tree, fall.folded);
  let at = kept;
  while (at >= 0 && !fall.rows.some((row) => row.span === at)) at = fall.tree.spans[at].parent;
  fall.current = Math.max(
    0,
    fall.rows.findIndex((row) => row.span === at),
  );
  drawFall();
}

function zoomTo(span) {
  if (span === null) fall.zoom = null;
  else {
    const { start, end } = fall.tree.spans[span];
    const margin = Math.max((end - start) * 0.04, 1e4);
    fall.zoom = [Math.max(0, start - margin), end + margin];
  }
  byId("whole").hidden = fall.zoom === null;
  drawFall();
}

function inSight() {
  const element = byId(`span-${fall.current}`);
  if (element === null) return;
  element.style.setProperty("scroll-margin-bottom", `${fall.details ? byId("details").offsetHeight + 10 : 10}px`);
  element.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function fallKey(event) {
  if (event.target !== fall.element || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = fall.rows[fall.current];
  const folded = fall.folded.has(row.span);
  const to = (at) => (fall.current = Math.max(0, Math.min(fall.rows.length - 1, at)));
  const acts = {
    ArrowDown: () => to(fall.current + 1),
    ArrowUp: () => to(fall.current - 1),
    Home: () => to(0),
    End: () => to(fall.rows.length - 1),
    ArrowRight: () => (row.inside > 0 && folded ? fold(row.span, false) : row.inside > 0 && to(fall.current + 1)),
    ArrowLeft: () => {
      if (row.inside > 0 && !folded) fold(row.span, true);
      else to(fall.rows.findIndex((other) => other.span === fall.tree.spans[row.span].parent));
    },
    Enter: () => (fall.details = !fall.details),
    " ": () => (fall.details = !fall.details),
    z: () => zoomTo(row.span),
    0: () => zoomTo(null),
  };
  if (event.key === "Escape" && fall.details) fall.details = false;
  else if (Object.hasOwn(acts, event.key)) acts[event.key]();
  else return;
  event.preventDefault();
  event.stopPropagation();
  markRow();
  inSight();
}
