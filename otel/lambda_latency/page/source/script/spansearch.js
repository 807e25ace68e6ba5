// ---- The tools of the waterfall: search for spans, and show only the critical path.

import { h } from "./elements.js";
import { inSight } from "./moves.js";
import { detailsOf } from "./report.js";
import { drawFall, fall, markRow, setRows } from "./waterfall.js";
import { say } from "./words.js";

/** Whether a row has a found span, or there is no search. */
export const isFound = ({ span, members }) =>
  fall.found === null || (members ?? [span]).some((at) => fall.found.has(at));

/** The searchable text of a span. */
function wordsOf({ name, mark }, span) {
  const told = detailsOf(fall.tree, span).map(({ name: own, service, message, attributes, events }) =>
    [own, service, message, ...Object.entries(attributes ?? {}).flat(), ...(events ?? []).map((one) => one.name)].join("\n"),
  );
  return [name, mark, ...told].join("\n").toLowerCase();
}

/** The tools above a waterfall. */
export function spanTools() {
  const field = h("input", {
    type: "search",
    id: "span-search",
    placeholder: say("request.search"),
    "aria-label": say("request.search"),
  });
  const says = h("span", { id: "span-found", role: "status" });
  let words = null;
  const search = () => {
    const query = field.value.trim().toLowerCase();
    words ??= fall.tree.spans.map(wordsOf);
    fall.found = query === "" ? null : new Set(words.flatMap((text, at) => (text.includes(query) ? [at] : [])));
    says.textContent = query === "" ? "" : say("request.found", { n: fall.found.size, all: fall.tree.spans.length });
    if (fall.found !== null && fall.found.size > 0) fall.current = Math.max(0, fall.rowAt[Math.min(...fall.found)]);
    drawFall();
    if (fall.found !== null && fall.found.size > 0) inSight();
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextFound();
    else if (event.key === "Escape" && field.value !== "") {
      field.value = "";
      search();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const path = h("button", { class: "chip", id: "path-only", "aria-pressed": "false" }, say("request.path_only"));
  path.addEventListener("click", () => {
    fall.pathOnly = !fall.pathOnly;
    path.setAttribute("aria-pressed", fall.pathOnly);
    const kept = fall.rows[fall.current]?.span ?? 0;
    setRows();
    fall.current = Math.max(0, fall.rowAt[kept]);
    drawFall();
  });
  return h("div", { class: "span-tools" }, field, path, says);
}

/** Moves to the next row with a found span. */
function nextFound() {
  if (fall.found === null || fall.found.size === 0) return;
  for (let step = 1; step <= fall.rows.length; step++) {
    const at = (fall.current + step) % fall.rows.length;
    if (!isFound(fall.rows[at])) continue;
    fall.current = at;
    break;
  }
  markRow();
  inSight();
}
