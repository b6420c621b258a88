import type { Model } from "../model.ts";
import { MODES } from "../modes/registry.ts";
import { left, paint, type Role, sanitize, width as widthOf } from "../text.ts";
import { CAPTION_ROWS, isTooSmall } from "../tour.ts";
import { logLine } from "./events.ts";
import { hintLine } from "./hint.ts";

const NOTICE_ROLES: Record<"info" | "warn" | "error", Role> = { info: "accent", warn: "warn", error: "error" };

/** One line above the footer: a prompt, what the user was last told, what to try first, or the last event of the run. */
export function notice(model: Model, width: number): string[] {
  const { isBox, prompt = isBox === true ? MODES[model.under].prompt : undefined } = MODES[model.mode];
  const said = model.notice === null ? "" : paint(NOTICE_ROLES[model.notice.level], sanitize(model.notice.text));
  if (prompt !== undefined) {
    const beside = model.notice?.isOfField === true ? `  ${said} ` : "";
    return [left(prompt(model, width - widthOf(beside)) + beside, width)];
  }
  if (isTooSmall(model)) return [left(paint("accent", ` a tour: captions need ${CAPTION_ROWS} rows; t, Esc`), width)];
  if (said !== "") return [left(` ${said}`, width)];
  const last = model.live?.log.at(-1);
  // What went wrong is worth more than a hint.
  if (model.hint !== null && (last === undefined || last.level === "info")) return [left(hintLine(width), width)];
  return [left(last ? ` ${logLine(last)}` : "", width)];
}
