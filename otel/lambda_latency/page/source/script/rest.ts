// ---- The data that the report does not contain: unsampled traffic, and input that could not be read.

import { count, report } from "./data.js";
import { h, section, unseen } from "./elements.js";
import type { Problem } from "./island.js";
import { number, percent, say } from "./words.js";

export function drawSampling(): HTMLElement | null {
  if (report.sampling.total === null) return null;
  const { by_route: routes } = report.sampling;
  const hours = report.by_hour.length > 1 ? hourTable() : "";
  const byRoute = routes.map(({ route, seen, total }) => shareRow(route ?? "", seen, total));
  return section(
    "sampling",
    say("sampling.title"),
    report.seen,
    routes.length > 0 && shareTable(say("list.route"), byRoute),
    hours,
  );
}

function shareTable(of: string, rows: HTMLElement[]): HTMLElement {
  const heads = [say("fact.seen"), say("sampling.counted"), say("share")].map((name) =>
    h("th", { scope: "col", class: "num" }, name),
  );
  return h(
    "table",
    { class: "shares" },
    h(
      "thead",
      {},
      h("tr", {}, h("th", { scope: "col" }, of), heads, h("th", { scope: "col", class: "bars" }, unseen(say("share")))),
    ),
    h("tbody", {}, rows),
  );
}

function shareRow(name: string, seen: number, total: number): HTMLElement {
  const share = total > 0 ? Math.min(1, seen / total) : 0;
  const bar = h(
    "td",
    { class: "bars" },
    h("div", { class: "share-bar", "aria-hidden": "true" }, h("div", { $width: `${share * 100}%` })),
  );
  return h(
    "tr",
    {},
    h("td", { class: "isolated" }, name),
    [number(seen), number(total), percent(share, 1)].map((text) => h("td", { class: "num" }, text)),
    bar,
  );
}

function hourTable(): HTMLElement {
  const rows = report.by_hour.map(({ start_ms: start, seen, total }) =>
    shareRow(`${new Date(start ?? 0).toISOString().slice(0, 13).replace("T", " ")}:00 UTC`, seen, total),
  );
  return h(
    "details",
    {},
    h("summary", {}, say("sampling.by_hour", { n: rows.length })),
    shareTable(say("sampling.hour"), rows),
  );
}

const FEW_PROBLEMS = 12;

export function drawProblems(): HTMLElement | null {
  const { problems } = report;
  if (problems.length === 0) return null;
  const sum = (effect: string): number =>
    problems.filter((one) => one.effect === effect).reduce((all, one) => all + one.count, 0);
  const [skipped, odd] = [sum("skipped"), sum("counted")] as const;
  let says = count > 0 ? say("problems.odd", { n: odd }) : say("problems.nothing");
  if (count > 0 && skipped > 0) says = say("problems.skipped", { n: skipped });
  const row = (one: Problem): HTMLElement =>
    h(
      "tr",
      {},
      h("td", { class: "mono isolated" }, one.source + (one.line === null ? "" : `:${one.line}`)),
      h("td", { class: "isolated" }, one.reason),
      h("td", { class: "num" }, number(one.count)),
      h("td", { class: "effect" }, one.effect),
    );
  const heads = [
    h("th", { scope: "col" }, say("problems.where")),
    h("th", { scope: "col" }, say("problems.what")),
    h("th", { scope: "col", class: "num" }, say("problems.times")),
    h("th", { scope: "col" }, say("problems.effect")),
  ];
  const rows = problems.map(row);
  for (const each of rows.slice(FEW_PROBLEMS)) each.hidden = true;
  const all = h(
    "button",
    { class: "link", id: "more-problems" },
    say("request.more", { n: problems.length - FEW_PROBLEMS }),
  );
  all.addEventListener("click", () => {
    for (const each of rows) each.hidden = false;
    all.remove();
  });
  const table = h("table", { class: "problems" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
  return section("problems", say("problems.title"), says, table, problems.length > FEW_PROBLEMS && all);
}
