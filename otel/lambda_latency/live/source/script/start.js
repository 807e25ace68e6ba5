// ---- Draws the page, and listens to the server.

import { drawList } from "./list.js";
import { openRequest } from "./request.js";
import { addRows, store } from "./rows.js";
import { asked, compare, drawTools, takeLost, takeState, takeVerdict, tellLink } from "./tools.js";

let events = null;

const HIDDEN_MS = 5000; // after which a tab that nobody sees lets its connection go: a browser has six
let timer = 0;
let hasEnded = false; // the server said that it ends

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) events ?? listen();
  else
    timer = setTimeout(() => {
      events?.close();
      events = null;
    }, HIDDEN_MS);
});

function listen() {
  events?.close();
  const own = new EventSource(`events?${asked()}&last=${store.last}`);
  events = own;
  own.onopen = () => {
    hasEnded = false;
    tellLink("connected", false);
  };
  own.onerror = () => {
    if (own.readyState === EventSource.CLOSED) again(own);
    else if (!hasEnded) tellLink("Connection lost, trying again", true);
  };
  own.onmessage = (event) => {
    addRows(JSON.parse(event.data));
    performance.mark("rows");
  };
  own.addEventListener("verdict", (event) => takeVerdict(JSON.parse(event.data)));
  own.addEventListener("state", (event) => takeState(JSON.parse(event.data)));
  own.addEventListener("lost", takeLost);
  own.addEventListener("end", () => {
    hasEnded = true;
    tellLink("lambda-latency has ended; these rows stay, and the page waits for it to start again", true);
    addRows([{ n: store.last, first: store.last, id: "", end: Date.now(), mark: "lambda-latency ended" }]);
    store.last = 0;
  });
}

const AGAIN_MS = 1000;

/** Connects again once a server answers with this page; one that has another token refuses for good. */
async function again(own) {
  try {
    const answer = await fetch(".");
    if (answer.ok && events === own) listen();
    else if (!answer.ok) tellLink("Not connected: open the address that lambda-latency printed, or reload.", true);
  } catch {
    setTimeout(() => events === own && again(own), AGAIN_MS);
  }
}

drawList((row) => (row.mark ? compare(row) : openRequest(row)));
drawTools(listen);
listen();
