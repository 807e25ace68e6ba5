// ---- The stack of a request that timed out.

import { append, h } from "./elements.js";
import { report, requests } from "./report.js";
import { ms, say } from "./words.js";

const FEW_FRAMES = 5; // from this number on, consecutive frames of packages are folded

export function stackOf(request) {
  const timeout = report.timeouts.find((one) => one.trace_id === requests.trace_id[request]);
  if (timeout === undefined) return [];
  const limit = timeout.limit_ns > 0 ? ` ${say("stack.of", { limit: ms(timeout.limit_ns) })}` : "";
  if (timeout.running === "") {
    return h(
      "div",
      { class: "stack", id: "stack" },
      h(
        "p",
        {},
        say("stack.unknown", { limit }),
      ),
    );
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
function framesOf(frames) {
  const element = h("ol", { tabindex: 0, "aria-label": say("stack.label") });
  for (let at = 0; at < frames.length;) {
    let end = at + 1;
    while (end < frames.length && frames[end].own === frames[at].own) end++;
    const few = frames.slice(at, end);
    if (frames[at].own || few.length < FEW_FRAMES) append(element, few.map(frameOf));
    else {
      // The innermost frame stays visible, because the function was waiting in it.
      const last = end === frames.length ? few.pop() : null;
      const title = h("summary", {}, say("stack.packages", { n: few.length }));
      append(element, [h("li", {}, h("details", {}, title, h("ol", {}, few.map(frameOf)))), last && frameOf(last)]);
    }
    at = end;
  }
  return element;
}

function frameOf(frame) {
  const place = h("span", { class: "isolated" }, `${frame.file}:${frame.line}  ${frame.function}`);
  return h("li", { class: frame.own && "own" }, place, frame.text && h("span", { class: "isolated code" }, frame.text));
}
