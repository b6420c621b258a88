import assert from "node:assert/strict";
import { MS, NS, US } from "../../src/base/units.ts";
import { OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { FairScheduler } from "../../src/hw/fair_scheduler.ts";
import { resolveCosts } from "../../src/hw/machine_profile.ts";
import { Interrupt } from "../../src/hw/interrupt.ts";
import { HOLD_ALL, HOLD_NOTHING, HOLD_THREADS, Processor } from "../../src/hw/processor.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import {
  type Process,
  processThread,
  Thread,
  THREAD_DONE,
  WAIT_BLOCK,
  WAIT_POLL,
  WAIT_SPIN,
} from "../../src/hw/thread.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { DRIVER, IDLE, IRQ, KERNEL, STEAL, USER } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

function native(contextSwitch = 0): { engine: Engine; cpu: Processor } {
  const engine = new Engine();
  const costs = { contextSwitch, idleExit: 0, threadSlice: 3000 * US };
  return {
    engine,
    cpu: new Processor(engine, "cpu0", OWNER_HOST, costs, new Journeys(), null, new PhysicalCpu(engine, 0)),
  };
}

/** A timeline entry: what ran, and the instant at which it began, nanoseconds. */
type Turn = [string, number];

Deno.test("deferred work that an interrupt raises on its own processor begins when the interrupt has ended", () => {
  const { engine, cpu } = native();
  const turns: Turn[] = [];
  const softirq = new Interrupt("softirq", 1, (on) => {
    turns.push(["softirq", on.now / NS]);
    on.charge(DRIVER, IRQ, 300 * NS);
    return false;
  });
  const irq = new Interrupt("irq", 0, (on) => {
    turns.push(["irq", on.now / NS]);
    on.charge(DRIVER, IRQ, 500 * NS);
    on.raise(softirq);
    on.charge(DRIVER, IRQ, 100 * NS);
    assert.equal(on.now, engine.now + 600 * NS, "the raise must not turn this burst's clock back");
    return false;
  });
  engine.at(1 * US, engine.handler("start", () => cpu.raise(irq)));
  engine.run(10 * US);
  assert.deepEqual(turns, [["irq", 1000], ["softirq", 1600]]);
  assert.equal(cpu.time[IRQ], 900 * NS);
});

Deno.test("a thread that an interrupt of the same processor wakes runs when the interrupt has ended", () => {
  const { engine, cpu } = native();
  const turns: Turn[] = [];
  const thread = new Thread("worker", cpu, (on) => {
    turns.push(["worker", on.now / NS]);
    on.charge(DRIVER, KERNEL, 200 * NS);
    return WAIT_BLOCK;
  });
  const irq = new Interrupt("irq", 0, (on) => {
    turns.push(["irq", on.now / NS]);
    on.charge(DRIVER, IRQ, 500 * NS);
    thread.notify();
    return false;
  });
  engine.at(1 * US, engine.handler("start", () => cpu.raise(irq)));
  engine.run(10 * US);
  assert.deepEqual(turns, [["irq", 1000], ["worker", 1500]]);
});

Deno.test("a process that has blocked is switched to when it runs again; a kernel thread charges for that itself", () => {
  const turnsOf = (make: (cpu: Processor, turn: () => void) => Thread) => {
    const { engine, cpu } = native(1500 * NS);
    const turns: number[] = [];
    const thread = make(cpu, () => {
      turns.push((cpu.now - engine.now) / NS);
      cpu.charge(DRIVER, KERNEL, 200 * NS);
    });
    const wake = engine.handler("wake", () => thread.notify());
    for (const at of [1, 10, 20]) engine.at(at * US, wake);
    engine.run(30 * US);
    cpu.settle();
    return { turns, kernel: cpu.time[KERNEL] / NS };
  };
  const process = turnsOf((cpu, turn) =>
    processThread(
      "process",
      cpu,
      (function* () {
        for (;;) {
          turn();
          yield WAIT_BLOCK;
        }
      })(),
    )
  );
  assert.deepEqual(
    process,
    { turns: [0, 1500, 1500], kernel: 3 * 200 + 2 * 1500 },
    "nobody was there before the first",
  );
  const step = (turn: () => void) => () => {
    turn();
    return WAIT_BLOCK;
  };
  const kernel = turnsOf((cpu, turn) => new Thread("kernel thread", cpu, step(turn)));
  assert.deepEqual(kernel, { turns: [0, 0, 0], kernel: 3 * 200 });
});

Deno.test("a CPU's time tells what was spent on looking again from what was computed", () => {
  for (const [wait, polled] of [[WAIT_POLL, 1], [WAIT_SPIN, 1], [30 * US, 0]] as const) {
    const { engine, cpu } = native();
    let bursts = 0;
    new Thread("worker", cpu, () => bursts++ === 0 ? wait : THREAD_DONE).notify();
    engine.run(20 * US);
    cpu.settle();
    assert.deepEqual([cpu.physical!.busy, cpu.physical!.polled], [20 * US, polled * 20 * US]);
  }
});

Deno.test("every woken thread goes before one that only polls", () => {
  const { engine, cpu } = native();
  const turns: string[] = [];
  const worker = (name: string) =>
    new Thread(name, cpu, (on) => {
      turns.push(name);
      on.charge(DRIVER, KERNEL, 1 * US);
      return WAIT_BLOCK;
    });
  const poller = new Thread("poller", cpu, (on) => {
    on.charge(DRIVER, USER, 10 * NS);
    return WAIT_POLL;
  });
  const first = worker("first");
  const second = worker("second");
  engine.at(0, engine.handler("poll", () => poller.notify()));
  const irq = new Interrupt("irq", 0, (on) => {
    on.charge(DRIVER, IRQ, 1 * US);
    return false;
  });
  engine.at(10 * US, engine.handler("irq", () => cpu.raise(irq)));
  engine.at(
    10 * US + 500 * NS,
    engine.handler("wake", () => {
      first.notify();
      second.notify(); // `first` has work in hand now, and the poller has none
    }),
  );
  engine.run(100 * US);
  assert.deepEqual(turns, ["first", "second"], "second must not wait for the poller's slice");
});

Deno.test("threads that compute take turns, however often a third one wakes in between", () => {
  const { engine, cpu } = native();
  const done = [0, 0];
  const computes = (which: number) =>
    new Thread(`computes ${which}`, cpu, () => {
      done[which]++;
      return 10 * US;
    });
  const worker = new Thread("worker", cpu, (on) => {
    on.charge(DRIVER, KERNEL, 10 * US);
    return WAIT_BLOCK;
  });
  computes(0).notify();
  computes(1).notify();
  const wake = engine.handler("wake", () => {
    worker.notify();
    engine.after(1 * MS, wake);
  });
  engine.at(500 * US, wake);
  engine.run(100 * MS);
  // 100 ms and 10 us each: a slice of 3 ms more or less.
  for (const count of done) assert.ok(Math.abs(count - 4950) <= 310, `${done}`);
});

/** Deferred work without an end, in bursts of 5 us, from an instant on. */
function flood(engine: Engine, cpu: Processor, fromPs: number): void {
  const softirq = new Interrupt("softirq", 1, (on) => {
    on.charge(DRIVER, IRQ, 5 * US);
    return true;
  });
  engine.at(fromPs, engine.handler("flood", () => cpu.raise(softirq)));
}

Deno.test("deferred work without an end leaves half of the CPU to a thread that computes", () => {
  const { engine, cpu } = native();
  new Thread("computes", cpu, () => 700 * US).notify();
  flood(engine, cpu, 10 * MS);
  const irq = new Interrupt("irq", 0, (on) => {
    on.charge(DRIVER, IRQ, 1 * US);
    return false;
  });
  for (let at = 10 * MS; at < 110 * MS; at += 100 * US) engine.at(at, engine.handler("irq", () => cpu.raise(irq)));
  engine.run(110 * MS);
  cpu.settle();
  assert.ok(Math.abs(cpu.time[USER] - 59.5 * MS) < 1 * MS, `${cpu.time[USER] / MS} ms of 10 ms and half of 99 ms`);
});

Deno.test("a thread that has run for long before deferred work comes has its turn after the first budget of it", () => {
  const { engine, cpu } = native();
  const turns: number[] = [];
  const thread = new Thread("works", cpu, (on) => {
    turns.push(on.now);
    on.charge(DRIVER, KERNEL, 10 * US);
    return 0;
  });
  thread.notify();
  flood(engine, cpu, 10 * MS);
  engine.run(12 * MS);
  const next = turns.find((at) => at > 10 * MS);
  assert.equal(next, 10 * MS + 64 * 5 * US);
});

/** A host with one CPU: its kernel's processor, and a VCPU beside it. */
function shared() {
  const engine = new Engine();
  const physical = new PhysicalCpu(engine, 0);
  const scheduler = new FairScheduler(engine, "host", [physical], resolveCosts(vhpc12));
  const costs = { contextSwitch: 0, idleExit: 0, threadSlice: 3000 * US };
  const make = (name: string) => new Processor(engine, name, OWNER_HOST, costs, new Journeys(), scheduler, null);
  const [kernel, vcpu] = [make("kernel"), make("vcpu")];
  scheduler.addHost(kernel, 0);
  scheduler.add(vcpu);
  const at = (us: number, run: () => void) => engine.at(us * US, engine.handler("test", run));
  return { engine, kernel, vcpu, at };
}

Deno.test("who is asked to leave in its last burst blocks when that is over, and waits for no CPU afterwards", () => {
  const { engine, kernel, vcpu, at } = shared();
  const burst = (processor: Processor, length: number) =>
    new Thread("burst", processor, (cpu) => {
      cpu.charge(DRIVER, KERNEL, length);
      return WAIT_BLOCK;
    });
  const long = burst(vcpu, 3 * MS);
  const soft = new Interrupt("soft", 1, (cpu) => {
    cpu.charge(DRIVER, IRQ, 2 * MS);
    return false;
  });
  at(0, () => long.notify());
  at(1000, () => kernel.raise(soft)); // takes the CPU as soon as the burst lets it
  engine.run(20 * MS);
  vcpu.settle();
  assert.deepEqual([vcpu.evictions, vcpu.blocks, kernel.time[IRQ]], [0, 1, 2 * MS]);
  assert.ok(vcpu.time[STEAL] < 0.1 * MS, "it has nothing to wait for");
});

for (const [title, held, served] of [["all", HOLD_ALL, false], ["threads", HOLD_THREADS, true]] as const) {
  Deno.test(`held (${title}), a processor leaves work undone, lets others run, and does everything afterwards`, () => {
    const { engine, kernel, vcpu, at } = shared();
    const turns: [string, number][] = [];
    const note = (what: string) => turns.push([what, Math.floor(engine.now / MS)]);
    const worker = new Thread("worker", kernel, (cpu) => {
      note("worker");
      cpu.charge(DRIVER, KERNEL, US);
      return WAIT_BLOCK;
    });
    const soft = new Interrupt("soft", 1, (cpu) => {
      note("soft");
      cpu.charge(DRIVER, IRQ, US);
      return false;
    });
    const other = new Thread("other", vcpu, () => {
      note("other");
      return 10 * MS;
    });
    at(0, () => kernel.hold(held));
    at(100, () => worker.notify());
    at(200, () => kernel.raise(soft));
    at(300, () => other.notify());
    at(2000, () => worker.notify());
    at(5000, () => kernel.hold(HOLD_NOTHING));
    engine.run(9 * MS);
    const early = served ? [["soft", 0], ["other", 0]] : [["other", 0]];
    const late = served ? [["worker", 5]] : [["soft", 5], ["worker", 5]];
    assert.deepEqual(turns, [...early, ...late]);
    kernel.settle();
    assert.ok(kernel.time[IDLE] > 4.9 * MS && kernel.time[STEAL] < 0.1 * MS, "it waits for nobody's CPU");
  });
}

Deno.test("a processor that is held in the middle of polling or of a burst stops there, and goes on where it was", () => {
  const { engine, vcpu, at } = shared();
  const turns: number[] = [];
  let polled = 0;
  const thread = new Thread("poller", vcpu, (cpu) => {
    turns.push(engine.now / MS);
    cpu.charge(DRIVER, USER, 2 * MS);
    return WAIT_POLL;
  });
  at(0, () => thread.notify());
  at(1000, () => vcpu.hold(HOLD_ALL)); // in its burst, which ends
  at(3000, () => {
    assert.ok(!vcpu.isOnline);
    vcpu.hold(HOLD_NOTHING);
  });
  at(4000, () => {
    vcpu.hold(HOLD_ALL); // while it polls
    assert.ok(!vcpu.isOnline);
    polled = vcpu.time[USER];
    assert.ok(polled > 2 * MS, "it has polled since its burst");
  });
  at(5000, () => thread.notify());
  at(6000, () => {
    assert.equal(vcpu.time[USER], polled);
    vcpu.hold(HOLD_NOTHING);
  });
  engine.run(7 * MS);
  assert.equal(turns.length, 2);
  assert.ok(turns[1] >= 6 && turns[1] < 6.1);
});

Deno.test("a thread that is diverted does something else from its next burst on, whatever it waited for", () => {
  function* last(done: () => void): Process {
    yield 100 * NS;
    done();
  }
  for (const wait of [WAIT_BLOCK, WAIT_POLL, WAIT_SPIN, 50 * MS, 0]) {
    const { engine, cpu } = native();
    let before = 0;
    let endedAt = 0;
    const thread = new Thread("victim", cpu, (on) => {
      before++;
      on.charge(DRIVER, KERNEL, 100 * NS);
      return wait;
    });
    const at = (us: number, run: () => void) => engine.at(us * US, engine.handler("test", run));
    at(0, () => thread.notify());
    at(10, () => thread.divert(last(() => endedAt = engine.now)));
    at(10, () => before = 0);
    engine.run(MS);
    assert.equal(before, 0);
    assert.ok(endedAt > 10 * US && endedAt < 11 * US, `wait ${wait}: ended at ${endedAt / US} us`);
    assert.equal(thread.state, THREAD_DONE);
    assert.equal(cpu.runnableThreads, 0);
    thread.notify();
    engine.run(2 * MS);
  }
});
