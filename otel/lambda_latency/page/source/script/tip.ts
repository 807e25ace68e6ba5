// ---- A tooltip. Its content is also elsewhere on the page.

import { byId } from "./elements.js";

const tip = byId("tip");

export function showTip(lines: readonly string[], event: { clientX: number; clientY: number }): void {
  tip.textContent = lines.join("\n");
  tip.hidden = false;
  const size = tip.getBoundingClientRect();
  const below = event.clientY + 14;
  tip.style.left = `${Math.max(6, Math.min(innerWidth - size.width - 6, event.clientX + 12))}px`;
  tip.style.top = `${below + size.height > innerHeight ? event.clientY - size.height - 10 : below}px`;
}

export function hideTip(): void {
  tip.hidden = true;
}
