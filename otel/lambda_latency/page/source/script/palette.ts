// ---- The colours of parts. Six parts that matter most have one each; the rest are grey. Kinds have textures.

import { report } from "./data.js";
import { h } from "./elements.js";

const NAMED = 6;
// These also have a texture, because not everybody can distinguish the hues.
const TEXTURES = new Set(["connect", "retries", "cold start", "telemetry", "unknown", "own code"]);

const rank = new Map<number, number>();
const first = [
  ...report.findings.flatMap((card) => card.part ?? []),
  ...report.members.map(([part]) => part),
  ...report.buckets.keys(),
];
for (const part of first) if (!rank.has(part) && rank.size < NAMED) rank.set(part, rank.size + 1);

export const isNamed = (part: number): boolean => rank.has(part);

/** The classes of a part's colour, and of its texture if its kind has one. */
export function partClass(part: number): string {
  const place = rank.get(part) ?? 0;
  return `c${place} ${textureOf(part)}`.trim();
}

/** The texture of a part: the id of a pattern, or empty. */
export function textureOf(part: number): string {
  const bucket = report.parts[part]?.bucket ?? "";
  return TEXTURES.has(bucket) ? `t-${bucket.replaceAll(" ", "-")}` : "";
}

export const swatch = (part: number): HTMLElement =>
  h("span", { class: `swatch ${partClass(part)}`, "aria-hidden": "true" });
