// ---- Handles of a chart's brush, for keyboards and screen readers.

import { s } from "./elements.js";
import { apply } from "./state.js";

const KEY_STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 };

/**
 * A slider that arrow keys move by a fiftieth of its axis.
 *
 * The axis has `low` and `high`, `after(value, steps)`, `text(value)`, `now()` and `set(value)`.
 */
export function handle(side, name, axis, ...shapes) {
  const element = s("g", { class: `handle ${side}`, tabindex: 0, role: "slider", "aria-label": name }, shapes);
  element.dataset.side = side;
  element.setAttribute("aria-valuemin", Math.floor(axis.low));
  element.setAttribute("aria-valuemax", Math.ceil(axis.high));
  element.addEventListener("keydown", (event) => {
    const steps = KEY_STEPS[event.key];
    const to = { Home: axis.low, End: axis.high }[event.key];
    if ((steps === undefined && to === undefined) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const value = Math.max(axis.low, Math.min(axis.high, to ?? axis.after(axis.now(), steps)));
    axis.set(steps > 0 || to === axis.high ? Math.ceil(value) : Math.floor(value));
    apply();
  });
  return element;
}

export function place(element, x, y, axis) {
  element.setAttribute("transform", `translate(${x} ${y})`);
  element.setAttribute("aria-valuenow", Math.round(axis.now()));
  element.setAttribute("aria-valuetext", axis.text(axis.now()));
}
