// ---- The verdict: sentence, confidence, timeouts, next steps; then the facts in one line.

import { carryButtons } from "./carry.js";
import { append, byId, h } from "./elements.js";
import { ERROR, THROTTLED, TIMEOUT, count, counted, partClass, report } from "./report.js";
import { openTrace } from "./request.js";
import { only } from "./state.js";
import { savesList } from "./whatif.js";
import { THIN, ms, number, percent, plural, say, windowWords } from "./words.js";

const CONFIDENCE = { high: 3, medium: 2, low: 1 };
const EXAMPLES = [
  "lambda-latency demo",
  "lambda-latency report --xray --since 1h",
  "lambda-latency report traces.jsonl",
];

function inWords(pieces) {
  return pieces.map(({ text, strong, part, owner }) => {
    if (part !== undefined) return h("b", { class: `named isolated ${partClass(part)}` }, text);
    if (owner) return [text.startsWith(" ") && " ", h("span", { class: "whose" }, text.trim())];
    return strong ? h("b", {}, text) : text.replace(/(\d) (ms|%)/g, `$1${THIN}$2`);
  });
}

export function drawVerdict() {
  const { verdict } = report;
  const even = verdict.kind === "even";
  const linked = (name, key) => ({ pieces, trace_id: id }) =>
    h(
      "p",
      { class: name },
      inWords(pieces),
      " ",
      count > 1 && h("button", { class: "link", onclick: () => openTrace(id) }, say(key)),
    );
  const timeouts = report.timed_out.map(linked("timed-out", "verdict.open"));
  const classes = report.also.map(linked("evidence", "verdict.example"));
  const unexplained = report.unexplained.map((text) => h("p", { class: "evidence isolated" }, text));
  const buttons = h(
    "div",
    { class: "buttons" },
    count > 1 &&
      verdict.trace_id &&
      h(
        "button",
        { class: "button main", id: "proof", onclick: () => openTrace(verdict.trace_id) },
        say("verdict.example"),
      ),
    verdict.against &&
      h(
        "button",
        { class: "button", id: "against", onclick: () => openTrace(verdict.against.trace_id) },
        say("verdict.counterexample"),
      ),
    count > 0 && carryButtons(),
  );
  const evidence = h("p", { class: "evidence" }, confidence(), inWords(report.evidence));
  const cautions = report.verdict.cautions.map((text) => h("p", { class: "evidence caution" }, text));
  const saves = savesList(inWords);
  const next = report.next.map((step) => h("p", { class: "next" }, h("b", {}, say("verdict.next"), " "), step));
  const sentence = h("h1", { id: "sentence" }, inWords(report.sentence));
  const changed = report.changed && h("p", { id: "changed" }, inWords(report.changed));
  const gates = report.gates
    .filter((gate) => gate.failed)
    .map((gate) => h("p", { class: "timed-out isolated" }, h("b", {}, say("verdict.condition"), " "), gate.sentence));
  append(byId("verdict"), [
    sentence,
    changed,
    gates,
    even ? [timeouts, evidence] : [evidence, classes, timeouts],
    unexplained,
    cautions,
    saves,
    next,
    buttons,
  ]);
  if (count === 0)
    append(byId("verdict"), [
      h("p", {}, say("verdict.try")),
      EXAMPLES.map((line) => h("code", { class: "command" }, line)),
    ]);
  if (count > 1) byId("verdict").after(facts());
}

function confidence() {
  const { verdict } = report;
  if (verdict.kind !== "clear" && verdict.kind !== "thin") return "";
  const level = CONFIDENCE[verdict.confidence];
  return h(
    "span",
    { class: "dots", "aria-hidden": "true" },
    [1, 2, 3].map((at) => h("i", { class: at <= level && "on" })),
  );
}

function facts() {
  const { wall_ns: walls, cold_starts: cold, sampling } = report;
  const fact = (name, value, more) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value, more && h("small", {}, ` ${more}`)));
  const filter = (number_, name) =>
    number_ === 0 ? "0" : h("button", { onclick: () => only({ only: new Set([name]) }) }, number(number_));
  const known = sampling.total !== null && sampling.seen <= sampling.total;
  return h(
    "dl",
    { class: "facts" },
    fact(say("fact.p50"), ms(walls.p50)),
    fact(say("fact.p95"), ms(walls.p95)),
    fact(say("fact.p99"), ms(walls.p99)),
    fact(say("fact.slowest"), ms(walls.max)),
    fact(say("fact.cold"), filter(cold.requests, "cold"), cold.mean_ns >= 5e5 && say("fact.each", { mean: ms(cold.mean_ns) })),
    fact(say("fact.errors"), filter(counted(ERROR), "error")),
    fact(say("fact.timeouts"), filter(counted(TIMEOUT), "timeout")),
    fact(say("fact.throttled"), filter(counted(THROTTLED), "throttled")),
    fact(say("fact.seen"), known ? percent(sampling.seen, sampling.total) : say("fact.unknown"), known && say("fact.of_traffic")),
  );
}

export function drawHead() {
  const sources =
    report.sources.slice(0, 3).join(", ") + (report.sources.length > 3 ? ` ${say("head.more", { n: report.sources.length - 3 })}` : "");
  append(byId("head"), [
    h("span", {}, h("b", {}, "lambda-latency"), ` ${say("head.report")}`),
    h("span", { class: "isolated" }, sources),
    h("span", {}, [count > 0 && plural(count, "request"), windowWords(report.window)].filter(Boolean).join(" · ")),
  ]);
  append(byId("made"), [`lambda-latency ${report.version}`]);
  append(byId("command"), [report.command]);
}
