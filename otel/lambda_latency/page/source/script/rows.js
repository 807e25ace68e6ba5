// ---- The rows of a waterfall: the tree of spans without folded ones.

import { parts, requests, spansOf } from "./report.js";

/** The spans of a request with what each owns of the critical path, and what is below each. */
export function treeOf(request) {
  const told = spansOf(request);
  if (told === null) return null;
  const { spans, path } = told;
  const children = spans.map(() => []);
  const own = spans.map(() => []);
  spans.forEach((span, at) => {
    if (span.parent >= 0) children[span.parent].push(at);
  });
  for (const [row, start, end, part] of path) own[row].push({ start, end, part });
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
  tree.end = spans.reduce((end, span) => Math.max(end, span.end), Math.max(1, requests.wall_ns[request]));
  return tree;
}

/** What begins folded: how a connection was made, and what an import imports. */
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

export function visibleRows(tree, folded) {
  const found = [];
  const depth = [];
  for (let at = 0; at < tree.spans.length; at++) {
    const { parent } = tree.spans[at];
    depth[at] = parent < 0 ? 0 : depth[parent] + 1;
    found.push({ span: at, depth: depth[at], inside: tree.children[at].length });
    if (folded.has(at)) at = skipBelow(tree, at, depth);
  }
  return found;
}

// Spans are in the order of the tree: descendants follow their ancestor without a gap.
function skipBelow(tree, at, depth) {
  for (let below = at + 1; below <= tree.last[at]; below++) depth[below] = depth[tree.spans[below].parent] + 1;
  return tree.last[at];
}

/** The sections of a row: its own, and those of everything that is folded into it, in the order of time. */
export function sectionsOf(tree, span, folded) {
  if (!folded.has(span)) return tree.own[span];
  const found = [];
  for (let at = span; at <= tree.last[span]; at++) for (const one of tree.own[at]) found.push(one);
  return found.sort((a, b) => a.start - b.start);
}
