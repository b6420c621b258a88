import { parseTime, QuantityError } from "../base/quantity.ts";

/** A time, or one relative to now: "1.5 s", "-5 s", "+250 ms", "start". Throws {@link QuantityError}. */
export function parseInstant(text: string, nowPs: number): number {
  const trimmed = text.trim();
  if (trimmed === "start") return 0;
  const relative = /^[+-]/.exec(trimmed)?.[0];
  const ps = parseTime(relative === undefined ? trimmed : trimmed.slice(1).trim());
  if (relative === undefined) return ps;
  return Math.max(0, relative === "-" ? nowPs - ps : nowPs + ps);
}

/** Whether a text says a time. */
export function isInstant(text: string, nowPs: number): boolean {
  try {
    parseInstant(text, nowPs);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}
