// ---- What changed since the baseline: each part, percentile and rate then and now, with the bounds of the difference.

import { h, section } from "./elements.js";
import { report } from "./report.js";
import { capital, number, plural } from "./words.js";

export function drawChange() {
  if (report.change.length === 0) return;
  const [[, , ...heads], ...rows] = report.change;
  const row = ([name, owner_, ...cells]) =>
    h(
      "tr",
      { class: cells[4] === "" || cells[4].includes("noise") ? "" : "lead" },
      h("td", { class: "name isolated" }, name, owner_ && [" ", h("span", { class: "pill" }, owner_)]),
      cells.map((cell, at) => h("td", { class: at < 4 ? "num" : "how", "data-head": heads[at] }, cell)),
    );
  const drawn = rows.map(row);
  const same = drawn.filter((_, at) => rows[at][1] !== "" && rows[at][6].includes("noise"));
  for (const each of same) each.hidden = true;
  const button = h("button", { class: "link", "aria-expanded": "false" }, `${plural(same.length, "part")} without a difference`);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "false";
    for (const each of same) each.hidden = !open;
    button.setAttribute("aria-expanded", open);
  });
  const head = (name, at) => h("th", { scope: "col", class: at < 4 ? "num" : "how", "aria-label": name || "Kind" }, capital(name || " "));
  const table = h(
    "table",
    { class: "change" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "What"), heads.map(head))),
    h("tbody", {}, drawn),
  );
  const says = `${report.against.sources.join(", ")}: ${number(report.against.requests.then)} requests then, ${number(report.against.requests.now)} now.`;
  section("change", "Then and now", says, table, same.length > 0 && h("p", { class: "more" }, button)).classList.add("wide");
}
