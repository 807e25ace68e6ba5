// ---- Flame graphs: the critical paths of all requests in one chart, each span above the calls that it waited for.

import { h, section } from "./elements.js";
import { count, label, report } from "./report.js";
import { only, state, watchers } from "./state.js";
import { hideTip, showTip } from "./tip.js";
import { ms, percent, say, signedMs } from "./words.js";

const LINE = 24; // pixels of a level
const DIFFERS = [0.02, 0.1, 0.3]; // shares of the difference: three tints

/** The tint of a frame, 0 to 3, by the share of the difference that it takes longer; negative if it takes less. */
export const tintOf = (more, whole) =>
  Math.sign(more) * DIFFERS.filter((share) => Math.abs(more) > share * Math.max(1, Math.abs(whole))).length;

/** A box of frames `[depth, name, ns, ...]`; `tellOf` returns the lines, tint and part of a frame. */
export function flameBox(frames, tellOf) {
  const whole = frames.reduce((sum, [depth, , ns]) => sum + (depth === 0 ? ns : 0), 0);
  // The last frame of each level: the next one starts at its end, or at the start of a new parent frame.
  const last = [];
  const drawn = frames.map(([depth, name, ns, ...more]) => {
    const begin = last[depth]?.end ?? last[depth - 1]?.begin ?? 0;
    last.length = depth;
    last.push({ begin, end: begin + ns });
    return frameOfFlame({ depth, name, left: begin / whole, width: ns / whole, ...tellOf(ns, ...more) });
  });
  watchers.push(() => {
    for (const one of drawn) one.setAttribute("aria-pressed", state.part >= 0 && Number(one.dataset.part) === state.part);
  });
  const levels = Math.max(...frames.map(([depth]) => depth)) + 1;
  return h("div", { class: "flame", $height: `${levels * LINE}px` }, drawn);
}

function frameOfFlame({ depth, name, left, width, lines, tint, part }) {
  const shown = [name, ...lines];
  const show = () => part >= 0 && only({ part, sort: "part", down: true });
  const element = h(
    "button",
    {
      class: `frame ${tint < 0 ? `l${-tint}` : `d${tint}`}`,
      "aria-label": [...shown, part >= 0 && say("flame.show", { part: label(part) })].filter(Boolean).join(", "),
      $top: `${depth * LINE}px`,
      $left: `${left * 100}%`,
      $width: `${width * 100}%`,
      "data-part": part,
      onclick: show,
    },
    h("span", { class: "isolated" }, name),
  );
  element.addEventListener("pointermove", (event) => showTip(shown, event));
  element.addEventListener("pointerleave", hideTip);
  return element;
}

export function drawFlame() {
  if (report.flame.length < 2) return;
  const few = report.slow.length;
  const whole = report.flame.reduce((sum, [depth, , ns]) => sum + (depth === 0 ? ns : 0), 0);
  const box = flameBox(report.flame, (ns, slow, part) => {
    const more = few > 0 ? slow / few - (ns - slow) / Math.max(1, count - few) : 0;
    const lines = [say("flame.wait", { mean: ms(ns / count), share: percent(ns, whole) })];
    if (few > 0) lines.push(say("flame.slow", { more: signedMs(more) }));
    return { lines, tint: Math.max(0, tintOf(more, report.cohorts.difference_ns)), part };
  });
  section("flame", say("flame.title"), say("flame.says"), box).classList.add("wide");
}
