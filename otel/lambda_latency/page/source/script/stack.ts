// ---- The stack of a request that timed out.

import { report, requests } from "./data.js";
import { type Child, append, h } from "./elements.js";
import type { Frame } from "./island.js";
import { ms, say } from "./words.js";

const FEW_FRAMES = 5; // from this number on, consecutive frames of packages are folded

/** The stack at the deadline of a request; null if it did not time out. */
export function deadlineStack(request: number): HTMLElement | null {
  const timeout = report.timeouts.find((one) => one.trace_id === requests.trace_id[request]);
  if (timeout === undefined) return null;
  const limit = timeout.limit_ns > 0 ? ` ${say("stack.of", { limit: ms(timeout.limit_ns) })}` : "";
  if (timeout.running === "") {
    return h("div", { class: "stack", id: "stack" }, h("p", {}, say("stack.unknown", { limit })));
  }
  const says = [
    say("stack.running", { limit, elapsed: ms(timeout.elapsed_ns) }),
    " ",
    h("b", { class: "isolated" }, timeout.running),
  ];
  const threads = timeout.threads.map((thread) =>
    h(
      "details",
      {},
      h("summary", {}, say("stack.thread"), " ", h("b", { class: "isolated" }, thread.name)),
      framesOf(thread.frames),
    ),
  );
  const frames = timeout.frames.length > 0 ? framesOf(timeout.frames) : h("p", {}, say("stack.none"));
  return h("div", { class: "stack", id: "stack" }, h("p", {}, says), frames, threads);
}

/** The frames, the innermost last; many consecutive frames of packages are folded, because they are rarely the cause. */
function framesOf(frames: readonly Frame[]): HTMLElement {
  const element = h("ol", { tabindex: 0, "aria-label": say("stack.label") });
  for (let begin = 0; begin < frames.length; ) {
    const isOwn = frames[begin]?.own ?? false;
    let end = begin + 1;
    while (end < frames.length && frames[end]?.own === isOwn) end++;
    const few = frames.slice(begin, end);
    if (isOwn || few.length < FEW_FRAMES) append(element, few.map(frameOf));
    else {
      // The innermost frame stays visible, because the function was waiting in it.
      const last = end === frames.length ? few.pop() : undefined;
      const title = h("summary", {}, say("stack.packages", { n: few.length }));
      append(element, [
        h("li", {}, h("details", {}, title, h("ol", {}, few.map(frameOf)))),
        last !== undefined && frameOf(last),
      ] satisfies Child[]);
    }
    begin = end;
  }
  return element;
}

function frameOf(frame: Frame): HTMLElement {
  const place = h("span", { class: "isolated" }, `${frame.file}:${frame.line}  ${frame.function}`);
  return h("li", { class: frame.own && "own" }, place, frame.text && h("span", { class: "isolated code" }, frame.text));
}
