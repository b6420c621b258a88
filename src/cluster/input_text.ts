import { formatFraction, formatTime } from "../base/quantity.ts";
import type { Input } from "./input.ts";

/** What an input does, in words: the same in the menu, in the event log, and in messages. */
export function inputText(input: Input): string {
  switch (input.kind) {
    case "fault":
      return `link ${input.link} ${listed(faultWords(input))}${span(input.forPs)}`;
    case "stall":
      return `the back end of host ${input.host} does nothing${span(input.forPs)}`;
    case "hog":
      return `a CPU hog takes ${input.cpus} CPUs of host ${input.host}${span(input.forPs)}`;
    case "crash":
      return `${input.guest} crashes, and boots again after ${formatTime(input.forPs)}`;
    case "set":
      return `set ${input.assignments.join(", ")}`;
    case "end":
      return `what input ${input.input} began is over`;
  }
}

function faultWords({ loss, corrupt, delayPs, cut }: Extract<Input, { kind: "fault" }>): string[] {
  const words: string[] = [];
  if (cut) words.push("is cut");
  if (loss !== undefined) words.push(`loses ${formatFraction(loss)} of its frames`);
  if (corrupt !== undefined) words.push(`corrupts ${formatFraction(corrupt)} of its frames`);
  if (delayPs !== undefined) words.push(`delays each frame by ${formatTime(delayPs)}`);
  return words.length === 0 ? ["suffers nothing"] : words;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

function span(forPs: number | null): string {
  return forPs === null ? " for good" : ` for ${formatTime(forPs)}`;
}
