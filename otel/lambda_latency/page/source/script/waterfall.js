// ---- The waterfall of the open request: filled on the critical path, an outline where a span was open off it.

const NARROW = 620;
const AXIS = 26;
const BAR = 14;
const FIGURES = 74; // pixels of each of the two columns of figures

const fall = {
  request: -1,
  tree: null,
  folded: new Set(),
  rows: [],
  current: 0,
  zoom: null,
  details: false,
  element: null,
  width: 0,
};

function loadFall(request) {
  const tree = request < 0 ? null : treeOf(request);
  Object.assign(fall, {
    request,
    tree,
    folded: new Set(),
    rows: [],
    current: 0,
    zoom: null,
    details: false,
    element: null,
  });
  if (tree === null) return;
  fall.folded = foldedAtFirst(tree);
  fall.rows = visibleRows(tree, fall.folded);
  fall.element = h("div", {
    class: "fall",
    id: "fall",
    role: "treegrid",
    tabindex: 0,
    "aria-label": "Spans of the request",
  });
  fall.element.addEventListener("keydown", fallKey);
}

/** Everything that the rows are drawn with: sizes, and where an instant is. */
function fallFrame() {
  const { width } = fall;
  const narrow = width <= NARROW;
  const names = narrow ? 0 : Math.round(Math.min(330, width * 0.34));
  const [left, right] = [narrow ? 2 : names + 2 * FIGURES + 18, width - (narrow ? 2 : 14)];
  const [from, to] = fall.zoom ?? [0, fall.tree.end];
  const at = (time) => left + Math.max(-0.02, Math.min(1.02, (time - from) / (to - from))) * (right - left);
  const row = narrow ? 52 : 32;
  const middle = (number_) => AXIS + number_ * row + (narrow ? 38 : 17);
  return { width, narrow, names, left, right, from, to, at, row, middle, height: AXIS + fall.rows.length * row };
}

function drawFall() {
  if (fall.tree === null || fall.width === 0) return;
  const own = fallFrame();
  const picture = s("svg", { width: own.width, height: own.height, "aria-hidden": "true" });
  timeAxis(picture, own);
  const bars = s("g", {});
  const rows = fall.rows.map((row, at) => {
    drawBar(bars, own, row, at);
    return nameRow(row, at, own);
  });
  picture.append(pathLine(own), bars);
  deadlines(picture, own);
  fall.element.style.setProperty("--names", `${own.names}px`);
  const heads = ["Span", "Waited", "Took"].map((name) => h("span", { role: "columnheader" }, name));
  fall.element.replaceChildren(h("div", { class: "span-heads", role: "row" }, heads), ...rows, picture);
  markRow();
}

function timeAxis(picture, { left, right, from, to, at, height }) {
  const span = (to - from) / 1e6;
  const least = span / Math.max(2, (right - left) / 96);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= least);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  for (let number_ = Math.ceil(from / 1e6 / step); number_ * step <= to / 1e6; number_++) {
    const value = number_ * step;
    const x = at(value * 1e6);
    picture.append(s("line", { x1: x, x2: x, y1: AXIS - 5, y2: height, class: "grid" }));
    const text = `${value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}${THIN}ms`;
    const half = wide(text) / 2;
    const anchor = x - half < left - 6 ? "start" : x + half > right + 14 ? "end" : "middle";
    picture.append(s("text", { x, y: 17, "text-anchor": anchor }, text));
  }
}

function drawBar(bars, own, row, at) {
  const { tree, folded } = fall;
  const span = tree.spans[row.span];
  if (span.end < own.from || span.start > own.to) return;
  const [left, right] = [own.at(span.start), Math.max(own.at(span.start) + 2, own.at(span.end))];
  const top = own.middle(at) - BAR / 2;
  const loose = span.open || tree.below[row.span] === 0;
  bars.append(
    s("rect", {
      x: left + 0.5,
      y: top + 0.5,
      width: Math.max(1, right - left - 1),
      height: BAR - 1,
      rx: 2,
      class: loose ? "outline loose" : "outline",
    }),
  );
  const sections = sectionsOf(tree, row.span, folded).filter((one) => one.end >= own.from && one.start <= own.to);
  for (const { start, end, part } of sections) {
    const x = own.at(start);
    const width = Math.max(1, own.at(end) - x);
    bars.append(s("rect", { x, y: top, width, height: BAR, class: `waited ${partClass(part)}` }));
    if (TEXTURED.has(parts[part].bucket))
      bars.append(s("rect", { x, y: top, width, height: BAR, fill: `url(#${partClass(part)})` }));
  }
}

/** One line through what the wall clock waited for: along the filled parts' lower edge, and from row to row. */
function pathLine(own) {
  const seen = new Map(fall.rows.map((row, at) => [row.span, at]));
  const rowOf = (span) => {
    let at = span;
    while (!seen.has(at)) at = fall.tree.spans[at].parent;
    return seen.get(at);
  };
  let path = "";
  let before = null;
  for (const [span, start, end] of fall.tree.path) {
    if (end < own.from || start > own.to) continue;
    const y = own.middle(rowOf(span)) + BAR / 2 + 2;
    const [left, right] = [own.at(start), own.at(end)];
    path += before === null ? `M${left} ${y}` : before === y ? "" : `L${left} ${before}L${left} ${y}`;
    path += `L${Math.max(right, left + 0.5)} ${y}`;
    before = y;
  }
  return s("path", { d: path, class: "path" });
}

/** Where the response was out, if spans go on behind it; where the function's time was over. */
function deadlines(picture, own) {
  const wall = requests.wall_ns[fall.request];
  const line = (time, name) =>
    picture.append(s("line", { x1: own.at(time), x2: own.at(time), y1: AXIS - 6, y2: own.height, class: name }));
  if (fall.tree.end > wall * 1.001) line(wall, "answered");
  if (has(fall.request, TIMEOUT)) line(deadlineOf(wall), "deadline");
}

/** The limit counts from the start of the function: of the outermost span that says it ran into it. */
function deadlineOf(wall) {
  const timeout = report.timeouts.find((one) => one.trace_id === requests.trace_id[fall.request]);
  const outermost = fall.tree.spans.find((span) =>
    span.details.some((one) => one.attributes?.["lambda.timeout"] === true),
  );
  return timeout && timeout.limit_ns > 0 && outermost ? Math.min(wall, outermost.start + timeout.limit_ns) : wall;
}

function nameRow(row, at, own) {
  const { tree, folded } = fall;
  const span = tree.spans[row.span];
  const on = tree.below[row.span] > 0;
  const late = span.start >= requests.wall_ns[fall.request];
  const marks = [
    span.mark && h("span", { class: "mark-word bad" }, span.mark),
    !span.mark && span.open && h("span", { class: "mark-word bad" }, "left open"),
    late && h("span", { class: "mark-word" }, "after the response"),
  ];
  const twist =
    row.inside > 0
      ? h(
          "button",
          { class: "twist", tabindex: -1, "aria-label": folded.has(row.span) ? "Unfold" : "Fold" },
          folded.has(row.span) ? "▸" : "▾",
        )
      : h("i", { class: "twist" });
  const element = h(
    "div",
    {
      class: on ? "span-row" : "span-row off",
      role: "row",
      id: `span-${at}`,
      "aria-level": row.depth + 1,
      "aria-expanded": row.inside > 0 && String(!folded.has(row.span)),
      $height: `${own.row}px`,
    },
    h(
      "div",
      {
        class: "span-name",
        role: "gridcell",
        "$--depth": own.narrow ? Math.min(row.depth, 6) : Math.min(row.depth, 12),
      },
      twist,
      h("span", { class: "isolated", title: span.name }, span.name),
      marks,
    ),
    h(
      "div",
      { class: "waited-ms", role: "gridcell" },
      fall.tree.waited[row.span] > 0 ? ms(fall.tree.waited[row.span]) : "–",
    ),
    h("div", { class: "took-ms", role: "gridcell" }, ms(span.end - span.start)),
  );
  element.addEventListener("click", (event) => {
    fall.current = at;
    if (event.target.closest("button.twist")) {
      fold(row.span, !folded.has(row.span));
      return;
    }
    fall.details = true;
    markRow();
  });
  element.addEventListener("dblclick", () => zoomTo(row.span));
  return element;
}

function markRow() {
  [...fall.element.querySelectorAll(".span-row")].forEach((element, at) => {
    element.classList.toggle("current", at === fall.current);
    element.setAttribute("aria-selected", at === fall.current);
  });
  fall.element.setAttribute("aria-activedescendant", `span-${fall.current}`);
  drawDetails();
}
