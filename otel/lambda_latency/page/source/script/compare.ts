// ---- Two requests side by side: the open one, and a pinned one or a typical one of its route.

import {
  ERROR,
  TIMEOUT,
  at,
  bucketsOf,
  count,
  has,
  hasSpans,
  isSlow,
  nsIn,
  requests,
  routeOf,
  wallOf,
} from "./data.js";
import { type Child, h } from "./elements.js";
import { label } from "./labels.js";
import { openRequest } from "./open.js";
import { swatch } from "./palette.js";
import { spansOf } from "./spans.js";
import { change, state } from "./store.js";
import { type Tree, treeOf } from "./tree.js";
import { ms, say, signedMs, started } from "./words.js";

const MOST_ROWS = 8;
const LEAST_SHARE = 0.01; // of the difference

export interface Other {
  request: number;
  tree: Tree;
  isPinned: boolean;
}

let known: { of: string; other: Other | null } = { of: "", other: null };
const typicals = new Map<number, Other | null>();

/** The typical request that one is compared with; the first search of it reads spans. */
export function typicalOf(request: number): Other | null {
  const found = typicals.get(request);
  if (found !== undefined) return found;
  const other = typical(request);
  typicals.set(request, other);
  return other;
}

/** The request that another is compared with: the pinned one, else one near the median of its route; null without. */
export function otherOf(request: number): Other | null {
  const of = `${request} ${state.pinned}`;
  if (known.of !== of) known = { of, other: pinned(request) ?? typicalOf(request) };
  return known.other;
}

function withTree(request: number, isPinned: boolean): Other | null {
  const spans = request < 0 ? null : spansOf(request);
  return spans === null || spans.path.length === 0 ? null : { request, tree: treeOf(spans, wallOf(request)), isPinned };
}

const pinned = (request: number): Other | null => (state.pinned === request ? null : withTree(state.pinned, true));

/** The request of the same route nearest to its median whose spans the page contains. */
function typical(request: number): Other | null {
  const route = at(requests.route, request);
  const usual = Float64Array.from(requests.wall_ns.filter((_, place) => requests.route[place] === route)).sort();
  if (usual.length < 3) return null;
  const middle = at(usual, Math.floor(usual.length / 2));
  let best = -1;
  for (let place = 0; place < count; place++) {
    if (
      place === request ||
      requests.route[place] !== route ||
      !hasSpans(place) ||
      isSlow(place) ||
      has(place, ERROR | TIMEOUT)
    )
      continue;
    if (best < 0 || Math.abs(wallOf(place) - middle) < Math.abs(wallOf(best) - middle)) best = place;
  }
  return withTree(best, false);
}

/** The waits of a request by span name, in nanoseconds. */
export function waits({ spans, waited }: Tree): Map<string, number> {
  const sums = new Map<string, number>();
  spans.forEach(({ name }, place) => {
    if (at(waited, place) > 0) sums.set(name, (sums.get(name) ?? 0) + at(waited, place));
  });
  return sums;
}

interface Row {
  name: Child;
  here: number;
  there: number;
}

/** Both requests: their parts and calls, the largest difference first. */
export function comparison(request: number, tree: Tree): HTMLElement | null {
  const other = otherOf(request);
  if (other === null) return null;
  const [mine, theirs] = [waits(tree), waits(other.tree)];
  const calls = [...new Set([...mine.keys(), ...theirs.keys()])].map(
    (name): Row => ({ name, here: mine.get(name) ?? 0, there: theirs.get(name) ?? 0 }),
  );
  const numbers = { took: ms(wallOf(request)), typical: ms(wallOf(other.request)) };
  const shown = largest(calls, request, other.request);
  const key = other.isPinned ? "request.two_says" : shown.length > 0 ? "request.twin_says" : "request.twin_same";
  return h(
    "div",
    { class: "twin", id: "twin" },
    h("h3", {}, say(other.isPinned ? "request.two" : "request.twin")),
    h("p", { class: "says" }, say(key, numbers), " ", actsOf(other)),
    other.isPinned && facts(request, other.request),
    other.isPinned && table(say("part"), largest(partRows(request, other.request), request, other.request), other),
    shown.length > 0 && table(say("request.call"), shown, other),
  );
}

function actsOf({ request, isPinned }: Other): Child {
  const open = h(
    "button",
    { class: "link", id: "open-twin", onclick: () => openRequest(request, true) },
    say(isPinned ? "request.open_two" : "request.open_twin"),
  );
  return [
    open,
    isPinned && [
      " ",
      h("button", { class: "link", id: "unpin", onclick: () => change({ pinned: -1 }) }, say("request.unpin")),
    ],
  ];
}

function partRows(here: number, there: number): Row[] {
  const parts = new Set([here, there].flatMap((request) => bucketsOf(request).filter((_, place) => place % 2 === 0)));
  return [...parts].map((part) => ({
    name: [swatch(part), label(part)],
    here: nsIn(here, part),
    there: nsIn(there, part),
  }));
}

/** The rows whose difference matters. */
function largest(rows: Row[], here: number, there: number): Row[] {
  const least = Math.max(5e5, Math.abs(wallOf(here) - wallOf(there)) * LEAST_SHARE);
  const by = ({ here: a, there: b }: Row): number => Math.abs(a - b);
  return rows
    .filter((row) => by(row) >= least)
    .sort((a, b) => by(b) - by(a))
    .slice(0, MOST_ROWS);
}

function facts(here: number, there: number): HTMLElement {
  const told = (request: number): Child =>
    h(
      "span",
      { class: "isolated" },
      `${routeOf(request)} · ${started(at(requests.start_ms, request))} · ${ms(wallOf(request))} · ${requests.status[request] ?? "–"}`,
    );
  return h("p", { class: "two-facts" }, told(here), h("span", { "aria-hidden": "true" }, " ↔ "), told(there));
}

function table(title: string, rows: Row[], { isPinned }: Other): HTMLElement {
  const heads = ["request.this", isPinned ? "request.other" : "request.typical", "difference"];
  const row = ({ name, here, there }: Row): HTMLElement =>
    h(
      "tr",
      {},
      h("td", { class: "isolated" }, name),
      [ms(here), ms(there), signedMs(here - there)].map((text) => h("td", { class: "num" }, text)),
    );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, title),
    heads.map((name) => h("th", { scope: "col", class: "num" }, say(name))),
  );
  return h("table", {}, h("thead", {}, head), h("tbody", {}, rows.map(row)));
}
