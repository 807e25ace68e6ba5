// ---- Where the time goes: the means of all requests, or chosen requests against the rest of their routes.

import { at, bucketsOf, count, report, requests } from "./data.js";
import { differing } from "./differs.js";
import { type Child, fill, h, reveal, section } from "./elements.js";
import { partClass } from "./palette.js";
import { chosen, follow, isFiltered, state, view } from "./store.js";
import { type PartRow, callsCell, comparedRow, differences, ownerCell, partName, partsHead, trouble } from "./table.js";
import { ms, percent, say } from "./words.js";

const SMALL_SHARE = 0.01; // least share of the difference of owners and parts that are listed
const MOST_ROWS = 8; // the rest is folded
// Owners whose names are no words inside a sentence.
const OWNED: Record<string, string> = { platform: "the platform's", unknown: "of unknown owner" };

interface Table {
  title: string;
  says: string;
  table: Child;
}

export function drawParts(): HTMLElement {
  const element = section("parts", "", null);
  follow((now, before, aim) => {
    if (aim.go === "parts") requestAnimationFrame(() => reveal(element));
    if (now !== before && now.open !== before.open && element.childElementCount > 1) return;
    const isChosen = isFiltered() && view.length > 0 && view.length < count;
    const { title, says, table } = isChosen ? chosenAgainstRest() : means();
    const without = state.without.size > 0 && h("p", { class: "says still" }, say("whatif.still"));
    fill(element, h("h2", { id: "parts-title" }, title), h("p", { class: "says" }, says), without, table);
  });
  return element;
}

/** The chosen requests against the others of the same routes, so that no other mix of routes is told as a difference;
 * whole routes are compared with the other routes. */
function chosenAgainstRest(): Table {
  const routes = new Set(Array.from(view, (request) => at(requests.route, request)));
  const isWhole = requests.route.every((route, request) => chosen[request] === 1 || !routes.has(route));
  const sums = [new Float64Array(report.parts.length), new Float64Array(report.parts.length)] as const;
  const [walls, members] = [
    [0, 0],
    [0, 0],
  ];
  const sides = new Int8Array(count).fill(-1);
  for (let request = 0; request < count; request++) {
    const side = at(chosen, request);
    if (side === 0 && !isWhole && !routes.has(at(requests.route, request))) continue;
    sides[request] = side;
    walls[side] = at(walls, side) + at(requests.wall_ns, request);
    members[side] = at(members, side) + 1;
    const buckets = bucketsOf(request);
    const own = at(sums, side);
    for (let place = 0; place < buckets.length; place += 2)
      own[at(buckets, place)] = at(own, at(buckets, place)) + at(buckets, place + 1);
  }
  const [rest, few] = [at(members, 0), at(members, 1)];
  const [usual, chosenMean] = [at(walls, 0) / Math.max(1, rest), at(walls, 1) / few];
  const rows = report.parts.map(({ owner }, part): PartRow => {
    const [restNs, chosenNs] = [at(sums[0], part) / Math.max(1, rest), at(sums[1], part) / few];
    return {
      part,
      owner,
      rest_mean_ns: restNs,
      chosen_mean_ns: chosenNs,
      difference_ns: chosenNs - restNs,
      difference_share: (chosenNs - restNs) / (chosenMean - usual || 1),
    };
  });
  const largest = rows
    .filter((row) => Math.abs(row.difference_ns) >= SMALL_SHARE * Math.abs(chosenMean - usual))
    .sort((a, b) => Math.abs(b.difference_ns) - Math.abs(a.difference_ns));
  const says = say(isWhole ? "parts.of_routes" : "parts.of_chosen", {
    few,
    others: rest,
    chosen: ms(chosenMean),
    rest: ms(usual),
  });
  return { title: say("parts.chosen"), says, table: [comparedTable(largest), attributes(sides)] };
}

/** The attributes that differ, after the event: their values are counted over all requests. */
function attributes(sides: Int8Array): HTMLElement {
  const element = h("div", {});
  setTimeout(() => element.isConnected && fill(element, differing(sides)));
  return element;
}

function comparedTable(rows: PartRow[]): Child {
  const small = rows.slice(MOST_ROWS);
  const axis = differences(rows);
  const drawn = rows.map((row) => comparedRow(row, axis));
  const more = drawn.slice(MOST_ROWS);
  for (const row of more) row.hidden = true;
  return [
    h(
      "table",
      { class: "parts compared" },
      partsHead(["rest", "chosen", "difference", "share"]),
      h("tbody", {}, drawn),
    ),
    small.length > 0 && unfold(restWords(small), more),
  ];
}

function byOwner(rows: readonly { owner: string; ns: number }[]): [string, number][] {
  const owned = new Map<string, number>();
  for (const { owner, ns } of rows) owned.set(owner, (owned.get(owner) ?? 0) + ns);
  return [...owned].sort((a, b) => b[1] - a[1]);
}

/** A button that shows folded rows, and folds them again. */
function unfold(folded: string, rows: HTMLElement[]): HTMLElement {
  const button = h("button", { class: "link", id: "more-parts", "aria-expanded": "false" }, folded);
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "false";
    for (const row of rows) row.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    button.textContent = isOpen ? say("parts.fewer") : folded;
  });
  return h("p", { class: "more" }, button);
}

function restWords(small: PartRow[]): string {
  const together = (name: "rest_mean_ns" | "chosen_mean_ns"): string =>
    ms(small.reduce((sum, row) => sum + row[name], 0));
  return say("parts.more", { n: small.length, rest: together("rest_mean_ns"), chosen: together("chosen_mean_ns") });
}

/** The parts of one request, or the means of all. */
function means(): Table {
  const isOne = count === 1;
  const whole = report.buckets.reduce((sum, row) => sum + row.total_ns, 0);
  const order = report.buckets
    .map((bucket, part) => ({ ...bucket, part, owner: at(report.parts, part).owner }))
    .filter((row) => row.total_ns > 0);
  const scale = Math.max(1, ...order.map((row) => row.total_ns));
  const shares = byOwner(order.map(({ owner, total_ns: ns }) => ({ owner, ns }))).map(
    ([owner, ns]) => `${ms(ns / count)} ${OWNED[owner] ?? owner}`,
  );
  const row = (each: (typeof order)[number]): HTMLElement =>
    h(
      "tr",
      {},
      partName(each),
      ownerCell(each),
      h(
        "td",
        { class: "bars" },
        h("div", { class: `fill ${partClass(each.part)}`, $width: `${(each.total_ns / scale) * 100}%` }),
      ),
      h("td", { class: "num difference" }, ms(each.total_ns / count)),
      h("td", { class: "num share" }, percent(each.total_ns, whole)),
      callsCell(each),
      trouble(each),
    );
  const rows = order.map(row);
  const rest = rows.slice(MOST_ROWS);
  for (const one of rest) one.hidden = true;
  const restNs = order.slice(MOST_ROWS).reduce((sum, one) => sum + one.total_ns, 0);
  const folded = say("parts.more_means", { n: rest.length, together: ms(restNs / count) });
  const table = h(
    "table",
    { class: "parts means" },
    partsHead([isOne ? "time" : "mean", "share", "calls"]),
    h("tbody", {}, rows),
  );
  const says = say(isOne ? "parts.of_one" : "parts.of_all", { whole: ms(whole / count), shares: shares.join(", ") });
  return { title: say("parts.means"), says, table: [table, rest.length > 0 && unfold(folded, rest)] };
}
