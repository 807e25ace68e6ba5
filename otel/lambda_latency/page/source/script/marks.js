// ---- Marks, one per request: the shape shows its outcome, the colour its wait; and their legend.

import { h, s } from "./elements.js";
import {
  COLD_START,
  ERROR,
  TIMEOUT,
  counted,
  has,
  isSlow,
  label,
  largestPart,
  partClass,
  requests,
  routeOf,
  slowFor,
  swatch,
} from "./report.js";
import { ms, number, say } from "./words.js";

export function slowKey() {
  const byPart = new Map();
  for (const part of slowFor.values()) byPart.set(part, (byPart.get(part) ?? 0) + 1);
  if (byPart.size === 0) return "";
  const found = [...byPart].sort((a, b) => b[1] - a[1]);
  return h(
    "p",
    { class: "key" },
    h("span", {}, say("map.slow_for")),
    found.map(([part, times]) => h("span", {}, swatch(part), `${label(part)} (${number(times)})`)),
  );
}

export function markKey(marks) {
  const sign = (shape) => s("svg", { width: 13, height: 13, "aria-hidden": "true" }, shape);
  const square = (name) => h("span", { class: `swatch ${name}` });
  const [cold, errors, timeouts] = [counted(COLD_START), counted(ERROR), counted(TIMEOUT)];
  return h(
    "p",
    { class: "key" },
    h("span", {}, marks ? sign(circle(6.5, 6.5, 3.6)) : square("warm"), say("mark.warm")),
    cold > 0 &&
      h("span", {}, marks ? sign(diamond(6.5, 6.5, 3.6)) : square("p-cold-start"), say("mark.started_cold", { n: cold })),
    errors > 0 && h("span", {}, sign(cross(6.5, 6.5, 3.6)), say("mark.errors", { n: errors })),
    timeouts > 0 && h("span", {}, sign(triangle(6.5, 6.5, 3.6)), say("mark.timeouts", { n: timeouts })),
  );
}

const circle = (x, y, r) => s("circle", { cx: x, cy: y, r, class: "mark warm" });
const diamond = (x, y, r) =>
  s("path", { d: `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`, class: "mark cold" });
const cross = (x, y, r) =>
  s("path", { d: `M${x - r} ${y - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`, class: "mark error" });
const triangle = (x, y, r) =>
  s("path", { d: `M${x} ${y - r - 0.6}l${r + 1} ${2 * r + 1}h${-2 * r - 2}z`, class: "mark timeout" });

export function mark(request, x, y, r) {
  const shape = has(request, TIMEOUT)
    ? triangle
    : has(request, ERROR)
      ? cross
      : has(request, COLD_START)
        ? diamond
        : circle;
  const element = shape(x, y, r);
  if (isSlow(request)) {
    element.classList.remove("warm");
    element.classList.add("slow", partClass(slowFor.get(request)));
  }
  element.dataset.request = request;
  return element;
}

export function describeMark(target) {
  const request = Number(target.dataset.request ?? -1);
  if (request < 0) return null;
  return [`${routeOf(request)} · ${ms(requests.wall_ns[request])}`, say("map.most", { part: label(largestPart(request)) })];
}
