// ---- The search with its suggestions, and the filters above the list.

import type { Flag } from "./choice.js";
import { count, every, report, requests } from "./data.js";
import { byId, fill, h } from "./elements.js";
import { factText } from "./facts.js";
import { FLAGS } from "./filter.js";
import { label } from "./labels.js";
import { openRequest } from "./open.js";
import { readAhead, suggestions } from "./search.js";
import { change, clear, follow, isFiltered, state, toggled, view } from "./store.js";
import { number, say } from "./words.js";

const PAUSE_MS = 120; // between a letter and the suggestions for it

export function filters(): HTMLElement[] {
  const route = choose(
    "route",
    say("filter.routes"),
    requests.routes.map((name, place) => [place, name]),
  );
  const waited = report.parts.flatMap((_, part): [number, string][] =>
    (report.buckets[part]?.total_ns ?? 0) > 0 ? [[part, say("filter.waits", { part: label(part) })]] : [],
  );
  const part = choose("part", say("filter.parts"), waited);
  const [from, to] = [limit("from"), limit("to")];
  const chips = (Object.entries(FLAGS) as [Flag, (request: number) => boolean][]).map(([name, is]) => chip(name, is));
  return [
    h("div", { class: "filters" }, route, part),
    h("div", { class: "filters" }, chips, h("span", { class: "between" }, from, "–", to, "ms")),
  ];
}

function choose(name: "route" | "part", all: string, values: [number, string][]): HTMLElement {
  const option = (value: number | "", text: string): HTMLElement => h("option", { value }, text);
  const element = h(
    "select",
    { id: name, "aria-label": all },
    option("", all),
    values.map(([value, text]) => option(value, text)),
  );
  element.addEventListener("change", () => change({ [name]: element.value === "" ? -1 : Number(element.value) }));
  follow(() => (element.value = state[name] < 0 ? "" : String(state[name])));
  return element;
}

function limit(side: "from" | "to"): HTMLElement {
  const field = h("input", {
    type: "number",
    id: side,
    min: 0,
    placeholder: say(`filter.${side}`),
    "aria-label": say(`filter.${side}_ms`),
  });
  field.addEventListener("input", () => change({ [side]: Math.max(0, Math.floor(Number(field.value)) || 0) }));
  follow(() => {
    if (document.activeElement !== field) field.value = String(state[side] || "");
  });
  return field;
}

/** The search: a combobox whose suggestions are names, attributes and values of spans. */
export function searchField(): HTMLElement {
  const field = h("input", {
    type: "search",
    id: "search",
    onfocus: readAhead,
    role: "combobox",
    autocomplete: "off",
    "aria-expanded": "false",
    "aria-controls": "suggested",
    "aria-autocomplete": "list",
    placeholder: say("filter.search_hint"),
    "aria-label": say("filter.search"),
  });
  const list = h("ul", { id: "suggested", role: "listbox", "aria-label": say("filter.suggested"), hidden: true });
  let current = -1;
  let timer = 0;
  const show = (texts: string[]): void => {
    clearTimeout(timer); // of a letter before Escape
    current = -1;
    fill(
      list,
      texts.map((text, place) =>
        h(
          "li",
          {
            role: "option",
            id: `suggested-${place}`,
            "aria-selected": "false",
            onpointerdown: (event: Event) => take(event, text),
          },
          text,
        ),
      ),
    );
    list.hidden = texts.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    field.removeAttribute("aria-activedescendant");
  };
  const take = (event: Event, text: string): void => {
    event.preventDefault();
    change({ query: text });
    show([]);
  };
  const mark = (by: number): void => {
    current = Math.max(-1, Math.min(list.children.length - 1, current + by));
    [...list.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === current)));
    if (current >= 0) field.setAttribute("aria-activedescendant", `suggested-${current}`);
    else field.removeAttribute("aria-activedescendant");
  };
  field.addEventListener("input", () => {
    change({ query: field.value });
    clearTimeout(timer);
    timer = setTimeout(() => show(document.activeElement === field ? suggestions(field.value) : []), PAUSE_MS);
  });
  field.addEventListener("blur", () => show([]));
  field.addEventListener("keydown", (event) => {
    const chosen = list.children[current];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && chosen !== undefined) take(event, chosen.textContent ?? "");
    else if (event.key === "Enter" && view.length > 0) openRequest(view[0] ?? -1, false);
    else if (event.key === "Escape" && !list.hidden) show([]);
    else if (event.key === "Escape" && state.query !== "") change({ query: "" });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  follow(() => {
    if (field.value !== state.query) field.value = state.query;
  });
  return h("div", { class: "search-box" }, field, list);
}

function chip(name: Flag, is: (request: number) => boolean): HTMLElement {
  const many = h("small", {});
  const element = h(
    "button",
    { class: "chip", id: `only-${name}`, onclick: () => change({ only: toggled(state.only, name) }) },
    say(`mark.${name}`),
    many,
  );
  follow(() => {
    const some = state.only.has(name) ? every : view;
    let times = 0;
    for (const request of some) if (is(request)) times++;
    many.textContent = ` ${number(times)}`;
    element.setAttribute("aria-pressed", String(state.only.has(name)));
  });
  return element;
}

/** The number of shown requests, also announced to screen readers. */
export function found(): HTMLElement {
  const says = h("span", { id: "found", role: "status" });
  const back = h("button", { class: "link", id: "clear-list" }, say("filter.clear"));
  back.addEventListener("click", () => {
    clear();
    byId("search").focus();
  });
  follow(() => {
    const some = say("filter.found", { n: view.length, all: count });
    const fact = state.fact === null ? "" : ` · ${factText(state.fact)}`;
    says.textContent = isFiltered() ? some + fact : say("filter.all", { all: count });
    back.hidden = !isFiltered();
  });
  return h("p", { class: "found" }, says, back);
}
