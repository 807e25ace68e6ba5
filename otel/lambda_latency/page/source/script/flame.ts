// ---- Flame graphs: the critical paths of requests in one chart, each frame above what it waited for.
// One stop of the keyboard: arrows move between frames, Enter zooms to one, Escape shows all again.

import { at, bucketsOf, count, report, requests, several } from "./data.js";
import { fill, h, section } from "./elements.js";
import { label } from "./labels.js";
import { partClass } from "./palette.js";
import { follow, isFiltered, only, state, view } from "./store.js";
import { hideTip, showTip } from "./tip.js";
import { ms, percent, say, signedMs } from "./words.js";

const LINE = 24; // pixels of a level
const DIFFERS = [0.02, 0.1, 0.3]; // shares of the difference: three tints
const LEAST_SHARE = 2000; // a frame below this fraction (1/2000) of all time is too narrow to be visible

/** A frame: its place, its time, and what it says. */
export interface Told {
  depth: number;
  name: string;
  ns: number;
  part: number; // -1: no part
  lines: string[];
  tint: number; // how much longer it takes than usually, -3 to 3
}

interface Frame extends Told {
  begin: number;
  element: HTMLElement;
}

/** The tint of a frame by the share of the difference that it takes longer; negative if it takes less. */
export const tintOf = (more: number, whole: number): number =>
  Math.sign(more) * DIFFERS.filter((share) => Math.abs(more) > share * Math.max(1, Math.abs(whole))).length;

/** A flame graph with its search; `show` replaces the frames. */
export class Flame {
  readonly box = h("div", { class: "flame", role: "group", "aria-label": say("flame.keys") });
  readonly element: HTMLElement;
  private frames: Frame[] = [];
  private zoomed: Frame | null = null;
  private readonly field = h("input", {
    type: "search",
    placeholder: say("flame.search"),
    "aria-label": say("flame.search"),
  });
  private readonly says = h("span", { role: "status" });
  private readonly back = h(
    "button",
    { class: "link", hidden: true, onclick: () => this.zoom(null) },
    say("flame.whole"),
  );

  constructor() {
    this.element = h("div", {}, h("div", { class: "flame-tools" }, this.field, this.says, this.back), this.box);
    this.field.addEventListener("input", () => this.search());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("pointerleave", hideTip);
  }

  show(told: readonly Told[]): void {
    // The last frame of each level: the next one starts at its end, or at the start of a new parent frame.
    const last: { begin: number; end: number }[] = [];
    this.frames = told.map((one) => {
      const begin = last[one.depth]?.end ?? last[one.depth - 1]?.begin ?? 0;
      last.length = one.depth;
      last.push({ begin, end: begin + one.ns });
      return { ...one, begin, element: this.frame(one) };
    });
    this.zoomed = null;
    const levels = Math.max(0, ...told.map(({ depth }) => depth)) + 1;
    this.box.style.height = `${levels * LINE}px`;
    this.frames[0]?.element.setAttribute("tabindex", "0");
    fill(
      this.box,
      this.frames.map(({ element }) => element),
    );
    this.place();
    this.search();
  }

  /** Marks the frames of a part. */
  mark(part: number): void {
    for (const one of this.frames) {
      one.element.setAttribute("aria-pressed", String(part >= 0 && one.part === part));
      one.element.classList.toggle("ticked", state.without.has(one.part));
    }
  }

  private frame({ depth, name, lines, tint, part }: Told): HTMLElement {
    const shown = [name, ...lines];
    const tinted = tint === 0 ? "" : tint < 0 ? `l${-tint}` : `d${tint}`;
    const element = h(
      "button",
      {
        class: ["frame", part >= 0 && partClass(part), tinted].filter(Boolean).join(" "),
        tabindex: -1,
        "aria-label": [...shown, say("flame.zoom")].join(", "),
        $top: `${depth * LINE}px`,
      },
      h("span", { class: "isolated" }, name),
    );
    element.addEventListener("click", () => this.zoom(this.frames.find((one) => one.element === element) ?? null));
    element.addEventListener("pointermove", (event) => showTip(shown, event));
    return element;
  }

  /** Makes a frame as wide as the graph; again, or null: the whole. */
  private zoom(frame: Frame | null): void {
    this.zoomed = frame === this.zoomed ? null : frame;
    this.place();
    this.back.hidden = this.zoomed === null;
    hideTip();
    if (this.zoomed !== null && this.zoomed.part >= 0) this.offer(this.zoomed.part);
    else this.says.replaceChildren();
    for (const one of this.frames) one.element.tabIndex = one === (this.zoomed ?? this.frames[0]) ? 0 : -1;
  }

  /** A link to the requests that waited for a part. */
  private offer(part: number): void {
    fill(
      this.says,
      several &&
        h(
          "button",
          { class: "link flame-show", onclick: () => only({ part, sort: "part", down: true }) },
          say("flame.show", { part: label(part) }),
        ),
    );
  }

  private place(): void {
    const whole = this.frames.reduce((sum, { depth, ns }) => sum + (depth === 0 ? ns : 0), 0);
    const [left, width] = this.zoomed === null ? [0, whole] : [this.zoomed.begin, this.zoomed.ns];
    for (const { begin, ns, element } of this.frames) {
      const [from, to] = [Math.max(begin, left), Math.min(begin + ns, left + width)];
      element.hidden = to <= from;
      element.style.left = `${((from - left) / Math.max(1, width)) * 100}%`;
      element.style.width = `${((to - from) / Math.max(1, width)) * 100}%`;
    }
  }

  private search(): void {
    const query = this.field.value.trim().toLowerCase();
    let found = 0;
    for (const { name, element } of this.frames) {
      const isFound = query !== "" && name.toLowerCase().includes(query);
      if (isFound) found++;
      element.classList.toggle("hit", isFound);
    }
    if (query !== "") this.says.textContent = say("request.found", { n: found, all: this.frames.length });
    else if (this.zoomed === null) this.says.textContent = "";
  }

  private key(event: KeyboardEvent): void {
    const place = this.frames.findIndex(({ element }) => element === document.activeElement);
    const now = this.frames[place];
    if (now === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = (one: Frame): boolean => !one.element.hidden;
    const beside = (some: Frame[]): Frame | undefined => some.find((one) => one.depth === now.depth && shown(one));
    const to: Record<string, () => Frame | undefined> = {
      ArrowRight: () => beside(this.frames.slice(place + 1)),
      ArrowLeft: () => beside(this.frames.slice(0, place).reverse()),
      ArrowDown: () =>
        this.frames
          .slice(place + 1)
          .find(
            (one) =>
              one.depth === now.depth + 1 && one.begin >= now.begin && one.begin < now.begin + now.ns && shown(one),
          ),
      ArrowUp: () => this.frames.slice(0, place).findLast((one) => one.depth === now.depth - 1),
      Home: () => this.frames.find(shown),
    };
    const move = to[event.key];
    if (event.key === "Escape" && this.zoomed !== null) this.zoom(null);
    else if (move !== undefined) {
      const next = move();
      if (next !== undefined) {
        for (const one of this.frames) one.element.tabIndex = one === next ? 0 : -1;
        next.element.focus();
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export function drawFlame(): HTMLElement | null {
  if (report.flame.length < 2) return null;
  const flame = new Flame();
  const says = h("p", { class: "says" });
  const element = section("flame", say("flame.title"), null, says, flame.element);
  element.classList.add("wide");
  let drawn: unknown = null;
  follow(() => {
    const isChosen = isFiltered() && view.length > 0;
    const of = isChosen ? view : report.flame;
    if (of !== drawn) {
      flame.show(isChosen ? chosenFrames() : wholeFrames());
      says.textContent = say(isChosen ? "flame.chosen" : "flame.says", { n: view.length });
    }
    drawn = of;
    flame.mark(state.part);
  });
  return element;
}

function wholeFrames(): Told[] {
  const few = report.slow.length;
  const whole = report.flame.reduce((sum, [depth, , ns]) => sum + (depth === 0 ? ns : 0), 0);
  return report.flame.map(([depth, name, ns, slow, part]) => {
    const more = few > 0 ? slow / few - (ns - slow) / Math.max(1, count - few) : 0;
    const lines = [say("flame.wait", { mean: ms(ns / count), share: percent(ns, whole) })];
    if (few > 0) lines.push(say("flame.slow", { more: signedMs(more) }));
    return { depth, name, ns, part, lines, tint: Math.max(0, tintOf(more, report.cohorts.difference_ns)) };
  });
}

/** The chosen requests by route and part, which the page knows of all requests. */
function chosenFrames(): Told[] {
  const routes = new Map<number, { ns: number; parts: Map<number, number> }>();
  let whole = 0;
  for (const request of view) {
    const route = at(requests.route, request);
    const sums = routes.get(route) ?? { ns: 0, parts: new Map() };
    routes.set(route, sums);
    const buckets = bucketsOf(request);
    for (let place = 0; place < buckets.length; place += 2) {
      const [part, ns] = [at(buckets, place), at(buckets, place + 1)];
      sums.parts.set(part, (sums.parts.get(part) ?? 0) + ns);
      sums.ns += ns;
      whole += ns;
    }
  }
  const lines = (ns: number): string[] => [
    say("flame.wait", { mean: ms(ns / view.length), share: percent(ns, whole) }),
  ];
  return [...routes]
    .sort(([, a], [, b]) => b.ns - a.ns)
    .flatMap(([route, { ns, parts }]) => [
      { depth: 0, name: at(requests.routes, route), ns, part: -1, lines: lines(ns), tint: 0 },
      ...[...parts]
        .sort(([, a], [, b]) => b - a)
        .map(([part, time]) => ({ depth: 1, name: label(part), ns: time, part, lines: lines(time), tint: 0 })),
    ])
    .filter(({ ns }) => ns > whole / LEAST_SHARE);
}
