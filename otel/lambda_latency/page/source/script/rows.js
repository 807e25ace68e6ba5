// ---- The rows of a waterfall: the tree of spans without folded ones.

import { parts, requests, spansOf } from "./report.js";

const NONE = Object.freeze([]); // shared by all spans without children or sections: there are thousands

function added(lists, at, one) {
  if (lists[at] === NONE) lists[at] = [one];
  else lists[at].push(one);
}

/** The tree of a request's spans, with each span's sections of the critical path, its children and sums. */
export function treeOf(request) {
  const told = spansOf(request);
  if (told === null) return null;
  const { spans, path } = told;
  const children = new Array(spans.length).fill(NONE);
  const own = new Array(spans.length).fill(NONE);
  spans.forEach(({ parent }, at) => {
    if (parent >= 0) added(children, parent, at);
  });
  for (const [row, start, end, part] of path) added(own, row, { start, end, part });
  const tree = {
    ...told,
    children,
    own,
    last: spans.map((_, at) => at),
    waited: own.map((each) => each.reduce((sum, one) => sum + one.end - one.start, 0)),
  };
  tree.below = [...tree.waited];
  for (let at = spans.length - 1; at > 0; at--) {
    const { parent } = spans[at];
    if (parent < 0) continue;
    tree.last[parent] = Math.max(tree.last[parent], tree.last[at]);
    tree.below[parent] += tree.below[at];
  }
  [tree.groups, tree.groupOf] = repeats(tree);
  tree.end = spans.reduce((end, span) => Math.max(end, span.end), Math.max(1, requests.wall_ns[request]));
  return tree;
}

/** The initially folded spans: steps of a connection, and nested imports. */
export function foldedAtFirst({ spans, children }) {
  const inside = (part) => ["connect", "cold start"].includes(parts[part].bucket);
  return new Set(
    spans.flatMap((span, at) =>
      span.parent >= 0 && children[at].length > 0 && children[at].every((child) => inside(spans[child].part))
        ? [at]
        : [],
    ),
  );
}

const LEAST_REPEATS = 10; // least number of leaves with one name and one parent that share a row

/** The repeated spans by their first one, and for each span the first one of its repeats, or -1. */
function repeats({ spans, children }) {
  const groups = new Map();
  const groupOf = new Int32Array(spans.length).fill(-1);
  for (const below of children) {
    if (below.length < LEAST_REPEATS) continue;
    const byName = new Map();
    for (const at of below) {
      if (children[at].length > 0) continue;
      const same = byName.get(spans[at].name);
      if (same === undefined) byName.set(spans[at].name, [at]);
      else same.push(at);
    }
    for (const same of byName.values()) {
      if (same.length < LEAST_REPEATS) continue;
      groups.set(same[0], same);
      for (const at of same) groupOf[at] = same[0];
    }
  }
  return [groups, groupOf];
}

/** The visible rows: one for all repeats and, unless they are `merged`, one for each below it. */
export function visibleRows(tree, { folded, merged, pathOnly }) {
  const found = [];
  const depth = [];
  const isShown = (at) => !pathOnly || tree.below[at] > 0;
  for (let at = 0; at < tree.spans.length; at++) {
    const { parent } = tree.spans[at];
    depth[at] = parent < 0 ? 0 : depth[parent] + 1;
    const first = tree.groupOf[at];
    if (first === at) repeatedRows(found, tree.groups.get(at).filter(isShown), depth[at], merged.has(at));
    if (first >= 0) continue;
    if (isShown(at)) found.push({ span: at, depth: depth[at], inside: tree.children[at].length, members: null });
    if (folded.has(at) || !isShown(at)) at = skipBelow(tree, at, depth);
  }
  return found;
}

function repeatedRows(found, members, depth, isMerged) {
  if (members.length === 0) return;
  if (members.length > 1) found.push({ span: members[0], depth, inside: members.length, members });
  if (!isMerged || members.length === 1)
    for (const span of members) found.push({ span, depth: depth + 1, inside: 0, members: null });
}

// Spans are in tree order: descendants follow their ancestor directly.
function skipBelow(tree, at, depth) {
  for (let below = at + 1; below <= tree.last[at]; below++) depth[below] = depth[tree.spans[below].parent] + 1;
  return tree.last[at];
}

/** The start, end, duration and waits of a row, summed over its spans once. */
export function sumsOf(tree, row) {
  row.sums ??= computedSums(tree, row.members ?? [row.span]);
  return row.sums;
}

function computedSums(tree, members) {
  const sums = { start: Infinity, end: 0, took: 0, waited: 0, below: 0 };
  for (const at of members) {
    const { start, end } = tree.spans[at];
    sums.start = Math.min(sums.start, start);
    sums.end = Math.max(sums.end, end);
    sums.took += end - start;
    sums.waited += tree.waited[at];
    sums.below += tree.below[at];
  }
  return sums;
}

/** The sections of a row, including those of spans folded into it, by time. */
export function sectionsOf(tree, { span, members }, folded) {
  if (members !== null) return members.flatMap((at) => tree.own[at]);
  if (!folded.has(span)) return tree.own[span];
  const found = [];
  for (let at = span; at <= tree.last[span]; at++) for (const one of tree.own[at]) found.push(one);
  return found.sort((a, b) => a.start - b.start);
}
