// ---- The durations of requests: by start and duration, by duration only, or as percentiles over time.

import type { View } from "./choice.js";
import { count } from "./data.js";
import { detailTitle, drawDetail } from "./detail.js";
import { fill, h, onWidth, section } from "./elements.js";
import { MOST_MARKS } from "./heat.js";
import { lengthPicture } from "./lengths.js";
import { markKey } from "./marks.js";
import { percentilePicture } from "./percentiles.js";
import { change, follow, lit, state } from "./store.js";
import { timePicture } from "./time.js";
import { say } from "./words.js";

const VIEWS: readonly View[] = ["time", "length", "percentiles"];
const PICTURES = { time: timePicture, length: lengthPicture, percentiles: percentilePicture };

export function distribution(): HTMLElement {
  const marks = count <= MOST_MARKS;
  const box = h("div", { class: "chart brushed" });
  const hint = h("span", { class: "hint-line" });
  const element = section("distribution", "", null, box, h("p", { class: "key" }, markKey(marks), hint), drawDetail());
  const title = element.firstElementChild as HTMLElement;
  const views = h("div", { class: "views", role: "group", "aria-label": say("map.picture") }, VIEWS.map(viewButton));
  element.prepend(h("div", { class: "titled" }, title, views));
  let width = 0;
  const draw = (): void => {
    if (width === 0) return;
    const [picture, sync] = PICTURES[state.view](width);
    box.replaceChildren(picture);
    box.classList.toggle("picked", lit !== null);
    hint.textContent = state.view === "percentiles" ? say("map.percentiles") : "";
    sync();
  };
  onWidth(box, (now) => {
    width = now;
    draw();
  });
  follow((now, before) => {
    if (now === before || now.shown !== before.shown) fill(title, detailTitle());
    if (now !== before && now.open !== before.open && now.view === before.view && sameChoice(now, before)) return;
    const side =
      document.activeElement instanceof SVGElement && box.contains(document.activeElement)
        ? document.activeElement.dataset.side
        : undefined;
    draw();
    if (side !== undefined) box.querySelector<SVGElement>(`.handle[data-side=${side}]`)?.focus();
  });
  return element;
}

/** Whether nothing but the open request and the order differ. */
function sameChoice(now: object, before: object): boolean {
  const kept = new Set(["open", "pinned", "sort", "down"]);
  const old = before as Record<string, unknown>;
  return Object.entries(now).every(([key, value]) => kept.has(key) || old[key] === value);
}

function viewButton(name: View): HTMLElement {
  const element = h(
    "button",
    { class: "chip", id: `view-${name}`, onclick: () => change({ view: name }) },
    say(`map.view.${name}`),
  );
  follow(() => element.setAttribute("aria-pressed", String(state.view === name)));
  return element;
}
