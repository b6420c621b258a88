import "../../src/cli/environment.ts";
import { main } from "../../src/cli/program.ts";
import type { Outcome } from "./spawn.ts";

/*
 * The real program, command after command in one process: each line on stdin is a JSON array of arguments, each line on
 * stdout what came of it. What a command writes is caught where it would leave the process.
 */

const encoder = new TextEncoder();
const answers = Deno.stdout.writeSync.bind(Deno.stdout);

class Caught {
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(stream: typeof Deno.stdout) {
    const writeSync = (bytes: Uint8Array): number => {
      this.#text += this.#decoder.decode(bytes, { stream: true });
      return bytes.length;
    };
    Object.assign(stream, { writeSync, write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)) });
  }

  /** What was written since the last look. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

const stdout = new Caught(Deno.stdout);
const stderr = new Caught(Deno.stderr);

async function answer(line: string): Promise<void> {
  const code = await main(JSON.parse(line));
  const outcome: Outcome = { code, stdout: stdout.take(), stderr: stderr.take() };
  const bytes = encoder.encode(`${JSON.stringify(outcome)}\n`);
  for (let done = 0; done < bytes.length;) done += answers(bytes.subarray(done));
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) await answer(line);
}
