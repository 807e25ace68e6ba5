// ---- Draws a PNG from the page: the headline, its source, the findings with their numbers, and the chart.

import { report } from "./data.js";
import { byId } from "./elements.js";
import { windowWords } from "./words.js";

const WIDTH = 1200;
const MARGIN = 40;
const SCALE = 2; // image pixels per page pixel
const LARGEST = 1.8; // times the size on the page
const MOST_ROWS = 8;
const [HEAD, SOURCE, BAR, ROW, GAP] = [36, 28, 20, 44, 20]; // pixels of lines, and between the chart and the others

const styleOf = (element: Element): CSSStyleDeclaration => getComputedStyle(element);
const family = (): string => styleOf(document.documentElement).fontFamily;

/** The PNG, in the page's colours. */
export async function pagePicture(): Promise<Blob> {
  const svg = document.querySelector(".chart svg");
  const rows = [...document.querySelectorAll(".row-of-finding")].slice(0, MOST_ROWS);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser draws no pictures");
  const lines = wrapped(context, byId("sentence").textContent ?? "");
  const size = svg?.getBoundingClientRect() ?? { width: 1, height: 0 };
  const stretch = Math.min(LARGEST, (WIDTH - 2 * MARGIN) / size.width);
  const above = MARGIN + lines.length * HEAD + SOURCE + BAR + rows.length * ROW + GAP;
  const height = above + size.height * stretch + MARGIN;
  [canvas.width, canvas.height] = [WIDTH * SCALE, height * SCALE];
  context.scale(SCALE, SCALE);
  context.fillStyle = styleOf(document.documentElement).backgroundColor;
  context.fillRect(0, 0, WIDTH, height);
  context.fillStyle = styleOf(document.body).color;
  context.font = `600 26px ${family()}`;
  lines.forEach((line, at) => context.fillText(line, MARGIN, MARGIN + 26 + at * HEAD));
  let y = MARGIN + lines.length * HEAD + SOURCE;
  context.font = `14px ${family()}`;
  context.fillText(`lambda-latency ${report.sources.slice(0, 3).join(", ")} · ${windowWords()}`, MARGIN, y - 10);
  drawPieces(context, y);
  y += BAR + 6;
  rows.forEach((row, at) => drawRow(context, row, y + at * ROW));
  if (svg !== null) {
    context.translate(MARGIN, above);
    context.scale(stretch, stretch);
    for (const shape of svg.querySelectorAll("rect, line, path, circle, text")) drawShape(context, shape);
  }
  return new Promise((done, failed) =>
    canvas.toBlob((blob) => (blob === null ? failed(new Error("no picture")) : done(blob)), "image/png"),
  );
}

type Context = CanvasRenderingContext2D;

function wrapped(context: Context, text: string): string[] {
  context.font = `600 26px ${family()}`;
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= WIDTH - 2 * MARGIN) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Draws a shape of the chart; textures, handles and hidden shapes are skipped. */
function drawShape(context: Context, shape: Element): void {
  const style = styleOf(shape);
  if (style.display === "none" || shape.closest(".handle") !== null) return;
  const number = (name: string): number => Number(shape.getAttribute(name) ?? 0);
  if (shape.tagName === "text") {
    context.fillStyle = style.fill;
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const sides: Record<string, CanvasTextAlign> = { middle: "center", end: "right" };
    const side = sides[shape.getAttribute("text-anchor") ?? ""] ?? "left";
    context.textAlign = side;
    context.fillText(shape.textContent ?? "", number("x"), number("y"));
    context.textAlign = "left";
    return;
  }
  const path = new Path2D(shape.tagName === "path" ? (shape.getAttribute("d") ?? "") : "");
  if (shape.tagName === "rect") path.rect(number("x"), number("y"), number("width"), number("height"));
  else if (shape.tagName === "circle") path.arc(number("cx"), number("cy"), number("r"), 0, 2 * Math.PI);
  else if (shape.tagName === "line") {
    path.moveTo(number("x1"), number("y1"));
    path.lineTo(number("x2"), number("y2"));
  }
  if (style.fill !== "none" && shape.tagName !== "line" && !style.fill.startsWith("url")) {
    context.globalAlpha = Number(style.fillOpacity);
    context.fillStyle = style.fill;
    context.fill(path);
  }
  if (style.stroke !== "none") {
    context.globalAlpha = 1;
    context.strokeStyle = style.stroke;
    context.lineWidth = Number.parseFloat(style.strokeWidth);
    context.setLineDash(
      style.strokeDasharray === "none" ? [] : style.strokeDasharray.split(",").map(Number.parseFloat),
    );
    context.stroke(path);
  }
  context.globalAlpha = 1;
}

/** Draws the bar of all time above typical requests, as wide as the picture. */
function drawPieces(context: Context, y: number): void {
  const whole = document.querySelector(".excess")?.getBoundingClientRect();
  if (whole === undefined) return;
  const scale = (WIDTH - 2 * MARGIN) / Math.max(1, whole.width);
  for (const piece of document.querySelectorAll(".piece .fill")) {
    const { left, width } = piece.getBoundingClientRect();
    context.fillStyle = styleOf(piece).backgroundColor;
    context.fillRect(MARGIN + (left - whole.left) * scale, y, width * scale, BAR - 6);
  }
}

/** Draws the row of a finding: its colour, its name, its requests, and its time. */
function drawRow(context: Context, row: Element, y: number): void {
  const text = (selector: string): string => row.querySelector(selector)?.textContent ?? "";
  context.fillStyle = styleOf(row).borderLeftColor;
  context.fillRect(MARGIN, y, 6, ROW - 8);
  context.fillStyle = styleOf(document.body).color;
  context.font = `600 15px ${family()}`;
  context.fillText(text(".title b").slice(0, 90), MARGIN + 16, y + 14);
  context.textAlign = "right";
  context.fillText(text(".time"), WIDTH - MARGIN, y + 14);
  context.font = `13px ${family()}`;
  context.fillText(text(".unit"), WIDTH - MARGIN, y + 32);
  context.textAlign = "left";
  context.fillText(text(".which").slice(0, 120), MARGIN + 16, y + 32);
}
