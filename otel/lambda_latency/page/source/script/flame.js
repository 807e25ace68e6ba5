// ---- The critical paths of all requests in one picture: below each span what it waited for, as wide as the wait.

import { h, section } from "./elements.js";
import { count, label, report } from "./report.js";
import { only, state, watchers } from "./state.js";
import { hideTip, showTip } from "./tip.js";
import { ms, percent, signedMs } from "./words.js";

const LINE = 24; // pixels of a level
const DIFFERS = [0.02, 0.1, 0.3]; // shares of the difference between slow and other requests: three tints

export function drawFlame() {
  if (report.flame.length < 2) return;
  const says =
    "Width is the mean wait of all requests, below each span what it waited for. Red is where slow requests waited longer than others.";
  const whole = report.flame.reduce((sum, [depth, , ns]) => sum + (depth === 0 ? ns : 0), 0);
  // Of each level the last frame: the next one begins where it ends, or with the frame above, if that is another.
  const last = [];
  const frames = report.flame.map(([depth, name, ns, slow, part]) => {
    const begin = last[depth]?.end ?? last[depth - 1]?.begin ?? 0;
    last.length = depth;
    last.push({ begin, end: begin + ns });
    return frameOfFlame({ depth, name, ns, slow, part, left: begin / whole, width: ns / whole });
  });
  const levels = Math.max(...report.flame.map(([depth]) => depth)) + 1;
  const box = h("div", { class: "flame", $height: `${levels * LINE}px` }, frames);
  section("flame", "What requests wait for, level by level", says, box).classList.add("wide");
  watchers.push(() => {
    for (const one of frames) one.setAttribute("aria-pressed", Number(one.dataset.part) === state.part);
  });
}

function frameOfFlame({ depth, name, ns, slow, part, left, width }) {
  const few = report.slow.length;
  const usual = (ns - slow) / Math.max(1, count - few);
  const more = few > 0 ? slow / few - usual : 0;
  const tint = DIFFERS.filter((share) => more > share * Math.max(1, report.cohorts.difference_ns)).length;
  const lines = [name, `${ms(ns / count)} a request, ${percent(width, 1)} of all time`];
  if (few > 0) lines.push(`slow requests ${signedMs(more)}`);
  const element = h(
    "button",
    {
      class: `frame d${tint}`,
      "aria-label": `${lines.join(", ")}. Show the requests that waited for ${label(part)}`,
      $top: `${depth * LINE}px`,
      $left: `${left * 100}%`,
      $width: `${width * 100}%`,
      "data-part": part,
      onclick: () => only({ part, sort: "part", down: true }),
    },
    h("span", { class: "isolated" }, name),
  );
  element.addEventListener("pointermove", (event) => showTip(lines, event));
  element.addEventListener("pointerleave", hideTip);
  return element;
}
