// ---- Starts the page: its script is deflated in the page, which is a third of the size in each mail and archive.
// The page's policy names the hash of the script, so nothing else can be started this way.

import { inflate } from "./inflate.js";

const packed = Uint8Array.from(atob(document.getElementById("script")?.textContent ?? ""), (letter) =>
  letter.charCodeAt(0),
);
const script = document.createElement("script");
script.textContent = new TextDecoder().decode(inflate(packed));
document.body.append(script);
