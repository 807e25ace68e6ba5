// ---- Handles of a chart's brush, for keyboards and screen readers.

import type { Axis } from "./axes.js";
import { s } from "./elements.js";

const KEY_STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -5,
  PageUp: 5,
};

/** A slider that arrow keys move by a fiftieth of its axis. */
export function handle(side: string, name: string, axis: Axis, ...shapes: SVGElement[]): SVGGElement {
  const element = s("g", { class: `handle ${side}`, tabindex: 0, role: "slider", "aria-label": name }, shapes);
  element.dataset.side = side;
  element.setAttribute("aria-valuemin", String(Math.floor(axis.low)));
  element.setAttribute("aria-valuemax", String(Math.ceil(axis.high)));
  element.addEventListener("keydown", (event) => {
    const steps = KEY_STEPS[event.key];
    const to = event.key === "Home" ? axis.low : event.key === "End" ? axis.high : undefined;
    if ((steps === undefined && to === undefined) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const value = Math.max(axis.low, Math.min(axis.high, to ?? axis.after(axis.now(), steps ?? 0)));
    axis.set((steps ?? 0) > 0 || to === axis.high ? Math.ceil(value) : Math.floor(value));
  });
  return element;
}

export function place(element: SVGElement, x: number, y: number, axis: Axis): void {
  element.setAttribute("transform", `translate(${x} ${y})`);
  element.setAttribute("aria-valuenow", String(Math.round(axis.now())));
  element.setAttribute("aria-valuetext", axis.text(axis.now()));
}
