// otel/lambda_latency/page/source/script/elements.ts
var SVG = "http://www.w3.org/2000/svg";
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element #${id}`);
  return found;
}
var h = (tag, properties = {}, ...children) => furnish(document.createElement(tag), properties, children);
var s = (tag, properties = {}, ...children) => furnish(document.createElementNS(SVG, tag), properties, children);
function furnish(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value == null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name.startsWith("$")) element.style.setProperty(name.slice(1), String(value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}
function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child != null && child !== false && child !== "") element.append(child);
  }
}
function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}
function section(id, title, sentence, ...children) {
  const head = [h("h2", { id: `${id}-title` }, title), sentence && h("p", { class: "says" }, sentence)];
  return h("section", { id, "aria-labelledby": `${id}-title` }, head, children);
}
var PAPER = 1180;
var LEAST = 80;
function onWidth(element, draw) {
  let width = 0;
  const sized = () => {
    const now = Math.floor(element.clientWidth);
    if (now < LEAST || now === width) return;
    width = now;
    draw(width);
    performance.mark("drawn");
  };
  addEventListener("beforeprint", () => draw(element.closest(".beside, #parts") ? PAPER / 2 : PAPER));
  addEventListener("afterprint", () => width > 0 && draw(width));
  new ResizeObserver(sized).observe(element);
}
var calm = matchMedia("(prefers-reduced-motion: reduce)");
function reveal(element) {
  element.scrollIntoView({ block: "start", behavior: calm.matches ? "instant" : "smooth" });
}
var unseen = (text) => h("span", { class: "unseen" }, text);

// otel/lambda_latency/page/source/script/numbers.ts
var THIN = "\u202F";
var NUMBERS = new Intl.NumberFormat("en-US");
var number = (value) => NUMBERS.format(Math.round(value));
var plural = (count, one, many = `${one}s`) => `${number(count)}${THIN}${count === 1 ? one : many}`;
function ms(ns) {
  const value = ns / 1e6;
  if (Math.round(value) >= 1e4)
    return `${(value / 1e3).toLocaleString("en-US", { maximumFractionDigits: value < 99950 ? 1 : 0 })}${THIN}s`;
  const decimals = [1, 2, 3].find((places) => Math.round(value * 10 ** places) > 0) ?? 0;
  const rounded = Math.round(value * 10 ** decimals) / 10 ** decimals;
  return `${value > 0 && value < 1 && rounded < 1 ? rounded.toFixed(decimals) : number(value)}${THIN}ms`;
}
export {
  THIN,
  append,
  byId,
  fill,
  h,
  ms,
  number,
  onWidth,
  plural,
  reveal,
  s,
  section,
  unseen
};
