// ---- What the server says about a request that is open: its spans, why it failed, what its functions printed.

import { type Child, h } from "../elements.js";
import { plural } from "../numbers.js";
import type { Answer } from "./compose.js";
import { rowOf } from "./rows.js";

const MOST = 60; // answers that stay: a person goes back and forth between few requests

/** Answers by trace id, or why there is none. */
export const answers = new Map<string, Answer | string>();

/** Asks for a request once, and calls a function when the answer is there. */
export async function ask(traceId: string, answered: () => void): Promise<void> {
  if (answers.has(traceId)) return;
  answers.set(traceId, "Loading …");
  try {
    const response = await fetch(`request/${encodeURIComponent(traceId)}`);
    answers.set(traceId, response.ok ? ((await response.json()) as Answer) : await response.text());
  } catch {
    answers.set(traceId, "The server does not answer.");
  }
  for (const known of answers.keys()) if (answers.size > MOST) answers.delete(known);
  answered();
}

/** Why a request failed, and what its functions printed. */
export function besideSpans(traceId: string): Child {
  const row = rowOf(traceId);
  const answer = answers.get(traceId);
  return [
    row !== undefined && row.what !== "" && failure(row),
    typeof answer === "object" && answer.logs.length > 0 && log(answer),
  ];
}

const failure = ({ what, where }: { what: string; where: string }): HTMLElement =>
  h(
    "p",
    { class: "stack", id: "failure" },
    h("b", { class: "isolated" }, what),
    where && [" in ", h("code", {}, where)],
  );

function log({ logs, left_out: more }: Answer): HTMLElement {
  const isSeveral = new Set(logs.map(([name]) => name)).size > 1;
  const line = ([name, text]: [string, string]): HTMLElement =>
    h("li", { class: "isolated" }, isSeveral && h("b", {}, `${name}: `), text);
  return h(
    "div",
    { class: "stack log", id: "log" },
    h("p", {}, h("b", {}, "Printed"), more > 0 && `, ${plural(more, "more line was", "more lines were")} not kept`),
    h("ol", { tabindex: 0, "aria-label": "What the functions printed" }, logs.map(line)),
  );
}
