// ---- The facts of the chosen requests in one line: percentiles and counts.

import { COLD_START, ERROR, THROTTLED, TIMEOUT, at, atRank, count, counted, report } from "./data.js";
import { type Child, fill, h } from "./elements.js";
import { follow, isFiltered, left, only, state, view } from "./store.js";
import { ms, number, percent, say } from "./words.js";

export function factsStrip(): HTMLElement {
  const element = h("dl", { class: "facts", id: "facts", "aria-label": say("fact.title") });
  follow(() => fill(element, told()));
  return element;
}

function told(): Child[] {
  const lengths = Float64Array.from(view, (request) => at(left, request)).sort();
  const fact = (name: string, value: Child, more: Child = null): HTMLElement =>
    h("div", {}, h("dt", {}, say(name)), h("dd", {}, value, more && h("small", {}, " ", more)));
  const filter = (many: number, name: "cold" | "error" | "timeout" | "throttled"): Child =>
    many === 0 ? "0" : h("button", { onclick: () => only({ only: new Set([name]) }) }, number(many));
  const { sampling, cold_starts: cold } = report;
  const isKnown = sampling.total !== null && sampling.seen <= sampling.total;
  const each =
    cold.mean_ns !== null &&
    cold.mean_ns >= 5e5 &&
    view.length === count &&
    say("fact.each", { mean: ms(cold.mean_ns) });
  const isWhole = !isFiltered() && state.without.size === 0;
  return [
    fact("fact.p50", ms(isWhole ? report.wall_ns.p50 : atRank(lengths, 50))),
    fact("fact.p95", ms(isWhole ? report.wall_ns.p95 : atRank(lengths, 95))),
    fact("fact.p99", ms(isWhole ? report.wall_ns.p99 : atRank(lengths, 99))),
    fact("fact.slowest", ms(lengths.at(-1) ?? 0)),
    fact("fact.cold", filter(counted(view, COLD_START), "cold"), each),
    fact("fact.errors", filter(counted(view, ERROR), "error")),
    fact("fact.timeouts", filter(counted(view, TIMEOUT), "timeout")),
    fact("fact.throttled", filter(counted(view, THROTTLED), "throttled")),
    fact(
      "fact.seen",
      isKnown ? percent(sampling.seen, sampling.total ?? 0) : say("fact.unknown"),
      isKnown && say("fact.of_traffic"),
    ),
  ];
}
