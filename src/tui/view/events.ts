import type { LogLine } from "../../report/live_snapshot.ts";
import { seconds } from "../format.ts";
import type { Model } from "../model.ts";
import { paint, type Role, sanitize } from "../text.ts";
import { frame } from "./frame.ts";

const ROLES: Record<LogLine["level"], Role> = { info: "dim", warn: "warn", error: "error" };
const WORDS: Record<LogLine["level"], string> = { info: "", warn: "warning ", error: "error " };

/** The lines of the log that pass the pane's filter, which looks at what a reader sees: level and text. */
export function listedEvents({ live, eventFilter }: Model): readonly LogLine[] {
  const log = live?.log ?? [];
  if (eventFilter === "") return log;
  const wanted = eventFilter.toLowerCase();
  return log.filter(({ level, text }) => `${WORDS[level]}${text}`.toLowerCase().includes(wanted));
}

/** The latest lines of the event log, the newest at the bottom; or those that the user has scrolled to. */
export function events(model: Model, width: number, height: number): string[] {
  const log = listedEvents(model);
  const room = Math.max(1, height - 2);
  const end = Math.max(Math.min(room, log.length), Math.min(log.length, model.eventEnd ?? log.length));
  const lines = log.slice(Math.max(0, end - room), end).map((line) => ` ${logLine(line)}`);
  if (lines.length === 0) {
    lines.push(paint("dim", model.eventFilter === "" ? " nothing happened yet" : " no event matches the filter"));
  }
  return frame(lines, { title: "Events", note: note(model, log.length, end), width, height, focused: focused(model) });
}

function focused(model: Model): boolean {
  return model.pane === "events";
}

/** The filter, how far down the log the pane is, and how many lines there are. */
function note({ live, eventFilter, eventEnd }: Model, count: number, end: number): string {
  const total = live?.log.length ?? 0;
  const filter = eventFilter === "" ? "" : paint("warn", `/${sanitize(eventFilter)}  `);
  const place = eventEnd === null ? `${count}` : paint("accent", `to ${end} of ${count}`);
  return filter + place + (count < total && eventEnd === null ? ` of ${total}` : "");
}

/** A line of the log with its time and its level. */
export function logLine({ at_ns, level, text }: LogLine): string {
  const mark = level === "info" ? "" : paint(ROLES[level], WORDS[level]);
  const what = level === "info" ? sanitize(text) : paint(ROLES[level], sanitize(text));
  return `${paint("dim", `${seconds(at_ns * 1000, 6)} s`)}  ${mark}${what}`;
}
