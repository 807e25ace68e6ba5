// ---- Copy and save: the report as Markdown, this view, an image.

import { report } from "./data.js";
import { byId, h } from "./elements.js";
import { pagePicture } from "./picture.js";
import { say } from "./words.js";

const PAUSE = 1600; // milliseconds for which a button shows its result

/** A button that copies a text; without permission, it is shown selected for Ctrl+C. */
export function copying(id: string, name: string, textOf: () => string, kind = "link"): HTMLElement {
  const button = h("button", { class: kind, id }, say(name));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(textOf());
      button.textContent = say("carry.copied");
    } catch {
      showSelected(textOf());
      button.textContent = say("carry.selected");
    }
    setTimeout(() => (button.textContent = say(name)), PAUSE);
  });
  return button;
}

/** Shows a selected text for Ctrl+C, if the page may not write to the clipboard. */
function showSelected(text: string): void {
  const shown = byId("carried") as HTMLTextAreaElement;
  (byId("carry") as HTMLDetailsElement).open = true;
  shown.value = text;
  shown.hidden = false;
  shown.focus();
  shown.select();
}

/** The address of the view: whole where others reach it, else the part that works in their copy of the page. */
const viewAddress = (): string => (location.protocol === "file:" ? location.hash || "#" : location.href);

export function carryButtons(): HTMLElement[] {
  const picture = h("button", { class: "link", id: "save-picture" }, say("carry.picture"));
  picture.addEventListener("click", async () => {
    const address = URL.createObjectURL(await pagePicture());
    h("a", { href: address, download: "lambda-latency.png" }).click();
    setTimeout(() => URL.revokeObjectURL(address), PAUSE);
  });
  const link = location.protocol === "file:" ? "carry.view" : "carry.link";
  return [
    copying("copy-markdown", "carry.markdown", () => report.markdown),
    copying("copy-link", link, viewAddress),
    picture,
    h("textarea", { id: "carried", hidden: true, readonly: true, rows: 4, "aria-label": say("carry.text") }),
  ];
}
