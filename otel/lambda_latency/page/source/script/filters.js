// ---- The filters above the list.

import { factText } from "./facts.js";
import { byId, h } from "./elements.js";
import { count, label, report, requests } from "./report.js";
import { FLAGS, apply, isFiltered, reset, state, view, watchers } from "./state.js";
import { number, say } from "./words.js";

export function filters() {
  const option = (value, text) => h("option", { value }, text);
  const choose = (id, name, all, values) => {
    const change = (event) => {
      state[name] = event.target.value === "" ? -1 : Number(event.target.value);
      apply();
    };
    return h(
      "select",
      { id, "aria-label": all, onchange: change },
      option("", all),
      values.map(([value, text]) => option(value, text)),
    );
  };
  const parted = report.buckets.flatMap((bucket, part) =>
    bucket.total_ns > 0 ? [[part, say("filter.waits", { part: label(part) })]] : [],
  );
  const search = h("input", {
    type: "search",
    id: "search",
    placeholder: say("filter.search_hint"),
    "aria-label": say("filter.search"),
  });
  search.addEventListener("input", () => {
    state.query = search.value;
    apply();
  });
  const route = choose(
    "route",
    "route",
    say("filter.routes"),
    requests.routes.map((name, at) => [at, name]),
  );
  const part = choose("part", "part", say("filter.parts"), parted);
  const limit = (side) => {
    const field = h("input", {
      type: "number",
      id: side,
      min: 0,
      placeholder: say(`filter.${side}`),
      "aria-label": say(`filter.${side}_ms`),
    });
    field.addEventListener("input", () => {
      state[side] = Math.max(0, Math.floor(Number(field.value)) || 0);
      apply();
    });
    return field;
  };
  const [from, to] = [limit("from"), limit("to")];
  const chips = Object.entries(FLAGS).map(([name, is]) => chip(name, is));
  watchers.push(() => {
    if (search.value !== state.query) search.value = state.query;
    route.value = state.route < 0 ? "" : state.route;
    part.value = state.part < 0 ? "" : state.part;
    for (const field of [from, to]) if (document.activeElement !== field) field.value = state[field.id] || "";
  });
  return [
    h("div", { class: "filters" }, search, route, part),
    h("div", { class: "filters" }, chips, h("span", { class: "between" }, from, "–", to, "ms")),
  ];
}

function chip(name, is) {
  let times = 0;
  for (let request = 0; request < count; request++) if (is(request)) times++;
  const toggle = () => {
    if (!state.only.delete(name)) state.only.add(name);
    apply();
  };
  const element = h(
    "button",
    { class: "chip", id: `only-${name}`, onclick: toggle },
    say(`mark.${name}`),
    h("small", {}, ` ${number(times)}`),
  );
  watchers.push(() => element.setAttribute("aria-pressed", state.only.has(name)));
  return element;
}

/** The number of shown requests, also announced to screen readers. */
export function found() {
  const says = h("span", { id: "found", role: "status" });
  const clear = h("button", { class: "link", id: "clear" }, say("filter.clear"));
  clear.addEventListener("click", () => {
    reset();
    apply();
    byId("search").focus();
  });
  watchers.push(() => {
    const some = say("filter.found", { n: view.length, all: count });
    const fact = state.fact === null ? "" : ` · ${factText(state.fact)}`;
    says.textContent = isFiltered() ? some + fact : say("filter.all", { all: count });
    clear.hidden = !isFiltered();
  });
  return h("p", { class: "found" }, says, clear);
}
