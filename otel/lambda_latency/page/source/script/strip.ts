// ---- The percentiles of the chosen requests in one line.

import { at, atRank, report } from "./data.js";
import { fill, h } from "./elements.js";
import { follow, isFiltered, left, state, view } from "./store.js";
import { ms, say } from "./words.js";

export function factsStrip(): HTMLElement {
  const element = h("dl", { class: "facts", id: "facts", "aria-label": say("fact.title") });
  follow(() => {
    const lengths = Float64Array.from(view, (request) => at(left, request)).sort();
    const isWhole = !isFiltered() && state.without.size === 0;
    const fact = (rank: 50 | 95 | 99): HTMLElement => {
      const ns = isWhole ? report.wall_ns[`p${rank}`] : atRank(lengths, rank);
      return h("div", {}, h("dt", {}, `p${rank}`), h("dd", {}, ms(ns)));
    };
    fill(element, ([50, 95, 99] as const).map(fact));
  });
  return element;
}
