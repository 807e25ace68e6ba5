// ---- Changes since the baseline: each part, percentile and rate, and one combined flame graph.

import { report } from "./data.js";
import type { Change } from "./island.js";
import { type Child, h, section, unseen } from "./elements.js";
import { Flame, tintOf } from "./flame.js";
import { follow, state } from "./store.js";
import { capital, ms, say, signedMs } from "./words.js";

export function drawChange(): HTMLElement | null {
  const { change } = report;
  if (change === null || change.rows.length === 0) return null;
  const element = section(
    "change",
    say("change.title"),
    change.says,
    changeTable(change.rows),
    changeFlame(change.frames),
  );
  element.classList.add("wide");
  return element;
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
