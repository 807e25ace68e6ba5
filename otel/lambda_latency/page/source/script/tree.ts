// ---- The tree of a request's spans: children, sections of the critical path, sums, repeated and late spans.

import { at } from "./data.js";
import type { Spans } from "./spans.js";

/** A stretch of the critical path. */
export interface Stretch {
  start: number;
  end: number;
  part: number;
}

export interface Tree extends Spans {
  wall: number; // nanoseconds of the request
  end: number; // of its last span
  home: number; // the end of what a waterfall shows at first
  children: readonly number[][];
  own: readonly Stretch[][]; // the stretches of each span
  last: number[]; // the last span below each
  waited: number[];
  below: number[]; // waited, with all spans below
  groups: Map<number, number[]>; // repeated spans by their first one
  groupOf: Int32Array; // the first one of a span's repeats, or -1
  late: number[]; // spans that began after the response, without those below others of them
}

const NONE: never[] = []; // shared by all spans without children or sections: there are thousands
const LATER = 1.05; // times the request, beyond which work after it is folded
const LEAST_REPEATS = 10; // least number of leaves with one name and one parent that share a row

function added<One>(lists: One[][], place: number, one: One): void {
  if (lists[place] === NONE) lists[place] = [one];
  else lists[place]?.push(one);
}

export function treeOf(told: Spans, wall: number): Tree {
  const { spans, path } = told;
  const children = new Array<number[]>(spans.length).fill(NONE);
  const own = new Array<Stretch[]>(spans.length).fill(NONE);
  spans.forEach(({ parent }, place) => {
    if (parent >= 0) added(children, parent, place);
  });
  for (const [row, start, end, part] of path) added(own, row, { start, end, part });
  const waited = own.map((each) => each.reduce((sum, one) => sum + one.end - one.start, 0));
  const last = spans.map((_, place) => place);
  const below = [...waited];
  for (let place = spans.length - 1; place > 0; place--) {
    const { parent } = at(spans, place);
    if (parent < 0) continue;
    last[parent] = Math.max(at(last, parent), at(last, place));
    below[parent] = at(below, parent) + at(below, place);
  }
  const end = spans.reduce((latest, span) => Math.max(latest, span.end), Math.max(1, wall));
  const isLate = wall > 0 && end > wall * LATER;
  const begins = (place: number): boolean => at(spans, place).start >= wall;
  const late = isLate
    ? spans.flatMap(({ parent }, place) => (begins(place) && (parent < 0 || !begins(parent)) ? [place] : []))
    : [];
  const home = late.length > 0 ? Math.max(1, wall) * 1.02 : end;
  const [groups, groupOf] = repeats(told, children);
  return { ...told, wall, end, home, children, own, last, waited, below, groups, groupOf, late };
}

function repeats({ spans }: Spans, children: readonly number[][]): [Map<number, number[]>, Int32Array] {
  const groups = new Map<number, number[]>();
  const groupOf = new Int32Array(spans.length).fill(-1);
  for (const below of children) {
    if (below.length < LEAST_REPEATS) continue;
    const byName = new Map<string, number[]>();
    for (const place of below) {
      if (at(children, place).length > 0) continue;
      const { name } = at(spans, place);
      const same = byName.get(name);
      if (same === undefined) byName.set(name, [place]);
      else same.push(place);
    }
    for (const same of byName.values()) {
      if (same.length < LEAST_REPEATS) continue;
      groups.set(at(same, 0), same);
      for (const place of same) groupOf[place] = at(same, 0);
    }
  }
  return [groups, groupOf];
}

/** The names of a span and those above it, the outermost first. */
export function stackOf({ spans }: Spans, place: number): string[] {
  const found: string[] = [];
  for (let above = place; above >= 0; above = at(spans, above).parent) found.push(at(spans, above).name);
  return found.reverse();
}
