// ---- Lists other differences between chosen requests and the rest, or between slow ones and all others.

import { CHOSEN, REST, differing, factColumns, slowAndOthers } from "./differs.js";
import { h, unseen } from "./elements.js";
import { TIMEOUT, count, report, requests } from "./report.js";
import { only, state, view } from "./state.js";
import { percent, say } from "./words.js";

const FEW_CHOSEN = 5;
const MOST_TOLD = 6;

let columnsOfFacts = null;

/** The value of each fact by request, computed on first use. */
export const factsOf = () => (columnsOfFacts ??= factColumns({ ...report, columns: requests }));

export const factText = ([fact, value]) => report.facts[fact].texts[value];

/** The sides: slow requests against others without a timeout, or chosen requests against all others. */
function sides(chosen) {
  if (!chosen) return slowAndOthers({ ...report, columns: requests }, TIMEOUT);
  const side = new Uint8Array(count).fill(REST);
  for (const request of view) side[request] = CHOSEN;
  return side;
}

/** Whether the filters already determine a fact. */
function isAsked(fact) {
  const { name } = report.facts[fact];
  const flags = { cold: "cold", error: "error", throttled: "throttled" };
  return (
    (name === "route" && state.route >= 0) ||
    (Object.hasOwn(flags, name) && state.only.has(flags[name])) ||
    (name === "status" && state.only.has("error")) ||
    (state.fact !== null && state.fact[0] === fact)
  );
}

export function drawDiffers(element, chosen) {
  const side = sides(chosen);
  const few = side.reduce((sum, one) => sum + (one === CHOSEN ? 1 : 0), 0);
  if (few === 0) {
    element.replaceChildren();
    return;
  }
  const title = h("h3", {}, say("differs"));
  if (few < FEW_CHOSEN) {
    element.replaceChildren(title, h("p", { class: "says" }, say("differs.few", { n: few })));
    return;
  }
  const found = differing(side, factsOf(), requests.route, chosen ? isAsked : () => false);
  const read = report.read !== null && h("p", { class: "says" }, say("differs.read", { n: report.read.length }));
  const told = found.slice(0, MOST_TOLD).map((one) => differsRow(one));
  const more = found.length - told.length;
  const body =
    found.length === 0
      ? h("p", { class: "says" }, say("differs.none"))
      : h("table", { class: "differs" }, differsHead(chosen), h("tbody", {}, told));
  const rest = more > 0 && h("p", { class: "says" }, say("differs.more", { n: more }));
  element.replaceChildren(...[title, body, rest, read].filter(Boolean));
}

function differsHead(chosen) {
  const names = chosen ? ["chosen", "rest"] : ["slow", "differs.others"];
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      h("th", { scope: "col" }, say("differs.what")),
      h("th", { scope: "col", class: "bars" }, unseen(say("share"))),
      names.map((name) => h("th", { scope: "col", class: "num" }, say(name))),
    ),
  );
}

function differsRow({ fact, value, chosen, rest, same }) {
  const show = () => only({ fact: [fact, value] });
  const names = same.map((one) => factText([one.fact, one.value])).join(", ");
  return h(
    "tr",
    {},
    h(
      "td",
      { class: "name" },
      h("button", { class: "part isolated", title: say("differs.show"), onclick: show }, factText([fact, value])),
      names && h("small", { class: "isolated" }, say("differs.same", { names })),
    ),
    h(
      "td",
      { class: "bars" },
      h("div", { class: "usual", $width: `${rest * 100}%` }),
      h("div", { class: "here", $width: `${chosen * 100}%` }),
    ),
    h("td", { class: "num" }, percent(chosen, 1)),
    h("td", { class: "num" }, percent(rest, 1)),
  );
}
