import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, NS, SECOND, US } from "../../src/base/units.ts";
import { HOLD_ALL, HOLD_NOTHING, type Processor } from "../../src/hw/processor.ts";
import { type Process, THREAD_BLOCKED, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { IDLE, KERNEL, LIBRARY, STEAL, USER } from "../../src/metrics/stage.ts";
import { PRI_TS_BOOST, PRI_TS_OVER, PRI_TS_UNDER } from "../../src/xen/run_queue.ts";
import { COSTS, Host, type VcpuOptions } from "./support.ts";

function* hog(): Process {
  for (;;) yield 50 * MS;
}

/** Picoseconds that a processor has run, in user mode. */
function ran(host: Host, processor: Processor): number {
  processor.settle();
  assert.ok(host.engine.now > 0);
  return processor.time[USER];
}

function total(processor: Processor): number {
  processor.settle();
  return processor.time.reduce((sum, part) => sum + part, 0);
}

function hogs(cpus: number, vcpus: VcpuOptions[], until: number): { host: Host; shares: number[] } {
  const host = new Host(cpus);
  for (const options of vcpus) host.start(host.vcpu(options), hog());
  host.engine.run(until);
  return { host, shares: host.processors.map((processor) => ran(host, processor) / until) };
}

function near(actual: number, wanted: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${what}: ${actual}, wanted ${wanted} +- ${tolerance}`);
}

Deno.test("two hogs share one CPU half and half", () => {
  const { host, shares } = hogs(1, [{}, {}], SECOND);
  near(shares[0], 0.5, 0.02, "first");
  near(shares[1], 0.5, 0.02, "second");
  for (const processor of host.processors) assert.equal(total(processor), SECOND);
  assert.ok(host.cpus[0].busy <= SECOND);
  assert.ok(host.cpus[0].busy > SECOND - 50 * US, "nothing but switches is lost");
});

Deno.test("weights 256 and 512 give shares of one and two thirds", () => {
  const { shares } = hogs(1, [{ weight: 256 }, { weight: 512 }], 3 * SECOND);
  near(shares[0], 1 / 3, 0.03, "light");
  near(shares[1], 2 / 3, 0.03, "heavy");
});

Deno.test("three hogs on two CPUs get two thirds each, because a CPU without urgent work steals", () => {
  const { host, shares } = hogs(2, [{}, {}, {}], 3 * SECOND);
  for (const share of shares) near(share, 2 / 3, 0.05, "share");
  assert.ok(host.scheduler.counters.steals > 0);
});

Deno.test("a share that a heavy VCPU cannot use goes to the others by weight, whoever was made first", () => {
  for (const weights of [[4096, 256, 512, 512], [256, 512, 4096, 512], [512, 512, 256, 4096]]) {
    const { shares } = hogs(2, weights.map((weight) => ({ weight })), 6 * SECOND);
    for (const [i, weight] of weights.entries()) near(shares[i], Math.min(1, weight / 1280), 0.06, `${weights}`);
  }
});

Deno.test("a share that a pinned VCPU cannot use goes to the others", () => {
  // Two are pinned to CPU 0 and get half of it each; the third has CPU 1 to itself.
  const { shares } = hogs(2, [{ pin: [0] }, { pin: [0] }, { pin: [1] }], SECOND);
  near(shares[0], 0.5, 0.03, "first");
  near(shares[1], 0.5, 0.03, "second");
  near(shares[2], 1, 0.001, "third");
});

/** A hog and a VCPU on the same CPU that wakes every `period` for 50 us of work; returns its wake-up delays. */
function waker(options: { boost?: boolean; ratelimitPs?: number }, periodPs: number, rounds: number) {
  const host = new Host(1, options);
  const delays: number[] = [];
  host.start(host.vcpu(), hog());
  let wokenAt = 0;
  const io = host.vcpu();
  const thread = host.start(
    io,
    (function* (): Process {
      for (;;) {
        yield WAIT_BLOCK;
        delays.push(io.now - wokenAt);
        io.charge(LIBRARY, KERNEL, 50 * US);
      }
    })(),
  );
  for (let i = 1; i <= rounds; i++) {
    host.at(40 * MS + i * periodPs, () => {
      if (thread.state === THREAD_BLOCKED) wokenAt = host.engine.now;
      thread.notify();
    });
  }
  host.engine.run(40 * MS + (rounds + 1) * periodPs);
  return { host, io, delays };
}

Deno.test("a boosted VCPU preempts at once when the running one has had its millisecond", () => {
  const { host, delays } = waker({}, 5 * MS, 20);
  assert.equal(delays.length, 20);
  for (const delay of delays) assert.equal(delay, COSTS.vcpuSwitch);
  assert.ok(host.scheduler.counters.boosts >= 1); // and kept from sleep to sleep, until a tick finds it running
  assert.equal(host.scheduler.counters.ratelimited, 0);
});

Deno.test("the rate limit puts a preemption off until the running VCPU has had its millisecond", () => {
  const { host, delays } = waker({}, 400 * US, 50);
  // It sleeps 350 us; the hog is then 1 ms - 350 us + short of its time.
  assert.ok(host.scheduler.counters.ratelimited > 0);
  const longest = Math.max(...delays);
  assert.ok(longest > 500 * US && longest <= 1 * MS + 2 * COSTS.vcpuSwitch, `longest delay ${longest / US} us`);
  const window = 51 * 400 * US;
  assert.ok(host.scheduler.counters.preemptions <= window / (1 * MS) + 2, "at most one preemption each millisecond");
  const unlimited = waker({ ratelimitPs: 0 }, 400 * US, 50);
  for (const delay of unlimited.delays) assert.equal(delay, COSTS.vcpuSwitch);
});

Deno.test("without boost a woken VCPU waits for the end of a slice", () => {
  // Both have credits left or the woken one has: it gets in when the hog is over, or at the slice's end.
  const { host, delays } = waker({ boost: false }, 100 * MS, 10);
  assert.equal(host.scheduler.counters.boosts, 0);
  const boosted = waker({}, 100 * MS, 10);
  const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
  assert.ok(sum(delays) > 20 * sum(boosted.delays), `${sum(delays) / US} against ${sum(boosted.delays) / US} us`);
});

Deno.test("a VCPU without credits makes room at the end of its slice for one that waits elsewhere since just before", () => {
  const host = new Host(2, { boost: false });
  const other = host.vcpu({ weight: 2048, pin: [0] });
  const rival = host.vcpu({ weight: 1024, pin: [1] });
  const poor = host.vcpu({ weight: 64, pin: [1] });
  const woken = host.vcpu();
  host.start(other, hog(), 24 * MS); // its slices end at 114 and 144 ms
  host.start(
    rival,
    (function* (): Process {
      yield 55 * MS;
    })(),
  );
  host.start(poor, hog());
  host.burst(woken, 0, () => {}); // on CPU 0: that is where it waits when it wakes again
  let late = -1;
  host.engine.run(110 * MS);
  assert.equal(poor.physical?.index, 1);
  assert.equal(host.scheduler.priority(poor), PRI_TS_OVER);
  const sliceEnd = 115 * MS + 10 * US; // of the second one, which has come when the rival was through
  host.burst(woken, 114 * MS + 500 * US, (cpu) => late = cpu.now);
  host.engine.run(150 * MS);
  assert.ok(late >= 114 * MS && late <= sliceEnd, `at ${late / MS} ms`);
});

Deno.test("a boost is lost at the next tick, and who runs a whole slice of a shared CPU owes credits", () => {
  const host = new Host(1);
  const processor = host.vcpu();
  host.start(processor, hog(), 1 * MS);
  host.engine.run(2 * MS);
  assert.equal(host.scheduler.priority(processor), PRI_TS_BOOST);
  host.engine.run(10 * MS);
  assert.equal(host.scheduler.priority(processor), PRI_TS_UNDER);
  const rival = host.vcpu();
  const other = host.vcpu();
  host.start(rival, hog(), 12 * MS);
  host.start(other, hog(), 12 * MS);
  host.engine.run(400 * MS);
  const over = [processor, rival, other].filter((vcpu) => host.scheduler.priority(vcpu) === PRI_TS_OVER);
  assert.ok(over.length > 0);
  for (const vcpu of over) assert.ok(host.scheduler.credits(vcpu) < 0);
});

Deno.test("waking costs idle exit and a switch from the idle VCPU, even to the one that ran last", () => {
  const host = new Host(1);
  const late: number[] = [];
  const sleeper = (processor: Processor, at: number) =>
    host.burst(processor, at, (cpu) => {
      late.push(cpu.now - at);
      cpu.charge(LIBRARY, USER, 1 * US);
    });
  const first = host.vcpu();
  const second = host.vcpu();
  sleeper(first, 10 * US); // nobody ran here before
  sleeper(first, 50 * US); // the one that ran last
  sleeper(second, 90 * US); // another one
  sleeper(first, 130 * US); // and back
  host.engine.run(200 * US);
  const { idleExit, vcpuSwitch } = COSTS;
  assert.deepEqual(late, [1, 2, 3, 4].map(() => idleExit + vcpuSwitch));
  assert.equal(host.scheduler.counters.switches, 4);
  assert.equal(host.cpus[0].busy, 4 * US + 4 * vcpuSwitch);
});

Deno.test("a woken VCPU takes its last CPU if idle, else the next idle one, and is stolen from a busy one", () => {
  const host = new Host(2);
  const a = host.vcpu();
  const b = host.vcpu(); // starts on CPU 1
  const c = host.vcpu(); // starts on CPU 0 again
  const place: Record<string, number> = {};
  const work = (name: string, processor: Processor, at: number, length: number) =>
    host.burst(processor, at, (cpu) => {
      place[name] = cpu.physical!.index;
      cpu.charge(LIBRARY, USER, length);
    });
  work("a", a, 10 * US, 100 * US);
  work("c", c, 20 * US, 100 * US); // CPU 0 is busy
  work("b", b, 30 * US, 10 * US); // both are: waits for its CPU 1 until CPU 0 is free first
  host.engine.run(1 * MS);
  assert.deepEqual(place, { a: 0, c: 1, b: 0 });
  assert.equal(host.scheduler.counters.steals, 1);
});

Deno.test("who is pushed off goes on at once where a CPU is idle", () => {
  const host = new Host(2);
  const free = host.vcpu();
  host.start(free, hog());
  const pinned = host.vcpu({ pin: [0] });
  host.start(pinned, hog(), 15 * MS); // the other one has lost its boost
  host.engine.run(40 * MS);
  assert.equal(free.physical?.index, 1);
  assert.equal(pinned.physical?.index, 0);
  // Its own start, when the CPU had not slept yet, and the push to one that had.
  assert.equal(free.time[STEAL], COSTS.vcpuSwitch + COSTS.idleExit + COSTS.vcpuSwitch);
});

Deno.test("a CPU that has only just run out of work is not asleep", () => {
  const host = new Host(1);
  const second = host.vcpu();
  let late = -1;
  const wake = host.engine.handler("wake", () => {
    const now = host.engine.now;
    host.burst(second, now, (cpu) => late = cpu.now - now);
  });
  const after = host.engine.handler("after the burst", () => host.engine.after(0, wake));
  host.burst(host.vcpu(), 10 * US, (cpu) => {
    cpu.charge(LIBRARY, USER, 1 * US);
    cpu.post(after);
  });
  host.engine.run(1 * MS);
  assert.equal(late, COSTS.vcpuSwitch);
});

Deno.test("a rate-limited VCPU gets in on time, also when a slice would have ended before", () => {
  const host = new Host(1);
  const sliceEnd = 90 * MS + 3 * COSTS.vcpuSwitch; // of the first hog's second slice
  host.start(host.vcpu(), hog());
  host.start(host.vcpu(), hog()); // makes the slice matter
  const io = host.vcpu();
  const ran: number[] = [];
  for (const at of [sliceEnd - 1 * MS, sliceEnd - 500 * US]) {
    host.burst(io, at, (cpu) => {
      ran.push(cpu.now - at);
      cpu.charge(LIBRARY, USER, 50 * US);
    });
  }
  host.engine.run(100 * MS);
  // A hog runs again from 50 us and two switches after the first wake, and keeps the CPU for a millisecond.
  assert.deepEqual(ran, [COSTS.vcpuSwitch, 550 * US + 3 * COSTS.vcpuSwitch]);
});

Deno.test("a VCPU that wakes while its CPU switches to another one gets in a millisecond later", () => {
  const host = new Host(1);
  const switchStart = 90 * MS + 3 * COSTS.vcpuSwitch; // from the first hog to the second; both have lost their boost
  host.start(host.vcpu(), hog());
  host.start(host.vcpu(), hog());
  let late = -1;
  const wokenAt = switchStart + COSTS.vcpuSwitch / 2;
  host.burst(host.vcpu(), wokenAt, (cpu) => late = cpu.now - wokenAt);
  host.engine.run(120 * MS);
  assert.equal(late, COSTS.vcpuSwitch / 2 + 1 * MS + COSTS.vcpuSwitch);
});

Deno.test("ticks stop when nothing runs or earns", () => {
  const host = new Host(1);
  host.burst(host.vcpu(), 5 * MS, (cpu) => cpu.charge(LIBRARY, USER, 20 * US));
  host.engine.run(10 * SECOND);
  assert.equal(host.engine.pending, 0);
  assert.ok(host.engine.events < 20);
});

Deno.test("a journey knows how long its VCPU waited for a CPU", () => {
  const host = new Host(1);
  host.start(host.vcpu(), hog());
  const io = host.vcpu();
  host.at(50 * MS, () => {
    const journey = host.journeys.begin(host.engine.now);
    host.burst(io, host.engine.now, (cpu) => {
      cpu.carry(journey, LIBRARY);
      host.journeys.finish(journey, cpu.now);
    });
  });
  host.engine.run(60 * MS);
  assert.equal(host.journeys.finished, 1);
  assert.equal(host.journeys.sums[5], COSTS.vcpuSwitch, "all of it is the hypervisor's");
});

// ---- any mix of sleepers and hogs

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

Deno.test("a VCPU that is paused while it waits leaves the queue: it gets no CPU, and is idle, not stolen from", () => {
  // at 5 ms pause the one that waits, at 100 ms unpause it: expect no switch to it in between
  const host = new Host(1);
  const [first, second] = [host.vcpu(), host.vcpu()];
  host.start(first, hog());
  host.start(second, hog());
  host.engine.run(5 * MS);
  const waits = first.isOnline ? second : first;
  const runs = first.isOnline ? first : second;
  const { switches, preemptions } = host.scheduler.counters;
  const stolen = (waits.settle(), waits.time[STEAL]);
  waits.hold(HOLD_ALL);
  assert.equal(waits.isBlocked, true);
  host.engine.run(100 * MS);
  assert.equal(host.scheduler.counters.switches, switches, "silence while it is paused");
  assert.equal(host.scheduler.counters.preemptions, preemptions);
  waits.settle();
  assert.equal(waits.time[STEAL], stolen);
  waits.hold(HOLD_ALL); // again: nothing changes
  waits.hold(HOLD_NOTHING);
  host.engine.run(200 * MS);
  assert.ok(ran(host, waits) > 30 * MS, "it runs again");
  assert.ok(ran(host, runs) > 100 * MS);
  for (const processor of [first, second]) assert.equal(total(processor), 200 * MS);
});
