// ---- The brush on the distribution: a range of milliseconds, selected by pointer or by its two handles.

import { lengthAxis } from "./axes.js";
import { requestAt, s } from "./elements.js";
import { handle, place } from "./handles.js";
import { requests } from "./report.js";
import { openTrace } from "./request.js";
import { apply, state } from "./state.js";
import { hideTip, showTip } from "./tip.js";
import { say } from "./words.js";

/** Adds the brush to a chart; returns a function that updates it after other changes of the filters. */
export function brush({ picture, scale, low, high, width }, bottom, describe) {
  const range = s("rect", { y: 15, height: bottom - 15, class: "range" });
  const axes = ["from", "to"].map((side) => lengthAxis(side, low, high));
  const handles = ["from", "to"].map((side, at) =>
    handle(
      side,
      say(`map.${side}`),
      axes[at],
      s("line", { y1: 15, y2: bottom }),
      s("rect", { x: -4, y: bottom / 2 - 11, width: 8, height: 22, rx: 3 }),
    ),
  );
  picture.append(range, ...handles);
  const edges = () => [
    state.from > 0 ? scale.at(Math.max(state.from, low)) : 0,
    state.to > 0 ? scale.at(Math.min(state.to, high)) : width,
  ];
  const follow = () => {
    const [left, right] = edges();
    show(range, left, right, state.from > 0 || state.to > 0);
    place(handles[0], Math.max(4, left), 0, axes[0]);
    place(handles[1], Math.min(width - 4, right), 0, axes[1]);
  };
  let begun = null;
  const at = (event) => event.clientX - picture.getBoundingClientRect().left;
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
      state.from = Math.max(0, Math.floor(scale.value(left)));
      state.to = Math.ceil(scale.value(right));
      apply();
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

export function clearRange() {
  state.from = state.to = state.since = state.until = 0;
  apply();
}

function show(range, left, right, on) {
  range.setAttribute("display", on ? "inline" : "none");
  range.setAttribute("x", left);
  range.setAttribute("width", Math.max(1, right - left));
}
