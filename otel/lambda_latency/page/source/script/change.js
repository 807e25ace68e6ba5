// ---- What changed since the baseline: each part, percentile and rate then and now, with the bounds of the difference.

function drawChange() {
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
  const head = (name, at) => h("th", { scope: "col", class: at < 4 ? "num" : "how", "aria-label": name || "Kind" }, capital(name || " "));
  const table = h(
    "table",
    { class: "change" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "What"), heads.map(head))),
    h("tbody", {}, drawn),
  );
  const says = `${report.against.sources.join(", ")}: ${number(report.against.requests.then)} requests then, ${number(report.against.requests.now)} now.`;
  section("change", "Then and now", says, table).classList.add("wide");
}
