import { counted } from "../../base/counted.ts";
import type { Field } from "../../mx/wire/mod.ts";
import type { CopySeen, GrantSeen } from "./happenings.ts";

/** Runs of grant references that are written out. */
const MOST_RUNS = 4;

/** What marks of processors and NICs say, in words that need no context. */
export function signalText(said: string, isNic: boolean): string {
  if (isNic) return said.replace(/^interrupt, /, "interrupt raised, ");
  if (said === "kick") return "kick: the guest leaves for the host";
  const text = said.replace(/^notify (\d+)/, "event channel: notification sent by port $1")
    .replace(/^event (\d+)/, "event channel: port $1 is pending")
    .replace(/^interrupt (\d+)/, "event channel: interrupt $1 is pending");
  return text === said ? `interrupt injected: ${said}` : text;
}

/** A copy in words. */
export function copyText({ bytes, way }: CopySeen): string {
  return `copy of ${bytes} B: ${way}`;
}

/** An act on grants in words: how many pages, and which references. */
export function grantText({ act, refs, bytes }: GrantSeen): string {
  const pages = counted(refs.length, "page");
  const which = `${refs.length === 1 ? "ref" : "refs"} ${rangesText(refs)}`;
  switch (act) {
    case "grant":
      return `grant of ${pages}, ${which}`;
    case "end":
      return `grant of ${pages} taken back, ${which}`;
    case "map":
      return `map of ${pages}, ${which}`;
    case "unmap":
      return `unmap of ${pages}, ${which}`;
    case "copy in":
      return `grant copy of ${bytes} B from ${which}`;
    case "copy out":
      return `grant copy of ${bytes} B to ${which}`;
  }
}

/** Numbers with runs of neighbours, up or down, as one: "1294 1166-1181". */
function rangesText(numbers: readonly number[]): string {
  const runs: { from: number; to: number; step: number }[] = [];
  for (const number of numbers) {
    const last = runs[runs.length - 1];
    const step = number - (last?.to ?? NaN);
    if (Math.abs(step) === 1 && (last.step === 0 || last.step === step)) Object.assign(last, { to: number, step });
    else runs.push({ from: number, to: number, step: 0 });
  }
  const shown = runs.slice(0, MOST_RUNS).map(({ from, to }) => from === to ? `${from}` : `${from}-${to}`);
  return shown.join(" ") + (runs.length > MOST_RUNS ? ` and ${runs.length - MOST_RUNS} more` : "");
}

/** The same as fields, with the counts after it. */
export function grantFields({ refs, bytes, active, mapped }: GrantSeen): Field[] {
  const all: Field[] = [["pages", refs.length], ["refs", rangesText(refs)], ["granted", active], ["mapped", mapped]];
  return bytes > 0 ? [...all, ["bytes", bytes]] : all;
}
