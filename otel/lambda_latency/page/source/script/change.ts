// ---- Changes since the baseline: both distributions, each part, percentile and rate, and one combined flame graph.

import { at, report } from "./data.js";
import type { Change } from "./island.js";
import { type Child, h, onWidth, s, section, unseen } from "./elements.js";
import { Flame, tintOf } from "./flame.js";
import { axisWords, logScale } from "./scale.js";
import { follow, state } from "./store.js";
import { capital, ms, say, signedMs } from "./words.js";

const HEIGHT = 120;

export function drawChange(): HTMLElement | null {
  const { change } = report;
  if (change === null || change.rows.length === 0) return null;
  const shapes = change.bins === null ? [] : [distributions(change.bins), legend()];
  const element = section(
    "change",
    say("change.title"),
    change.says,
    shapes,
    changeTable(change.rows),
    changeFlame(change.frames),
  );
  element.classList.add("wide");
  return element;
}

const legend = (): HTMLElement =>
  h(
    "p",
    { class: "key" },
    h("span", {}, h("i", { class: "sign then" }), say("change.then")),
    h("span", {}, h("i", { class: "sign now" }), say("change.now")),
  );

/** Shares of requests by duration: now as a filled shape, then as a line over it. */
function distributions({ edges_ns: edges, then, now }: NonNullable<Change["bins"]>): HTMLElement {
  const box = h("div", { class: "chart then-now" });
  onWidth(box, (width) => {
    const scale = logScale(at(edges, 0) / 1e6, at(edges, edges.length - 1) / 1e6, 8, width - 12);
    const most = Math.max(...then, ...now);
    const y = (share: number): number => 10 + (HEIGHT - 10) * (1 - share / most);
    const steps = (shares: number[]): string =>
      shares.map((share, place) => `H${scale.at(at(edges, place) / 1e6)}V${y(share)}`).join("");
    const outline = (shares: number[]): string => `M8 ${HEIGHT}${steps(shares)}H${width - 12}V${HEIGHT}`;
    const ticks = scale
      .ticks(60)
      .flatMap(({ x, value }, place) => [
        s("line", { x1: x, x2: x, y1: HEIGHT, y2: HEIGHT + 5, class: "axis" }),
        s(
          "text",
          { x, y: HEIGHT + 20, "text-anchor": x > width - 26 ? "end" : x < 22 ? "start" : "middle" },
          axisWords(value, place === 0),
        ),
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

function changeTable([heading = [], ...rows]: string[][]): Child {
  const heads = heading.slice(2);
  const row = ([name = "", owner = "", ...cells]: string[]): HTMLElement =>
    h(
      "tr",
      { class: cells[4] === "" || cells[4]?.includes("noise") ? "" : "lead" },
      h("td", { class: "name isolated" }, name, owner && [" ", h("span", { class: "pill" }, owner)]),
      cells.map((cell, place) => h("td", { class: place < 4 ? "num" : "how", "data-head": heads[place] }, cell)),
    );
  const drawn = rows.map(row);
  const same = drawn.filter((_, place) => rows[place]?.[1] !== "" && rows[place]?.[6]?.includes("noise"));
  for (const each of same) each.hidden = true;
  const button = h("button", { class: "link", "aria-expanded": "false" }, say("change.same", { n: same.length }));
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "false";
    for (const each of same) each.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
  });
  const head = (name: string, place: number): HTMLElement =>
    h(
      "th",
      { scope: "col", class: place < 4 ? "num" : "how" },
      name === "" ? unseen(say("change.kind")) : capital(name),
    );
  const table = h(
    "table",
    { class: "change" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("change.what")), heads.map(head))),
    h("tbody", {}, drawn),
  );
  return [table, same.length > 0 && h("p", { class: "more" }, button)];
}

/** The combined flame graph: a frame's width is the larger mean; red takes longer now, blue takes less. */
function changeFlame(frames: Change["frames"]): Child {
  if (frames.length < 2) return null;
  const outer = frames.filter(([depth]) => depth === 0);
  const [now, then] = [3, 4].map((place) => outer.reduce((sum, frame) => sum + (frame[place] as number), 0)) as [
    number,
    number,
  ];
  const whole = Math.max(Math.abs(now - then), now / 20);
  const flame = new Flame();
  flame.show(
    frames.map(([depth, name, ns, after, before, part]) => ({
      depth,
      name,
      ns,
      part,
      lines: [say("change.frame", { before: ms(before), now: ms(after), more: signedMs(after - before) })],
      tint: tintOf(after - before, whole),
    })),
  );
  follow(() => flame.mark(state.part));
  return [h("h3", {}, say("change.flame")), h("p", { class: "says" }, say("change.flame_says")), flame.element];
}
