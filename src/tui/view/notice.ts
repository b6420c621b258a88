import type { Model } from "../model.ts";
import { MODES } from "../modes/registry.ts";
import { left, paint, type Role, sanitize } from "../text.ts";
import { logLine } from "./events.ts";
import { hintLine } from "./hint.ts";

const NOTICE_ROLES: Record<"info" | "warn" | "error", Role> = { info: "accent", warn: "warn", error: "error" };

/** One line above the footer: a prompt, what the user was last told, what to try first, or the last event of the run. */
export function notice(model: Model, width: number): string[] {
  const { isBox, prompt = isBox === true ? MODES[model.under].prompt : undefined } = MODES[model.mode];
  if (prompt !== undefined) return [left(prompt(model), width)];
  if (model.notice) {
    const { level, text } = model.notice;
    return [left(` ${paint(NOTICE_ROLES[level], sanitize(text))}`, width)];
  }
  const last = model.live?.log.at(-1);
  // What went wrong is worth more than a hint.
  if (model.hint !== null && (last === undefined || last.level === "info")) return [left(hintLine(width), width)];
  return [left(last ? ` ${logLine(last)}` : "", width)];
}
