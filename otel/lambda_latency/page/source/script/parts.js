// ---- Where the time goes: the parts of typical and of slow requests, two lengths on one axis.

const SMALL_SHARE = 0.01; // of the difference: parts below it fold into one line, but for the first few
const NEVER_FOLDED = 5;

function drawParts() {
  const { cohorts } = report;
  if (cohorts.slow.requests > 0 && count > 1) drawComparison(cohorts);
  else drawMeans();
}

function drawComparison({ slow, typical, difference_ns: difference }) {
  const every = report.buckets.map((bucket, part) => ({ ...bucket, part }));
  const longest = (row) => Math.max(row.slow_mean_ns, row.typical_mean_ns);
  const differs = (row) => Math.abs(row.difference_share) >= SMALL_SHARE;
  const order = [
    ...every.filter(differs).sort((a, b) => b.difference_ns - a.difference_ns),
    ...every.filter((row) => !differs(row)).sort((a, b) => longest(b) - longest(a) || b.total_ns - a.total_ns),
  ];
  const scale = Math.max(1, ...order.map(longest));
  const isSmall = (row) => !differs(row) && row.errors === 0 && row.throttles === 0 && row.slow_mean_ns < scale * 0.02;
  const small = order.slice(NEVER_FOLDED).filter(isSmall);
  const large = order.filter((row) => !small.includes(row));
  const rows = (few) => few.map((row) => comparedRow(row, scale, row.part === namedPart()));
  const heads = [
    h("th", { scope: "col" }, "Part"),
    h("th", { scope: "col" }, "Owner"),
    h(
      "th",
      { scope: "col", class: "bars" },
      h("span", { class: "legend" }, h("i", { class: "typical" }), "typical ", h("i", {}), "slow"),
    ),
    ["Typical", "Slow", "Difference", "Share", "Calls"].map((name) =>
      h("th", { scope: "col", class: `num ${name.toLowerCase()}` }, name),
    ),
    h("th", { scope: "col", class: "trouble", "aria-label": "Trouble" }),
  ];
  const more = rows(small);
  for (const row of more) row.hidden = true;
  const table = h(
    "table",
    { class: "parts compared" },
    h("thead", {}, h("tr", {}, heads)),
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
  const name = [swatch(row.part), h("span", { class: "isolated" }, breakable(label(row.part)))];
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
    h("td", { class: row.calls > 0 ? "num calls" : "num calls none" }, row.calls > 0 ? number(row.calls) : "–"),
    h("td", { class: "trouble" }, trouble(row)),
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
