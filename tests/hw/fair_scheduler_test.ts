import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, NS, SECOND, US } from "../../src/base/units.ts";
import { OWNER_GUEST, OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { BALANCE_PS, MIGRATION_COST_PS } from "../../src/hw/fair_balance.ts";
import { FairScheduler } from "../../src/hw/fair_scheduler.ts";
import { resolveCosts } from "../../src/hw/machine_profile.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { HOLD_ALL, HOLD_NOTHING, HOLD_THREADS, Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { type Process, processThread, Thread, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { DRIVER, HYP, HYPERVISOR, IRQ, KERNEL, LIBRARY, STEAL, USER, WAKEUP } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

const COSTS = resolveCosts(vhpc12);
const { vmExit, vmSwitchKvm, contextSwitch, idleExit, threadSlice } = COSTS;

/** A Linux host without devices. */
class Host {
  readonly engine = new Engine(1);
  readonly journeys = new Journeys();
  readonly cpus: PhysicalCpu[];
  readonly scheduler: FairScheduler;
  readonly kernel: Processor[];
  readonly vcpus: Processor[] = [];

  constructor(cpus: number) {
    this.cpus = Array.from({ length: cpus }, (_, i) => new PhysicalCpu(this.engine, i));
    this.scheduler = new FairScheduler(this.engine, "host", this.cpus, COSTS);
    this.kernel = this.cpus.map((cpu) => {
      const processor = this.#processor(`cpu${cpu.index}`, OWNER_HOST);
      this.scheduler.addHost(processor, cpu.index);
      return processor;
    });
  }

  #processor(name: string, owner: number): Processor {
    return new Processor(this.engine, name, owner, COSTS, this.journeys, this.scheduler, null);
  }

  vcpu(weight = 256, pin: number[] | null = null): Processor {
    const processor = this.#processor(`vcpu${this.vcpus.length}`, OWNER_GUEST);
    this.scheduler.add(processor, weight, pin);
    this.vcpus.push(processor);
    return processor;
  }

  at(time: number, run: () => void): void {
    this.engine.at(time, this.engine.handler("test", run));
  }

  start(processor: Processor, program: Process, at = 0): Thread {
    const thread = processThread(`${processor.name} thread`, processor, program);
    this.at(at, () => thread.notify());
    return thread;
  }

  /** One interrupt on a processor. */
  interrupt(processor: Processor, at: number, run: (cpu: Processor) => void): void {
    const interrupt = new Interrupt("test", 0, (cpu) => {
      run(cpu);
      return false;
    });
    this.at(at, () => processor.raise(interrupt));
  }
}

function* hog(): Process {
  for (;;) yield 50 * MS;
}

function near(actual: number, wanted: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${what}: ${actual}, wanted ${wanted} +- ${tolerance}`);
}

function share(processor: Processor, now: number): number {
  processor.settle();
  return processor.time[USER] / now;
}

function total(processor: Processor): number {
  processor.settle();
  return processor.time.reduce((sum, part) => sum + part, 0);
}

Deno.test("VCPUs share a CPU equally, or by weight", () => {
  const host = new Host(1);
  const vcpus = [host.vcpu(256), host.vcpu(256), host.vcpu(512)];
  for (const vcpu of vcpus) host.start(vcpu, hog());
  host.engine.run(2 * SECOND);
  near(share(vcpus[0], 2 * SECOND), 0.25, 0.01, "light");
  near(share(vcpus[1], 2 * SECOND), 0.25, 0.01, "light");
  near(share(vcpus[2], 2 * SECOND), 0.5, 0.01, "heavy");
  assert.ok(host.cpus[0].busy <= 2 * SECOND);
  assert.ok(host.cpus[0].busy > 2 * SECOND - 10 * MS, "the CPU never rests");
});

Deno.test("a thread of the kernel and a VCPU share a CPU equally", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  host.start(host.kernel[0], hog());
  host.engine.run(SECOND);
  near(share(vcpu, SECOND), 0.5, 0.02, "guest");
  near(share(host.kernel[0], SECOND), 0.5, 0.02, "host");
});

Deno.test("each thread of the kernel counts as much as a VCPU", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  for (let i = 0; i < 3; i++) host.start(host.kernel[0], hog());
  host.engine.run(SECOND);
  near(share(vcpu, SECOND), 0.25, 0.02, "guest");
});

Deno.test("who has slept for long does not get the time back that it has slept", () => {
  const host = new Host(1);
  const [runs, sleeper] = [host.vcpu(), host.vcpu()];
  host.start(runs, hog());
  host.start(sleeper, hog(), 500 * MS);
  host.engine.run(600 * MS);
  sleeper.settle();
  const lead = 4 * threadSlice; // half a latency period
  near(sleeper.time[USER], 50 * MS + lead / 2, lead / 2 + threadSlice, "of the last 100 ms");
});

Deno.test("time in the hypervisor is booked as it passes", () => {
  const cpu = new PhysicalCpu(new Engine(1), 0);
  cpu.chargeHypervisor(OWNER_GUEST, 100, 50);
  for (const [now, booked] of [[90, 0], [120, 20], [120, 20], [150, 50], [400, 50]]) {
    cpu.settle(now);
    assert.equal(cpu.charged(OWNER_GUEST, HYP), booked, `at ${now}`);
  }
});

Deno.test("who has run lately brings no credit to another CPU, however long one has had that for itself", () => {
  const host = new Host(2);
  const alone = host.vcpu(256, [1]);
  const mover = host.vcpu();
  const rivals = [host.vcpu(256, [0]), host.vcpu(256, [0])];
  let [wokenAt, late] = [0, -1];
  const thread: Thread = host.start(
    mover,
    (function* (): Process {
      yield SECOND;
      wokenAt = mover.now + 100 * US;
      host.at(wokenAt, () => thread.notify());
      yield WAIT_BLOCK;
      late = mover.now - wokenAt;
    })(),
  );
  host.start(alone, hog());
  for (const rival of rivals) host.start(rival, hog(), 900 * MS); // so that the other CPU is the less loaded one
  host.engine.run(2 * SECOND);
  assert.equal(host.scheduler.counters.migrations, 1);
  assert.ok(late >= threadSlice, `${late / US} us late: it waits until the other one has run more`);
});

Deno.test("an interrupt of the host takes the CPU from a VCPU at once, for the price of an exit", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  let began = -1;
  host.interrupt(host.kernel[0], 10 * MS, (cpu) => {
    began = cpu.now;
    cpu.charge(DRIVER, IRQ, 3 * US);
  });
  host.engine.run(20 * MS);
  vcpu.settle();
  assert.equal(began, 10 * MS + vmExit);
  const start = vmSwitchKvm; // it did not have to leave a deep idle state: nothing had slept yet
  assert.equal(vcpu.time[STEAL], start + vmExit + 3 * US, "and comes back without another switch");
  assert.equal(host.cpus[0].charged(OWNER_GUEST, HYP), start + vmExit);
  assert.equal(host.scheduler.counters.interruptExits, 1);
});

Deno.test("interrupts do not make a VCPU lose its turn to another one", () => {
  const host = new Host(1);
  const vcpus = [host.vcpu(), host.vcpu()];
  for (const vcpu of vcpus) host.start(vcpu, hog());
  for (let i = 1; i <= 900; i++) {
    host.interrupt(host.kernel[0], i * 100 * US, (cpu) => cpu.charge(DRIVER, IRQ, 5 * US));
  }
  host.engine.run(100 * MS);
  const { switches } = host.scheduler;
  assert.ok(switches <= 100 * MS / threadSlice + 2, `${switches} VM switches`);
  near(share(vcpus[0], 100 * MS), share(vcpus[1], 100 * MS), 0.07, "shares");
});

Deno.test("a sleeper gets in at once, and who runs all the time does not", () => {
  const host = new Host(1);
  host.start(host.vcpu(), hog());
  const delays: number[] = [];
  let wokenAt = 0;
  const worker = new Thread("vhost", host.kernel[0], (cpu) => {
    delays.push(cpu.now - wokenAt);
    cpu.charge(DRIVER, KERNEL, 50 * US);
    return WAIT_BLOCK;
  });
  for (let i = 1; i <= 20; i++) {
    host.at(20 * MS + i * 5 * MS, () => {
      wokenAt = host.engine.now;
      worker.notify();
    });
  }
  host.engine.run(200 * MS);
  assert.deepEqual(delays, new Array(20).fill(vmExit));
  assert.ok(host.cpus[0].charged(OWNER_GUEST, HYP) >= 20 * (vmExit + contextSwitch), "the VCPU is switched back to");
});

Deno.test("a VCPU that wakes while the kernel has interrupts left gets its turn of the thread that follows them", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  const begins = 10 * MS;
  for (let i = 0; i < 2; i++) host.interrupt(host.kernel[0], begins, (cpu) => cpu.charge(DRIVER, IRQ, 10 * US));
  host.start(host.kernel[0], hog(), begins);
  host.start(vcpu, hog(), begins + idleExit + 5 * US); // the second interrupt waits
  host.engine.run(110 * MS);
  vcpu.settle();
  near(vcpu.time[USER], 50 * MS, 4 * threadSlice, "of 100 ms");
});

Deno.test("interrupts do not take the CPU from a VCPU for a thread of the kernel that has run as much", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  host.start(host.kernel[0], hog());
  for (let at = 200 * US; at < 500 * MS; at += 200 * US) {
    host.interrupt(host.kernel[0], at, (cpu) => cpu.charge(DRIVER, IRQ, 2 * US));
  }
  host.engine.run(500 * MS);
  near(share(vcpu, 500 * MS), 0.5, 0.02, "guest");
  near(share(host.kernel[0], 500 * MS), 0.5, 0.02, "host");
});

Deno.test("the thread that an interrupt wakes goes on where a VCPU was interrupted, if it has run less", () => {
  const host = new Host(1);
  host.start(host.vcpu(), hog());
  let began = -1;
  const vhost = new Thread("vhost", host.kernel[0], (cpu) => {
    began = cpu.now;
    cpu.charge(DRIVER, KERNEL, 50 * US);
    return WAIT_BLOCK;
  });
  host.interrupt(host.kernel[0], 40 * MS, (cpu) => {
    cpu.charge(DRIVER, IRQ, 2 * US);
    vhost.notify();
  });
  host.engine.run(50 * MS);
  assert.equal(began, 40 * MS + vmExit + 2 * US);
});

Deno.test("deferred work of the kernel without an end is a thread like others, and a moment of it is not", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.start(vcpu, hog());
  let left = 50;
  const softirq = new Interrupt("softirq", 1, (cpu) => {
    cpu.charge(DRIVER, IRQ, 5 * US);
    return --left > 0;
  });
  host.at(10 * MS, () => host.kernel[0].raise(softirq));
  host.engine.run(10 * MS + vmExit + 250 * US);
  assert.equal(left, 0, "it does not share the CPU");
  left = Infinity;
  host.at(20 * MS, () => host.kernel[0].raise(softirq));
  host.engine.run(120 * MS);
  vcpu.settle();
  near(vcpu.time[USER], 70 * MS, 3 * threadSlice, "10 ms, 10 ms and half of 100 ms");
  left = 1;
  host.engine.run(140 * MS);
  assert.equal(host.kernel[0].isBlocked, true);
});

Deno.test("what a thread of the kernel has run alone is not halved when a second one comes", () => {
  const host = new Host(1);
  host.start(host.kernel[0], hog());
  const short = () =>
    new Thread("short", host.kernel[0], (cpu) => {
      cpu.charge(DRIVER, KERNEL, 50 * US);
      return WAIT_BLOCK;
    });
  const [first, second] = [short(), short()];
  const vcpu = host.vcpu();
  host.at(SECOND, () => first.notify());
  host.start(vcpu, hog(), SECOND + 10 * US); // the thread makes room when its burst is over
  host.at(SECOND + 20 * US, () => second.notify());
  host.engine.run(SECOND + 100 * MS);
  vcpu.settle();
  near(vcpu.time[USER], 50 * MS, 4 * threadSlice, "of 100 ms");
});

Deno.test("pinned VCPUs stay, others take the idle CPU", () => {
  const host = new Host(2);
  const first = host.vcpu(256, [0]);
  const second = host.vcpu(256, [0]);
  const free = host.vcpu();
  for (const vcpu of [first, second, free]) host.start(vcpu, hog());
  host.engine.run(SECOND);
  near(share(first, SECOND), 0.5, 0.02, "first");
  near(share(second, SECOND), 0.5, 0.02, "second");
  near(share(free, SECOND), 1, 0.001, "free");
});

Deno.test("CPUs that are all busy even their loads out", () => {
  const equal = new Host(2);
  for (let i = 0; i < 3; i++) equal.start(equal.vcpu(), hog());
  equal.engine.run(4 * SECOND);
  for (const vcpu of equal.vcpus) near(share(vcpu, 4 * SECOND), 2 / 3, 0.12, vcpu.name);

  const weighted = new Host(2);
  const [first, second, heavy] = [weighted.vcpu(), weighted.vcpu(), weighted.vcpu(2048)];
  for (const vcpu of [first, second, heavy]) weighted.start(vcpu, hog());
  weighted.engine.run(2 * SECOND);
  near(share(heavy, 2 * SECOND), 1, 0.02, "heavy: the others stay together");
  near(share(first, 2 * SECOND), 0.5, 0.05, "first");
});

Deno.test("an idle CPU takes a VCPU that waits elsewhere, within a tick", () => {
  const host = new Host(2);
  const free = host.vcpu();
  const pinned = host.vcpu(256, [1]);
  host.start(free, hog());
  host.engine.run(1 * MS);
  assert.equal(free.physical?.index, 1, "VCPUs start away from the first CPU");
  host.start(pinned, hog(), 2 * MS);
  host.engine.run(2 * MS + 2 * threadSlice + BALANCE_PS + MIGRATION_COST_PS);
  assert.equal(free.physical?.index, 0);
  assert.equal(pinned.physical?.index, 1);
  assert.equal(host.scheduler.counters.pulls, 1);
});

Deno.test("an idle CPU leaves a VCPU alone that ran elsewhere a moment ago, until the next tick", () => {
  const host = new Host(2);
  const free = host.vcpu();
  const pinned = host.vcpu(256, [1]);
  host.start(free, hog());
  const tick = 5 * BALANCE_PS;
  host.start(pinned, hog(), tick - MIGRATION_COST_PS / 2); // gets in at once, as it has slept
  host.engine.run(tick + 1 * MS);
  assert.deepEqual([pinned.physical?.index, free.physical], [1, null]);
  host.engine.run(tick + BALANCE_PS + 1 * MS);
  assert.equal(free.physical?.index, 0);
});

Deno.test("waking from halt costs idle exit and an exit, and another VCPU a switch", () => {
  const host = new Host(1);
  const [first, second] = [host.vcpu(), host.vcpu()];
  const late: number[] = [];
  const burst = (vcpu: Processor, at: number) =>
    host.interrupt(vcpu, at, (cpu) => {
      late.push(cpu.now - at);
      cpu.charge(LIBRARY, USER, 1 * US);
    });
  burst(first, 10 * US);
  burst(first, 50 * US);
  burst(second, 90 * US);
  burst(first, 130 * US);
  host.engine.run(1 * MS);
  assert.deepEqual(late, [
    idleExit + vmSwitchKvm,
    idleExit + vmExit,
    idleExit + vmSwitchKvm,
    idleExit + vmSwitchKvm,
  ]);
  assert.equal(host.engine.pending, 0, "nothing ticks when nothing runs");
});

Deno.test("a journey knows what it waited for", () => {
  const host = new Host(1);
  const vcpu = host.vcpu();
  host.at(50 * MS, () => {
    const journey = host.journeys.begin(host.engine.now);
    host.interrupt(vcpu, host.engine.now, (cpu) => {
      cpu.carry(journey, LIBRARY);
      host.journeys.finish(journey, cpu.now);
    });
  });
  host.engine.run(60 * MS);
  assert.equal(host.journeys.sums[WAKEUP], idleExit);
  assert.equal(host.journeys.sums[HYPERVISOR], vmSwitchKvm);
});

// ---- any mix of hogs, sleepers and interrupts

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

Deno.test("who is held while it waits leaves the queue: a VCPU, or a kernel's processor that has only threads to run", () => {
  // at 40 ms hold the one that waits, at 200 ms let it go: expect silence in between
  for (const [what, isHost] of [[HOLD_ALL, false], [HOLD_THREADS, true]] as const) {
    const host = new Host(1);
    const held = isHost ? host.kernel[0] : host.vcpu();
    const other = host.vcpu();
    host.start(held, hog());
    host.start(other, hog());
    for (host.engine.run(40 * MS); held.isOnline; host.engine.run(host.engine.now + MS));
    const from = host.engine.now;
    const { switches } = host.scheduler;
    const stolen = (held.settle(), held.time[STEAL]);
    held.hold(what);
    assert.equal(held.isBlocked, true);
    host.engine.run(200 * MS);
    held.settle();
    assert.equal(host.scheduler.switches, switches, "no switch to it");
    assert.equal(held.time[STEAL], stolen, "paused, not stolen from");
    // An interrupt is not held up where only threads are.
    host.interrupt(held, 200 * MS, (cpu) => cpu.charge(DRIVER, IRQ, 5 * US));
    host.engine.run(210 * MS);
    assert.equal(held.time[IRQ], isHost ? 5 * US : 0);
    assert.equal(held.isBlocked, true);
    held.hold(HOLD_NOTHING);
    host.engine.run(400 * MS);
    near(share(other, 400 * MS), 0.5 + (210 * MS - from) / (800 * MS), 0.03, "other");
    for (const processor of [held, other]) assert.equal(total(processor), 400 * MS);
  }
});
