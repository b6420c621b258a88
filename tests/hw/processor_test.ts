import assert from "node:assert/strict";
import { NS, US } from "../../src/base/units.ts";
import { OWNER_HOST, PhysicalCpu } from "../../src/hw/cpu.ts";
import { Interrupt, Processor } from "../../src/hw/processor.ts";
import { Thread, WAIT_BLOCK, WAIT_POLL } from "../../src/hw/thread.ts";
import { Journeys } from "../../src/metrics/journey.ts";
import { DRIVER, IRQ, KERNEL, USER } from "../../src/metrics/stage.ts";
import { Engine } from "../../src/sim/engine.ts";

function native(contextSwitch = 0): { engine: Engine; cpu: Processor } {
  const engine = new Engine();
  const costs = { contextSwitch, idleExit: 0, threadSlice: 3000 * US };
  return {
    engine,
    cpu: new Processor(engine, "cpu0", OWNER_HOST, costs, new Journeys(), null, new PhysicalCpu(0)),
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
