// ---- Marks, one per request: the shape shows its outcome, the colour its finding; and their legend.

import {
  COLD_START,
  ERROR,
  TIMEOUT,
  at,
  classOf,
  counted,
  every,
  has,
  isBare,
  isSlow,
  largestPart,
  report,
  routeOf,
  wallOf,
} from "./data.js";
import { type Child, h, s } from "./elements.js";
import { label } from "./labels.js";
import { partClass } from "./palette.js";
import { chosen, lit } from "./store.js";
import { ms, say } from "./words.js";

/** The colour of a request: that of its class; slow ones without a class are dark, all others grey. */
export function colourOf(request: number): string {
  const part = at(classOf, request);
  return part >= 0 ? partClass(part) : isSlow(request) ? "slow-other" : "warm";
}

export function markKey(marks: boolean): Child {
  const sign = (shape: SVGElement): Child => s("svg", { width: 13, height: 13, "aria-hidden": "true" }, shape);
  const [cold, errors, timeouts] = [COLD_START, ERROR, TIMEOUT].map((flag) => counted(every, flag)) as [
    number,
    number,
    number,
  ];
  const isHollow = (request: number): boolean => isBare(request) && (marks || has(request, TIMEOUT | ERROR));
  const bare = every.reduce((sum, request) => sum + Number(isHollow(request)), 0);
  return [
    report.members.length > 0 &&
      h("span", {}, marks ? sign(circle(6.5, 6.5, 3.6)) : h("span", { class: "swatch warm" }), say("mark.warm")),
    marks && cold > 0 && h("span", {}, sign(diamond(6.5, 6.5, 3.6)), say("mark.started_cold", { n: cold })),
    (report.change?.bins ?? null) !== null && h("span", {}, sign(dash()), say("mark.then")),
    errors > 0 && h("span", {}, sign(cross(6.5, 6.5, 3.6)), say("mark.errors", { n: errors })),
    timeouts > 0 && h("span", {}, sign(triangle(6.5, 6.5, 3.6)), say("mark.timeouts", { n: timeouts })),
    bare > 0 && h("span", {}, sign(ring()), say("mark.bare", { n: bare })),
  ];
}

type Shape = (x: number, y: number, r: number) => SVGElement;
const circle: Shape = (x, y, r) => s("circle", { cx: x, cy: y, r, class: "mark warm" });
const diamond: Shape = (x, y, r) =>
  s("path", { d: `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`, class: "mark cold" });
const cross: Shape = (x, y, r) =>
  s("path", { d: `M${x - r} ${y - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`, class: "mark error" });
const triangle: Shape = (x, y, r) =>
  s("path", { d: `M${x} ${y - r - 0.6}l${r + 1} ${2 * r + 1}h${-2 * r - 2}z`, class: "mark timeout" });
const dash = (): SVGElement => s("path", { d: "M0 6.5h13", class: "then" });
function ring(): SVGElement {
  const shape = circle(6.5, 6.5, 3.6);
  shape.classList.add("bare");
  return shape;
}

export function mark(request: number, x: number, y: number, r: number): SVGElement {
  const shape = has(request, TIMEOUT)
    ? triangle
    : has(request, ERROR)
      ? cross
      : has(request, COLD_START)
        ? diamond
        : circle;
  const element = shape(x, y, r);
  const colour = colourOf(request);
  if (colour !== "warm") {
    element.classList.remove("warm");
    element.classList.add("slow", ...colour.split(" "));
  }
  if (isBare(request)) element.classList.add("bare");
  if (lit?.[request] === 1) element.classList.add("lit");
  if (chosen[request] === 0) element.classList.add("dim");
  element.dataset.request = String(request);
  return element;
}

/** The request whose mark is an element, or -1. */
export const requestOf = (target: EventTarget | null): number =>
  Number((target instanceof SVGElement && target.dataset.request) || -1);

/** The request whose mark is at the event's point, or -1. */
export const requestAt = (event: PointerEvent): number =>
  requestOf(document.elementFromPoint(event.clientX, event.clientY));

export function describeMark(target: EventTarget | null): string[] | null {
  const request = requestOf(target);
  if (request < 0) return null;
  const told = [`${routeOf(request)} · ${ms(wallOf(request))}`, say("map.most", { part: label(largestPart(request)) })];
  return isBare(request) ? [...told, say("map.bare")] : told;
}
