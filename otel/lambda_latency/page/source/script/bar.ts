// ---- The bar that sticks to the top while requests are chosen or parts ticked: what is chosen, and a way back.

import { atRank, count, report, requests, wallOf } from "./data.js";
import { byId, fill, h } from "./elements.js";
import { factText } from "./facts.js";
import { label } from "./labels.js";
import { change, clear, finding, follow, isFiltered, left, state, view } from "./store.js";
import { clock, ms, number, say } from "./words.js";

export function drawBar(): void {
  const bar = byId("bar");
  follow((_now, before, aim) => {
    const isShown = isFiltered() || state.without.size > 0;
    const hadFocus = bar.contains(document.activeElement);
    bar.hidden = !isShown;
    if (!isShown) {
      if (hadFocus && before !== state && aim.focus !== true) document.getElementById("search")?.focus();
      return;
    }
    const back = h(
      "button",
      {
        class: "link",
        id: "clear",
        onclick: () => {
          clear();
          change({ without: new Set() }, { step: false });
        },
      },
      say("filter.clear"),
    );
    fill(
      bar,
      h(
        "p",
        { role: "status", id: "chosen" },
        h("b", {}, isFiltered() ? say("bar.chosen", { n: view.length, all: number(count) }) : say("bar.what_if")),
        ` ${reasons().join(" · ")}`,
      ),
      back,
    );
  });
}

/** What the requests are chosen by, and their range of times. */
function reasons(): string[] {
  const card = finding();
  const { query, route, part, fact, only, without } = state;
  const found = [
    card?.row.name,
    query !== "" && `"${query}"`,
    route >= 0 && (requests.routes[route] ?? ""),
    part >= 0 && say("filter.waits", { part: label(part) }),
    fact !== null && factText(fact),
    [...only].map((name) => say(`mark.${name}`)).join(" · "),
    range(),
    without.size > 0 &&
      say("bar.without", {
        parts: [...without].map(label).join(", "),
        p95: ms(report.wall_ns.p95),
        best: ms(atRank(left.slice().sort(), 95)),
      }),
  ];
  return found.filter((one): one is string => typeof one === "string" && one !== "");
}

/** The starts and the durations of the chosen requests. */
function range(): string {
  if (view.length === 0 || !isFiltered()) return "";
  let [first, last, least, most] = [Infinity, -Infinity, Infinity, 0];
  for (const request of view) {
    const start = requests.start_ms[request] ?? 0;
    [first, last] = [Math.min(first, start), Math.max(last, start)];
    [least, most] = [Math.min(least, wallOf(request)), Math.max(most, wallOf(request))];
  }
  return `${clock(first)}–${clock(last)}, ${ms(least)}–${ms(most)}`;
}
