// ---- The layout of the map: nodes in columns by the longest path to them, each near its neighbours.

const SWEEPS = 4;

/** Columns of boxes, and the way of each edge through them: between its ends it passes boxes without a node. */
function layers({ nodes, edges }) {
  const forward = withoutCycles(nodes, edges);
  const column = new Map(nodes.map((node) => [node.id, 0]));
  for (let round = 0; round < nodes.length; round++) {
    for (const edge of forward) column.set(edge.to, Math.max(column.get(edge.to), column.get(edge.from) + 1));
  }
  const columns = [];
  const boxes = new Map();
  const put = (node, at) => {
    const box = { node, before: [], after: [] };
    (columns[at] ??= []).push(box);
    return box;
  };
  for (const node of nodes) boxes.set(node.id, put(node, column.get(node.id)));
  const ways = edges.map((edge) => {
    const [from, to] = [column.get(edge.from), column.get(edge.to)];
    const way = [boxes.get(edge.from)];
    for (let at = from + 1; at < to; at++) way.push(put(null, at));
    way.push(boxes.get(edge.to));
    for (let at = 1; at < way.length; at++) {
      way[at - 1].after.push(way[at]);
      way[at].before.push(way[at - 1]);
    }
    return { edge, way };
  });
  const filled = columns.map((boxesOfColumn) => boxesOfColumn ?? []);
  sortColumns(filled);
  return { columns: filled, ways };
}

/** The edges that can all point the same way: of each cycle the one that closes it is left out. */
function withoutCycles(nodes, edges) {
  const kept = [];
  const state = new Map();
  const leave = (id) => {
    state.set(id, "open");
    for (const edge of edges) {
      if (edge.from !== id || state.get(edge.to) === "open") continue;
      kept.push(edge);
      if (!state.has(edge.to)) leave(edge.to);
    }
    state.set(id, "done");
  };
  const called = new Set(edges.map((edge) => edge.to));
  for (const node of nodes) if (!called.has(node.id) && !state.has(node.id)) leave(node.id);
  for (const node of nodes) if (!state.has(node.id)) leave(node.id);
  return kept;
}

/** Each box near the middle of its neighbours, so that few lines cross. */
function sortColumns(columns) {
  const place = (boxes) => boxes.forEach((box, at) => (box.at = (at + 0.5) / boxes.length));
  columns.forEach(place);
  const middle = (box, neighbours) =>
    neighbours.length === 0 ? box.at : neighbours.reduce((sum, other) => sum + other.at, 0) / neighbours.length;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const right = sweep % 2 === 0;
    for (const boxes of right ? columns : [...columns].reverse()) {
      const wanted = new Map(boxes.map((box) => [box, middle(box, right ? box.before : box.after)]));
      boxes.sort((a, b) => wanted.get(a) - wanted.get(b));
      place(boxes);
    }
  }
}
