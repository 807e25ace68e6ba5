// ---- Copy and save: the sentence, the report as Markdown, a link to this view, an image.

import { byId, h } from "./elements.js";
import { report } from "./report.js";
import { pagePicture } from "./picture.js";
import { say } from "./words.js";

const PAUSE = 1600; // milliseconds for which a button shows its result

/** A button that copies a text; without permission, `fallback` selects text to copy manually. */
function copying(id, name, textOf, fallback) {
  const button = h("button", { class: "button", id }, say(name));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(textOf());
      button.textContent = say("carry.copied");
    } catch {
      fallback();
      button.textContent = say("carry.selected");
    }
    setTimeout(() => (button.textContent = say(name)), PAUSE);
  });
  return button;
}

/** Shows a selected text for Ctrl+C, if the page may not write to the clipboard. */
function showSelected(text) {
  const shown = byId("carried");
  shown.value = text;
  shown.hidden = false;
  shown.focus();
  shown.select();
}

export function carryButtons() {
  const sentence = () => `${report.verdict.sentence} ${report.verdict.evidence}`.trim();
  const picture = h("button", { class: "button", id: "save-picture" }, say("carry.picture"));
  picture.addEventListener("click", async () => {
    const address = URL.createObjectURL(await pagePicture());
    h("a", { href: address, download: "lambda-latency.png" }).click();
    setTimeout(() => URL.revokeObjectURL(address), PAUSE);
  });
  return [
    copying("copy", "carry.sentence", sentence, () => getSelection().selectAllChildren(byId("sentence"))),
    copying("copy-markdown", "carry.markdown", () => report.markdown, () => showSelected(report.markdown)),
    copying("copy-link", "carry.link", () => location.href, () => showSelected(location.href)),
    picture,
    h("textarea", { id: "carried", hidden: true, readonly: true, rows: 4, "aria-label": say("carry.text") }),
  ];
}
