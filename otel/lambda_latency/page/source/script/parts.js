// ---- Where the time goes: the parts of typical and of slow requests, two lengths on one axis.

import { byId, h, section } from "./elements.js";
import { count, label, partClass, parts, report, requests, swatch } from "./report.js";
import { isFiltered, only, view, watchers } from "./state.js";
import { OWNED, OWNERS, THIN, capital, ms, number, percent, plural, signedMs } from "./words.js";

const SMALL_SHARE = 0.01; // of the difference: owners with less are not named
const MOST_CHOSEN = 12; // rows of chosen requests against the rest

export function drawParts() {
  const { cohorts } = report;
  const isCompared = cohorts.slow.requests > 0 && count > 1;
  if (isCompared) drawComparison(cohorts);
  else drawMeans();
  if (count > 1) watchers.push(followSelection());
}

/** While requests are chosen the section compares them with the rest; without a filter it is as it was. */
function followSelection() {
  const element = byId("parts");
  const whole = [...element.childNodes];
  return () => {
    if (!isFiltered() || view.length === 0 || view.length === count) element.replaceChildren(...whole);
    else element.replaceChildren(...selectionAgainstRest());
  };
}

function selectionAgainstRest() {
  const chosen = new Uint8Array(count);
  for (const request of view) chosen[request] = 1;
  const sums = [new Float64Array(parts.length), new Float64Array(parts.length)];
  const walls = [0, 0];
  for (let request = 0; request < count; request++) {
    const side = chosen[request];
    walls[side] += requests.wall_ns[request];
    const buckets = requests.buckets[request];
    for (let at = 0; at < buckets.length; at += 2) sums[side][buckets[at]] += buckets[at + 1];
  }
  const [rest, few] = [count - view.length, view.length];
  const mean = [walls[0] / rest, walls[1] / few];
  const rows = parts.map(({ owner: whose }, part) => {
    const [typical, slow] = [sums[0][part] / rest, sums[1][part] / few];
    return {
      part,
      owner: whose,
      typical_mean_ns: typical,
      slow_mean_ns: slow,
      difference_ns: slow - typical,
      difference_share: (slow - typical) / (mean[1] - mean[0] || 1),
    };
  });
  const largest = rows
    .filter((row) => row.typical_mean_ns + row.slow_mean_ns > 0)
    .sort((a, b) => Math.abs(b.difference_ns) - Math.abs(a.difference_ns))
    .slice(0, MOST_CHOSEN);
  const scale = Math.max(1, ...largest.map((row) => Math.max(row.slow_mean_ns, row.typical_mean_ns)));
  const says = `The chosen requests (${number(few)}) take ${ms(mean[1])} on average, the rest (${number(rest)}) ${ms(mean[0])}.`;
  return [
    h("h2", { id: "parts-title" }, "Where the time goes: the chosen requests against the rest"),
    h("p", { class: "says" }, says),
    h(
      "table",
      { class: "parts compared" },
      comparedHead("rest", "chosen", []),
      h("tbody", {}, largest.map((row) => comparedRow(row, scale, false))),
    ),
  ];
}

function drawComparison({ slow, typical, difference_ns: difference }) {
  const told = (part) => ({ ...report.buckets[part], part });
  const [large, small] = [report.rows.map(told), report.folded.map(told)];
  const scale = Math.max(1, ...large.map((row) => Math.max(row.slow_mean_ns, row.typical_mean_ns)));
  const rows = (few) => few.map((row) => comparedRow(row, scale, row.part === namedPart()));
  const more = rows(small);
  for (const row of more) row.hidden = true;
  const table = h(
    "table",
    { class: "parts compared" },
    comparedHead("typical", "slow", ["Calls"]),
    h("tbody", {}, rows(large), more),
  );
  section(
    "parts",
    "Where the time goes: typical against slow",
    comparedWords(slow, typical, difference),
    table,
    small.length > 0 && unfold(small, more),
  );
}

function comparedHead(usual, other, more) {
  const legend = [h("i", { class: "typical" }), `${usual} `, h("i", {}), other];
  const names = [capital(usual), capital(other), "Difference", "Share", ...more];
  const heads = [
    h("th", { scope: "col" }, "Part"),
    h("th", { scope: "col" }, "Owner"),
    h("th", { scope: "col", class: "bars" }, h("span", { class: "legend" }, legend)),
    names.map((name) => h("th", { scope: "col", class: `num ${name.toLowerCase()}` }, name)),
    more.length > 0 && h("th", { scope: "col", class: "trouble", "aria-label": "Trouble" }),
  ];
  return h("thead", {}, h("tr", {}, heads));
}

function namedPart() {
  const { bucket, name } = report.verdict;
  return report.buckets.findIndex((one) => one.bucket === bucket && one.name === name);
}

function comparedWords(slow, typical, difference) {
  const owned = { ours: 0, theirs: 0, platform: 0, unknown: 0 };
  for (const bucket of report.buckets) owned[bucket.owner] += bucket.difference_ns;
  const whose = Object.entries(owned).filter(([, ns]) => Math.abs(ns) >= Math.max(5e5, difference * SMALL_SHARE));
  whose.sort((a, b) => b[1] - a[1]);
  const shares = whose.map(
    ([owner, ns]) => `${ns < 0 ? signedMs(ns) : ms(ns)} ${ns === whose[0][1] ? "are " : ""}${OWNED[owner]}`,
  );
  const between =
    difference > 0 && shares.length > 0 ? ` Of the ${ms(difference)} between them, ${shares.join(", ")}.` : "";
  return `A slow request takes ${ms(slow.mean_ns)}, a typical one of the same route ${ms(typical.mean_ns)}.${between}`;
}

function unfold(small, rows) {
  const together = (name) => ms(small.reduce((sum, row) => sum + row[name], 0));
  const folded = `${plural(small.length, "more part")}: ${together("typical_mean_ns")} of a typical request, ${together("slow_mean_ns")} of a slow one`;
  const button = h("button", { class: "link", id: "more-parts", "aria-expanded": "false" }, folded);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "false";
    for (const row of rows) row.hidden = !open;
    button.setAttribute("aria-expanded", open);
    button.textContent = open ? "Fold the small parts" : folded;
  });
  return h("p", { class: "more" }, button);
}

function trouble(row) {
  const found = [
    row.errors > 0 && plural(row.errors, "error"),
    row.throttles > 0 && `${number(row.throttles)}${THIN}throttled`,
  ];
  return found.filter(Boolean).join(", ");
}

const owner = (row) => h("td", { class: "owner" }, h("span", { class: `pill ${row.owner}` }, OWNERS[row.owner] ?? row.owner));

/** The name of a part: a filter of the list, where there is one. */
function partName(row) {
  const name = [swatch(row.part), h("span", { class: "isolated" }, label(row.part))];
  if (count === 1) return h("td", { class: "name" }, h("span", { class: "part" }, name));
  const show = () => only({ part: row.part, sort: "part", down: true });
  return h(
    "td",
    { class: "name" },
    h("button", { class: "part", title: "Show the requests that waited for it", onclick: show }, name),
  );
}

function comparedRow(row, scale, lead) {
  const width = (ns) => `${(ns / scale) * 100}%`;
  return h(
    "tr",
    { class: lead && "lead" },
    partName(row),
    owner(row),
    h(
      "td",
      { class: "bars" },
      h("div", { class: `fill typical ${partClass(row.part)}`, $width: width(row.typical_mean_ns) }),
      h("div", { class: `fill ${partClass(row.part)}`, $width: width(row.slow_mean_ns) }),
    ),
    h("td", { class: "num typical-ms" }, ms(row.typical_mean_ns)),
    h("td", { class: "num slow-ms" }, ms(row.slow_mean_ns)),
    h("td", { class: "num difference" }, signedMs(row.difference_ns)),
    h(
      "td",
      { class: "num share" },
      Math.abs(row.difference_share) < 0.005 ? `0${THIN}%` : percent(Math.min(row.difference_share, 1), 1),
    ),
    row.calls !== undefined && [
      h("td", { class: row.calls > 0 ? "num calls" : "num calls none" }, row.calls > 0 ? number(row.calls) : "–"),
      h("td", { class: "trouble" }, trouble(row)),
    ],
  );
}

/** Of one request its parts; of many among which none is slow, their means. */
function drawMeans() {
  const one = count === 1;
  const whole = report.buckets.reduce((sum, row) => sum + row.total_ns, 0);
  const order = report.buckets.map((bucket, part) => ({ ...bucket, part })).filter((row) => row.total_ns > 0);
  const scale = Math.max(1, ...order.map((row) => row.total_ns));
  const owned = { theirs: 0, ours: 0, platform: 0, unknown: 0 };
  for (const row of order) owned[row.owner] += row.total_ns;
  const shares = Object.entries(owned)
    .filter(([, ns]) => ns > 0)
    .map(([name, ns]) => `${ms(ns / count)} ${OWNED[name]}`);
  const says = `Of ${ms(whole / count)}${one ? "" : ", the mean of all requests"}: ${shares.join(", ")}.`;
  const heads = [
    h("th", { scope: "col" }, "Part"),
    h("th", { scope: "col" }, "Owner"),
    h("th", { scope: "col", class: "bars" }),
    [one ? "Time" : "Mean", "Share", "Calls"].map((name) =>
      h("th", { scope: "col", class: `num ${name.toLowerCase()}` }, name),
    ),
    h("th", { scope: "col", class: "trouble", "aria-label": "Trouble" }),
  ];
  const row = (each) =>
    h(
      "tr",
      {},
      partName(each),
      owner(each),
      h(
        "td",
        { class: "bars" },
        h("div", { class: `fill ${partClass(each.part)}`, $width: `${(each.total_ns / scale) * 100}%` }),
      ),
      h("td", { class: "num difference" }, ms(each.total_ns / count)),
      h("td", { class: "num share" }, percent(each.total_ns, whole)),
      h("td", { class: each.calls > 0 ? "num calls" : "num calls none" }, each.calls > 0 ? number(each.calls) : "–"),
      h("td", { class: "trouble" }, trouble(each)),
    );
  const table = h(
    "table",
    { class: "parts means" },
    h("thead", {}, h("tr", {}, heads)),
    h("tbody", {}, order.map(row)),
  );
  section("parts", "Where the time goes", says, table);
}
