// ---- Draws the page, and listens to the server.

import { drawList } from "./list.js";
import { openRequest } from "./request.js";
import { addRows, store } from "./rows.js";
import { asked, compare, drawTools, takeLost, takeState, takeVerdict, tellLink } from "./tools.js";

let events = null;

function listen() {
  events?.close();
  const own = new EventSource(`events?${asked()}&last=${store.last}`);
  events = own;
  own.onopen = () => tellLink("connected", false);
  own.onerror = () => {
    if (own.readyState === EventSource.CLOSED) tellLink("Not connected: open the address that lambda-latency printed, or reload.", true);
    else tellLink("Connection lost, trying again", true);
  };
  own.onmessage = (event) => {
    addRows(JSON.parse(event.data));
    performance.mark("rows");
  };
  own.addEventListener("verdict", (event) => takeVerdict(JSON.parse(event.data)));
  own.addEventListener("state", (event) => takeState(JSON.parse(event.data)));
  own.addEventListener("lost", takeLost);
  own.addEventListener("end", () => {
    own.close();
    tellLink("lambda-latency has ended; these rows stay until the page is closed", true);
  });
}

drawList((row) => (row.mark ? compare(row) : openRequest(row)));
drawTools(listen);
listen();
