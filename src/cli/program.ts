import { Command, CommanderError } from "@commander-js/extra-typings";
import { ProgramFault } from "../base/assert.ts";
import { didYouMean } from "../base/suggest.ts";
import { ScenarioError } from "../cluster/scenario_file.ts";
import { MemoryError } from "../hw/memory.ts";
import { isFileName } from "./catalogue.ts";
import { dashCommand } from "./dash.ts";
import { decodeCommand } from "./decode.ts";
import { EXIT_FAULT, EXIT_OK, EXIT_USAGE, UsageError } from "./exit.ts";
import { explainCommand } from "./explain.ts";
import { listCommand } from "./list.ts";
import { complain, print } from "./output.ts";
import { reproduceCommand } from "./reproduce.ts";
import { replayCommand } from "./replay.ts";
import { runCommand } from "./run.ts";
import { BUILT_IN } from "./scenarios.ts";
import { sweepCommand } from "./sweep.ts";
import { VERSION } from "./version.ts";

const EXIT_CODES = `
Exit codes:
  0    good
  1    a threshold or an integrity check failed, no message was completed, or a
       guest program failed while it ran
  2    wrong use: unknown name, bad scenario, unreadable file, a guest program
       that cannot be loaded
  70   a fault of mxtop itself
  130  stopped by SIGINT, 143 by SIGTERM: results are partial and marked so`;

/** Runs the command that the arguments name; gives the exit code. Every error ends here, as one clear message. */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = EXIT_OK;
  const output: Promise<void>[] = [];
  const program = buildProgram((code) => exitCode = code, output);
  try {
    rejectUnknownCommand(program, args);
    await program.parseAsync(args.length === 0 ? ["dash"] : [...args], { from: "user" });
  } catch (error) {
    exitCode = await report(error);
  }
  await Promise.all(output);
  return exitCode;
}

/** The whole command line. What commander prints goes through us, so that it can be awaited and tested. */
export function buildProgram(finish: (exitCode: number) => void, output: Promise<void>[]) {
  const program = new Command("mxtop")
    .description("A live emulator of MX-over-Ethernet clusters. Without a command: the dashboard.")
    .version(VERSION, "-V, --version")
    .addHelpText("after", EXIT_CODES);
  // Without their types: the compiler takes minutes to compare those of so many options.
  const add = (command: unknown) => program.addCommand(command as Command);
  add(dashCommand(finish));
  add(runCommand(finish));
  add(replayCommand(finish));
  add(listCommand(finish));
  add(explainCommand(finish));
  add(reproduceCommand(finish));
  add(sweepCommand(finish));
  add(decodeCommand(finish));
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void output.push(print(text)),
      writeErr: (text) => void output.push(complain(text.trimEnd())),
      outputError: (text) => void output.push(complain(tidy(text))),
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  }
  return program;
}

/** Commander knows "did you mean" for commands only where no command has arguments of its own. */
function rejectUnknownCommand(program: ReturnType<typeof buildProgram>, args: readonly string[]): void {
  const word = args[0];
  if (word === undefined || word.startsWith("-")) return;
  const names = program.commands.map((command) => command.name());
  if (names.includes(word) || word === "help") return;
  const isScenario = isFileName(word) || BUILT_IN.some(({ name }) => name === word);
  const hint = isScenario ? `; wanted: mxtop run ${word}, or mxtop dash ${word}` : didYouMean(word, names);
  throw new UsageError(`unknown command '${word}'${hint || `; wanted ${names.join(", ")}`}`);
}

/** `error: unknown option '--sed'\n(Did you mean --seed?)` in the form of our own messages. */
function tidy(text: string): string {
  return text.trim().replace(/^error: /, "mxtop: ").replace(/\n\((Did)(.*)\)$/s, (_, _did, rest) => `; did${rest}`);
}

/** Says what went wrong, on stderr; gives the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  if (error instanceof ScenarioError) {
    await complain(error.message);
    return EXIT_USAGE;
  }
  if (error instanceof UsageError) {
    await complain(`mxtop: ${error.message}`);
    return EXIT_USAGE;
  }
  if (error instanceof MemoryError) {
    await complain(`mxtop: ${error.message}: fewer guests, smaller messages or link.mtu=1500 want less`);
    return EXIT_USAGE;
  }
  const text = error instanceof Error ? error.message : String(error);
  const kind = error instanceof ProgramFault || !(error instanceof Error) ? "" : `${error.name}: `;
  await complain(`mxtop: ${kind}${text.split("\n")[0]} (this is a fault of mxtop)`);
  if (wantsStack() && error instanceof Error) await complain(error.stack ?? "");
  return EXIT_FAULT;
}

/** MXTOP_DEBUG asks for the stack of a fault; where the environment may not be read, nobody has asked. */
function wantsStack(): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "MXTOP_DEBUG" });
  return state === "granted" && (Deno.env.get("MXTOP_DEBUG") ?? "") !== "";
}
