import assert from "node:assert/strict";
import { openRunInput, openSession, type RunInput } from "../../src/cli/run_input.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";

/*
 * Open-MX's own test programs, redone as guest programs, and one that makes every call: on the native path and on
 * Xen2MX, with both frame sizes and with MX's own limits. Each checks itself; here is seen that the checks are made, that
 * all hold, and that nothing is left behind.
 */

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;
const META = { command: "test", version: "0", wallMs: 0, partial: false };
const MODES = { "MTU 9000": [], "MTU 1500": ["link.mtu=1500"], "MX's limits": ["link.wire=mx"] };

interface Entry {
  readonly name: string;
  readonly set?: readonly string[];
  readonly args?: readonly string[];
}

const PROGRAMS: readonly Entry[] = [
  { name: "every-call" },
  { name: "battery/address_context" },
  { name: "battery/cancel" },
  { name: "battery/loopback" },
  { name: "battery/loopback", args: ["self=off"] },
  { name: "battery/many" },
  { name: "battery/rails", set: ["boards=2"] },
  { name: "battery/register" },
  { name: "battery/truncated" },
  { name: "battery/unexpected" },
  { name: "battery/unexpected_handler" },
  { name: "battery/vectorial" },
  { name: "battery/wait_any" },
  { name: "battery/wakeup" },
];

Deno.test("every program of the battery is among those that are run", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(`${EXAMPLES}battery`)) files.push(`battery/${name.replace(".ts", "")}`);
  const named = new Set(PROGRAMS.map(({ name }) => name).filter((name) => name.startsWith("battery/")));
  assert.deepEqual(files.sort(), ["battery/common", ...named].sort());
});

/** Programs that have been read and checked; a run has an instance of its own. */
const inputs = new Map<string, Promise<RunInput>>();

function inputOf(name: string, programArg: readonly string[]): Promise<RunInput> {
  const key = [name, ...programArg].join(" ");
  const program = `${EXAMPLES}${name}.ts`;
  if (!inputs.has(key)) inputs.set(key, openRunInput(undefined, { program, programArg, duration: "20 s" }));
  return inputs.get(key)!;
}

for (const { name, set = [], args = [] } of PROGRAMS) {
  for (const path of ["native", "xen2mx"]) {
    Deno.test(`${[name, ...args].join(" ")} on ${path}`, async (t) => {
      for (const [mode, link] of Object.entries(MODES)) {
        await t.step(mode, async () => {
          const input = await inputOf(name, args);
          const session = await openSession({ ...input, scenario: input.resolve([`path=${path}`, ...set, ...link]) });
          session.advance(session.end);
          assert.equal(session.failure, null);
          assert.ok(session.finished, "ends by itself");
          const { checks, output } = takeSnapshot(session, META);
          assert.deepEqual(session.output!.failures(), []);
          assert.ok(checks!.made > 0 && checks!.failed === 0 && output!.length > 0);
          assert.deepEqual(session.drain(), []);
          session.release();
        });
      }
    });
  }
}
