// ---- Percentiles over time: p50, p95 and p99 of the chosen requests per interval; cold starts and errors as ticks.

import { COLD_START, ERROR, TIMEOUT, at, atRank, has, requests } from "./data.js";
import { s } from "./elements.js";
import type { Picture } from "./lengths.js";
import { type TimeFrame, TIME_HEIGHT, background, frameOfTime } from "./time.js";
import { left, view } from "./store.js";
import { hideTip, showTip } from "./tip.js";
import { ms, say, started } from "./words.js";

const RANKS = [50, 95, 99] as const;
const WIDEST = 18; // pixels of an interval, about
const FEW = 4; // requests of an interval, below which a percentile is no line
const MOST_TICKS = 400;

interface Interval {
  x: number;
  begin: number;
  ranks: number[];
  requests: number;
}

export function percentilePicture(width: number): Picture {
  const own = frameOfTime(width);
  const found = intervals(own);
  background(own);
  RANKS.forEach((rank, place) => own.picture.append(line(own, found, place, rank)));
  own.picture.append(...ticks(own));
  own.picture.setAttribute("role", "img");
  own.picture.setAttribute("aria-label", say("map.percentiles_says"));
  own.picture.addEventListener("pointermove", (event) => {
    const x = event.clientX - own.picture.getBoundingClientRect().left;
    const near = found.reduce<Interval | null>(
      (best, one) => (best === null || Math.abs(one.x - x) < Math.abs(best.x - x) ? one : best),
      null,
    );
    if (near === null) return;
    showTip(
      [
        started(near.begin),
        say("filter.all", { all: near.requests }),
        ...RANKS.map((rank, place) => `p${rank} ${ms(at(near.ranks, place))}`),
      ],
      event,
    );
  });
  own.picture.addEventListener("pointerleave", hideTip);
  return [own.picture, () => {}];
}

function intervals({ times, left: begun, edge, first, last }: TimeFrame): Interval[] {
  const count = Math.max(1, Math.floor((edge - begun) / WIDEST));
  const size = Math.max(1, (last - first) / count);
  const members: number[][] = Array.from({ length: count }, () => []);
  for (const request of view)
    members[Math.min(count - 1, Math.floor((at(requests.start_ms, request) - first) / size))]?.push(at(left, request));
  return members.flatMap((ns, place) => {
    if (ns.length === 0) return [];
    const ordered = Float64Array.from(ns).sort();
    const begin = first + place * size;
    return [
      { x: times.at(begin + size / 2), begin, ranks: RANKS.map((rank) => atRank(ordered, rank)), requests: ns.length },
    ];
  });
}

/** A line through the intervals with enough requests, a dot for others. */
function line({ lengths }: TimeFrame, found: Interval[], place: number, rank: number): SVGElement {
  let path = "";
  let isOn = false;
  for (const { x, ranks, requests: many } of found) {
    const y = lengths.at(at(ranks, place) / 1e6).toFixed(1);
    path += many < FEW ? `M${x.toFixed(1)} ${y}h0.01` : `${isOn ? "L" : "M"}${x.toFixed(1)} ${y}`;
    isOn = many >= FEW;
  }
  return s("path", { d: path, class: `rank p${rank}` });
}

/** Below the axis of durations: where cold starts, errors and timeouts began. */
function ticks({ times, picture, edge, width }: TimeFrame): SVGElement[] {
  let [cold, wrong, drawn] = ["", "", 0];
  for (const request of view) {
    const [isCold, isWrong] = [has(request, COLD_START), has(request, ERROR | TIMEOUT)];
    if ((!isCold && !isWrong) || drawn++ > MOST_TICKS) continue;
    const x = times.at(at(requests.start_ms, request)).toFixed(1);
    if (isCold) cold += `M${x} ${TIME_HEIGHT - 4}v-8`;
    if (isWrong) wrong += `M${x} ${TIME_HEIGHT - 14}v-8`;
  }
  picture.append(
    ...RANKS.map((rank, place) =>
      s("text", { x: Math.min(edge + 12, width - 40), y: 24 + place * 16, class: `rank-name p${rank}` }, `p${rank}`),
    ),
  );
  return [s("path", { d: cold, class: "tick-cold" }), s("path", { d: wrong, class: "tick-wrong" })];
}
