// ---- Requests by start and duration, with the distribution of durations at the margin. A rectangle selects requests.

import { type Axis, lengthAxis, startAxis, starts } from "./axes.js";
import { clearRange } from "./brush.js";
import { at, count, report, requests } from "./data.js";
import { s } from "./elements.js";
import { handle, place } from "./handles.js";
import { CELL, type Heat, heat, margin } from "./heat.js";
import type { Picture } from "./lengths.js";
import { describeMark, requestAt, requestOf } from "./marks.js";
import { openTrace } from "./open.js";
import { type Scale, axisWords, limits, logScale } from "./scale.js";
import { change, left, state } from "./store.js";
import { hideTip, showTip } from "./tip.js";
import { type TimeScale, timeScale } from "./timescale.js";
import { clock, ms, say, started, wide } from "./words.js";

export const TIME_HEIGHT = 224;
const LEAST_LEFT = 54; // pixels for the names of durations
const LEAST_DRAG = 5; // pixels; less is a click

export interface TimeFrame {
  picture: SVGSVGElement;
  left: number;
  edge: number;
  width: number;
  low: number;
  high: number;
  first: number;
  last: number;
  lengths: Scale;
  times: TimeScale;
}

interface Area {
  first: number;
  last: number;
  top: number;
  bottom: number;
}

export function timePicture(width: number): Picture {
  const own = frameOfTime(width);
  const { picture, edge } = own;
  const where = (request: number): [number, number] => [
    own.times.at(at(requests.start_ms, request)),
    own.lengths.at(at(left, request) / 1e6),
  ];
  const drawn = heat(where);
  background(own);
  const range = s("rect", { class: "range" });
  const handles = handlesOfTime(own);
  picture.append(
    s("line", { x1: edge + 7.5, x2: edge + 7.5, y1: 0, y2: TIME_HEIGHT, class: "axis" }),
    ...margin((request) => where(request)[1], own.lengths.at, edge + 10, width - 2),
    ...drawn.shapes,
    range,
    ...handles.map(({ element }) => element),
  );
  const put = ({ first, last, top, bottom }: Area): void => {
    const box = {
      x: first,
      width: Math.max(1, last - first),
      y: top,
      height: Math.max(1, bottom - top),
      display: "inline",
    };
    for (const [name, value] of Object.entries(box)) range.setAttribute(name, String(value));
  };
  const follow = (): void => {
    const area = {
      first: state.since ? own.times.at(state.since) : own.left,
      last: state.until ? own.times.at(state.until) : edge,
      top: state.to > 0 ? own.lengths.at(Math.min(state.to, own.high)) : 0,
      bottom: state.from > 0 ? own.lengths.at(Math.max(state.from, own.low)) : TIME_HEIGHT,
    };
    put(area);
    if (state.from + state.to + state.since + state.until === 0) range.setAttribute("display", "none");
    for (const { element, axis, position } of handles) place(element, ...position(area), axis);
  };
  dragging(own, put, follow, (event) => describe(own, drawn, event));
  return [picture, follow];
}

export function frameOfTime(width: number): TimeFrame {
  const [low, high] = limits();
  const edge = width - Math.max(46, Math.min(130, Math.round(width * 0.17)));
  const lengths = logScale(low, high, TIME_HEIGHT - 6, 20);
  const [first, last] = starts();
  const left = Math.max(LEAST_LEFT, ...lengths.ticks(26).map(({ value }) => wide(axisWords(value)) + 12));
  const times = timeScale(first, last, left + 8, edge - 6);
  const picture = s("svg", {
    width,
    height: TIME_HEIGHT + 28,
    role: "group",
    "aria-label": say("map.says", { n: count }),
  });
  return { width, left, edge, low, high, lengths, first, last, times, picture };
}

export function background({ width, left: begin, edge, lengths, times, picture }: TimeFrame): void {
  if (report.border_ns !== null) {
    const y = lengths.at(report.border_ns / 1e6);
    const words = say("map.slow", { n: report.slow.length, over: ms(report.border_ns) });
    picture.append(
      s("rect", { x: begin, y: 0, width: width - begin, height: Math.max(0, y), class: "slow-ground" }),
      s("line", { x1: begin, x2: width, y1: y, y2: y, class: "border" }),
      s("text", { x: edge - 2, y: 13, "text-anchor": "end", class: "strong" }, words),
    );
  }
  for (const [place, { x: y, value }] of lengths.ticks(26).entries()) {
    picture.append(
      s("line", { x1: begin, x2: width, y1: y, y2: y, class: "grid faint" }),
      s("text", { x: begin - 6, y: y + 4, "text-anchor": "end" }, axisWords(value, place === 0)),
    );
  }
  picture.append(s("line", { x1: begin, x2: width, y1: TIME_HEIGHT + 0.5, y2: TIME_HEIGHT + 0.5, class: "axis" }));
  for (const { x, text } of times.ticks) {
    const anchor = x > edge - 26 ? "end" : "middle";
    picture.append(
      s("line", { x1: x, x2: x, y1: TIME_HEIGHT, y2: TIME_HEIGHT + 5, class: "axis" }),
      s("text", { x, y: TIME_HEIGHT + 20, "text-anchor": anchor }, text),
    );
  }
}

interface Handle {
  element: SVGGElement;
  axis: Axis;
  position(area: Area): readonly [number, number];
}

/** Two handles per axis, with their axes and positions. */
function handlesOfTime({ left: begin, edge, low, high, first, last }: TimeFrame): Handle[] {
  const upright = (): SVGElement => s("rect", { x: -4, y: TIME_HEIGHT / 2 - 13, width: 8, height: 26, rx: 3 });
  const level = (): SVGElement => s("rect", { x: begin - 4, y: -4, width: 22, height: 8, rx: 3 });
  const start = (side: "since" | "until", position: Handle["position"]): Handle => {
    const axis = startAxis(side, first, last);
    return { element: handle(side, say(`map.${side}`), axis, upright()), axis, position };
  };
  const length = (side: "from" | "to", position: Handle["position"]): Handle => {
    const axis = lengthAxis(side, low, high);
    const element = handle(side, say(`map.${side}`), axis, level());
    element.setAttribute("aria-orientation", "vertical");
    return { element, axis, position };
  };
  return [
    start("since", ({ first: x }) => [Math.max(begin + 4, x), 0]),
    start("until", ({ last: x }) => [Math.min(edge - 4, x), 0]),
    length("to", ({ top }) => [0, Math.max(4, top)]),
    length("from", ({ bottom }) => [0, Math.min(TIME_HEIGHT - 4, bottom)]),
  ];
}

function describe(own: TimeFrame, drawn: Heat, event: PointerEvent): string[] | null {
  const lines = describeMark(event.target);
  if (lines !== null)
    return [...lines, say("map.at", { clock: clock(at(requests.start_ms, requestOf(event.target))) })];
  const [x, y] = pointOf(own, event);
  const cell = x < own.edge ? drawn.at(x, y) : undefined;
  if (cell === undefined) return null;
  const times = [cell.x, cell.x + CELL].map((end) => started(own.times.time(end)));
  const lengths = [cell.y + CELL, cell.y].map((end) => ms(own.lengths.value(end) * 1e6));
  return [say("map.cell", { n: cell.requests, slow: cell.slow }), times.join(" – "), lengths.join(" – ")];
}

function pointOf({ picture, left: begin, edge }: TimeFrame, event: PointerEvent): [number, number] {
  const box = picture.getBoundingClientRect();
  return [
    Math.max(begin, Math.min(edge, event.clientX - box.left)),
    Math.max(0, Math.min(TIME_HEIGHT, event.clientY - box.top)),
  ];
}

function dragging(
  own: TimeFrame,
  put: (area: Area) => void,
  follow: () => void,
  told: (event: PointerEvent) => string[] | null,
): void {
  const { picture, times, lengths } = own;
  let begun: [number, number] | null = null;
  let within: "time" | "length" | null = null; // the axis in which a drag began
  const areaFrom = ([x0, y0]: [number, number], event: PointerEvent): Area => {
    const [x, y] = pointOf(own, event);
    return { first: Math.min(x, x0), last: Math.max(x, x0), top: Math.min(y, y0), bottom: Math.max(y, y0) };
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const { left: edge, top } = picture.getBoundingClientRect();
    within = event.clientX - edge < own.left ? "length" : event.clientY - top > TIME_HEIGHT ? "time" : null;
    begun = pointOf(own, event);
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (begun !== null) {
      put(areaFrom(begun, event));
      return;
    }
    const lines = told(event);
    if (lines === null) hideTip();
    else showTip(lines, event);
  });
  picture.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const { first, last, top, bottom } = areaFrom(begun, event);
    begun = null;
    if (last - first < LEAST_DRAG && bottom - top < LEAST_DRAG) {
      const request = requestAt(event);
      if (request >= 0) openTrace(requests.trace_id[request]);
      else clearRange();
      return;
    }
    // A box is a box. With Shift, or from inside of an axis, a drag selects by one axis.
    const one = within ?? (event.shiftKey ? (last - first > bottom - top ? "time" : "length") : null);
    const byTime = last - first >= LEAST_DRAG && one !== "length";
    const byLength = bottom - top >= LEAST_DRAG && one !== "time";
    change({
      since: byTime ? Math.floor(times.time(first)) : 0,
      until: byTime ? Math.ceil(times.time(last)) : 0,
      from: byLength ? Math.floor(lengths.value(bottom)) : 0,
      to: byLength ? Math.ceil(lengths.value(top)) : 0,
    });
  });
  picture.addEventListener("pointercancel", () => {
    begun = null;
    follow();
  });
  picture.addEventListener("pointerleave", hideTip);
}
