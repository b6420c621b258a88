import type { LogLine } from "../../report/snapshot.ts";
import { seconds } from "../format.ts";
import type { Model } from "../model.ts";
import { paint, type Role, sanitize } from "../text.ts";
import { frame } from "./frame.ts";

const ROLES: Record<LogLine["level"], Role> = { info: "dim", warn: "warn", error: "error" };

/** The latest lines of the event log, the newest at the bottom. */
export function events(model: Model, width: number, height: number): string[] {
  const log = model.live?.log ?? [];
  const lines = log.slice(-Math.max(1, height - 2)).map((line) => ` ${logLine(line)}`);
  if (lines.length === 0) lines.push(paint("dim", " nothing happened yet"));
  return frame(lines, { title: "Events", note: `${log.length}`, width, height, focused: model.pane === "events" });
}

/** A line of the log with its time and its level. */
export function logLine({ at_ns, level, text }: LogLine): string {
  const mark = level === "info" ? "" : paint(ROLES[level], level === "warn" ? "warning " : "error ");
  return `${paint("dim", `${seconds(at_ns * 1000, 6)} s`)}  ${mark}${sanitize(text)}`;
}
