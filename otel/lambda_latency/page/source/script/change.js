// ---- Changes since the baseline: both distributions, each part, percentile and rate, and one combined flame graph.

import { h, onWidth, s, section, unseen } from "./elements.js";
import { flameBox, tintOf } from "./flame.js";
import { report } from "./report.js";
import { axisWords, logScale } from "./scale.js";
import { capital, ms, say, signedMs } from "./words.js";

const HEIGHT = 120;

export function drawChange() {
  const { change } = report;
  if (change === null || change.rows.length === 0) return;
  const shapes = change.bins === null ? [] : [distributions(change.bins), legend()];
  const [table, more] = changeTable(change.rows);
  const element = section("change", say("change.title"), change.says, shapes, table, more, changeFlame(change.frames));
  element.classList.add("wide");
}

const legend = () =>
  h(
    "p",
    { class: "key" },
    h("span", {}, h("i", { class: "sign then" }), say("change.then")),
    h("span", {}, h("i", { class: "sign now" }), say("change.now")),
  );

/** Shares of requests by duration: now as a filled shape, then as a line over it. */
function distributions({ edges_ns: edges, then, now }) {
  const box = h("div", { class: "chart then-now" });
  onWidth(box, (width) => {
    const scale = logScale(edges[0] / 1e6, edges.at(-1) / 1e6, 8, width - 12);
    const most = Math.max(...then, ...now);
    const y = (share) => 10 + (HEIGHT - 10) * (1 - share / most);
    const steps = (shares) => shares.map((share, at) => `H${scale.at(edges[at] / 1e6)}V${y(share)}`).join("");
    const outline = (shares) => `M8 ${HEIGHT}${steps(shares)}H${width - 12}V${HEIGHT}`;
    const ticks = scale.ticks(52).flatMap(({ x, value }) => [
      s("line", { x1: x, x2: x, y1: HEIGHT, y2: HEIGHT + 5, class: "axis" }),
      s("text", { x, y: HEIGHT + 20, "text-anchor": x > width - 26 ? "end" : x < 22 ? "start" : "middle" }, axisWords(value)),
    ]);
    box.replaceChildren(
      s(
        "svg",
        { width, height: HEIGHT + 26, role: "img", "aria-label": say("change.distribution") },
        s("path", { d: `${outline(now)}z`, class: "now" }),
        s("path", { d: outline(then), class: "then" }),
        s("line", { x1: 0, x2: width, y1: HEIGHT + 0.5, y2: HEIGHT + 0.5, class: "axis" }),
        ...ticks,
      ),
    );
  });
  return box;
}

function changeTable([[, , ...heads], ...rows]) {
  const row = ([name, owner, ...cells]) =>
    h(
      "tr",
      { class: cells[4] === "" || cells[4].includes("noise") ? "" : "lead" },
      h("td", { class: "name isolated" }, name, owner && [" ", h("span", { class: "pill" }, owner)]),
      cells.map((cell, at) => h("td", { class: at < 4 ? "num" : "how", "data-head": heads[at] }, cell)),
    );
  const drawn = rows.map(row);
  const same = drawn.filter((_, at) => rows[at][1] !== "" && rows[at][6].includes("noise"));
  for (const each of same) each.hidden = true;
  const button = h("button", { class: "link", "aria-expanded": "false" }, say("change.same", { n: same.length }));
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "false";
    for (const each of same) each.hidden = !open;
    button.setAttribute("aria-expanded", open);
  });
  const head = (name, at) =>
    h("th", { scope: "col", class: at < 4 ? "num" : "how" }, name === "" ? unseen(say("change.kind")) : capital(name));
  const table = h(
    "table",
    { class: "change" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("change.what")), heads.map(head))),
    h("tbody", {}, drawn),
  );
  return [table, same.length > 0 && h("p", { class: "more" }, button)];
}

/** The combined flame graph: a frame's width is the larger mean; red takes longer now, blue takes less. */
function changeFlame(frames) {
  if (frames.length < 2) return null;
  const outer = frames.filter(([depth]) => depth === 0);
  const [now, then] = [3, 4].map((at) => outer.reduce((sum, frame) => sum + frame[at], 0));
  const whole = Math.max(Math.abs(now - then), now / 20);
  const box = flameBox(frames, (_, afterNs, beforeNs, part) => ({
    lines: [say("change.frame", { before: ms(beforeNs), now: ms(afterNs), more: signedMs(afterNs - beforeNs) })],
    tint: tintOf(afterNs - beforeNs, whole),
    part,
  }));
  return [h("h3", {}, say("change.flame")), h("p", { class: "says" }, say("change.flame_says")), box];
}
