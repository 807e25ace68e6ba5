// ---- The rows of a waterfall: the tree of spans without folded ones.

import { at } from "./data.js";
import type { Stretch, Tree } from "./tree.js";

/** A row: a span, repeated spans that share it (`members`), or the folded spans after the response (`isLate`). */
export interface Row {
  span: number;
  depth: number;
  inside: number;
  members: number[] | null;
  isLate: boolean;
  sums: Sums;
}

export interface Sums {
  start: number;
  end: number;
  took: number;
  waited: number;
  below: number;
}

export interface Folds {
  folded: Set<number>;
  merged: Set<number>;
  lateFolded: boolean;
  pathOnly: boolean;
}

const INSIDE = new Set(["connect", "cold start"]);

/** The initially folded spans: steps of a connection, and nested imports. */
export function foldedAtFirst({ spans, children }: Tree, bucketOf: (part: number) => string): Set<number> {
  const isInside = (place: number): boolean => INSIDE.has(bucketOf(at(spans, place).part));
  return new Set(
    spans.flatMap((span, place) => {
      const below = at(children, place);
      return span.parent >= 0 && below.length > 0 && below.every(isInside) ? [place] : [];
    }),
  );
}

/** The visible rows: one for all repeats and, unless they are merged, one for each below it; late spans come last. */
export function visibleRows(tree: Tree, folds: Folds): Row[] {
  const found: Row[] = [];
  const depth = new Int32Array(tree.spans.length);
  const late = new Set(tree.late);
  const isShown = (place: number): boolean => !folds.pathOnly || at(tree.below, place) > 0;
  for (let place = 0; place < tree.spans.length; place++) {
    const { parent } = at(tree.spans, place);
    depth[place] = parent < 0 ? 0 : at(depth, parent) + 1;
    if (late.has(place) && folds.lateFolded) {
      place = skipBelow(tree, place, depth);
      continue;
    }
    const first = at(tree.groupOf, place);
    if (first === place) {
      const members = (tree.groups.get(place) ?? []).filter(
        (one) => isShown(one) && !(folds.lateFolded && late.has(one)),
      );
      repeatedRows(tree, found, members, at(depth, place), folds.merged.has(place));
    }
    if (first >= 0) continue;
    if (isShown(place)) found.push(rowOf(tree, place, at(depth, place), at(tree.children, place).length));
    if (folds.folded.has(place) || !isShown(place)) place = skipBelow(tree, place, depth);
  }
  if (tree.late.length > 0 && folds.lateFolded && !folds.pathOnly)
    found.push({ ...rowOf(tree, at(tree.late, 0), 0, tree.late.length, tree.late), isLate: true });
  return found;
}

function rowOf(tree: Tree, span: number, depth: number, inside: number, members: number[] | null = null): Row {
  return { span, depth, inside, members, isLate: false, sums: sumsOf(tree, members ?? [span]) };
}

function repeatedRows(tree: Tree, found: Row[], members: number[], depth: number, isMerged: boolean): void {
  const [first] = members;
  if (first === undefined) return;
  if (members.length > 1) found.push(rowOf(tree, first, depth, members.length, members));
  if (!isMerged || members.length === 1) for (const span of members) found.push(rowOf(tree, span, depth + 1, 0));
}

// Spans are in tree order: descendants follow their ancestor directly.
function skipBelow(tree: Tree, place: number, depth: Int32Array): number {
  const last = at(tree.last, place);
  for (let below = place + 1; below <= last; below++) depth[below] = at(depth, at(tree.spans, below).parent) + 1;
  return last;
}

/** The start, end, duration and waits of some spans. */
function sumsOf(tree: Tree, members: number[]): Sums {
  const sums = { start: Number.POSITIVE_INFINITY, end: 0, took: 0, waited: 0, below: 0 };
  for (const place of members) {
    const { start, end } = at(tree.spans, place);
    sums.start = Math.min(sums.start, start);
    sums.end = Math.max(sums.end, end);
    sums.took += end - start;
    sums.waited += at(tree.waited, place);
    sums.below += at(tree.below, place);
  }
  return sums;
}

/** The stretches of a row, including those of spans folded into it, by time. */
export function stretchesOf(tree: Tree, { span, members }: Row, folded: Set<number>): Stretch[] {
  if (members !== null) return members.flatMap((place) => at(tree.own, place));
  if (!folded.has(span)) return at(tree.own, span);
  const found: Stretch[] = [];
  for (let place = span; place <= at(tree.last, span); place++) for (const one of at(tree.own, place)) found.push(one);
  return found.sort((a, b) => a.start - b.start);
}
