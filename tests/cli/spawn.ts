import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

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
  /** Sends this signal after so many milliseconds. */
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
  const hang = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const timer = options.signal === undefined
    ? undefined
    : setTimeout(() => child.kill(options.signal![0]), options.signal[1]);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(hang);
  clearTimeout(timer);
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}
