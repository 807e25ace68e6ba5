// ---- The live page around this one: it draws the page anew for each report, and brings spans when they are asked for.
// A page in a file has none.

import type { Child } from "./elements.js";
import type { Island } from "./island.js";

/** What a live page does with the drawn page. */
export interface Drawn {
  isReading(): boolean; // whether a request is open
  update(): void; // after spans came
  open(traceId: string): void;
  anchor: Anchor | null; // of the list that is scrolled away from its first row
}

/** The row at the top of a list, and how far it is scrolled out of it in pixels. */
export interface Anchor {
  traceId: string;
  hidden: number;
}

export interface Host {
  report: Island;
  lines: string[]; // spans of some requests
  signal: AbortSignal; // aborted before the page is drawn anew
  anchor: Anchor | null;
  drawn: Drawn | null; // null until the page is drawn
  answers: number; // of the server about requests: what is drawn of one is drawn anew after each
  /** Why a request failed, and where; undefined if it did not, or if this is not known. */
  failure(traceId: string): { what: string; where: string } | undefined;
  /** What functions printed during a request; asks the server for it first. */
  beside(traceId: string): Child;
  /** What is shown in place of spans. */
  missing(traceId: string): string;
}

declare const liveHost: Host | undefined;
export const host = typeof liveHost === "undefined" ? null : liveHost;

/** For listeners of the document and the window, which outlive the page's elements. */
export const whileDrawn: AddEventListenerOptions = host === null ? {} : { signal: host.signal };
