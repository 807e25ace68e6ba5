// ---- The store: what is chosen, ticked and open. Views follow it and change it; it imports no view.

import type { Choice, State } from "./choice.js";
import { at, bucketsOf, count, every, report, requests } from "./data.js";
import { filtered, membersOf } from "./filter.js";
import { SORT, ordered } from "./order.js";

/** What a change is for: whether Back returns to the view before it, and where the page goes. */
export interface Aim {
  step?: boolean;
  go?: "request" | "list" | "parts";
  focus?: boolean;
}

const NOTHING: Choice = {
  query: "",
  route: -1,
  part: -1,
  finding: -1,
  fact: null,
  only: new Set(),
  from: 0,
  to: 0,
  since: 0,
  until: 0,
};
const BEGIN: State = {
  ...NOTHING,
  without: new Set(),
  sort: SORT,
  down: true,
  open: -1,
  pinned: -1,
  view: "time",
  shown: -1,
};

export let state: Readonly<State> = BEGIN;
/** The chosen requests, in the order of the list. */
export let view: Int32Array = every;
/** The durations without the ticked parts: a lower bound, because other calls may take their place. */
export let left: Float64Array = Float64Array.from(requests.wall_ns);
/** For each request, whether it is chosen. */
export let chosen = new Uint8Array(count).fill(1);
/** For each request, whether it is one of the shown finding; null if none is shown. */
export let lit: Uint8Array | null = null;

type Follower = (now: Readonly<State>, before: Readonly<State>, aim: Aim) => void;
const followers: Follower[] = [];

/** Calls a function after each change, and once now. */
export function follow(follower: Follower): void {
  followers.push(follower);
  follower(state, state, {});
}

export const isFiltered = (): boolean =>
  (Object.keys(NOTHING) as (keyof Choice)[]).some((key) =>
    key === "only" ? state.only.size > 0 : state[key] !== NOTHING[key],
  );

/** Changes the state, computes what follows from it, and tells everybody. */
export function change(patch: Partial<State>, aim: Aim = {}): void {
  const before = state;
  state = { ...state, ...patch };
  if (state.without !== before.without) left = leftOf(state.without);
  if (state.shown !== before.shown) lit = membersOf(state.shown);
  view = filtered(ordered(state, left), state, left);
  chosen = new Uint8Array(count);
  for (const request of view) chosen[request] = 1;
  for (const follower of followers) follower(state, before, aim);
}

/** Chooses by these alone, and goes to the list. */
export const only = (choice: Partial<State>, go: Aim["go"] = "list"): void => change({ ...NOTHING, ...choice }, { go });

export const clear = (aim: Aim = {}): void => change(NOTHING, aim);

/** The state of an address: all that it does not name is as at the beginning. */
export const restored = (patch: Partial<State>, aim: Aim): void => change({ ...BEGIN, ...patch }, aim);

/** A set with a value added, or taken away if it is there. */
export function toggled<Member>(set: ReadonlySet<Member>, value: Member): ReadonlySet<Member> {
  const found = new Set(set);
  if (!found.delete(value)) found.add(value);
  return found;
}

function leftOf(without: ReadonlySet<number>): Float64Array {
  const ns = Float64Array.from(requests.wall_ns);
  if (without.size === 0) return ns;
  for (let request = 0; request < count; request++) {
    const buckets = bucketsOf(request);
    for (let place = 0; place < buckets.length; place += 2)
      if (without.has(at(buckets, place))) ns[request] = at(ns, request) - at(buckets, place + 1);
  }
  return ns;
}

/** The finding whose requests are chosen, if one is. */
export const finding = () => report.findings[state.finding];
