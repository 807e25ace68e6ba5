// ---- Requests by start and duration, with the distribution of durations at the margin. A rectangle selects requests.

import { lengthAxis, startAxis, starts } from "./axes.js";
import { clearRange } from "./brush.js";
import { requestAt, s } from "./elements.js";
import { handle, place } from "./handles.js";
import { heat, margin } from "./heat.js";
import { describeMark } from "./marks.js";
import { count, report, requests } from "./report.js";
import { openTrace } from "./request.js";
import { axisWords, limits, logScale } from "./scale.js";
import { apply, state } from "./state.js";
import { hideTip, showTip } from "./tip.js";
import { timeScale } from "./timescale.js";
import { leftOf } from "./whatif.js";
import { clock, ms, say, started } from "./words.js";

const TIME_HEIGHT = 250;
const LEFT = 54;
const LEAST_DRAG = 5; // pixels; less is a click

export function timePicture(width) {
  const own = frameOfTime(width);
  const { picture, edge } = own;
  const requestsDrawn = heat((request) => own.at(request));
  const atMargin = margin((request) => own.at(request)[1], edge + 10, width - 2);
  background(own);
  const range = s("rect", { class: "range" });
  const handles = handlesOfTime(own);
  picture.append(
    s("line", { x1: edge + 7.5, x2: edge + 7.5, y1: 0, y2: TIME_HEIGHT, class: "axis" }),
    ...atMargin,
    ...requestsDrawn.shapes,
    range,
    ...handles.map(({ element }) => element),
  );
  const put = ([first, last, top, bottom]) => {
    range.setAttribute("x", first);
    range.setAttribute("width", Math.max(1, last - first));
    range.setAttribute("y", top);
    range.setAttribute("height", Math.max(1, bottom - top));
    range.setAttribute("display", "inline");
  };
  const follow = () => {
    const [first, last] = [state.since ? own.times.at(state.since) : LEFT, state.until ? own.times.at(state.until) : edge];
    const top = state.to > 0 ? own.lengths.at(Math.min(state.to, own.high)) : 0;
    const bottom = state.from > 0 ? own.lengths.at(Math.max(state.from, own.low)) : TIME_HEIGHT;
    put([first, last, top, bottom]);
    if (state.from + state.to + state.since + state.until === 0) range.setAttribute("display", "none");
    for (const { element, axis, where } of handles) place(element, ...where({ first, last, top, bottom }), axis);
  };
  dragging(own, { put, follow, describe: (event) => describe(own, requestsDrawn, event) });
  return [picture, follow];
}

function frameOfTime(width) {
  const [low, high] = limits();
  const edge = width - Math.max(46, Math.min(130, Math.round(width * 0.17)));
  const lengths = logScale(low, high, TIME_HEIGHT - 6, 20);
  const [first, last] = starts();
  const times = timeScale(first, last, LEFT + 8, edge - 6);
  const says = say("map.says", { n: count });
  const picture = s("svg", { width, height: TIME_HEIGHT + 28, role: "group", "aria-label": says });
  const left = leftOf();
  const at = (request) => [times.at(requests.start_ms[request]), lengths.at(left[request] / 1e6)];
  return { width, edge, low, high, lengths, first, last, times, picture, at };
}

function background({ width, edge, lengths, times, picture }) {
  if (report.border_ns !== null) {
    const y = lengths.at(report.border_ns / 1e6);
    const words = say("map.slow", { n: report.slow.length, over: ms(report.border_ns) });
    picture.append(
      s("rect", { x: LEFT, y: 0, width: width - LEFT, height: Math.max(0, y), class: "slow-ground" }),
      s("line", { x1: LEFT, x2: width, y1: y, y2: y, class: "border" }),
      s("text", { x: edge - 2, y: 13, "text-anchor": "end", class: "strong" }, words),
    );
  }
  for (const { x: y, value } of lengths.ticks(26)) {
    picture.append(
      s("line", { x1: LEFT, x2: width, y1: y, y2: y, class: "grid faint" }),
      s("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, axisWords(value)),
    );
  }
  picture.append(s("line", { x1: LEFT, x2: width, y1: TIME_HEIGHT + 0.5, y2: TIME_HEIGHT + 0.5, class: "axis" }));
  for (const { x, text } of times.ticks) {
    const anchor = x > edge - 26 ? "end" : "middle";
    picture.append(
      s("line", { x1: x, x2: x, y1: TIME_HEIGHT, y2: TIME_HEIGHT + 5, class: "axis" }),
      s("text", { x, y: TIME_HEIGHT + 20, "text-anchor": anchor }, text),
    );
  }
}

/** Two handles per axis, with their axes and positions. */
function handlesOfTime({ edge, low, high, first, last }) {
  const upright = () => s("rect", { x: -4, y: TIME_HEIGHT / 2 - 13, width: 8, height: 26, rx: 3 });
  const level = () => s("rect", { x: LEFT - 4, y: -4, width: 22, height: 8, rx: 3 });
  return ["since", "until", "to", "from"].map((side) => {
    const byStart = side === "since" || side === "until";
    const axis = byStart ? startAxis(side, first, last) : lengthAxis(side, low, high);
    const element = handle(side, say(`map.${side}`), axis, byStart ? upright() : level());
    if (!byStart) element.setAttribute("aria-orientation", "vertical");
    const where = {
      since: ({ first: x }) => [Math.max(LEFT + 4, x), 0],
      until: ({ last: x }) => [Math.min(edge - 4, x), 0],
      to: ({ top }) => [0, Math.max(4, top)],
      from: ({ bottom }) => [0, Math.min(TIME_HEIGHT - 4, bottom)],
    }[side];
    return { element, axis, where };
  });
}

function describe(own, drawn, event) {
  const lines = describeMark(event.target);
  if (lines !== null) return [...lines, say("map.at", { clock: clock(requests.start_ms[event.target.dataset.request]) })];
  const [x, y] = pointOf(own, event);
  const cell = x < own.edge ? drawn.at(x, y) : undefined;
  if (cell === undefined) return null;
  const times = [cell.x, cell.x + 7].map((at) => started(own.times.time(at)));
  const lengths = [cell.y + 7, cell.y].map((at) => ms(own.lengths.value(at) * 1e6));
  return [say("map.cell", { n: cell.requests, slow: cell.slow }), times.join(" – "), lengths.join(" – ")];
}

function pointOf({ picture, edge }, event) {
  const box = picture.getBoundingClientRect();
  return [Math.max(LEFT, Math.min(edge, event.clientX - box.left)), Math.min(TIME_HEIGHT, event.clientY - box.top)];
}

function dragging(own, { put, follow, describe: told }) {
  const { picture, times, lengths } = own;
  let begun = null;
  const area = (event) => {
    const [x, y] = pointOf(own, event);
    return [Math.min(x, begun[0]), Math.max(x, begun[0]), Math.min(y, begun[1]), Math.max(y, begun[1])];
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun = pointOf(own, event);
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (begun !== null) {
      put(area(event));
      return;
    }
    const lines = told(event);
    if (lines === null) hideTip();
    else showTip(lines, event);
  });
  picture.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const [first, last, top, bottom] = area(event);
    begun = null;
    if (last - first < LEAST_DRAG && bottom - top < LEAST_DRAG) {
      const request = requestAt(event);
      if (request >= 0) openTrace(requests.trace_id[request]);
      else clearRange();
      return;
    }
    // A drag along one axis selects by that axis only.
    const byTime = last - first >= LEAST_DRAG && (last - first) > (bottom - top) / 12;
    const byLength = bottom - top >= LEAST_DRAG && bottom - top > (last - first) / 8;
    state.since = byTime ? Math.floor(times.time(first)) : 0;
    state.until = byTime ? Math.ceil(times.time(last)) : 0;
    state.from = byLength ? Math.floor(lengths.value(bottom)) : 0;
    state.to = byLength ? Math.ceil(lengths.value(top)) : 0;
    apply();
  });
  picture.addEventListener("pointercancel", () => {
    begun = null;
    follow();
  });
  picture.addEventListener("pointerleave", hideTip);
}
