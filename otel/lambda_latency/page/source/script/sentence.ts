// ---- Sentences of the report in pieces: parts with their colour, owners, values that filter.

import type { Piece } from "./island.js";
import { type Child, h } from "./elements.js";
import { factNamed } from "./facts.js";
import { partClass } from "./palette.js";
import { only } from "./store.js";
import { THIN, say } from "./words.js";

export function inWords(pieces: readonly Piece[]): Child[] {
  return pieces.map(({ text, strong, part, owner, fact }) => {
    if (part !== undefined) return h("b", { class: `named isolated ${partClass(part)}` }, text);
    if (owner) return [text.startsWith(" ") && " ", h("span", { class: "whose" }, text.trim())];
    const named = factNamed(fact);
    if (named !== null)
      return h(
        "button",
        { class: "value isolated", title: say("depends.show"), onclick: () => only({ fact: named }) },
        text,
      );
    return strong ? h("b", { class: "isolated" }, text) : text.replace(/(\d) (ms|%)/g, `$1${THIN}$2`);
  });
}
