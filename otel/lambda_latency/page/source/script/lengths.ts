// ---- The distribution of durations: a mark per request up to a few hundred, bars for more. A range selects requests.

import { type LengthFrame, brush } from "./brush.js";
import { ERROR, TIMEOUT, at, atRank, count, has, report } from "./data.js";
import { s } from "./elements.js";
import { MOST_MARKS } from "./heat.js";
import { colourOf, describeMark, mark } from "./marks.js";
import { type Scale, axisWords, limits, logScale } from "./scale.js";
import { chosen, left } from "./store.js";
import { thenOutline } from "./then.js";
import { SMALL, ms, plural, say, wide } from "./words.js";

const BASE_HEIGHT = 170;
const ABOVE = 40; // pixels for the text above the chart

export type Picture = readonly [SVGSVGElement, () => void];

export const lengthPicture = (width: number): Picture => (count <= MOST_MARKS ? markPicture(width) : barPicture(width));

function frame(width: number, height: number): LengthFrame {
  const { wall_ns: walls } = report;
  const says = say("map.length_says", { n: count, p50: ms(walls.p50), p95: ms(walls.p95), max: ms(walls.max) });
  const [low, high] = limits();
  const scale = logScale(low, high, 8, width - 12);
  return { picture: s("svg", { width, height, role: "group", "aria-label": says }), scale, low, high, width };
}

/** The requests by bin of `step` pixels. */
function bins(scale: Scale, step: number): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let request = 0; request < count; request++) {
    const bin = Math.round((scale.at(at(left, request) / 1e6) - 8) / step);
    const members = found.get(bin);
    if (members === undefined) found.set(bin, [request]);
    else members.push(request);
  }
  return found;
}

function markPicture(width: number): Picture {
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
    members.sort((a, b) => at(left, a) - at(left, b));
    members.forEach((request, place) => own.picture.append(mark(request, 8 + bin * step, base - 7 - place * rise, r)));
  }
  outline(own, base - 7, step * count * rise);
  axis(own, base);
  return [own.picture, brush(own, base, describeMark)];
}

const rank = (name: string): number => (name === "warm" ? 0 : name === "dim" ? 2 : 1);

function barPicture(width: number): Picture {
  const step = Math.max(4, Math.min(9, width / 110));
  const base = ABOVE + BASE_HEIGHT;
  const own = frame(width, base + 46);
  const columns = bins(own.scale, step);
  const highest = Math.max(...[...columns.values()].map((members) => members.length));
  ground(own, base + 18);
  for (const [bin, members] of columns) {
    const x = 8 + bin * step;
    const groups = new Map<string, number>();
    for (const request of members) {
      const name = chosen[request] === 0 ? "dim" : colourOf(request);
      groups.set(name, (groups.get(name) ?? 0) + 1);
    }
    let y = base;
    for (const [name, many] of [...groups].sort(([a], [b]) => rank(a) - rank(b))) {
      const size = Math.max(3, (many / highest) * (BASE_HEIGHT - 8));
      y -= size;
      own.picture.append(s("rect", { x: x - step / 2 + 0.5, y, width: step - 1, height: size, class: `bar ${name}` }));
    }
    const worst = members.find((request) => has(request, TIMEOUT)) ?? members.find((request) => has(request, ERROR));
    if (worst !== undefined) own.picture.append(mark(worst, x, base + 10, 2.6));
  }
  outline(own, base, (step * count * (BASE_HEIGHT - 8)) / highest);
  axis(own, base + 18);
  const describeBin = (_: EventTarget | null, x: number): string[] | null => {
    const bin = Math.round((x - 8) / step);
    const members = columns.get(bin);
    if (members === undefined) return null;
    const [from, to] = [-0.5, 0.5].map((half) => ms(own.scale.value(8 + (bin + half) * step) * 1e6));
    return [`${from} to ${to}`, plural(members.length, "request")];
  };
  return [own.picture, brush(own, base + 18, describeBin)];
}

/** Draws the outline of a baseline; `scale` is the height of all requests in a pixel. */
function outline({ picture, scale: along }: LengthFrame, base: number, scale: number): void {
  const before = thenOutline(along.at, (share) => Math.max(4, base - share * scale), false);
  if (before !== null) picture.append(before);
}

/** Draws the limit of slow requests, and the median of the chosen ones. */
function ground({ picture, scale, width }: LengthFrame, bottom: number): void {
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
  const some = left.filter((_, request) => chosen[request] === 1).sort();
  if (some.length === 0) return;
  const median = atRank(some, 50);
  const middle = scale.at(median / 1e6);
  picture.append(
    s("line", { x1: middle, x2: middle, y1: ABOVE - 5, y2: bottom, class: "grid" }),
    s("text", { x: Math.max(40, middle), y: 30, "text-anchor": "middle", class: "median" }, `p50 ${ms(median)}`),
  );
}

function axis({ picture, scale, width }: LengthFrame, y: number): void {
  picture.append(s("line", { x1: 0, x2: width, y1: y + 0.5, y2: y + 0.5, class: "axis" }));
  for (const [place, { x, value }] of scale.ticks(60).entries()) {
    const anchor = x < 22 ? "start" : x > width - 26 ? "end" : "middle";
    picture.append(
      s("line", { x1: x, x2: x, y1: y, y2: y + 5, class: "axis" }),
      s("text", { x, y: y + 20, "text-anchor": anchor }, axisWords(value, place === 0)),
    );
  }
}
