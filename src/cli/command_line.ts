import type { RunOptions } from "./run_input.ts";

/** The command that repeats a result: what changes the run is in it, where the result went is not. */
export function commandLine(command: string, name: string | undefined, options: RunOptions): string {
  const words = ["mxtop", command, ...(name === undefined ? [] : [name])];
  if (options.program !== undefined) words.push("--program", options.program);
  for (const arg of options.programArg ?? []) words.push("--program-arg", arg);
  for (const key of ["path", "guests", "duration", "seed", "machine"] as const) {
    const value = options[key];
    if (value !== undefined) words.push(`--${key}`, value);
  }
  for (const set of options.set ?? []) words.push("--set", set);
  return shellWords(words);
}

/** An option as it is written, of its name in the program: `--pcap-at` of `pcapAt`. */
export function optionText(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Words as a shell takes them. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}
