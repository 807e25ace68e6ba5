// ---- Elements. Every text becomes a text node: text from traces is never parsed as markup.

import { whileDrawn } from "./host.js";

const SVG = "http://www.w3.org/2000/svg";

export type Child = Node | string | number | false | null | undefined | readonly Child[];
export type Value = string | number | boolean | null | undefined;
export type Listener = (event: never) => unknown;
export type Properties = Record<string, Value | Listener>;

/** An element that the page has. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element #${id}`);
  return found;
}

export const h = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] => furnish(document.createElement(tag), properties, children);

export const s = <Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] => furnish(document.createElementNS(SVG, tag), properties, children);

/** `onclick` etc. add listeners; `$width` sets a style, because the page's policy forbids style attributes. */
function furnish<Kind extends HTMLElement | SVGElement>(
  element: Kind,
  properties: Properties,
  children: Child[],
): Kind {
  for (const [name, value] of Object.entries(properties)) {
    if (value == null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (name.startsWith("$")) element.style.setProperty(name.slice(1), String(value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

export function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child != null && child !== false && child !== "") element.append(child as Node | string);
  }
}

/** A name that breaks after a dot or a slash, where it has one, and not within a word. */
export const breakable = (name: string): Child =>
  name.split(/(?<=[./])/).flatMap((piece, place) => (place === 0 ? piece : [h("wbr"), piece]));

/** Replaces the children of an element. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** A section of the page: a title, a sentence about its content, and children. */
export function section(id: string, title: string, sentence: Child, ...children: Child[]): HTMLElement {
  const head = [h("h2", { id: `${id}-title` }, title), sentence && h("p", { class: "says" }, sentence)];
  return h("section", { id, "aria-labelledby": `${id}-title` }, head, children);
}

const PAPER = 1180; // pixels between the margins of A4, at the zoom of print.css
const LEAST = 80; // pixels that a picture needs; a width below it lasts for a frame, for example before a print

/** Draws an element for its width, again after each change of the width, and for print. */
export function onWidth(element: Element, draw: (width: number) => void): void {
  let width = 0;
  const sized = (): void => {
    const now = Math.floor(element.clientWidth);
    if (now < LEAST || now === width) return;
    width = now;
    draw(width);
    performance.mark("drawn");
  };
  addEventListener("beforeprint", () => draw(element.closest(".beside, #parts") ? PAPER / 2 : PAPER), whileDrawn);
  addEventListener("afterprint", () => width > 0 && draw(width), whileDrawn);
  new ResizeObserver(sized).observe(element);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function reveal(element: Element): void {
  element.scrollIntoView({ block: "start", behavior: calm.matches ? "instant" : "smooth" });
}

/** A text only for screen readers. */
export const unseen = (text: string): HTMLElement => h("span", { class: "unseen" }, text);
