import assert from "node:assert/strict";
import { MS, US } from "../../src/base/units.ts";
import { type Process, THREAD_BLOCKED, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { KERNEL, LIBRARY, USER } from "../../src/metrics/stage.ts";
import { PRI_TS_BOOST, PRI_TS_OVER, PRI_TS_UNDER } from "../../src/xen/run_queue.ts";
import { hog } from "../support/scheduling.ts";
import { COSTS, Host } from "./support.ts";

/* Who gets in before others: boosts, credits and the rate limit. */

/** From another VCPU to the one that wakes, and in it from its idle task to the process. */
const SWITCHES = COSTS.vcpuSwitch + COSTS.contextSwitch;

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
  for (const delay of delays) assert.equal(delay, SWITCHES);
  assert.ok(host.scheduler.counters.boosts >= 1); // and kept from sleep to sleep, until a tick finds it running
  assert.equal(host.scheduler.counters.ratelimited, 0);
});

Deno.test("the rate limit puts a preemption off until the running VCPU has had its millisecond", () => {
  const { host, delays } = waker({}, 400 * US, 50);
  // It sleeps 350 us; the hog is then 1 ms - 350 us + short of its time.
  assert.ok(host.scheduler.counters.ratelimited > 0);
  const longest = Math.max(...delays);
  assert.ok(longest > 500 * US && longest <= 1 * MS + 2 * SWITCHES, `longest delay ${longest / US} us`);
  const window = 51 * 400 * US;
  assert.ok(host.scheduler.counters.preemptions <= window / (1 * MS) + 2, "at most one preemption each millisecond");
  const unlimited = waker({ ratelimitPs: 0 }, 400 * US, 50);
  for (const delay of unlimited.delays) assert.equal(delay, SWITCHES);
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
