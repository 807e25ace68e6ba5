// ---- What other pages of the kit share with this one.

export * from "./elements.js";
export * from "./numbers.js";
