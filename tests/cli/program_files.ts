import assert from "node:assert/strict";
import { openProgram } from "../../src/cli/program_loader.ts";
import { runToEnd } from "../../src/cli/run_loop.ts";
import { Session } from "../../src/cluster/session.ts";
import { programScenario } from "../support/program.ts";

/* Guest programs of tests, as files: how they are loaded, and what becomes of them. */

/** Loads `main.ts` of these files, from a directory of its own; what messages call the directory is taken off. */
export async function withProgram<T>(files: Record<string, string>, body: (file: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${directory}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    return await body(`${directory}/main.ts`);
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replaceAll(`${directory}/`, "");
    throw error;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Why files cannot be loaded. */
export async function refusal(files: Record<string, string>): Promise<string> {
  let message = "loaded";
  await assert.rejects(withProgram(files, openProgram), (error: Error) => {
    message = error.message;
    return error.name === "UsageError";
  });
  return message;
}

/** What becomes of a program on two guests: why it failed, with the place, and what it has printed. */
export async function outcome(text: string, files: Record<string, string> = {}) {
  let directory = "";
  return await withProgram({ "main.ts": text, ...files }, async (file) => {
    directory = file.replace(/main\.ts$/, "");
    const program = await openProgram(file);
    const { memoryBytes } = program;
    const session = new Session(programScenario({ memoryBytes }), { program: await program.instance() });
    const { partial } = await runToEnd(session, { exitCode: null }, null);
    assert.equal(partial, session.failure !== null);
    const failure = session.failure?.replaceAll(directory, "").replace(/^vm0\d \(rank \d\) at [\d.]+ us: /, "");
    return { failure: failure ?? null, lines: session.output!.lines.map(({ text }) => text) };
  });
}

/** Why a program fails, null when it does not. */
export const failure = async (text: string, files?: Record<string, string>) => (await outcome(text, files)).failure;
