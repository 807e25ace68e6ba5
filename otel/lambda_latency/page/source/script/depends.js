// ---- What slow requests depend on, and since when: the report's own sentences. A value that the page knows filters.

import { h } from "./elements.js";
import { factNamed } from "./facts.js";
import { report } from "./report.js";
import { only } from "./state.js";
import { say } from "./words.js";

export function dependsList() {
  if (report.depending.length === 0) return false;
  const items = report.depending.map((pieces) => h("li", {}, pieces.map(piece)));
  return h("div", { id: "depends" }, h("h3", {}, say("depends")), h("ul", {}, items));
}

function piece({ text, strong, fact }) {
  const named = fact ? factNamed(fact) : null;
  if (named === null) return strong ? h("b", { class: "isolated" }, text) : text;
  const show = () => only({ fact: named });
  return h("button", { class: "part isolated", title: say("depends.show"), onclick: show }, text);
}
