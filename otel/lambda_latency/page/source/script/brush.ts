// ---- The brush on the distribution: a range of milliseconds, selected by pointer or by its two handles.

import { lengthAxis } from "./axes.js";
import { requests } from "./data.js";
import { s } from "./elements.js";
import { handle, place } from "./handles.js";
import { requestAt } from "./marks.js";
import { openTrace } from "./open.js";
import type { Scale } from "./scale.js";
import { change, state } from "./store.js";
import { hideTip, showTip } from "./tip.js";
import { say } from "./words.js";

export interface LengthFrame {
  picture: SVGSVGElement;
  scale: Scale;
  low: number;
  high: number;
  width: number;
}

/** Adds the brush to a chart; returns a function that updates it after other changes of the filters. */
export function brush(
  { picture, scale, low, high, width }: LengthFrame,
  bottom: number,
  describe: (target: EventTarget | null, x: number) => string[] | null,
): () => void {
  const range = s("rect", { y: 15, height: bottom - 15, class: "range" });
  const sides = (["from", "to"] as const).map((side) => {
    const axis = lengthAxis(side, low, high);
    const shapes = [
      s("line", { y1: 15, y2: bottom }),
      s("rect", { x: -4, y: bottom / 2 - 11, width: 8, height: 22, rx: 3 }),
    ];
    return { axis, element: handle(side, say(`map.${side}`), axis, ...shapes) };
  });
  picture.append(range, ...sides.map(({ element }) => element));
  const follow = (): void => {
    const left = state.from > 0 ? scale.at(Math.max(state.from, low)) : 0;
    const right = state.to > 0 ? scale.at(Math.min(state.to, high)) : width;
    show(range, left, right, state.from > 0 || state.to > 0);
    sides.forEach(({ element, axis }, side) =>
      place(element, side === 0 ? Math.max(4, left) : Math.min(width - 4, right), 0, axis),
    );
  };
  let begun: number | null = null;
  const at = (event: PointerEvent): number => event.clientX - picture.getBoundingClientRect().left;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun = at(event);
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    const x = at(event);
    if (begun !== null) {
      if (Math.abs(x - begun) > 4) show(range, Math.min(begun, x), Math.max(begun, x), true);
      return;
    }
    const lines = describe(event.target, x);
    if (lines === null) hideTip();
    else showTip(lines, event);
  });
  picture.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const [left, right] = [Math.min(begun, at(event)), Math.max(begun, at(event))];
    begun = null;
    if (right - left > 4) {
      change({ from: Math.max(0, Math.floor(scale.value(left))), to: Math.ceil(scale.value(right)) });
      return;
    }
    const request = requestAt(event);
    if (request >= 0) openTrace(requests.trace_id[request]);
    else clearRange();
  });
  picture.addEventListener("pointercancel", () => {
    begun = null;
    follow();
  });
  picture.addEventListener("pointerleave", hideTip);
  return follow;
}

export const clearRange = (): void => change({ from: 0, to: 0, since: 0, until: 0 });

function show(range: SVGElement, left: number, right: number, on: boolean): void {
  range.setAttribute("display", on ? "inline" : "none");
  range.setAttribute("x", String(left));
  range.setAttribute("width", String(Math.max(1, right - left)));
}
