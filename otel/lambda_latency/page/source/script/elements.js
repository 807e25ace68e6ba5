// ---- Elements. Every text becomes a text node: text from traces is never parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element of the page, or null. @returns {any} */
export const byId = (id) => document.getElementById(id);

/** The target of an event. @returns {any} */
export const targetOf = (event) => event.target;

/** The request whose mark is at the event's point, or -1. */
export function requestAt(event) {
  const mark = document.elementFromPoint(event.clientX, event.clientY);
  return Number((mark instanceof SVGElement && mark.dataset.request) || -1);
}

export const h = (tag, properties = {}, ...children) => furnish(document.createElement(tag), properties, children);
export const s = (tag, properties = {}, ...children) => furnish(document.createElementNS(SVG, tag), properties, children);

/** `onclick` etc. add listeners; `$width` sets a style, because the page's policy forbids style attributes. */
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

/** A section of the page: a title, a sentence about its content, and children. */
export function section(id, title, sentence, ...children) {
  const head = [h("h2", { id: `${id}-title` }, title), sentence && h("p", { class: "says" }, sentence)];
  const element = h("section", { id, "aria-labelledby": `${id}-title` }, head, children);
  byId("sections").append(element);
  return element;
}

// Pixels between the margins of A4, at the zoom of print.css.
const paper = () => (byId("change") === null ? 1180 : 1288);

const LEAST = 80; // pixels that a picture needs; a width below it lasts for a frame, for example before a print

/** Draws an element for its width, again after each change of the width, and for print. */
export function onWidth(element, draw) {
  let width = 0;
  addEventListener("beforeprint", () => draw(paper()));
  addEventListener("afterprint", () => width > 0 && draw(width));
  new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now < LEAST || now === width) return;
    width = now;
    draw(width);
    performance.mark("drawn");
  }).observe(element);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function reveal(element) {
  element.scrollIntoView({ block: "start", behavior: calm.matches ? "instant" : "smooth" });
}

/** A text only for screen readers. */
export const unseen = (text) => h("span", { class: "unseen" }, text);
