import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const SERIES = fileURLToPath(new URL("series_main.ts", import.meta.url));
const HANG_MS = 60_000;

/** What a child process did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SpawnOptions {
  /** Permissions, such as `--allow-read`; none by default. */
  readonly permissions?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Sends this signal when the process has had so many milliseconds of CPU time, with its Workers: a time by the clock
   * comes too early on a loaded machine. Where the system does not tell (it is Linux that does), it is one by the clock.
   */
  readonly signal?: readonly [Deno.Signal, number];
}

/** Runs the real command line as a user would, without a terminal; fails when it hangs. */
export async function mxtop(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-q", ...(options.permissions ?? []), MAIN, ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const hang = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
  const began = Date.now();
  const isTold = cpuMs(child.pid) !== null;
  const watch = setInterval(() => {
    if (options.signal === undefined) return;
    const [signal, ms] = options.signal;
    // Of a process that has ended there is nothing to tell any more, nor to signal.
    if ((isTold ? cpuMs(child.pid) ?? 0 : Date.now() - began) < ms) return;
    clearInterval(watch);
    child.kill(signal);
  }, 20);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(hang);
  clearInterval(watch);
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** CPU time that a process has had, milliseconds; null where there is no telling. */
function cpuMs(pid: number): number | null {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // Behind the program's name, which may hold anything; in hundredths of a second (proc(5), utime and stime).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}

/**
 * A process of the real command line that runs one command after another, under the same permissions and in the same
 * directory: most of a short run is the start of its process. For what a process of its own must show (signals,
 * devices, its end) there is {@link mxtop}.
 */
export class Series {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #rest = "";
  #last: Promise<unknown> = Promise.resolve();

  constructor({ permissions = [], cwd, env }: Omit<SpawnOptions, "signal"> = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-q", ...permissions, SERIES],
      cwd,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Runs a command when those before it have ended; fails when it hangs, or ends the process. */
  readonly run = (args: readonly string[]): Promise<Outcome> => {
    const outcome = this.#last.then(() => this.#run(args));
    this.#last = outcome.catch(() => {});
    return outcome;
  };

  async #run(args: readonly string[]): Promise<Outcome> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(args)}\n`));
    const hang = setTimeout(() => this.#child.kill("SIGKILL"), HANG_MS);
    try {
      while (!this.#rest.includes("\n")) {
        const { done, value } = await this.#answers.read();
        if (done) throw new Error(`the process ended, or hung and was ended: ${args.join(" ")}`);
        this.#rest += value;
      }
    } finally {
      clearTimeout(hang);
    }
    const [line, ...rest] = this.#rest.split("\n");
    this.#rest = rest.join("\n");
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    while (!(await this.#answers.read()).done);
    await this.#child.status;
  }
}
