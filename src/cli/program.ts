import { Command, CommanderError } from "@commander-js/extra-typings";
import { ProgramFault } from "../base/assert.ts";
import { counted } from "../base/counted.ts";
import { showValue } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import { ScenarioError } from "../cluster/scenario_file.ts";
import { oneOf } from "../cluster/scenario_problem.ts";
import { MemoryError } from "../hw/memory.ts";
import { isFileName } from "./catalogue.ts";
import { EXIT_FAULT, EXIT_OK, EXIT_USAGE, UsageError } from "./exit.ts";
import { complain, print } from "./output.ts";
import { BUILT_IN } from "./scenarios.ts";
import { VERSION } from "./version.ts";

const AFTER_COMMANDS = `
Exit codes:
  0    good
  1    a threshold or an integrity check failed, no message was completed, a
       program failed while it ran or did not end, or something was left at the
       end; sweep, sensitivity: in one of their runs; replay: another run, or an
       input that could not be done; reproduce: a result missed, or a claim
       failed that is not known to
  2    wrong use: unknown name, bad scenario, a file that cannot be read or
       written, a guest program that cannot be loaded
  70   a fault of mxtop itself
  129  ended by SIGHUP, without a result
  130  stopped by SIGINT, 143 by SIGTERM: results are partial and marked so

A run that stands still, or loses messages: docs/troubleshooting.md`;

/** Runs the command that the arguments name; gives the exit code. Every error ends here, as one clear message. */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = EXIT_OK;
  const output: Promise<unknown>[] = [];
  try {
    const program = await buildProgram((code) => exitCode = code, output, args[0] ?? "dash");
    rejectUnknownCommand(args[0]);
    await program.parseAsync(args.length === 0 ? ["dash"] : [...args], { from: "user" });
  } catch (error) {
    exitCode = await report(error);
  }
  // What commander says is on its way when it gives up, also after --help.
  const lost = (await Promise.allSettled(output)).find(({ status }) => status === "rejected");
  if (lost?.status === "rejected") exitCode = await report(lost.reason);
  return exitCode;
}

type Finish = (exitCode: number) => void;

/** Each with a file of its own, which is loaded, with all that it takes, when the command is asked for. */
const COMMANDS: Readonly<Record<string, (finish: Finish) => Promise<unknown>>> = {
  dash: async (finish) => (await import("./dash.ts")).dashCommand(finish),
  run: async (finish) => (await import("./run.ts")).runCommand(finish),
  replay: async (finish) => (await import("./replay.ts")).replayCommand(finish),
  list: async (finish) => (await import("./list.ts")).listCommand(finish),
  explain: async (finish) => (await import("./explain.ts")).explainCommand(finish),
  reproduce: async (finish) => (await import("./reproduce.ts")).reproduceCommand(finish),
  sweep: async (finish) => (await import("./sweep.ts")).sweepCommand(finish),
  sensitivity: async (finish) => (await import("./sensitivity.ts")).sensitivityCommand(finish),
  decode: async (finish) => (await import("./decode.ts")).decodeCommand(finish),
};

/**
 * The whole command line, or that of one command if `only` names one. What commander prints goes through us, so that it
 * can be awaited and tested.
 */
export async function buildProgram(finish: Finish, output: Promise<unknown>[], only = "") {
  const program = new Command("mxtop")
    .description("A live emulator of MX-over-Ethernet clusters. Without a command: the dashboard.")
    .version(VERSION, "-V, --version")
    .addHelpText("after", AFTER_COMMANDS);
  for (const name of Object.hasOwn(COMMANDS, only) ? [only] : Object.keys(COMMANDS)) {
    // Without its type: the compiler takes minutes to compare those of so many options.
    program.addCommand(await COMMANDS[name](finish) as Command);
  }
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
function rejectUnknownCommand(word: string | undefined): void {
  if (word === undefined || word.startsWith("-")) return;
  const names = Object.keys(COMMANDS);
  if (names.includes(word) || word === "help") return;
  const isScenario = isFileName(word) || BUILT_IN.some(({ name }) => name === word);
  const hint = isScenario ? `; wanted: mxtop run ${word}, or mxtop dash ${word}` : didYouMean(word, names);
  throw new UsageError(`unknown command '${word}'${hint || `; wanted ${names.join(", ")}`}`);
}

/** What commander says of a value that is none of the choices of an option, or of an argument. */
const NO_CHOICE =
  /^error: (?:option '.*?(--[\w-]+).*?' argument|command-argument value) '(.*)' is invalid(?: for argument '(.*)')?\. Allowed choices are (.*)\.$/s;

/** And of words too many: mostly the second half of a value, such as 20 ms without quotes. */
const TOO_MANY = /^error: too many arguments for '(.*)'\. Expected (\d+) arguments? but got \d+: (.*)\.$/s;

/** `error: unknown option '--sed'\n(Did you mean --seed?)` in the form of our own messages. */
function tidy(text: string): string {
  const noChoice = NO_CHOICE.exec(text.trim());
  if (noChoice !== null) {
    const [, option, found, argument, choices] = noChoice;
    const names = choices.split(", ");
    return `mxtop: ${option ?? argument}: found ${showValue(found)}, wanted ${oneOf(names)}${didYouMean(found, names)}`;
  }
  const tooMany = TOO_MANY.exec(text.trim());
  if (tooMany !== null) {
    const [, command, most, words] = tooMany;
    const wanted = most === "0" ? "no argument" : `${counted(Number(most), "argument")} at most`;
    return `mxtop: ${command}: found ${words}; wanted ${wanted}, ` +
      "and quotes round a value with a space, such as '20 ms'";
  }
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
