// ---- The whole request as a strip, with a typical one of the same route below it; dragging zooms the waterfall.

import { writeAddress } from "./address.js";
import { byId, h, s } from "./elements.js";
import { pixels } from "./pixels.js";
import { requests } from "./report.js";
import { typicalTwin } from "./twin.js";
import { drawFall, fall } from "./waterfall.js";
import { ms, say } from "./words.js";

const STRIP = 16; // pixels
const LEAST_DRAG_PX = 4;

/** The strips with their pointer events, and their caption. */
export function overviewOf() {
  const caption = h("p", { class: "key", id: "overview-says" });
  const element = h("div", { class: "overview", id: "overview" });
  let begun = null;
  const share = (event) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / width));
  };
  const chosen = () => element.querySelector(".range");
  const put = (from, to) => {
    chosen().setAttribute("x", from * fall.width);
    chosen().setAttribute("width", Math.max(1, (to - from) * fall.width));
    chosen().setAttribute("display", "inline");
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun = share(event);
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (begun !== null) put(Math.min(begun, share(event)), Math.max(begun, share(event)));
  });
  element.addEventListener("pointercancel", () => {
    begun = null;
    drawOverview();
  });
  element.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const [from, to] = [Math.min(begun, share(event)), Math.max(begun, share(event))];
    begun = null;
    fall.zoom = (to - from) * fall.width < LEAST_DRAG_PX ? null : [from * fall.tree.end, to * fall.tree.end];
    byId("whole").hidden = fall.zoom === null;
    drawFall();
    writeAddress();
  });
  return [element, caption];
}

/** Draws both strips on one axis, and the range that the waterfall shows. */
export function drawOverview() {
  const element = byId("overview");
  if (element === null) return;
  const twin = typicalTwin(fall.request);
  const strips = [fall.tree.path, ...(twin === null ? [] : [twin.tree.path])];
  const height = strips.length * (STRIP + 2);
  const end = Math.max(fall.tree.end, 1);
  const says = say("request.overview", {
    took: ms(requests.wall_ns[fall.request]),
    typical: twin === null ? "" : say("request.overview_twin", { took: ms(requests.wall_ns[twin.request]) }),
  });
  byId("overview-says").textContent = says;
  const picture = s("svg", { width: fall.width, height, role: "img", "aria-labelledby": "overview-says" });
  strips.forEach((path, at) => {
    const sections = path.map(([, start, stop, part]) => ({ start, end: stop, part }));
    picture.append(...pixels(sections, (time) => (time * fall.width) / end, at * (STRIP + 2), STRIP));
  });
  const [from, to] = fall.zoom ?? [0, end];
  const range = s("rect", { y: 0, height, x: (from / end) * fall.width, class: "range" });
  range.setAttribute("width", Math.max(1, ((to - from) / end) * fall.width));
  if (fall.zoom === null) range.setAttribute("display", "none");
  picture.append(range);
  element.replaceChildren(picture);
}
