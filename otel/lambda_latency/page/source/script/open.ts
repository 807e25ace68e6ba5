// ---- Opening a request from any view.

import { every, placeOf, several } from "./data.js";
import { change, clear, state, view } from "./store.js";

/** Opens a request; `go` also scrolls to it, and gives it the keyboard. */
export function openRequest(request: number, go: boolean): void {
  change({ open: request, pinned: state.pinned === request ? -1 : state.pinned }, { go: "request", focus: go });
}

/** Opens a trace; filters that hide it are taken away. */
export function openTrace(id: string | null | undefined): void {
  const request = placeOf(id);
  if (request < 0) return;
  if (several && !view.includes(request)) clear({ step: false });
  openRequest(request, true);
}

/** Opens the next request of the list, or one before it. */
export function step(by: number): void {
  const some = view.length > 0 ? view : every;
  const place = some.indexOf(state.open) + by;
  openRequest(some[Math.max(0, Math.min(some.length - 1, place))] ?? -1, false);
}
