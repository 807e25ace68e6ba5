// ---- Numbers and durations, formatted as in the text report; other pages of the kit have them, too.

export const THIN = "\u202f";

const NUMBERS = new Intl.NumberFormat("en-US");

export const number = (value: number): string => NUMBERS.format(Math.round(value));
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)}${THIN}${count === 1 ? one : many}`;

/** A duration in milliseconds, with decimals only below 1 ms; from 10 s on in seconds. */
export function ms(ns: number): string {
  const value = ns / 1e6;
  if (Math.round(value) >= 1e4)
    return `${(value / 1e3).toLocaleString("en-US", { maximumFractionDigits: value < 99_950 ? 1 : 0 })}${THIN}s`;
  const decimals = [1, 2, 3].find((places) => Math.round(value * 10 ** places) > 0) ?? 0;
  const rounded = Math.round(value * 10 ** decimals) / 10 ** decimals;
  return `${value > 0 && value < 1 && rounded < 1 ? rounded.toFixed(decimals) : number(value)}${THIN}ms`;
}
