// ---- A waterfall of one request: filled on the critical path, an outline where a span was open off the path.
// Only visible rows exist: a request may have 20,000 spans. It knows its tree, and nothing of the page around it.

import { AXIS, type Layout, deadlines, drawBar, gridOf, pathLine, timeAxis } from "./bars.js";
import { at, report } from "./data.js";
import { h, s } from "./elements.js";
import { type Folds, type Row, foldedAtFirst, visibleRows } from "./rows.js";
import { hideTip, showTip } from "./tip.js";
import type { Tree } from "./tree.js";
import { ms, percent, say } from "./words.js";

const NARROW = 760;
const FIGURES = 74; // pixels of each of the two columns of figures, at least
const DIGIT = 8.5; // pixels
const LEAST_NAMES = 150; // pixels
const FEW_ROWS = 60; // up to this number all rows exist
const CHUNK = 10; // rows that are added and removed together
const WHEEL = 1.0015; // the zoom of a pixel of the wheel

export interface Options {
  deadline: number | null; // nanoseconds after the start
  /** Called after a change of the current row, its details or the zoom. */
  moved(): void;
}

export class Waterfall {
  readonly element: HTMLElement;
  readonly box: HTMLElement; // the element with the edge of its column of names
  rows: Row[] = [];
  rowAt = new Int32Array(0); // the row of each span: its own, or that of the span it is folded into
  current = 0;
  zoom: readonly [number, number] | null = null; // null: the request
  details = false;
  found: ReadonlySet<number> | null = null; // the spans that a search found
  readonly folds: Folds;

  private width = 0;
  private names: number | null = null; // pixels of the column of names, if a person dragged it
  private first = 0;
  private end = 0;
  private readonly heads = h("div", { class: "fall-heads", role: "presentation" });
  private readonly inner = h("div", { class: "fall-inner", role: "presentation" });

  constructor(
    readonly tree: Tree,
    private readonly options: Options,
  ) {
    const folded = foldedAtFirst(tree, (part) => report.parts[part]?.bucket ?? "");
    this.folds = { folded, merged: new Set(tree.groups.keys()), lateFolded: true, pathOnly: false };
    this.element = h(
      "div",
      { class: "fall", id: "fall", role: "treegrid", tabindex: 0, "aria-label": say("request.spans") },
      this.heads,
      this.inner,
    );
    this.box = h("div", { class: "fall-box" }, this.element);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("scroll", () => this.drawRows(false), { passive: true });
    this.element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.inner.addEventListener("click", (event) => this.clicked(event));
    this.inner.addEventListener("pointermove", (event) => this.tell(event));
    this.inner.addEventListener("pointerleave", hideTip);
    this.setRows();
  }

  /** The row of spans that a search found, the current one, or the spans on the path alone: computes the rows anew. */
  setRows(): void {
    const kept = this.rows[this.current]?.span ?? 0;
    this.rows = visibleRows(this.tree, this.folds);
    this.rowAt = new Int32Array(this.tree.spans.length).fill(-1);
    this.rows.forEach(({ span, members }, place) => {
      for (const one of members ?? [span]) this.rowAt[one] = place;
    });
    this.tree.spans.forEach(({ parent }, span) => {
      if (at(this.rowAt, span) < 0 && parent >= 0) this.rowAt[span] = at(this.rowAt, parent);
    });
    this.current = Math.max(0, at(this.rowAt, kept));
  }

  resize(width: number): void {
    this.width = width;
    this.draw();
  }

  layout(): Layout {
    const { width, tree } = this;
    const narrow = width <= NARROW;
    const names = narrow ? 0 : Math.round(this.names ?? Math.min(330, width * 0.3));
    const figures = Math.max(FIGURES, Math.ceil(ms(tree.end).length * DIGIT));
    const [left, right] = [narrow ? 2 : names + 2 * figures + 18, width - (narrow ? 2 : 14)];
    const [from, to] = this.zoom ?? [0, tree.home];
    const where = (time: number): number =>
      left + Math.max(-0.02, Math.min(1.02, (time - from) / (to - from))) * (right - left);
    const row = narrow ? 52 : 32;
    const middle = (place: number): number => (place - this.first) * row + (narrow ? 38 : 17);
    return { width, narrow, names, figures, left, right, from, to, at: where, row, middle };
  }

  draw(): void {
    if (this.width === 0) return;
    const own = this.layout();
    this.element.style.setProperty("--names", `${own.names}px`);
    this.element.style.setProperty("--figures", `${own.figures}px`);
    this.element.setAttribute("aria-rowcount", String(this.rows.length + 1));
    this.inner.style.height = `${this.rows.length * own.row}px`;
    const picture = s("svg", { width: own.width, height: AXIS, "aria-hidden": "true" });
    timeAxis(picture, own);
    const heads = ["span", "waited", "took"].map((name) => h("span", { role: "columnheader" }, say(`request.${name}`)));
    this.heads.replaceChildren(h("div", { class: "span-heads", role: "row" }, heads), picture);
    this.box.querySelector(".edge")?.remove();
    if (!own.narrow) this.box.append(this.separator(own));
    this.drawRows(true);
  }

  /** The edge of the column of names, which is dragged or moved by arrow keys. */
  private separator(own: Layout): HTMLElement {
    const widest = Math.max(LEAST_NAMES, own.width - 2 * own.figures - 220);
    const set = (names: number): void => {
      this.names = Math.max(LEAST_NAMES, Math.min(widest, names));
      this.draw();
      this.box.querySelector<HTMLElement>(".edge")?.focus();
    };
    const edge = h("div", {
      class: "edge",
      role: "separator",
      tabindex: 0,
      "aria-label": say("request.names"),
      "aria-orientation": "vertical",
      "aria-valuenow": own.names,
      "aria-valuemin": LEAST_NAMES,
      "aria-valuemax": widest,
      $left: `${own.names - 6}px`,
    });
    edge.addEventListener("keydown", (event) => {
      const by = event.key === "ArrowLeft" ? -20 : event.key === "ArrowRight" ? 20 : 0;
      if (by === 0) return;
      event.preventDefault();
      event.stopPropagation();
      set(own.names + by);
    });
    edge.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const { left } = this.heads.getBoundingClientRect();
      const move = (moved: PointerEvent): void => set(moved.clientX - left);
      addEventListener("pointermove", move);
      addEventListener("pointerup", () => removeEventListener("pointermove", move), { once: true });
    });
    return edge;
  }

  /** Draws the visible rows and some beside them; `anew`: also if the same rows are visible. */
  drawRows(anew: boolean): void {
    const own = this.layout();
    let [first, end] = [0, this.rows.length];
    if (end > FEW_ROWS) {
      const [top, height] = [this.element.scrollTop, this.element.clientHeight || 700];
      first = Math.max(0, Math.floor(top / own.row / CHUNK) * CHUNK - CHUNK);
      end = Math.min(end, Math.ceil((top + height) / own.row / CHUNK) * CHUNK + CHUNK);
    }
    if (!anew && first === this.first && end === this.end) return;
    [this.first, this.end] = [first, end];
    const height = (end - first) * own.row;
    const placed = this.layout();
    const picture = s("svg", { width: own.width, height, "aria-hidden": "true", $top: `${first * own.row}px` });
    gridOf(picture, placed, height);
    const bars = s("g");
    const rows = [];
    for (let place = first; place < end; place++) {
      const row = at(this.rows, place);
      drawBar(bars, placed, this.tree, this.folds.folded, row, place);
      rows.push(this.nameRow(row, place, placed));
    }
    picture.append(pathLine(placed, this.tree, this.rowAt, first, end), bars);
    deadlines(picture, placed, this.tree, this.options.deadline, height);
    this.inner.replaceChildren(...rows, picture);
    this.markRow();
  }

  private nameRow(row: Row, place: number, own: Layout): HTMLElement {
    const span = at(this.tree.spans, row.span);
    const { waited, took, below } = row.sums;
    const isFolded = this.isFolded(row);
    const name = this.nameOf(row);
    const marks = [
      span.mark && row.members === null && h("span", { class: "mark-word bad" }, span.mark),
      !span.mark && span.open && h("span", { class: "mark-word bad" }, say("request.open")),
    ].filter(Boolean);
    const twist =
      row.inside > 0
        ? h(
            "button",
            { class: "twist", tabindex: -1, "aria-label": say(isFolded ? "request.unfold" : "request.fold") },
            isFolded ? "▸" : "▾",
          )
        : h("i", { class: "twist" });
    const beside = Math.max(own.left, Math.min(own.at(row.sums.end), own.right - 60)) + 6;
    return h(
      "div",
      {
        class: `span-row${below > 0 ? "" : " off"}${this.isFound(row) ? "" : " unfound"}${row.isLate ? " late" : ""}`,
        role: "row",
        id: `span-${place}`,
        "aria-level": row.depth + 1,
        "aria-expanded": row.inside > 0 && String(!isFolded),
        "aria-rowindex": place + 2,
        $height: `${own.row}px`,
        $top: `${place * own.row}px`,
      },
      h(
        "div",
        { class: "span-name", role: "gridcell", "$--depth": Math.min(row.depth, own.narrow ? 6 : 12) },
        twist,
        h("span", { class: "isolated", title: name }, name),
        own.narrow && marks,
        !own.narrow && marks.length > 0 && h("span", { class: "badges", $left: `${beside}px` }, marks),
      ),
      h("div", { class: "waited-ms", role: "gridcell" }, waited > 0 ? ms(waited) : "–"),
      h("div", { class: "took-ms", role: "gridcell" }, row.isLate ? ms(row.sums.end - row.sums.start) : ms(took)),
    );
  }

  nameOf(row: Row): string {
    const { name } = at(this.tree.spans, row.span);
    if (row.isLate) return say("request.late", { n: this.lateCount(), end: ms(row.sums.end) });
    return row.members === null ? name : say("request.repeats", { n: row.members.length, name });
  }

  private lateCount(): number {
    return this.tree.late.reduce((sum, place) => sum + at(this.tree.last, place) - place + 1, 0);
  }

  isFound({ span, members }: Row): boolean {
    const { found } = this;
    return found === null || (members ?? [span]).some((one) => found.has(one));
  }

  private isFolded(row: Row): boolean {
    if (row.isLate) return this.folds.lateFolded;
    return (row.members === null ? this.folds.folded : this.folds.merged).has(row.span);
  }

  /** Folds or unfolds a row: its children, the spans that share it, or those after the response. */
  fold(row: Row, on: boolean): void {
    const folded = row.members === null ? this.folds.folded : this.folds.merged;
    if (row.isLate) {
      this.folds.lateFolded = on;
      this.zoom = on ? null : [0, this.tree.end];
    } else if (on) folded.add(row.span);
    else folded.delete(row.span);
    this.setRows();
    this.draw();
    this.options.moved();
  }

  zoomTo(row: Row | undefined): void {
    if (row === undefined) this.zoom = null;
    else {
      const margin = Math.max((row.sums.end - row.sums.start) * 0.04, 1e4);
      this.zoom = [Math.max(0, row.sums.start - margin), row.sums.end + margin];
    }
    this.draw();
    this.options.moved();
  }

  /** Shows a range of time; null shows the request. */
  show(range: readonly [number, number] | null): void {
    this.zoom = range;
    this.draw();
    this.options.moved();
  }

  /** The wheel with Ctrl, or over the axis, zooms at the pointer. */
  private wheel(event: WheelEvent): void {
    const own = this.layout();
    const isAxis = event.target instanceof Node && this.heads.contains(event.target);
    if ((!event.ctrlKey && !isAxis) || own.right <= own.left) return;
    event.preventDefault();
    const x = event.clientX - this.element.getBoundingClientRect().left;
    const share = Math.max(0, Math.min(1, (x - own.left) / (own.right - own.left)));
    const span = Math.max(1e3, Math.min(this.tree.end, (own.to - own.from) * WHEEL ** event.deltaY));
    const begin = Math.max(0, own.from + (own.to - own.from - span) * share);
    this.show(span >= this.tree.home && begin === 0 && this.folds.lateFolded ? null : [begin, begin + span]);
  }

  private rowOf(target: EventTarget | null): Row | undefined {
    const element = target instanceof Element ? target.closest(".span-row") : null;
    return element === null ? undefined : this.rows[Number(element.id.slice("span-".length))];
  }

  private clicked(event: MouseEvent): void {
    const row = this.rowOf(event.target);
    if (row === undefined) return;
    this.current = this.rows.indexOf(row);
    if (row.isLate || (event.target instanceof Element && event.target.closest("button.twist") !== null)) {
      this.fold(row, !this.isFolded(row));
      return;
    }
    this.details = true;
    this.markRow();
    this.options.moved();
  }

  /** What a bar is, at the pointer. */
  private tell(event: PointerEvent): void {
    const row = this.rowOf(event.target);
    if (row === undefined) hideTip();
    else showTip(this.told(row), event);
  }

  told(row: Row): string[] {
    const { start, end, took, waited } = row.sums;
    const share =
      waited > 0
        ? say("request.waited_share", { waited: ms(waited), share: percent(waited, this.tree.wall) })
        : say("span.not_waited");
    return [this.nameOf(row), `${ms(start)} – ${ms(end)}: ${ms(took)}`, share];
  }

  markRow(): void {
    for (const element of this.element.querySelectorAll(".span-row")) {
      const isOn = element.id === `span-${this.current}`;
      element.classList.toggle("current", isOn);
      element.setAttribute("aria-selected", String(isOn));
    }
    if (this.current >= this.first && this.current < this.end)
      this.element.setAttribute("aria-activedescendant", `span-${this.current}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  /** Scrolls the current row into view; `covered`: pixels below that something covers. */
  inSight(covered = 0): void {
    const { row } = this.layout();
    const [top, bottom] = [this.current * row, (this.current + 1) * row + AXIS];
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (bottom > this.element.scrollTop + this.element.clientHeight)
      this.element.scrollTop = bottom - this.element.clientHeight;
    this.drawRows(false);
    const line = document.getElementById(`span-${this.current}`);
    line?.style.setProperty("scroll-margin-block", `${AXIS + 4}px ${covered + 10}px`);
    line?.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  private key(event: KeyboardEvent): void {
    const row = this.rows[this.current];
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey || row === undefined) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.layout().row) - 2);
    const to = (place: number): void => {
      this.current = Math.max(0, Math.min(this.rows.length - 1, place));
    };
    const isOpen = row.inside > 0 && !this.isFolded(row);
    const acts: Record<string, () => void> = {
      ArrowDown: () => to(this.current + 1),
      ArrowUp: () => to(this.current - 1),
      PageDown: () => to(this.current + page),
      PageUp: () => to(this.current - page),
      Home: () => to(0),
      End: () => to(this.rows.length - 1),
      ArrowRight: () => {
        if (isOpen) to(this.current + 1);
        else if (row.inside > 0) this.fold(row, false);
      },
      ArrowLeft: () => {
        const { parent } = at(this.tree.spans, row.span);
        if (isOpen) this.fold(row, true);
        else if (parent >= 0) to(at(this.rowAt, parent));
      },
      Enter: () => (row.isLate ? this.fold(row, false) : (this.details = !this.details)),
      " ": () => (row.isLate ? this.fold(row, false) : (this.details = !this.details)),
      z: () => this.zoomTo(row),
      0: () => this.zoomTo(undefined),
    };
    const act = acts[event.key];
    if (event.key === "Escape" && this.details) this.details = false;
    else if (act !== undefined) act();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.markRow();
    this.inSight();
    this.options.moved();
  }
}
