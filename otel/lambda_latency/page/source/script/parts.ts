// ---- Where the time goes: slow requests against typical ones, or chosen requests against the rest of their routes.

import { at, bucketsOf, count, report, requests } from "./data.js";
import { type Child, fill, h, section } from "./elements.js";
import { partClass } from "./palette.js";
import { chosen, follow, isFiltered, state, view } from "./store.js";
import { type PartRow, callsCell, comparedRow, differences, ownerCell, partName, partsHead, trouble } from "./table.js";
import { ms, msOf, percent, say, signedMs } from "./words.js";

const SMALL_SHARE = 0.01; // least share of the difference of owners and parts that are listed
const MOST_ROWS = 8; // the rest is folded
// Owners inside a sentence, by their names in the report's JSON.
const OWNED: Record<string, string> = {
  ours: "internal",
  theirs: "external",
  platform: "the platform's",
  unknown: "of unknown owner",
};

interface Table {
  title: string;
  says: string;
  table: Child;
}

export function drawParts(): HTMLElement {
  const element = section("parts", "", null);
  follow((now, before) => {
    if (now !== before && now.open !== before.open && element.childElementCount > 1) return;
    const isChosen = isFiltered() && view.length > 0 && view.length < count;
    const { title, says, table } = isChosen
      ? chosenAgainstRest()
      : report.cohorts.slow.requests > 0 && count > 1
        ? slowAgainstTypical()
        : means();
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
  for (let request = 0; request < count; request++) {
    const side = at(chosen, request);
    if (side === 0 && !isWhole && !routes.has(at(requests.route, request))) continue;
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
    const [typical, slow] = [at(sums[0], part) / Math.max(1, rest), at(sums[1], part) / few];
    return {
      part,
      owner,
      typical_mean_ns: typical,
      slow_mean_ns: slow,
      difference_ns: slow - typical,
      difference_share: (slow - typical) / (chosenMean - usual || 1),
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
  return { title: say("parts.chosen"), says, table: comparedTable(largest, [], ["rest", "chosen"], -1) };
}

function comparedTable(rows: PartRow[], folded: PartRow[], names: [string, string], lead: number): Child {
  const [large, small] = [rows.slice(0, MOST_ROWS), [...rows.slice(MOST_ROWS), ...folded]];
  const axis = differences([...large, ...small]);
  const row = (one: PartRow): HTMLElement => comparedRow(one, axis, one.part === lead, [say(names[0]), say(names[1])]);
  const more = small.map(row);
  for (const one of more) one.hidden = true;
  const heads = [...names, "difference", "share", ...(rows[0]?.calls === undefined ? [] : ["calls"])];
  const body = h("tbody", {}, large.map(row), more);
  return [
    h("table", { class: "parts compared" }, partsHead(heads), body),
    small.length > 0 && unfold(restWords(small, names), more),
  ];
}

function slowAgainstTypical(): Table {
  const { slow, typical, difference_ns: difference } = report.cohorts;
  const told = (part: number): PartRow => ({ ...at(report.buckets, part), part });
  const lead = report.findings.find((card) => card.kind === "class")?.part ?? -1;
  const shares = difference > 0 ? differenceByOwner(difference) : "";
  const says = [
    say("parts.of_slow", { slow: ms(slow.mean_ns), typical: ms(typical.mean_ns) }),
    shares !== "" && say("parts.between", { difference: ms(difference), shares }),
  ];
  const table = comparedTable(report.rows.map(told), report.folded.map(told), ["typical", "slow"], lead);
  return { title: say("parts.slow"), says: says.filter(Boolean).join(" "), table };
}

function byOwner(rows: readonly { owner: string; ns: number }[]): [string, number][] {
  const owned = new Map<string, number>();
  for (const { owner, ns } of rows) owned.set(owner, (owned.get(owner) ?? 0) + ns);
  return [...owned].sort((a, b) => b[1] - a[1]);
}

function differenceByOwner(difference: number): string {
  const least = Math.max(5e5, difference * SMALL_SHARE);
  const whose = byOwner(report.buckets.map(({ owner, difference_ns: ns }) => ({ owner, ns }))).filter(
    ([, ns]) => Math.abs(ns) >= least,
  );
  // What is less than usual is told if it is not small; the others together take as much more.
  const more = difference - whose.reduce((sum, [, ns]) => sum + Math.min(0, ns), 0);
  return whose.map(([owner, ns]) => `${ns < 0 ? signedMs(ns) : msOf(ns, more)} ${OWNED[owner] ?? owner}`).join(", ");
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

function restWords(small: PartRow[], [one, other]: [string, string]): string {
  const together = (name: "typical_mean_ns" | "slow_mean_ns"): string =>
    ms(small.reduce((sum, row) => sum + row[name], 0));
  const words = { one: say(one).toLowerCase(), other: say(other).toLowerCase() };
  return say("parts.more", {
    n: small.length,
    first: together("typical_mean_ns"),
    second: together("slow_mean_ns"),
    ...words,
  });
}

/** The parts of one request, or the means of many of which none is slow. */
function means(): Table {
  const isOne = count === 1;
  const whole = report.buckets.reduce((sum, row) => sum + row.total_ns, 0);
  const order = report.buckets.map((bucket, part) => ({ ...bucket, part })).filter((row) => row.total_ns > 0);
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
