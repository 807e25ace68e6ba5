// ---- The durations of the baseline's requests, as an outline over those of the requests now.

import { at, report } from "./data.js";
import { s } from "./elements.js";

/** The outline; null without a baseline. `along` maps milliseconds to a position on the axis of durations, and `across`
 * a share of the requests in a pixel of that axis to one on the other axis. `isUpright`: durations are on the y axis. */
export function thenOutline(
  along: (ms: number) => number,
  across: (share: number) => number,
  isUpright: boolean,
): SVGElement | null {
  const bins = report.change?.bins ?? null;
  if (bins === null) return null;
  const [onto, over] = isUpright ? ["V", "H"] : ["H", "V"];
  const edges = bins.edges_ns.map((ns) => along(ns / 1e6));
  const start = isUpright ? `M${across(0)} ${at(edges, 0)}` : `M${at(edges, 0)} ${across(0)}`;
  const steps = bins.then.map((share, bin) => {
    const size = Math.max(0.5, Math.abs(at(edges, bin + 1) - at(edges, bin)));
    return `${over}${across(share / size).toFixed(1)}${onto}${at(edges, bin + 1).toFixed(1)}`;
  });
  return s("path", { d: `${start}${steps.join("")}${over}${across(0)}`, class: "then" });
}
