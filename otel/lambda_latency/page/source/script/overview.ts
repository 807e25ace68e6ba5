// ---- The whole request as a strip, with the one that it is compared with below it; dragging zooms the waterfall.

import { h, s } from "./elements.js";
import { pixels } from "./pixels.js";
import type { Tree } from "./tree.js";
import type { Waterfall } from "./waterfall.js";

const STRIP = 16; // pixels
const LEAST_DRAG_PX = 4;

export class Overview {
  readonly element = h("div", { class: "overview", id: "overview" });
  private width = 0;

  constructor(
    private readonly fall: Waterfall,
    private readonly other: Tree | null,
    private readonly saysId: string,
  ) {
    let begun: number | null = null;
    const share = (event: PointerEvent): number => {
      const { left, width } = this.element.getBoundingClientRect();
      return Math.max(0, Math.min(1, (event.clientX - left) / width));
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      begun = share(event);
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (begun !== null) this.put(Math.min(begun, share(event)), Math.max(begun, share(event)));
    });
    this.element.addEventListener("pointercancel", () => {
      begun = null;
      this.draw();
    });
    this.element.addEventListener("pointerup", (event) => {
      if (begun === null) return;
      const [from, to] = [Math.min(begun, share(event)), Math.max(begun, share(event))];
      begun = null;
      this.fall.show((to - from) * this.width < LEAST_DRAG_PX ? null : [from * this.end(), to * this.end()]);
    });
  }

  resize(width: number): void {
    this.width = width;
    this.draw();
  }

  private end(): number {
    const { tree, zoom } = this.fall;
    return Math.max(1, tree.home, this.other?.home ?? 0, zoom?.[1] ?? 0);
  }

  private put(from: number, to: number): void {
    const range = this.element.querySelector(".range");
    range?.setAttribute("x", String(from * this.width));
    range?.setAttribute("width", String(Math.max(1, (to - from) * this.width)));
    range?.setAttribute("display", "inline");
  }

  /** Draws both strips on one axis, and the range that the waterfall shows. */
  draw(): void {
    if (this.width === 0) return;
    const end = this.end();
    const strips = [this.fall.tree, ...(this.other === null ? [] : [this.other])];
    const height = strips.length * (STRIP + 2);
    const picture = s("svg", { width: this.width, height, role: "img", "aria-labelledby": this.saysId });
    strips.forEach(({ path }, place) => {
      const stretches = path.map(([, start, stop, part]) => ({ start, end: stop, part }));
      picture.append(...pixels(stretches, (time) => (time * this.width) / end, place * (STRIP + 2), STRIP));
    });
    const [from, to] = this.fall.zoom ?? [0, end];
    const range = s("rect", {
      y: 0,
      height,
      x: (from / end) * this.width,
      width: Math.max(1, ((to - from) / end) * this.width),
      class: "range",
    });
    if (this.fall.zoom === null) range.setAttribute("display", "none");
    picture.append(range);
    this.element.replaceChildren(picture);
  }
}
