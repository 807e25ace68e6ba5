// ---- What if parts took no time: ticked parts are subtracted from the durations, and the charts show the rest.

import { h } from "./elements.js";
import { bucketsOf, count, requests, report, swatch } from "./report.js";
import { apply, state, watchers } from "./state.js";
import { ms, say } from "./words.js";

const MOST_SAVES = 3;

let left = { of: "", ns: null };

/** The nanoseconds of each request without the ticked parts: a lower bound, because other calls may take their place. */
export function leftOf() {
  const of = [...state.without].join();
  if (left.of === of && left.ns !== null) return left.ns;
  const ns = Float64Array.from(requests.wall_ns);
  if (state.without.size > 0) {
    for (let request = 0; request < count; request++) {
      const buckets = bucketsOf(request);
      for (let at = 0; at < buckets.length; at += 2) if (state.without.has(buckets[at])) ns[request] -= buckets[at + 1];
    }
  }
  left = { of, ns };
  return ns;
}

/** A percentile of the remaining durations, by nearest rank. */
export function leftAt(percent) {
  const ordered = leftOf().slice().sort();
  return ordered[Math.max(1, Math.ceil((percent * count) / 100)) - 1];
}

/** A line for each of the largest parts; ticking it redraws the charts. */
export function savesList(inWords) {
  if (count <= 1 || report.saves.length === 0) return null;
  const together = h("span", { id: "at-best", role: "status" });
  watchers.push(() => {
    const numbers = { p95: ms(report.wall_ns.p95), best: ms(leftAt(95)) };
    together.textContent = state.without.size === 0 ? "" : say("whatif.together", numbers);
    together.hidden = state.without.size === 0;
  });
  return h(
    "ul",
    { class: "saves", "aria-label": say("whatif.title") },
    report.saves.slice(0, MOST_SAVES).map(({ pieces, part }, at) => {
      const box = h("input", { type: "checkbox", id: `without-${at}` });
      box.addEventListener("change", () => {
        if (!state.without.delete(part)) state.without.add(part);
        apply();
      });
      watchers.push(() => (box.checked = state.without.has(part)));
      return h("li", {}, h("label", {}, box, swatch(part), inWords(pieces)));
    }),
    h("li", { class: "bound" }, together),
    h("li", { class: "bound" }, report.bound),
  );
}
