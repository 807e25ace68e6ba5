// ---- Elements. Every text becomes a text node: text from traces is never parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element of the page, or null. @returns {any} */
export const byId = (id) => document.getElementById(id);

/** What an event came from. @returns {any} */
export const targetOf = (event) => event.target;

/** The request whose mark is at a point of the window, or -1. */
export function requestAt(event) {
  const mark = document.elementFromPoint(event.clientX, event.clientY);
  return Number((mark instanceof SVGElement && mark.dataset.request) || -1);
}

export const h = (tag, properties = {}, ...children) => furnish(document.createElement(tag), properties, children);
export const s = (tag, properties = {}, ...children) => furnish(document.createElementNS(SVG, tag), properties, children);

/** `onclick` and the like add listeners, `$width` sets a style: an attribute would be against the page's policy. */
function furnish(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("$")) element.style.setProperty(name.slice(1), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity))
    if (child != null && child !== false && child !== "") element.append(child);
}

/** A section of the page: a title, a sentence that says what it shows, and what `draw` puts below. */
export function section(id, title, sentence, ...children) {
  const head = [h("h2", { id: `${id}-title` }, title), sentence && h("p", { class: "says" }, sentence)];
  const element = h("section", { id, "aria-labelledby": `${id}-title` }, head, children);
  byId("sections").append(element);
  return element;
}

const PAPER = 1100; // pixels between the margins of A4, at the size of print

/** Draw now, and again whenever the width has changed: a picture is drawn once for a width. */
export function onWidth(element, draw) {
  let width = 0;
  addEventListener("beforeprint", () => draw(PAPER));
  addEventListener("afterprint", () => width > 0 && draw(width));
  new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now === 0 || now === width) return;
    width = now;
    draw(width);
    performance.mark("drawn");
  }).observe(element);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function reveal(element) {
  element.scrollIntoView({ block: "start", behavior: calm.matches ? "instant" : "smooth" });
}

/** A text for those who hear the page. */
export const unseen = (text) => h("span", { class: "unseen" }, text);
