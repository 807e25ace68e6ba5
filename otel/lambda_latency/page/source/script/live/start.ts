// ---- The live page: rows as they come, a verdict as often as the server allows, and the report's page of both.

import type { Island } from "../island.js";
import { answers } from "./answers.js";
import type { Verdict } from "./compose.js";
import { draw, drawn, isFree } from "./draw.js";
import { type News, listen } from "./link.js";
import { addRows, last, rowsAfter } from "./rows.js";
import {
  type Acts,
  chosen,
  clearUpTo,
  compareNewest,
  drawFresh,
  drawNews,
  drawStrip,
  query,
  turnPause,
} from "./strip.js";

const LOOK_MS = 250; // between two looks whether something is due
const NOTHING: Verdict = {
  report: JSON.parse(document.getElementById("report")?.textContent ?? "") as Island,
  lines: [],
  last: 0,
};

let verdict = NOTHING;
let shown = 0; // the number of the newest row that the page shows
let isDue = true;
let askMs = 0; // when the next verdict may be asked for
let asked = -1; // the number of the newest row at the last question
let isAsking = false;
let isLost = false; // the connection

const acts: Acts = {
  newWindow() {
    [askMs, asked] = [0, -1];
    look();
  },
  clear() {
    clearUpTo(last);
    verdict = NOTHING;
    history.replaceState(history.state, "", location.pathname + location.search);
    render();
  },
  pause() {
    turnPause();
    look();
  },
  show: render,
  open(traceId) {
    render();
    drawn()?.open(traceId);
  },
};

function render(): void {
  draw(verdict, rowsAfter(verdict.last, chosen.after));
  [shown, isDue] = [last, false];
  tell();
}

const tell = (): void =>
  drawFresh(rowsAfter(shown, chosen.after).length, rowsAfter(0, chosen.after).length === 0, acts);

function take(news: News): void {
  drawNews(news);
  isLost = news.link?.isLost ?? isLost;
  if (news.rows === undefined) return;
  for (const row of news.rows) if ("id" in row && row.n > last) answers.delete(row.id);
  if (addRows(news.rows)) {
    [verdict, shown, asked, askMs] = [NOTHING, 0, -1, 0];
    isDue = true;
  }
  isDue ||= last > shown;
  tell();
  look();
}

/** Asks for a verdict and draws, if it is time for it. */
function look(): void {
  if (document.hidden || chosen.isPaused) return;
  if (isDue && isFree()) render();
  const isAskable = !isLost && !isAsking && asked !== last && performance.now() >= askMs;
  if (isAskable && drawn()?.isReading() !== true) void askVerdict();
}

async function askVerdict(): Promise<void> {
  const window_ = query();
  [isAsking, asked] = [true, last];
  try {
    const answer = await fetch(`verdict?${window_}`);
    if (answer.ok) {
      const { wait_ms: wait, ...newest } = (await answer.json()) as Verdict & { wait_ms: number };
      askMs = performance.now() + wait;
      if (window_ === query()) [verdict, isDue] = [newest, true];
      await compareNewest();
    }
  } catch {
    [asked, askMs] = [-1, performance.now() + LOOK_MS];
  }
  isAsking = false;
  look();
}

addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
  const { checked } = document.getElementById("shortcuts") as HTMLInputElement;
  if (event.key !== "p" || isTyping || event.ctrlKey || event.metaKey || event.altKey || !checked) return;
  event.preventDefault();
  acts.pause();
});

drawStrip(acts);
render();
listen(take, () => last);
setInterval(look, LOOK_MS);
