// ---- Sections about all requests say so while some are chosen, or while parts are taken away.

import { h } from "./elements.js";
import { follow, isFiltered, state } from "./store.js";
import { say } from "./words.js";

const ABOUT_ALL = ["change", "sampling", "problems"];

export function stillNotes(): void {
  for (const id of ABOUT_ALL) {
    const note = h("p", { class: "says still", hidden: true }, say("still"));
    document.querySelector(`#${id} > h2`)?.after(note);
    follow(() => (note.hidden = !isFiltered() && state.without.size === 0));
  }
}
