// ---- A list of which only visible rows exist. It knows its items by number, and nothing of the page around it.

import { at } from "./data.js";
import { type Child, h } from "./elements.js";

export interface GridOptions {
  id: string;
  label: string;
  columns: readonly string[]; // the classes of a row's cells
  heads: Child; // the head of the list
  shown: number; // rows without scrolling
  /** Writes an item into the cells of a row. */
  fill(item: number, cells: HTMLElement[]): void;
  /** Called when a person opens an item; `byKey`: with the keyboard. */
  open(item: number, byKey: boolean): void;
  isOpen(item: number): boolean;
}

interface PoolRow {
  element: HTMLElement;
  cells: HTMLElement[];
  place: number;
  item: number;
}

const HEADS = 34; // pixels of the heads with their borders
const BESIDE = 4; // rows kept above and below the visible ones

export class Grid {
  readonly element: HTMLElement;
  items: Int32Array = new Int32Array(0);
  current = 0;
  rowHeight = 36;

  // `top` and `height` are cached: reading them from the browser forces a layout.
  private top = 0;
  private height = 0;
  private readonly pool: PoolRow[] = [];
  private readonly inner = h("div", { class: "inner", role: "rowgroup" });

  constructor(private readonly options: GridOptions) {
    this.element = h(
      "div",
      {
        class: "list",
        id: options.id,
        role: "grid",
        tabindex: 0,
        "aria-label": options.label,
        "aria-describedby": "found",
      },
      h("div", { class: "row heads", role: "row" }, options.heads),
      this.inner,
    );
    this.element.addEventListener(
      "scroll",
      () => {
        this.top = this.element.scrollTop;
        this.draw();
      },
      { passive: true },
    );
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** Shows other items, from the first one on. */
  show(items: Int32Array): void {
    this.items = items;
    this.current = 0;
    this.element.hidden = items.length === 0;
    this.element.setAttribute("aria-rowcount", String(items.length + 1));
    this.scrollTo(0);
    this.resize(this.rowHeight);
  }

  resize(rowHeight: number): void {
    this.rowHeight = rowHeight;
    for (const row of this.pool) row.place = -1;
    this.height = Math.min(this.options.shown, Math.max(1, this.items.length)) * rowHeight;
    this.inner.style.height = `${this.items.length * rowHeight}px`;
    this.element.style.height = `${this.height + HEADS}px`;
    this.draw();
  }

  /** The item of the top row, and its pixels above the edge; null at the begin of the list. */
  get topRow(): { item: number; hidden: number } | null {
    const place = Math.floor(this.top / this.rowHeight);
    const item = this.items[place];
    return this.top === 0 || item === undefined ? null : { item, hidden: this.top - place * this.rowHeight };
  }

  /** Scrolls so that an item is in the top row. */
  toTop(item: number, hidden: number): void {
    const place = this.items.indexOf(item);
    if (place < 0) return;
    this.scrollTo(place * this.rowHeight + hidden);
    this.draw();
  }

  private scrollTo(top: number): void {
    if (top !== this.top) this.element.scrollTop = top;
    this.top = top;
  }

  private newRow(): PoolRow {
    const cells = this.options.columns.map((key) => h("span", { role: "gridcell", class: key }));
    const element = h("div", { class: "row", role: "row" }, cells);
    const row: PoolRow = { element, cells, place: -1, item: -1 };
    element.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("button") !== null) return;
      this.current = row.place;
      this.options.open(row.item, false);
    });
    this.inner.append(element);
    return row;
  }

  draw(): void {
    const first = Math.max(0, Math.floor(this.top / this.rowHeight) - BESIDE);
    const end = Math.min(this.items.length, Math.ceil((this.top + this.height) / this.rowHeight) + BESIDE);
    while (this.pool.length < end - first) this.pool.push(this.newRow());
    this.pool.forEach((row, number) => {
      const place = first + number;
      row.element.hidden = place >= end;
      if (place >= end) {
        row.place = -1;
        row.element.removeAttribute("id");
        return;
      }
      if (row.place !== place || row.item !== this.items[place]) this.fillRow(row, place);
      const isOpen = this.options.isOpen(row.item);
      row.element.classList.toggle("current", place === this.current);
      row.element.classList.toggle("open", isOpen);
      row.element.setAttribute("aria-selected", String(isOpen));
    });
    const isDrawn = this.current >= first && this.current < end;
    if (isDrawn) this.element.setAttribute("aria-activedescendant", `row-${this.current}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  private fillRow(row: PoolRow, place: number): void {
    row.place = place;
    row.item = at(this.items, place);
    row.element.id = `row-${place}`;
    row.element.setAttribute("aria-rowindex", String(place + 2));
    row.element.style.top = `${place * this.rowHeight}px`;
    this.options.fill(row.item, row.cells);
  }

  /** Makes a row current, and scrolls it into view. */
  toRow(place: number): void {
    this.current = Math.max(0, Math.min(this.items.length - 1, place));
    const top = this.current * this.rowHeight;
    if (top < this.top) this.scrollTo(top);
    else if (top + this.rowHeight > this.top + this.height) this.scrollTo(top + this.rowHeight - this.height);
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.height / this.rowHeight) - 1);
    const moves: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -this.items.length,
      End: this.items.length,
    };
    const move = moves[event.key];
    if (move !== undefined) this.toRow(this.current + move);
    else if ((event.key === "Enter" || event.key === " ") && this.items.length > 0)
      this.options.open(at(this.items, this.current), true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
