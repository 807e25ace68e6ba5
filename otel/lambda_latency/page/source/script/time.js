// ---- Times of requests by their start, so that slow periods are visible.

import { clearRange } from "./brush.js";
import { MOST_MARKS, describeMark, mark } from "./distribution.js";
import { requestAt, s } from "./elements.js";
import { COLD_START, ERROR, TIMEOUT, count, has, isSlow, partClass, report, requests, slowFor } from "./report.js";
import { openTrace } from "./request.js";
import { axisWords, limits, logScale } from "./scale.js";
import { apply, state } from "./state.js";
import { hideTip, showTip } from "./tip.js";
import { clock, ms, number } from "./words.js";

const TIME_HEIGHT = 250;
const DOT = 2.4; // pixels of a request where there are too many for marks
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  ...[1, 2, 5, 10, 30].map((step) => step * SECOND),
  ...[1, 2, 5, 10, 30].map((step) => step * MINUTE),
  ...[1, 3, 6, 12].map((step) => step * HOUR),
  ...[1, 2, 7, 14, 30].map((step) => step * DAY),
];

export function timePicture(width) {
  const [low, high] = limits();
  const height = TIME_HEIGHT + 28;
  const left = 54;
  const lengths = logScale(low, high, TIME_HEIGHT - 6, 20);
  const times = timeScale(left + 8, width - 12);
  const says = `Times of ${number(count)} requests by when they started, on a logarithmic axis.`;
  const picture = s("svg", { width, height, role: "img", "aria-label": says });
  const { slow } = report.cohorts;
  if (slow.requests > 0) {
    const y = lengths.at(slow.over_ns / 1e6);
    picture.append(
      s("rect", { x: left, y: 0, width: width - left, height: Math.max(0, y), class: "slow-ground" }),
      s("line", { x1: left, x2: width, y1: y, y2: y, class: "border" }),
      s(
        "text",
        { x: width - 6, y: 13, "text-anchor": "end", class: "strong" },
        `slow: ${number(slow.requests)} over ${ms(slow.over_ns)}`,
      ),
    );
  }
  for (const { x: y, value } of lengths.ticks(26)) {
    picture.append(
      s("line", { x1: left, x2: width, y1: y, y2: y, class: "grid faint" }),
      s("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, axisWords(value)),
    );
  }
  picture.append(s("line", { x1: left, x2: width, y1: TIME_HEIGHT + 0.5, y2: TIME_HEIGHT + 0.5, class: "axis" }));
  for (const { x, text } of times.ticks) {
    const anchor = x > width - 32 ? "end" : "middle";
    picture.append(
      s("line", { x1: x, x2: x, y1: TIME_HEIGHT, y2: TIME_HEIGHT + 5, class: "axis" }),
      s("text", { x, y: TIME_HEIGHT + 20, "text-anchor": anchor }, text),
    );
  }
  const range = s("rect", { x: left, width: width - left, class: "range" });
  picture.append(
    ...points((request) => [times.at(requests.start_ms[request]), lengths.at(requests.wall_ns[request] / 1e6)]),
    range,
  );
  let begun = null;
  const point = (event) => {
    const box = picture.getBoundingClientRect();
    return [Math.max(left, event.clientX - box.left), Math.min(TIME_HEIGHT, event.clientY - box.top)];
  };
  const area = (event) => {
    const [x, y] = point(event);
    return [Math.min(x, begun[0]), Math.max(x, begun[0]), Math.min(y, begun[1]), Math.max(y, begun[1])];
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun = point(event);
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const [first, last, top, bottom] = area(event);
    begun = null;
    if (last - first < 5 && bottom - top < 5) {
      const request = requestAt(event);
      if (request >= 0) openTrace(requests.trace_id[request]);
      else clearRange();
      return;
    }
    // A drag along one axis chooses by that axis alone.
    const [byTime, byLength] = [last - first >= 5, bottom - top >= 5 && bottom - top > (last - first) / 8];
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
  picture.addEventListener("pointermove", (event) => {
    if (begun !== null) {
      const [first, last, top, bottom] = area(event);
      put(first, last, top, bottom);
      return;
    }
    const lines = describeMark(event.target);
    if (lines === null) hideTip();
    else showTip([...lines, `at ${clock(requests.start_ms[event.target.dataset.request])} UTC`], event);
  });
  picture.addEventListener("pointerleave", hideTip);
  const put = (first, last, top, bottom) => {
    for (const [name, value] of [["x", first], ["width", Math.max(1, last - first)], ["y", top], ["height", Math.max(1, bottom - top)]])
      range.setAttribute(name, value);
    range.setAttribute("display", "inline");
  };
  const follow = () => {
    const [first, last] = [
      state.since > 0 ? times.at(state.since) : left,
      state.until > 0 ? times.at(state.until) : width,
    ];
    const [top, bottom] = [
      state.to > 0 ? lengths.at(Math.min(state.to, high)) : 0,
      state.from > 0 ? lengths.at(state.from) : TIME_HEIGHT,
    ];
    put(first, last, top, bottom);
    if (state.from + state.to + state.since + state.until === 0) range.setAttribute("display", "none");
  };
  return [picture, follow];
}

function timeScale(left, right) {
  let first = Infinity;
  let last = -Infinity;
  for (const start of requests.start_ms) {
    first = Math.min(first, start);
    last = Math.max(last, start);
  }
  const span = Math.max(1, last - first);
  const at = (time) => left + ((time - first) / span) * (right - left);
  const time = (x) => first + ((x - left) / (right - left)) * span;
  const least = (span * 88) / (right - left);
  const step = TIME_STEPS.find((one) => one >= least) ?? Math.ceil(least / DAY) * DAY;
  const ticks = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step)
    ticks.push({ x: at(tick), text: timeWords(tick, step) });
  return { at, time, ticks };
}

function timeWords(time, step) {
  const text = clock(time);
  if (text === "") return "";
  if (time % DAY === 0) return new Date(time).toISOString().slice(5, 10);
  return step < MINUTE ? text : text.slice(0, 5);
}

/** A mark for each of a few hundred; of more, a path of dots for each colour, and marks for what went wrong. */
function points(place) {
  if (count <= MOST_MARKS) return Array.from({ length: count }, (_, request) => mark(request, ...place(request), 3.2));
  const paths = new Map();
  const wrong = [];
  for (let request = 0; request < count; request++) {
    const [x, y] = place(request);
    if (has(request, TIMEOUT | ERROR)) wrong.push(mark(request, x, y, 2.8));
    else {
      const name = isSlow(request)
        ? partClass(slowFor.get(request))
        : has(request, COLD_START)
          ? "p-cold-start"
          : "warm";
      paths.set(name, `${paths.get(name) ?? ""}M${x.toFixed(1)} ${y.toFixed(1)}h${DOT}v${DOT}h-${DOT}z`);
    }
  }
  const order = [...paths].sort(([a], [b]) => Number(b === "warm") - Number(a === "warm"));
  return [...order.map(([name, path]) => s("path", { d: path, class: `bar ${name}` })), ...wrong];
}
