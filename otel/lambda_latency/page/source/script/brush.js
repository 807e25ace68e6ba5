// ---- The brush over the distribution: a range of milliseconds, by pointer or by its two handles.

import { requestAt, s } from "./elements.js";
import { requests } from "./report.js";
import { openTrace } from "./request.js";
import { apply, state } from "./state.js";
import { hideTip, showTip } from "./tip.js";
import { ms } from "./words.js";

/** Puts the brush onto a picture; returns what follows the filters when they change elsewhere. */
export function brush({ picture, scale, low, high, width }, bottom, describe) {
  const range = s("rect", { y: 15, height: bottom - 15, class: "range" });
  const handles = ["from", "to"].map((side) => handle(side, { low, high }, bottom));
  picture.append(range, ...handles);
  const edges = () => [
    state.from > 0 ? scale.at(Math.max(state.from, low)) : 0,
    state.to > 0 ? scale.at(Math.min(state.to, high)) : width,
  ];
  const follow = () => {
    const [left, right] = edges();
    show(range, left, right, state.from > 0 || state.to > 0);
    handles.forEach((element, at) =>
      place(
        element,
        at === 0 ? Math.max(4, left) : Math.min(width - 4, right),
        at === 0 ? state.from || low : state.to || high,
      ),
    );
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

/** A handle that arrow keys move by a fiftieth of the axis: what the pointer does, for those who have none. */
function handle(side, { low, high }, bottom) {
  const element = s(
    "g",
    { class: "handle", tabindex: 0, role: "slider", "aria-label": side === "from" ? "Shortest time" : "Longest time" },
    s("line", { y1: 15, y2: bottom }),
    s("rect", { x: -4, y: bottom / 2 - 11, width: 8, height: 22, rx: 3 }),
  );
  element.dataset.side = side;
  element.setAttribute("aria-valuemin", Math.floor(low));
  element.setAttribute("aria-valuemax", Math.ceil(high));
  element.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[event.key];
    const to = { Home: low, End: high }[event.key];
    if ((steps === undefined && to === undefined) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const now = state[side] || (side === "from" ? low : high);
    let value = to ?? now * (high / low) ** (steps / 50);
    value = Math.max(low, Math.min(high, value));
    const rounded = steps > 0 || to === high ? Math.ceil(value) : Math.floor(value);
    if (side === "from") state.from = rounded <= low ? 0 : Math.min(rounded, state.to || rounded);
    else state.to = rounded >= high ? 0 : Math.max(rounded, state.from, 1);
    apply();
  });
  return element;
}

function place(element, x, value) {
  element.setAttribute("transform", `translate(${x} 0)`);
  element.setAttribute("aria-valuenow", Math.round(value));
  element.setAttribute("aria-valuetext", ms(value * 1e6));
}
