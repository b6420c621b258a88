import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { collectGarbage } from "../../src/cli/v8.ts";
import { Session } from "../../src/cluster/session.ts";
import { scenario } from "../support/scenario.ts";

/*
 * What a guest takes of the engine's heap and of arrays beside it, emulated memory not counted: what decides whether some
 * thousand of them fit. Run it with `-- --show` to see how much it is.
 */

const GUESTS = 200;
const workload = { kind: "stream", size: 65536, outstanding: 1, pairs: "cross-host" };

/** KiB a guest, with its share of its host and of what there is once, when all are connected and have sent something. */
const LIMITS = { native: 68, xen2mx: 94 };

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

function held(path: string): number {
  const before = heldBytes();
  const spec = scenario({ path, hosts: 10, guests: GUESTS, mtu: 1500, workload, durationPs: 1500 * US });
  const session = new Session(spec, { oneOfMany: true });
  session.advance(session.end);
  assert.ok(session.messages > 10, `${session.messages} messages`);
  const kib = (heldBytes() - before) / 1024 / GUESTS;
  session.release();
  return kib;
}

for (const [path, limit] of Object.entries(LIMITS)) {
  Deno.test(`thousands of guests fit: of one that is connected, ${path}`, () => {
    held(path); // code of its functions, and what is made once
    const kib = held(path);
    if (Deno.args.includes("--show")) console.log(`${path}: ${kib.toFixed(1)} KiB a guest`);
    assert.ok(kib < limit, `${kib.toFixed(1)} KiB a guest, wanted less than ${limit}`);
  });
}
