import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, NS } from "../../src/base/units.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { type Process, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { DRIVER, IRQ, KERNEL, LIBRARY } from "../../src/metrics/stage.ts";
import { total } from "../support/scheduling.ts";
import { Host } from "./fair_support.ts";

/* The fair scheduler under any mix of hogs, sleepers and interrupts. */

interface Load {
  /** On the kernel's processor of this CPU, or a VCPU. */
  host: number | null;
  weight: number;
  pin: number[] | null;
  work: number;
  sleep: number;
  kind: "compute" | "burst" | "interrupt";
}

const loads = (cpus: number) =>
  fc.array(
    fc.record({
      host: fc.option(fc.nat(cpus - 1), { nil: null }),
      weight: fc.integer({ min: 64, max: 1024 }),
      pin: fc.option(fc.uniqueArray(fc.nat(cpus - 1), { minLength: 1 }), { nil: null }),
      work: fc.integer({ min: 0, max: 20_000_000 }),
      sleep: fc.integer({ min: 1, max: 3_000_000 }),
      kind: fc.constantFrom("compute" as const, "burst" as const, "interrupt" as const),
    }),
    { minLength: 1, maxLength: 9, size: "max" },
  );

function build(cpus: number, mix: readonly Load[]): Host {
  const host = new Host(cpus);
  for (const load of mix) {
    const processor = load.host === null ? host.vcpu(load.weight, load.pin) : host.kernel[load.host];
    const work = load.kind === "compute" ? load.work : Math.min(load.work, 5000);
    if (load.kind === "interrupt") {
      const interrupt = new Interrupt("irq", 0, (cpu) => {
        cpu.charge(DRIVER, IRQ, work * NS);
        host.engine.at(cpu.now + load.sleep * NS, again);
        return false;
      });
      const again = host.engine.handler("irq", () => processor.raise(interrupt));
      host.engine.at(0, again);
      continue;
    }
    const alarm = host.engine.handler("alarm", () => thread.notify());
    const thread = host.start(
      processor,
      (function* (): Process {
        for (;;) {
          if (load.kind === "compute") yield work * NS;
          else processor.charge(LIBRARY, KERNEL, work * NS);
          host.engine.at(processor.now + load.sleep * NS, alarm);
          yield WAIT_BLOCK;
        }
      })(),
    );
  }
  return host;
}

function checkPlaces(host: Host): void {
  const occupied = new Set<number>();
  for (const processor of [...host.kernel, ...host.vcpus]) {
    if (!processor.isOnline) continue;
    assert.ok(processor.physical !== null);
    assert.ok(!occupied.has(processor.physical.index), "two on one CPU");
    occupied.add(processor.physical.index);
  }
  for (const cpu of host.cpus) {
    if (cpu.idleSince >= 0) assert.ok(!occupied.has(cpu.index), "an idle CPU runs something");
  }
}

Deno.test("any mix: one place at a time, pins kept, every picosecond booked once", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }).chain((cpus) => fc.record({ cpus: fc.constant(cpus), mix: loads(cpus) })),
      ({ cpus, mix }) => {
        const host = build(cpus, mix);
        for (let steps = 0; !host.engine.run(40 * MS, 1) && steps < 20_000; steps++) checkPlaces(host);
        const { now } = host.engine;
        let vcpu = 0;
        for (const load of mix) {
          if (load.host !== null) continue;
          const { physical } = host.vcpus[vcpu++];
          if (physical !== null && load.pin !== null) assert.ok(load.pin.includes(physical.index), "a pin is kept");
        }
        for (const processor of [...host.kernel, ...host.vcpus]) {
          assert.equal(total(processor), now);
        }
        for (const cpu of host.cpus) {
          cpu.settle(now);
          assert.ok(cpu.busy <= now, "a CPU is never more than busy");
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("the same mix twice, and in slices, gives the same event stream", () => {
  const mix: Load[] = [
    { host: null, weight: 256, pin: null, work: 9_000_000, sleep: 700_000, kind: "compute" },
    { host: null, weight: 512, pin: [0], work: 3000, sleep: 20_000, kind: "burst" },
    { host: null, weight: 256, pin: null, work: 15_000_000, sleep: 1, kind: "compute" },
    { host: 0, weight: 256, pin: null, work: 4000, sleep: 50_000, kind: "interrupt" },
    { host: 1, weight: 256, pin: null, work: 2_000_000, sleep: 100_000, kind: "compute" },
  ];
  const once = build(2, mix);
  once.engine.run(300 * MS);
  const again = build(2, mix);
  for (let t = 7 * MS; t < 300 * MS; t += 7 * MS) again.engine.run(t);
  again.engine.run(300 * MS);
  assert.equal(again.engine.fingerprint, once.engine.fingerprint);
  assert.deepEqual(again.scheduler.counters, once.scheduler.counters);
});
