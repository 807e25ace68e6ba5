// ---- The attributes of chosen requests that differ from those of the others of their routes.

import { at, count, report } from "./data.js";
import { type Child, h } from "./elements.js";
import { factText, factsOf } from "./facts.js";
import { only, state } from "./store.js";
import { number, say } from "./words.js";

const LEAST_DISTANCE = 0.3; // of the two shares
const LEAST_SCORE = 4; // standard errors: among hundreds of values chance reaches less
const LEAST_REQUESTS = 3; // that are chosen and have a value
const MOST_ROWS = 6;

interface Difference {
  fact: readonly [number, number];
  chosen: readonly [number, number]; // how many have the value, and of how many
  others: readonly [number, number];
  distance: number;
}

/** The values that chosen requests have more often than the others, the largest difference first. `side` is 1 for a
 * chosen request, 0 for one of the others, and -1 for requests of other routes. */
function differences(side: Int8Array): Difference[] {
  const found: Difference[] = [];
  factsOf().forEach((values, fact) => {
    const { texts, column } = at(report.facts, fact);
    if (column === "route" || state.fact?.[0] === fact) return;
    const counts = [new Uint32Array(texts.length), new Uint32Array(texts.length)] as const;
    const sums = [0, 0];
    for (let request = 0; request < count; request++) {
      const [group, value] = [at(side, request), at(values, request)];
      if (group < 0 || value === -2) continue;
      sums[group] = at(sums, group) + 1;
      if (value >= 0) at(counts, group)[value] = at(at(counts, group), value) + 1;
    }
    texts.forEach((_, value) => {
      const one = difference([fact, value], [at(counts[1], value), at(sums, 1)], [at(counts[0], value), at(sums, 0)]);
      if (one !== null) found.push(one);
    });
  });
  return found.sort((a, b) => b.distance - a.distance).slice(0, MOST_ROWS);
}

type Count = readonly [number, number];

function difference(fact: readonly [number, number], chosen: Count, others: Count): Difference | null {
  const [few, all] = [chosen[0] + others[0], chosen[1] + others[1]];
  if (chosen[0] < LEAST_REQUESTS || others[1] === 0) return null;
  const distance = chosen[0] / chosen[1] - others[0] / others[1];
  const share = few / all;
  const error = Math.sqrt(share * (1 - share) * (1 / chosen[1] + 1 / others[1]));
  return distance >= LEAST_DISTANCE && distance >= LEAST_SCORE * error ? { fact, chosen, others, distance } : null;
}

/** The table of these attributes, or that none differs. */
export function differing(side: Int8Array): Child {
  const rows = differences(side);
  if (rows.length === 0) return h("p", { class: "says" }, say("differs.none"));
  const cell = ([some, all]: Count): HTMLElement =>
    h("td", { class: "num" }, say("differs.of", { n: number(some), all: number(all) }));
  const row = ({ fact, chosen, others }: Difference): HTMLElement =>
    h(
      "tr",
      {},
      h("td", {}, h("button", { class: "value isolated", onclick: () => only({ fact }) }, factText(fact))),
      cell(chosen),
      cell(others),
    );
  const heads = ["differs.attribute", "chosen", "rest"].map((name, place) =>
    h("th", { scope: "col", class: place > 0 ? "num" : "" }, say(name)),
  );
  return h("table", { class: "attributes" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map(row)));
}
