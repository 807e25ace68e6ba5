// ---- The durations of requests: by start and duration, or by duration only. A selection updates the tables beside it.

import { h, onWidth, section } from "./elements.js";
import { MOST_MARKS } from "./heat.js";
import { lengthPicture } from "./lengths.js";
import { markKey, slowKey } from "./marks.js";
import { count } from "./report.js";
import { apply, state, watchers } from "./state.js";
import { timePicture } from "./time.js";
import { say } from "./words.js";

const VIEWS = ["time", "length"];

export function drawDistribution() {
  const marks = count <= MOST_MARKS;
  const box = h("div", { class: "chart" });
  const hint = h("p", { class: "key" });
  const says = say(marks ? "map.marks" : "map.many");
  const element = section("distribution", say("map.title"), says, box, slowKey(), markKey(marks), hint);
  element.prepend(
    h("div", { class: "views", role: "group", "aria-label": say("map.picture") }, VIEWS.map(viewButton)),
  );
  let sync = () => {};
  let drawn = "";
  let width = 0;
  const draw = () => {
    if (width === 0) return;
    const [picture, follow] = state.view === "time" ? timePicture(width) : lengthPicture(width);
    box.replaceChildren(picture);
    box.classList.add("brushed");
    hint.textContent = say(`map.${state.view}`);
    drawn = drawnBy();
    sync = follow;
    sync();
  };
  onWidth(box, (now) => {
    width = now;
    draw();
  });
  watchers.push(() => (drawn === drawnBy() ? sync() : draw()));
}

/** The state, other than the width, on which the chart depends. */
const drawnBy = () => [state.view, ...state.without].join();

function viewButton(name) {
  const show = () => {
    state.view = name;
    apply();
  };
  const element = h("button", { class: "chip", id: `view-${name}`, onclick: show }, say(`map.view.${name}`));
  watchers.push(() => element.setAttribute("aria-pressed", state.view === name));
  return element;
}
