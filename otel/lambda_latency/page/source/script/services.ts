// ---- The map of services: callers, callees, and the share of the time of the chosen requests on each edge.

import { at, cellsOf, count, isSlow, partOfCell, report, requests } from "./data.js";
import { type Child, fill, h, onWidth, s, section } from "./elements.js";
import { label } from "./labels.js";
import { partClass, swatch } from "./palette.js";
import { follow, isFiltered, only, state, view } from "./store.js";
import { hideTip, showTip } from "./tip.js";
import { SMALL, ms, percent, say, wide } from "./words.js";

const MOST_NODES = 20; // more are a table
const [FEW_EDGES, MOST_EDGES, LEAST_SHARE] = [4, 12, 0.01]; // rows of the table, and the share of a further one
const OWN = new Set([
  "own code",
  "cold start",
  "telemetry",
  "lambda",
  "unknown",
  "api gateway",
  "gateway",
  "laptop",
  "queue",
]);
const [COLUMN, ROW, BOX] = [250, 46, 176]; // pixels

interface Edge {
  caller: string;
  callee: string;
  part: number; // the part with the most time
  ns: number;
}

export function drawServices(): HTMLElement | null {
  if (count < 2 || edgesOf(view).length < 2) return null;
  const box = h("div", { class: "services" });
  const says = h("p", { class: "says" });
  const element = section("services", say("services.title"), null, says, box);
  element.classList.add("wide");
  let width = 0;
  let drawn: Int32Array | null = null;
  const draw = (): void => {
    const slow = view.filter(isSlow);
    const isSlowOnes = !isFiltered() && slow.length > 0;
    const some = isSlowOnes ? slow : view;
    says.textContent = say(isSlowOnes ? "services.slow" : "services.says", { n: some.length });
    const edges = edgesOf(some);
    const levels = levelsOf(edges);
    const isTable = levels.size > MOST_NODES || Math.max(...levels.values()) * COLUMN + BOX + 8 > width;
    const whole = Math.max(
      1,
      some.reduce((sum, request) => sum + at(requests.wall_ns, request), 0),
    );
    if (edges.length === 0) fill(box);
    else fill(box, isTable ? table(edges, some.length, whole) : picture(edges, some.length, whole));
  };
  onWidth(element, (now) => {
    width = now;
    draw();
  });
  const still = h("p", { class: "says still", hidden: true }, say("whatif.still"));
  says.after(still);
  follow(() => {
    if (drawn !== view && width > 0) draw();
    drawn = view;
    still.hidden = state.without.size === 0;
  });
  return element;
}

/** The waits by caller and callee; a callee is a service or a resource, whatever is called there. */
function edgesOf(some: Int32Array): Edge[] {
  const sums = new Float64Array(requests.cells.length);
  for (const request of some) {
    const cells = cellsOf(request);
    for (let place = 0; place < cells.length; place += 2)
      sums[at(cells, place)] = at(sums, at(cells, place)) + at(cells, place + 1);
  }
  const found = new Map<string, Edge>();
  sums.forEach((ns, cell) => {
    if (ns === 0) return;
    const part = partOfCell(cell);
    const bucket = report.parts[part]?.bucket ?? "";
    const own = at(at(requests.cells, cell), 1) as string;
    const caller = own || say("services.own");
    const callee = OWN.has(bucket) ? caller : label(part).replace(/^(retries|connecting to|network to|connect) /, "");
    const key = `${caller}\n${callee}`;
    const edge = found.get(key);
    if (edge === undefined) found.set(key, { caller, callee, part, ns });
    else edge.ns += ns;
  });
  return [...found.values()].sort((a, b) => b.ns - a.ns);
}

const words = ({ caller, callee }: Edge): string =>
  caller === callee ? say("services.inside", { name: caller }) : `${caller} → ${callee}`;

function table(edges: Edge[], many: number, whole: number): Child {
  const rows = edges
    .slice(0, MOST_EDGES)
    .filter(({ ns }, place) => place < FEW_EDGES || ns >= LEAST_SHARE * whole)
    .map((edge) =>
      h(
        "tr",
        {},
        h(
          "td",
          { class: "name" },
          h(
            "button",
            { class: "part", onclick: () => only({ part: edge.part, sort: "part", down: true }) },
            swatch(edge.part),
            h("span", { class: "isolated" }, words(edge)),
          ),
        ),
        h("td", { class: "num" }, ms(edge.ns / Math.max(1, many))),
        h("td", { class: "num" }, percent(edge.ns, whole)),
      ),
    );
  const heads = ["services.edge", "mean", "share"].map((name, place) =>
    h("th", { scope: "col", class: place > 0 ? "num" : "" }, say(name)),
  );
  const rest = edges.slice(rows.length).reduce((sum, { ns }) => sum + ns, 0);
  return [
    h("table", { class: "parts" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)),
    edges.length > rows.length &&
      h(
        "p",
        { class: "more" },
        say("services.more", { n: edges.length - rows.length, together: ms(rest / Math.max(1, many)) }),
      ),
  ];
}

/** The distance of each node from the outermost caller, in calls. */
function levelsOf(edges: Edge[]): Map<string, number> {
  const calls = edges.filter(({ caller, callee }) => caller !== callee);
  const called = new Set(calls.map(({ callee }) => callee));
  const found = new Map<string, number>();
  for (const { caller } of edges) if (!called.has(caller)) found.set(caller, 0);
  if (found.size === 0 && edges[0] !== undefined) found.set(edges[0].caller, 0);
  for (let round = 0; round < MOST_NODES; round++)
    for (const { caller, callee } of calls) {
      const level = found.get(caller);
      if (level !== undefined && !found.has(callee)) found.set(callee, level + 1);
    }
  for (const { caller, callee } of edges) for (const name of [caller, callee]) if (!found.has(name)) found.set(name, 1);
  return found;
}

function picture(edges: Edge[], many: number, whole: number): SVGElement {
  const levels = levelsOf(edges);
  const columns: string[][] = [];
  for (const [name, level] of levels) (columns[level] ??= []).push(name);
  const height = Math.max(...columns.map((names) => names?.length ?? 0)) * ROW + 8;
  const spots = new Map<string, [number, number]>();
  columns.forEach((names, level) =>
    names?.forEach((name, place) =>
      spots.set(name, [level * COLUMN, 4 + (place + 0.5) * ((height - 8) / names.length)]),
    ),
  );
  const most = Math.max(1, ...edges.map(({ ns }) => ns));
  const drawn = s("svg", {
    width: (columns.length - 1) * COLUMN + BOX + 8,
    height,
    role: "group",
    "aria-label": say("services.title"),
  });
  for (const edge of edges) if (edge.caller !== edge.callee) drawn.append(line(edge, spots, most, many, whole));
  for (const [name, [x, y]] of spots)
    drawn.append(
      node(
        name,
        x,
        y,
        edges.filter(({ callee }) => callee === name),
        many,
        whole,
      ),
    );
  return drawn;
}

function line(edge: Edge, spots: Map<string, [number, number]>, most: number, many: number, whole: number): SVGElement {
  const [from, to] = [spots.get(edge.caller) ?? [0, 0], spots.get(edge.callee) ?? [0, 0]];
  const [x1, x2] = [from[0] + BOX, to[0]];
  const middle = (x1 + x2) / 2;
  const path = s("path", {
    d: `M${x1} ${from[1]}C${middle} ${from[1]} ${middle} ${to[1]} ${x2} ${to[1]}`,
    class: `edge ${partClass(edge.part)}`,
    "stroke-width": 1 + 9 * (edge.ns / most),
  });
  path.addEventListener("pointermove", (event) =>
    showTip(
      [words(edge), say("flame.wait", { mean: ms(edge.ns / Math.max(1, many)), share: percent(edge.ns, whole) })],
      event,
    ),
  );
  path.addEventListener("pointerleave", hideTip);
  return path;
}

function node(name: string, x: number, y: number, into: Edge[], many: number, whole: number): SVGElement {
  const ns = into.reduce((sum, edge) => sum + edge.ns, 0);
  const [first] = into;
  let shown = name;
  while (wide(shown, `600 ${SMALL}`) > BOX - 18 && shown.length > 4) shown = `${shown.slice(0, -2)}…`;
  const told = ns > 0 ? `${ms(ns / Math.max(1, many))} · ${percent(ns, whole)}` : "";
  const group = s(
    "g",
    {
      class: `node ${first === undefined ? "" : partClass(first.part)}`,
      ...(first !== undefined && { tabindex: 0, role: "button" }),
    },
    s("title", {}, name),
    s("rect", { x, y: y - 18, width: BOX, height: 36, rx: 6 }),
    s("text", { x: x + 9, y: y - 3, class: "strong" }, `${shown} `),
    s("text", { x: x + 9, y: y + 12 }, told),
  );
  const show = (): void => {
    if (first !== undefined) only({ part: first.part, sort: "part", down: true });
  };
  group.addEventListener("click", show);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    show();
  });
  return group;
}
