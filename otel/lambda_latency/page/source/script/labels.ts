// ---- The names of parts.

import { report } from "./data.js";

export const label = (part: number): string => report.parts[part]?.label ?? "";
