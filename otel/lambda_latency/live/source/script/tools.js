// ---- What is above the list: the verdict, counts, bounds, filters, pause, clear, and the links.

import { byId, h, reveal } from "../../../page/source/script/elements.js";
import { number, plural } from "../../../page/source/script/numbers.js";
import { closeRequest, openRequest } from "./request.js";
import { clear, counted, failing, isFiltered, pause, refresh, store, watchers } from "./rows.js";
import { clock, megabytes } from "./words.js";

export const chosen = { minutes: 15, changed: () => {} };
const NAMES = ["slow", "error", "timeout", "cold"];
const WINDOWS = { 1: "in the last minute", 5: "in the last 5 minutes", 15: "in the last 15 minutes", 60: "in the last 60 minutes", 0: "of all that are kept" };
let server = {};
let waiting = null; // a verdict that came during a pause

export function drawTools(changed) {
  chosen.changed = changed;
  const given = new URLSearchParams(location.hash.slice(1));
  const minutes = given.get("minutes") ?? "15";
  if (minutes in WINDOWS) chosen.minutes = Number(minutes);
  store.cleared = Number(given.get("after")) || 0;
  /** @type {any} */ (byId("minutes")).value = String(chosen.minutes);
  byId("minutes").addEventListener("change", () => {
    chosen.minutes = Number(/** @type {any} */ (byId("minutes")).value);
    newWindow();
  });
  byId("query").addEventListener("input", () => {
    store.query = /** @type {any} */ (byId("query")).value.trim().toLowerCase();
    refresh();
  });
  byId("least").addEventListener("input", () => {
    store.least = Math.max(0, Number(/** @type {any} */ (byId("least")).value) || 0) * 1e6;
    refresh();
  });
  byId("slowest").addEventListener("click", () => {
    store.slowest = !store.slowest;
    byId("slowest").setAttribute("aria-pressed", String(store.slowest));
    refresh();
  });
  for (const name of NAMES) {
    const chip = byId(`only-${name}`);
    chip.addEventListener("click", () => {
      if (!store.only.delete(name)) store.only.add(name);
      chip.setAttribute("aria-pressed", String(store.only.has(name)));
      refresh();
    });
  }
  byId("clear-chosen").addEventListener("click", () => {
    store.chosen = null;
    refresh();
  });
  byId("pause").addEventListener("click", turnPause);
  byId("clear").addEventListener("click", () => {
    closeRequest();
    clear();
    byId("compared").hidden = true;
    showVerdict({ requests: 0 });
    newWindow();
  });
  document.addEventListener("keydown", shortcut);
  watchers.push(tell);
  writeLinks();
  tell();
}

function newWindow() {
  history.replaceState(null, "", `#minutes=${chosen.minutes}&after=${store.cleared}`);
  writeLinks();
  chosen.changed();
}

export const asked = () => `minutes=${chosen.minutes}&after=${store.cleared}`;

function writeLinks() {
  const all = `minutes=0&after=${store.cleared}`;
  /** @type {any} */ (byId("report")).href = `report?${all}`;
  /** @type {any} */ (byId("save")).href = `save?${all}`;
}

function turnPause() {
  const on = !store.paused;
  pause(on);
  const button = byId("pause");
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? "Resume" : "Pause";
  if (!on && waiting !== null) showVerdict(waiting);
  waiting = null;
  tell();
}

function shortcut(event) {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === "Escape") {
    if (typing) byId("list").focus();
    else closeRequest();
  } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && event.key === "/") byId("query").focus();
  else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && event.key === "p") turnPause();
  else return;
  event.preventDefault();
}

/** The verdict from the server; during a pause it waits. */
export function takeVerdict(told) {
  told.at = clock(Date.now()).slice(0, 8);
  if (store.paused) waiting = told;
  else showVerdict(told);
}

function showVerdict(told) {
  const none = store.view.length > 0 ? `No request ${WINDOWS[chosen.minutes]}` : "Waiting for the first request";
  const [first, second, ...others] = told.paragraphs ?? [none];
  byId("sentence").textContent = first;
  byId("evidence").textContent = told.requests > 0 ? `${second ?? ""} (${plural(told.requests, "request")} ${WINDOWS[chosen.minutes]}, at ${told.at})` : "";
  store.slow = new Set(told.slow ?? []);
  byId("shows").replaceChildren(...(told.shows ?? []).flatMap(shown));
  refresh();
  const timeouts = new Set(told.timeouts ?? []);
  byId("also").replaceChildren(...others.map((text) => h("li", { class: timeouts.has(text) && "timeout" }, text)));
}

const rowOf = (id) => store.all.find((row) => row.id === id);

/** The buttons of a cause: its requests in the list, and its example. */
function shown({ name, ids, example }) {
  const show = () => {
    store.chosen = { name, ids: new Set(ids) };
    refresh();
    reveal(byId("requests"));
  };
  const open = () => {
    const row = rowOf(example);
    if (row !== undefined) openRequest(row);
  };
  return [
    h("button", { class: "button", onclick: show }, `Show the ${number(ids.length)} for ${name}`),
    h("button", { class: "button", onclick: open }, "Open the example"),
  ];
}

/** What fails now comes before what is slow; a click opens the newest of them. */
function tellFailing() {
  const told = failing();
  byId("failing").hidden = told === null;
  if (told === null) return;
  byId("failing").replaceChildren(
    h("b", {}, told.text),
    " ",
    h("button", { class: "button", id: "open-failing", onclick: () => openRequest(told.failed[0]) }, "Open the newest"),
  );
}

export function takeState(told) {
  server = told;
  tell();
}

export function takeLost() {
  store.lost = true;
  tell();
}

export function tellLink(text, lost) {
  byId("link").textContent = text;
  byId("link").className = lost ? "lost" : "";
}

/** Compares the requests before a mark with those after it. */
export async function compare(row) {
  const element = byId("compared");
  element.hidden = false;
  element.textContent = "Comparing …";
  try {
    const answer = await fetch(`compare?${asked()}&mark=${row.n}`);
    const told = answer.ok ? (await answer.json()).sentence : await answer.text();
    element.textContent = `Since ${row.mark} at ${clock(row.end)}: ${told}`;
  } catch {
    element.textContent = "The server does not answer.";
  }
}

function tell() {
  const rows = store.all.length;
  for (const name of NAMES) byId(`only-${name}`).querySelector("small").textContent = number(counted(name));
  byId("counts").textContent = plural(store.all.filter((row) => !row.mark).length, "request");
  const filtered = isFiltered();
  tellFailing();
  byId("clear-chosen").hidden = store.chosen === null;
  const found = store.view.filter((row) => !row.mark).length;
  byId("found").textContent = [
    filtered && `${number(found)} of ${plural(rows, "request")}`,
    store.chosen !== null && `for ${store.chosen.name}`,
    store.paused && `paused, ${number(store.held.length)} new`,
  ]
    .filter(Boolean)
    .join("; ");
  byId("bounds").textContent = bounds().join(" ");
  const empty = byId("empty");
  empty.hidden = store.view.length > 0;
  empty.textContent = filtered && rows > 0 ? "No request fits the filter." : hint();
}

function hint() {
  if (store.cleared > 0) return "Cleared: the requests that come from now on are shown.";
  return server.endpoint
    ? `No request yet. A sender on this machine needs OTEL_EXPORTER_OTLP_ENDPOINT=${server.endpoint} and OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.`
    : "No request yet. Each request of the app appears here as it ends.";
}

/** What was dropped, and why: each bound that is reached is said. */
function bounds() {
  const of = (count) => server[count] ?? 0;
  return [
    of("forgotten") > 0 && `${plural(of("forgotten"), "older request")} forgotten: the newest ${number(of("kept"))} are kept (${megabytes(of("bytes"))}).`,
    store.lost && "Some requests were forgotten while this page was away.",
    of("dropped") > 0 && `${plural(of("dropped"), "export")} from before this page was opened did not fit.`,
    of("refused") > 0 && `${plural(of("refused"), "export")} refused: more spans came than can be read.`,
    ...(server.refusals ?? []).map(([reason, many]) => `${plural(many, "export")} refused: ${reason}.`),
    of("other_signals") > 0 && `${plural(of("other_signals"), "export")} of metrics or logs not kept.`,
    of("unread") > 0 && `${plural(of("unread"), "part")} of exports not read: ${server.why}.`,
    of("tabs_refused") > 0 && `${plural(of("tabs_refused"), "page")} refused: ${number(of("tabs"))} are open.`,
  ].filter(Boolean);
}
