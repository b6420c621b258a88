import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { openScenario, overridesOf } from "../../src/cli/catalogue.ts";
import { Session } from "../../src/cluster/session.ts";

/*
 * After warm-up a run needs no more memory, however long it goes on: neither on the engine's heap nor of the emulated
 * world's. The heap is measured right after a full collection, so that only what is kept counts. What it grows by at all
 * is mostly the compiler's: 0.1 MB in a million events.
 */

const WARM_UP = 100_000;
const EVENTS = 500_000;
/** Bytes per million events. */
const LIMIT = 1e6;

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  collect(); // what the first one has only let go
  return Deno.memoryUsage().heapUsed;
}

function advance(session: Session, events: number): void {
  session.advance(session.end, events);
  assert.equal(session.finished, false);
}

const RUNS = [["scale-40-vms", "native"], ["scale-40-vms", "xen2mx"], ["small-messages-40", "bridged"]] as const;

for (const [name, path] of RUNS) {
  Deno.test(`heap growth after warm-up: ${name} on ${path}`, () => {
    const scenario = openScenario(name, overridesOf({ path, set: ["link.mtu=1500"] }));
    const session = new Session(scenario, { endless: true });
    advance(session, WARM_UP);
    const arena = session.cluster.world.memory.usedBytes;
    const before = heapBytes();
    // What the compiler still adds comes once; what a run keeps comes again with every half million.
    let events = 0;
    let growth: number;
    do {
      advance(session, EVENTS);
      events += EVENTS;
      growth = heapBytes() - before;
    } while (growth >= LIMIT * events / 1e6 && events < 6 * EVENTS);
    assert.ok(growth < LIMIT * events / 1e6, `${(growth / 1e6).toFixed(2)} MB more after ${events} events`);
    const taken = session.cluster.world.memory.usedBytes - arena;
    assert.ok(taken < LIMIT * events / 1e6, `${(taken / 1e6).toFixed(2)} MB more of emulated memory`);
    if (Deno.args.includes("--show")) {
      console.log(`heap ${growth} bytes, emulated memory ${taken} bytes in ${events} events`);
    }
    session.release();
  });
}
