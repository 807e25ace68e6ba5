// ---- The first screen: each finding as a card with its requests, evidence, next step, and what it would save.

import type { Finding, Place } from "./island.js";
import { carryButtons } from "./carry.js";
import { count, report } from "./data.js";
import { type Child, append, byId, fill, h } from "./elements.js";
import { openTrace } from "./open.js";
import { partClass, swatch } from "./palette.js";
import { inWords } from "./sentence.js";
import { change, follow, only, state, toggled } from "./store.js";
import { capital, ms, say } from "./words.js";

const EXAMPLES = [
  "lambda-latency demo",
  "lambda-latency report --xray --since 1h",
  "lambda-latency report traces.jsonl",
];
const CONFIDENCE = { high: 3, medium: 2, low: 1 };
const WITH_EXAMPLE = new Set(["class", "timeout", "verdict", "failed"]); // kinds of cards

export function drawCards(): void {
  const found = report.findings.map(card);
  fill(
    byId("verdict"),
    found,
    count === 0 && tries(),
    notes(),
    count > 0 && otherSavings(),
    count > 0 && h("div", { class: "buttons" }, carryButtons()),
  );
}

/** The card's element. The first one has the sentence of the page. */
function card(told: Finding, place: number): HTMLElement {
  const isFirst = place === 0;
  const sentence = h(
    isFirst ? "h1" : "h2",
    { class: "told", ...(isFirst && { id: "sentence" }) },
    inWords(told.pieces),
  );
  const element = h(
    "article",
    { class: `card ${told.kind} ${told.part === undefined ? "" : partClass(told.part)}`, id: `card-${place}` },
    kindOf(told),
    sentence,
    (told.depends ?? []).map((pieces) => h("p", { class: "depends" }, inWords(pieces))),
    (told.places ?? []).length > 0 && places(told.places ?? []),
    (told.next ?? []).length > 0 &&
      h("p", { class: "next" }, h("b", {}, say("verdict.next"), " "), (told.next ?? []).join(" ")),
    acts(told, place),
    more(told),
  );
  follow(() => element.classList.toggle("chosen", state.finding === place));
  return element;
}

/** What the card is about, in a line: kind, owner, confidence. */
function kindOf({ kind, owner, confidence }: Finding): Child {
  const level = confidence === undefined ? 0 : CONFIDENCE[confidence];
  const dots = [1, 2, 3].map((dot) => h("i", { class: dot <= level ? "on" : "" }));
  const isSure =
    level > 0 && (kind === "class" || kind === "verdict") && ["clear", "thin"].includes(report.verdict.kind);
  return h(
    "p",
    { class: "kind" },
    h("span", {}, say(count === 1 && kind === "verdict" ? "card.one" : `card.${kind}`)),
    owner !== undefined && h("span", { class: `pill ${owner}` }, owner),
    isSure &&
      h(
        "span",
        { class: "sure" },
        h("span", { class: "dots", "aria-hidden": "true" }, dots),
        say("card.confidence", { level: capital(confidence ?? "") }),
      ),
  );
}

/** The buttons of a card: its requests, an example, a counterexample, and the saving. */
function acts(told: Finding, place: number): Child {
  if (count < 2) return null;
  const members = told.members?.length ?? 0;
  const saving = report.saves.find(({ part }) => part === told.part && told.kind === "class");
  const button = (text: string, id: string, onclick: () => void): HTMLElement =>
    h("button", { class: "button", id, onclick }, text);
  const shown = [
    members > 0 && button(say("card.show", { n: members }), `show-${place}`, () => only({ finding: place })),
    told.only !== undefined &&
      button(say("card.show_failed"), `show-${place}`, () => only({ only: new Set(["error"]) })),
    WITH_EXAMPLE.has(told.kind) &&
      told.trace_id !== undefined &&
      button(say("verdict.example"), `example-${place}`, () => openTrace(told.trace_id)),
    told.against !== undefined &&
      button(say("verdict.counterexample"), `against-${place}`, () => openTrace(told.against)),
    saving !== undefined && tick(saving.part, say("card.saves", savingNumbers(saving.part))),
  ].filter(Boolean);
  return shown.length > 0 && h("div", { class: "acts" }, shown);
}

function savingNumbers(part: number): Record<string, string> {
  const bold = (report.saves.find((one) => one.part === part)?.pieces ?? []).map(({ text }) => text);
  return {
    told: bold
      .slice(3)
      .join("")
      .trim()
      .replace(/^\(|\)$/g, ""),
    saves: bold[2] ?? "",
  };
}

/** A box that takes the time of a part away everywhere on the page. */
function tick(part: number, text: string): HTMLElement {
  const box = h("input", {
    type: "checkbox",
    id: `without-${part}`,
    onchange: () => change({ without: toggled(state.without, part) }),
  });
  follow(() => (box.checked = state.without.has(part)));
  return h("label", { class: "tick" }, box, text);
}

/** The lines of own code, each with its source text and what it called. */
function places(some: readonly Place[]): HTMLElement {
  const row = (one: Place): HTMLElement => {
    const frame = h("code", {}, one.label);
    return h(
      "li",
      {},
      h(
        "details",
        {},
        h("summary", {}, frame.cloneNode(true), ` ${ms(one.excess_ns)}`, one.doing && `, ${one.doing}`),
        h(
          "ol",
          { class: "frames", "aria-label": say("stack.label") },
          h("li", { class: "own" }, frame, one.source && h("code", { class: "code" }, one.source)),
          one.called && h("li", {}, h("code", {}, one.called)),
        ),
        h(
          "p",
          {},
          say("card.place", { slow: ms(one.slow_ns) }),
          one.requests > 0 && say("card.largest", { n: one.requests }),
        ),
      ),
    );
  };
  return h("ul", { class: "places", "aria-label": say("card.places") }, some.map(row));
}

/** What stands behind the card, folded. */
function more({ evidence = [], ground, log, part, kind }: Finding): Child {
  const isOpen = kind === "verdict";
  const shown = [
    evidence.map((pieces) => h("p", { class: "evidence" }, inWords(pieces))),
    ground &&
      part !== undefined &&
      h(
        "p",
        { class: "evidence" },
        swatch(part),
        say("card.ground", { part: report.parts[part]?.label ?? "", ground }),
      ),
    log && h("p", { class: "evidence" }, say("card.log"), " ", h("code", { class: "isolated" }, log)),
  ].flat();
  if (shown.filter(Boolean).length === 0) return null;
  return isOpen ? shown : h("details", { class: "why" }, h("summary", {}, say("card.why")), shown);
}

function tries(): Child {
  return [h("p", {}, say("verdict.try")), EXAMPLES.map((line) => h("code", { class: "command" }, line))];
}

const FEW_NOTES = 2;

/** What no finding says; the first lines are open. */
function notes(): Child {
  const lines = report.notes.map((text) => h("p", { class: "note isolated" }, text));
  const rest = lines.slice(FEW_NOTES);
  return [
    lines.slice(0, FEW_NOTES),
    rest.length > 0 &&
      h("details", { class: "notes" }, h("summary", {}, say("request.more", { n: rest.length })), rest),
  ];
}

/** The savings of parts without a card, folded, and what the ticked parts would save together. */
function otherSavings(): Child {
  const blamed = new Set(report.findings.flatMap(({ part, kind }) => (kind === "class" ? (part ?? []) : [])));
  const others = report.saves.filter(({ part }) => !blamed.has(part)).slice(0, 3);
  if (report.saves.length === 0 || count < 2) return null;
  const list = h("ul", { class: "saves" });
  append(
    list,
    others.map(({ part, pieces }) => h("li", {}, swatch(part), tick(part, pieces.map(({ text }) => text).join("")))),
  );
  return h(
    "details",
    { class: "what-if", id: "what-if" },
    h("summary", {}, say("whatif.title")),
    others.length > 0 && list,
    h("p", { class: "note" }, report.bound),
  );
}
