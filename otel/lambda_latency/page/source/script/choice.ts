// ---- What requests can be chosen by, and what else an address holds.

export type Flag = "slow" | "cold" | "error" | "timeout" | "throttled" | "spans";
export type Sort = "start" | "route" | "took" | "part" | "marks";
export type View = "time" | "length" | "percentiles";

/** What requests are chosen by. */
export interface Choice {
  query: string;
  route: number;
  part: number;
  finding: number; // a card
  fact: readonly [number, number] | null; // a fact, and the index of its value
  only: ReadonlySet<Flag>;
  from: number; // least duration in milliseconds
  to: number;
  since: number; // earliest start in milliseconds since 1970
  until: number;
}

export interface State extends Choice {
  without: ReadonlySet<number>; // parts whose time is subtracted
  sort: Sort;
  down: boolean;
  open: number;
  pinned: number; // the request that the open one is compared with, or -1: a typical one
  view: View;
  shown: number; // the finding beside the rows of all findings, or -1
}
