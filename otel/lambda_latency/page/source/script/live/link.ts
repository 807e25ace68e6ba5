// ---- The connection to the server. A browser has six of them, so one tab listens for all tabs of this page.

import type { Mark, Row } from "./rows.js";

export type Numbers = Record<string, number> & { refusals?: [string, number][]; why?: string; endpoint?: string };

/** What all tabs get. */
export interface News {
  rows?: (Row | Mark)[];
  numbers?: Numbers; // what the server keeps and drops
  isIncomplete?: true; // rows were forgotten while no tab listened
  link?: { text: string; isLost: boolean };
}

const HIDDEN_MS = 5000; // after which a tab that nobody sees lets its connection go
const AGAIN_MS = 1000;
const CONNECTED = { text: "connected", isLost: false };
const REFUSED = { text: "Not connected: open the address that lambda-latency printed, or reload.", isLost: true };
const ENDED = {
  text: "lambda-latency has ended; these requests stay, and the page waits for it to start again",
  isLost: true,
};

/** Listens for as long as the page is open. `lastRow` is the number of the newest row that came. */
export function listen(take: (news: News) => void, lastRow: () => number): void {
  const name = `lambda-latency${location.pathname}`;
  const channel = new BroadcastChannel(name);
  let held: News[] | null = null; // news that came before the rows that are older than them
  const receive = (news: News): void => {
    if (held === null) take(news);
    else held.push(news);
  };
  const spread = (news: News): void => {
    receive(news);
    channel.postMessage(news);
  };
  channel.onmessage = (event: MessageEvent<News>) => receive(event.data);
  let turn: AbortController | null = null;
  const seen = (): void => {
    if (document.hidden || turn !== null) return;
    const own = new AbortController();
    turn = own;
    held ??= [];
    void catchUp(own.signal).then((news) => {
      for (const each of [news, ...(held ?? [])]) take(each);
      held = null;
    });
    const holding = (): Promise<void> => connected(spread, lastRow, own.signal);
    navigator.locks.request(name, { signal: own.signal }, holding).catch(() => undefined); // another tab listens
  };
  let timer = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) seen();
    else
      timer = setTimeout(() => {
        turn?.abort();
        turn = null;
      }, HIDDEN_MS);
  });
  seen();
}

/** Asks for the rows that came before this tab listened, until the server answers. */
async function catchUp(signal: AbortSignal): Promise<News> {
  while (!signal.aborted) {
    try {
      const answer = await fetch("rows", { signal });
      return answer.ok ? { rows: (await answer.json()) as Row[], link: CONNECTED } : { link: REFUSED };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  return {};
}

/** Spreads what the server sends, until the signal is aborted. */
function connected(spread: (news: News) => void, lastRow: () => number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let hasEnded = false;
    let events: EventSource;
    const open = (): void => {
      events = new EventSource(`events?last=${lastRow()}`);
      events.onopen = () => {
        hasEnded = false;
        spread({ link: CONNECTED });
      };
      events.onerror = () => {
        if (events.readyState === EventSource.CLOSED) void again();
        else if (!hasEnded) spread({ link: { text: "Connection lost, trying again", isLost: true } });
      };
      events.onmessage = (event) => spread({ rows: JSON.parse(event.data) });
      events.addEventListener("state", (event) => spread({ numbers: JSON.parse(event.data) }));
      events.addEventListener("lost", () => spread({ isIncomplete: true }));
      events.addEventListener("end", () => {
        hasEnded = true;
        spread({ link: ENDED });
      });
    };
    /** Connects again once a server answers with this page; one that has another token refuses for good. */
    const again = async (): Promise<void> => {
      try {
        const answer = await fetch(".", { signal });
        if (answer.ok) open();
        else spread({ link: REFUSED });
      } catch {
        if (!signal.aborted) setTimeout(() => void again(), AGAIN_MS);
      }
    };
    signal.addEventListener("abort", () => {
      events.close();
      resolve();
    });
    open();
  });
}
