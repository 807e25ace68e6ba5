// ---- The tools of a waterfall: search for spans, and show only the critical path.

import { at } from "./data.js";
import { h } from "./elements.js";
import { detailsOf } from "./spans.js";
import type { Waterfall } from "./waterfall.js";
import { say } from "./words.js";

/** The searchable text of each span. */
function wordsOf({ tree }: Waterfall): string[] {
  return tree.spans.map(({ name, mark = "" }, span) => {
    const told = detailsOf(tree, span).map(({ name: own, service = "", message = "", attributes, events }) =>
      [
        own,
        service,
        message,
        ...Object.entries(attributes ?? {}).map(([key, value]) => `${key} = ${String(value)}`),
        ...(events ?? []).map((one) => one.name),
      ].join("\n"),
    );
    return [name, mark, ...told].join("\n").toLowerCase();
  });
}

/** Moves to another row with a found span. */
export function nextFound(fall: Waterfall, by: number): void {
  if (fall.found === null || fall.found.size === 0) return;
  const { length } = fall.rows;
  for (let step = 1; step <= length; step++) {
    const place = (fall.current + by * step + length * step) % length;
    if (!fall.isFound(at(fall.rows, place))) continue;
    fall.current = place;
    break;
  }
  fall.markRow();
  fall.inSight();
}

/** The tools above a waterfall; `query` is searched for at once. */
export function spanTools(fall: Waterfall, query: string): HTMLElement {
  const field = h("input", {
    type: "search",
    id: "span-search",
    placeholder: say("request.search"),
    "aria-label": say("request.search"),
  });
  const says = h("span", { id: "span-found", role: "status" });
  let words: string[] | null = null;
  const search = (): void => {
    const wanted = field.value.trim().toLowerCase();
    words ??= wordsOf(fall);
    fall.found = wanted === "" ? null : new Set(words.flatMap((text, place) => (text.includes(wanted) ? [place] : [])));
    says.textContent =
      fall.found === null ? "" : say("request.found", { n: fall.found.size, all: fall.tree.spans.length });
    const [first] = fall.found ?? [];
    if (first !== undefined) fall.current = Math.max(0, at(fall.rowAt, first));
    fall.draw();
  };
  field.addEventListener("input", () => {
    search();
    if (fall.found !== null && fall.found.size > 0) fall.inSight();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextFound(fall, event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && field.value !== "") {
      field.value = "";
      search();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const path = h("button", { class: "chip", id: "path-only", "aria-pressed": "false" }, say("request.path_only"));
  path.addEventListener("click", () => {
    fall.folds.pathOnly = !fall.folds.pathOnly;
    path.setAttribute("aria-pressed", String(fall.folds.pathOnly));
    fall.setRows();
    fall.draw();
  });
  if (query !== "") {
    field.value = query;
    search();
    if (fall.found !== null && fall.found?.size === 0) {
      field.value = "";
      search();
    }
  }
  return h("div", { class: "span-tools" }, field, path, says);
}
