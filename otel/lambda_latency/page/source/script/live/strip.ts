// ---- What stands above the report while it changes: what fails now, marks, the connection, window, pause and clear.

import { append, byId, fill, h } from "../elements.js";
import { number, plural } from "../numbers.js";
import type { News, Numbers } from "./link.js";
import { type Mark, failing, marks } from "./rows.js";

const WINDOWS: [minutes: number, text: string][] = [
  [1, "the last minute"],
  [5, "5 minutes"],
  [15, "15 minutes"],
  [60, "60 minutes"],
  [0, "all that are kept"],
];
const USUAL_MINUTES = 15;
const MEGABYTE = 1_048_576;

/** What the page is about: requests of the last minutes, after a clear. */
const given = new URLSearchParams(location.search);
export const chosen = {
  minutes: WINDOWS.find(([minutes]) => String(minutes) === given.get("minutes"))?.[0] ?? USUAL_MINUTES,
  after: Number(given.get("after")) || 0,
  isPaused: false,
};
export const query = (): string => `minutes=${chosen.minutes}&after=${chosen.after}`;

/** What the strip's elements do. */
export interface Acts {
  newWindow(): void;
  clear(): void;
  pause(): void;
  show(): void;
  open(traceId: string): void;
}

let numbers: Numbers = {};
let isIncomplete = false;
const comparisons = new Map<number, string>();

export function drawStrip(acts: Acts): void {
  const option = ([minutes, text]: (typeof WINDOWS)[number]): HTMLElement =>
    h("option", { value: minutes, selected: minutes === chosen.minutes }, text);
  const window_ = h("select", { id: "minutes" }, WINDOWS.map(option));
  window_.addEventListener("change", () => {
    chosen.minutes = Number(window_.value);
    writeLinks();
    acts.newWindow();
  });
  const strip = h(
    "section",
    { class: "live", id: "live", "aria-label": "Live" },
    h("p", { class: "failing", id: "failing", role: "status", hidden: true }),
    h(
      "div",
      { class: "filters" },
      h("b", {}, "Live"),
      h("span", { id: "link", role: "status" }, "connecting"),
      h("span", { id: "fresh", role: "status" }),
      h("button", { class: "link", id: "show-fresh", hidden: true, onclick: acts.show }, "Show"),
      h("label", { class: "between" }, "requests of", window_),
      h(
        "button",
        { class: "button", id: "pause", title: "key p", "aria-pressed": "false", onclick: acts.pause },
        "Pause",
      ),
      h("button", { class: "button", id: "live-clear", onclick: acts.clear }, "Clear"),
      h("a", { class: "button", id: "whole-report", target: "_blank", rel: "noopener" }, "Report with all spans"),
      h("a", { class: "button", id: "save", download: "" }, "Save"),
    ),
    h("ul", { class: "marks-of-code", id: "marks" }),
    h("p", { class: "hint", id: "bounds" }),
    h("p", { class: "hint", id: "empty" }),
  );
  document.querySelector(".page")?.before(strip);
  writeLinks();
}

function writeLinks(): void {
  const all = `minutes=0&after=${chosen.after}`;
  byId("whole-report").setAttribute("href", `report?${all}`);
  byId("save").setAttribute("href", `save?${all}`);
  history.replaceState(history.state, "", `?${query()}${location.hash}`);
}

/** Shows only what comes after a row. */
export function clearUpTo(row: number): void {
  chosen.after = row;
  isIncomplete = false;
  writeLinks();
}

export function turnPause(): void {
  chosen.isPaused = !chosen.isPaused;
  byId("pause").setAttribute("aria-pressed", String(chosen.isPaused));
  byId("pause").textContent = chosen.isPaused ? "Resume" : "Pause";
}

/** Shows news of the server and of its connection. */
export function drawNews(news: News): void {
  if (news.link !== undefined) {
    byId("link").textContent = news.link.text;
    byId("link").className = news.link.isLost ? "lost" : "";
  }
  numbers = news.numbers ?? numbers;
  isIncomplete ||= news.isIncomplete === true;
  byId("bounds").textContent = bounds().join(" ");
}

/** Shows how many requests the report below lacks, what fails now, and where the code changed. */
export function drawFresh(fresh: number, isEmpty: boolean, acts: Acts): void {
  byId("fresh").textContent = fresh > 0 ? `${chosen.isPaused ? "paused, " : ""}${number(fresh)} new` : "";
  byId("show-fresh").hidden = fresh === 0 || chosen.isPaused;
  byId("empty").textContent = isEmpty ? hint() : "";
  const now = failing(chosen.after);
  const text = now?.text ?? "";
  const box = byId("failing");
  if (box.firstElementChild?.textContent !== text || now === null) {
    box.hidden = now === null;
    const open = (): void => acts.open(failing(chosen.after)?.newest.id ?? "");
    const button = h("button", { class: "button", id: "open-failing", onclick: open }, "Open the newest");
    fill(box, now !== null && [h("b", { class: "isolated" }, text), " ", button]);
  }
  drawMarks();
}

function drawMarks(): void {
  const shown = marks.filter(({ n }) => n > chosen.after);
  const list = byId("marks");
  if (list.childElementCount === shown.length && shown.every(({ n }) => document.getElementById(`mark-${n}`))) return;
  list.replaceChildren();
  append(list, shown.map(lineOf));
}

function lineOf({ n, mark, end }: Mark): HTMLElement {
  const says = h("span", { class: "isolated", id: `compared-${n}`, role: "status" }, comparisons.get(n));
  return h("li", { id: `mark-${n}` }, `${mark} at ${clock(end)}: `, says);
}

/** Says what became slower or faster since the newest mark. */
export async function compareNewest(): Promise<void> {
  const mark = marks.at(-1);
  if (mark === undefined || mark.n <= chosen.after) return;
  const answer = await fetch(`compare?${query()}&mark=${mark.n}`);
  const text = answer.ok ? ((await answer.json()) as { sentence: string }).sentence : await answer.text();
  comparisons.set(mark.n, text);
  byId(`compared-${mark.n}`).textContent = text;
}

/** The time of day, as in the list. */
const clock = (epochMs: number): string => new Date(epochMs).toISOString().slice(11, 19);

function hint(): string {
  if (chosen.after > 0) return "Cleared: the requests that come from now on are shown.";
  return numbers.endpoint
    ? `No request yet. A sender on this machine needs OTEL_EXPORTER_OTLP_ENDPOINT=${numbers.endpoint} and OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.`
    : "No request yet. Each request of the app appears here as it ends.";
}

/** What was dropped, and why: each bound that is reached is said. */
function bounds(): string[] {
  const of = (name: string): number => Number(numbers[name] ?? 0);
  const size = `${number(of("bytes") / MEGABYTE)} MB`;
  return [
    of("forgotten") > 0 &&
      `${plural(of("forgotten"), "older request")} forgotten: the newest ${number(of("kept"))} are kept (${size}).`,
    isIncomplete && "Some requests were forgotten while this page was away.",
    of("dropped") > 0 && `${plural(of("dropped"), "export")} from before this page was opened did not fit.`,
    of("refused") > 0 && `${plural(of("refused"), "export")} refused: more spans came than can be read.`,
    ...(numbers.refusals ?? []).map(([reason, many]) => `${plural(many, "export")} refused: ${reason}.`),
    of("other_signals") > 0 && `${plural(of("other_signals"), "export")} of metrics or logs not kept.`,
    of("unread") > 0 && `${plural(of("unread"), "part")} of exports not read: ${numbers.why}.`,
    of("tabs_refused") > 0 && `${plural(of("tabs_refused"), "page")} refused: ${number(of("tabs"))} are open.`,
  ].filter((text) => text !== false);
}
