// ---- The distribution of durations: a mark per request up to a few hundred, bars for more. A range selects requests.

import { brush } from "./brush.js";
import { s } from "./elements.js";
import { MOST_MARKS } from "./heat.js";
import { describeMark, mark } from "./marks.js";
import { COLD_START, ERROR, TIMEOUT, count, has, isSlow, partClass, report, slowFor } from "./report.js";
import { axisWords, limits, logScale } from "./scale.js";
import { leftAt, leftOf } from "./whatif.js";
import { SMALL, ms, plural, say, wide } from "./words.js";

const BASE_HEIGHT = 170;
const ABOVE = 40; // pixels for the text above the chart

export const lengthPicture = (width) => (count <= MOST_MARKS ? markPicture(width) : barPicture(width));

function frame(width, height) {
  const { wall_ns: walls } = report;
  const says = say("map.length_says", { n: count, p50: ms(walls.p50), p95: ms(walls.p95), max: ms(walls.max) });
  const [low, high] = limits();
  const scale = logScale(low, high, 8, width - 12);
  return { picture: s("svg", { width, height, role: "group", "aria-label": says }), scale, low, high, width };
}

/** The requests by bin of `step` pixels. */
function bins(scale, step) {
  const found = new Map();
  const left = leftOf();
  for (let request = 0; request < count; request++) {
    const bin = Math.round((scale.at(left[request] / 1e6) - 8) / step);
    const members = found.get(bin);
    if (members === undefined) found.set(bin, [request]);
    else members.push(request);
  }
  return found;
}

function markPicture(width) {
  const left = leftOf();
  const step = Math.max(6.4, Math.min(10, width / 62));
  const probe = frame(width, 0);
  const columns = bins(probe.scale, step);
  const highest = Math.max(...[...columns.values()].map((members) => members.length));
  const height = Math.max(110, Math.min(BASE_HEIGHT + 40, highest * step + 10));
  const base = ABOVE + height;
  const own = frame(width, base + 28);
  const rise = Math.min(step, (height - 6) / highest);
  const r = Math.min(step, Math.max(rise, 3)) * 0.41;
  ground(own, base);
  for (const [bin, members] of columns) {
    members.sort((a, b) => left[a] - left[b]);
    members.forEach((request, at) => own.picture.append(mark(request, 8 + bin * step, base - 7 - at * rise, r)));
  }
  axis(own, base);
  return [own.picture, brush(own, base, describeMark)];
}

function barPicture(width) {
  const step = Math.max(4, Math.min(9, width / 110));
  const base = ABOVE + BASE_HEIGHT;
  const own = frame(width, base + 46);
  const columns = bins(own.scale, step);
  const highest = Math.max(...[...columns.values()].map((members) => members.length));
  const tall = (members) => (members > 0 ? Math.max(3, (members / highest) * (BASE_HEIGHT - 8)) : 0);
  ground(own, base + 18);
  for (const [bin, members] of columns) {
    const x = 8 + bin * step;
    const groups = [["warm", members.filter((request) => !has(request, COLD_START) && !isSlow(request))]];
    const cold = members.filter((request) => has(request, COLD_START) && !isSlow(request));
    const slow = new Map();
    for (const request of members) {
      if (!isSlow(request)) continue;
      const name = partClass(slowFor.get(request));
      slow.set(name, [...(slow.get(name) ?? []), request]);
    }
    groups.push(...[...slow].sort((a, b) => b[1].length - a[1].length), ["p-cold-start", cold]);
    let y = base;
    for (const [name, group] of groups) {
      const size = tall(group.length);
      y -= size;
      if (size > 0)
        own.picture.append(
          s("rect", { x: x - step / 2 + 0.5, y, width: step - 1, height: size, class: `bar ${name}` }),
        );
    }
    const worst = members.find((request) => has(request, TIMEOUT)) ?? members.find((request) => has(request, ERROR));
    if (worst !== undefined) own.picture.append(mark(worst, x, base + 10, 2.6));
  }
  axis(own, base + 18);
  const describeBin = (_, x) => {
    const bin = Math.round((x - 8) / step);
    const members = columns.get(bin);
    if (members === undefined) return null;
    const [from, to] = [8 + (bin - 0.5) * step, 8 + (bin + 0.5) * step].map((at) => ms(own.scale.value(at) * 1e6));
    return [`${from} to ${to}`, plural(members.length, "request")];
  };
  return [own.picture, brush(own, base + 18, describeBin)];
}

/** Draws the limit of slow requests, and the median. */
function ground({ picture, scale, width }, bottom) {
  if (report.border_ns !== null) {
    const x = scale.at(report.border_ns / 1e6);
    const words = say("map.slow", { n: report.slow.length, over: ms(report.border_ns) });
    const right = width - 12 - x > wide(words, `600 ${SMALL}`) + 8;
    picture.append(
      s("rect", { x, y: 0, width: Math.max(0, width - 2 - x), height: bottom, class: "slow-ground" }),
      s("line", { x1: x, x2: x, y1: 0, y2: bottom, class: "border" }),
      s("text", { x: right ? x + 6 : x - 6, y: 12, "text-anchor": right ? "start" : "end", class: "strong" }, words),
    );
  }
  const median = leftAt(50);
  const middle = scale.at(median / 1e6);
  picture.append(
    s("line", { x1: middle, x2: middle, y1: ABOVE - 5, y2: bottom, class: "grid" }),
    s("text", { x: Math.max(40, middle), y: 30, "text-anchor": "middle", class: "median" }, `p50 ${ms(median)}`),
  );
}

function axis({ picture, scale, width }, y) {
  picture.append(s("line", { x1: 0, x2: width, y1: y + 0.5, y2: y + 0.5, class: "axis" }));
  for (const { x, value } of scale.ticks(52)) {
    const anchor = x < 22 ? "start" : x > width - 26 ? "end" : "middle";
    picture.append(
      s("line", { x1: x, x2: x, y1: y, y2: y + 5, class: "axis" }),
      s("text", { x, y: y + 20, "text-anchor": anchor }, axisWords(value)),
    );
  }
}
