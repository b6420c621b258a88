import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, NS } from "../../src/base/units.ts";
import { type Process, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { IDLE, KERNEL, LIBRARY, STEAL } from "../../src/metrics/stage.ts";
import { total } from "../support/scheduling.ts";
import { Host } from "./support.ts";

/* The credit scheduler under any mix of sleepers and hogs. */

interface Load {
  weight: number;
  pin: number[] | null;
  /** Work and sleep of each round, nanoseconds; work is charged in a burst or computed. */
  rounds: { work: number; sleep: number; computes: boolean }[];
}

const loads = (cpus: number) =>
  fc.array(
    fc.record({
      weight: fc.integer({ min: 64, max: 1024 }),
      pin: fc.option(fc.uniqueArray(fc.nat(cpus - 1), { minLength: 1 }), { nil: null }),
      rounds: fc.array(
        fc.record({
          work: fc.integer({ min: 0, max: 40_000_000 }),
          sleep: fc.integer({ min: 1, max: 3_000_000 }),
          computes: fc.boolean(),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    }),
    { minLength: 1, maxLength: 7, size: "max" },
  );

function build(cpus: number, mix: Load[], boost: boolean): Host {
  const host = new Host(cpus, { boost });
  for (const { weight, pin, rounds } of mix) {
    const processor = host.vcpu({ weight, pin });
    const wake = host.engine.handler("alarm", () => thread.notify());
    const thread = host.start(
      processor,
      (function* (): Process {
        for (let i = 0;; i = (i + 1) % rounds.length) {
          const { work, sleep, computes } = rounds[i];
          if (computes) yield work * NS;
          else processor.charge(LIBRARY, KERNEL, Math.min(work, 5000) * NS);
          host.engine.at(processor.now + sleep * NS, wake);
          yield WAIT_BLOCK;
        }
      })(),
    );
  }
  return host;
}

/** What must hold between any two events. */
function checkPlaces(host: Host, unpinned: boolean): void {
  const occupied = new Set<number>();
  let waiting = 0;
  for (const processor of host.processors) {
    if (processor.isOnline) {
      assert.ok(processor.physical !== null);
      assert.ok(!occupied.has(processor.physical.index), "two VCPUs on one CPU");
      occupied.add(processor.physical.index);
    } else if (!processor.isBlocked) waiting++;
  }
  let idle = 0;
  for (const cpu of host.cpus) {
    if (cpu.idleSince >= 0) idle++;
    if (cpu.idleSince >= 0) assert.ok(!occupied.has(cpu.index), "an idle CPU runs something");
  }
  const switching = host.cpus.length - idle - occupied.size;
  assert.ok(switching <= waiting, "a CPU switches to nobody");
  if (unpinned && idle > 0) assert.equal(waiting, switching, "a VCPU waits while a CPU is idle");
}

Deno.test("any mix: one place at a time, no idle CPU beside a waiting VCPU, every picosecond booked once", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }).chain((cpus) => fc.record({ cpus: fc.constant(cpus), mix: loads(cpus) })),
      fc.boolean(),
      ({ cpus, mix }, boost) => {
        const host = build(cpus, mix, boost);
        const unpinned = mix.every((load) => load.pin === null);
        const until = 60 * MS;
        for (let steps = 0; !host.engine.run(until, 1) && steps < 20_000; steps++) checkPlaces(host, unpinned);
        const { now } = host.engine;
        for (const processor of host.processors) assert.equal(total(processor), now);
        for (const cpu of host.cpus) {
          cpu.settle(now);
          assert.ok(cpu.busy <= now);
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("the same mix twice, and in slices, gives the same event stream", () => {
  const mix: Load[] = [
    { weight: 256, pin: null, rounds: [{ work: 9_000_000, sleep: 700_000, computes: true }] },
    { weight: 512, pin: [0], rounds: [{ work: 3000, sleep: 20_000, computes: false }] },
    { weight: 256, pin: null, rounds: [{ work: 35_000_000, sleep: 1, computes: true }] },
    { weight: 128, pin: [0, 1], rounds: [{ work: 100, sleep: 333_000, computes: false }] },
  ];
  const once = build(2, mix, true);
  once.engine.run(500 * MS);
  const again = build(2, mix, true);
  for (let t = 7 * MS; t < 500 * MS; t += 7 * MS) again.engine.run(t);
  again.engine.run(500 * MS);
  assert.equal(again.engine.fingerprint, once.engine.fingerprint);
  assert.deepEqual(again.scheduler.counters, once.scheduler.counters);
  for (let i = 0; i < mix.length; i++) {
    assert.equal(again.processors[i].time[STEAL], once.processors[i].time[STEAL]);
    assert.equal(again.processors[i].time[IDLE], once.processors[i].time[IDLE]);
  }
});
