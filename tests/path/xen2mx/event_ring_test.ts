import assert from "node:assert/strict";
import fc from "fast-check";
import { US } from "../../../src/base/units.ts";
import { Interrupt } from "../../../src/hw/interrupt.ts";
import type { Processor } from "../../../src/hw/processor.ts";
import { IRQ } from "../../../src/metrics/stage.ts";
import { EVENT_TINY } from "../../../src/mx/driver/contract.ts";
import { EVENT_BYTES } from "../../../src/mx/driver/events.ts";
import type { World } from "../../../src/path/path.ts";
import { Channel } from "../../../src/path/xen2mx/channel.ts";
import { EventRing } from "../../../src/path/xen2mx/event_ring.ts";
import * as layout from "../../../src/path/xen2mx/layout.ts";
import { FrontRing, initSharedRing } from "../../../src/xen/shared_ring.ts";
import { COSTS, Host } from "../../xen/support.ts";

/* Dom0's end of recv_ring against a list, with a guest that takes events when it likes. */

const SLOTS = 16;

interface Event {
  readonly eid: number;
  readonly number: number;
  readonly journey: number;
}

class Bench {
  readonly host = new Host(2);
  readonly channel = new Channel();
  readonly dom0: readonly Processor[];
  readonly ring: EventRing;
  readonly front: FrontRing;
  /** What is in the ring and not taken by the guest, and what waits in dom0, as the ring should have it. */
  readonly inRing: Event[] = [];
  backlog: Event[] = [];
  waited = 0;
  notified = 0;
  /** Where events were put that found no slot: dom0's memory. */
  readonly images = new Set<number>();
  mostImages = 0;
  #number = 0;

  constructor() {
    const { engine, memory, journeys } = this.host;
    const page = memory.alloc(4096);
    initSharedRing(memory, page);
    this.dom0 = this.host.domain("dom0", 2).processors;
    const sender = Interrupt.of("notify", 0, () => {
      this.notified++;
      return false;
    }, null);
    const world = { engine, memory, journeys, costs: COSTS } as World;
    this.ring = new EventRing(world, page, "guest", this.channel, this.dom0, sender);
    this.front = new FrontRing(memory, page, layout.SLOT_BYTES);
  }

  /** Runs work of dom0 at once, in a burst of its own. */
  dom0Does(work: (cpu: Processor) => void): void {
    this.host.burst(this.dom0[0], this.host.engine.now, work);
    this.host.engine.run(this.host.engine.now + 100 * US);
  }

  /** Puts an event where it belongs, and into the list. */
  send(cpu: Processor, eid: number): void {
    const { memory, journeys } = this.host;
    const number = ++this.#number;
    const at = this.ring.claim(cpu);
    this.#pumped();
    memory.u8.fill(number & 0xff, at, at + EVENT_BYTES);
    const event = { eid, number, journey: journeys.begin(cpu.now) };
    if (this.backlog.length === 0 && this.inRing.length < SLOTS) this.inRing.push(event);
    else {
      this.backlog.push(event);
      this.waited++;
      this.images.add(at);
      this.mostImages = Math.max(this.mostImages, this.backlog.length);
    }
    this.ring.commit(cpu, eid, number, EVENT_TINY, event.journey);
  }

  claimInVain(cpu: Processor): void {
    this.ring.claim(cpu);
    this.ring.cancel();
    this.#pumped();
  }

  closed(eid: number): void {
    this.ring.closed(eid);
    this.backlog = this.backlog.filter((event) => event.eid !== eid);
  }

  /** The guest takes up to `count` events and gives their slots back; it may forget to look at them. */
  take(count: number, looks: boolean): void {
    const { memory, journeys } = this.host;
    for (let i = Math.min(count, this.front.unconsumedResponses()); i > 0; i--) {
      const index = this.front.slotNumber(this.front.rspCons);
      const slot = this.front.takeResponse();
      const event = this.inRing.shift()!;
      const [func, eid, number, ret] = [layout.SLOT_FUNC, layout.SLOT_EID, layout.SLOT_REQUEST, layout.SLOT_RET]
        .map((field) => memory.view.getUint32(slot + field, true));
      assert.deepEqual([func, eid, number, ret], [layout.eventFunc(EVENT_TINY), event.eid, event.number, EVENT_TINY]);
      const image = memory.u8.subarray(slot + layout.SLOT_UNION, slot + layout.SLOT_UNION + EVENT_BYTES);
      assert.ok(image.every((byte) => byte === (event.number & 0xff)), `event ${event.number}`);
      if (looks) {
        assert.equal(this.channel.eventJourneys[index], event.journey);
        journeys.drop(event.journey);
        this.channel.eventJourneys[index] = -1;
      }
      this.front.claimRequest();
    }
    if (this.front.pushRequests()) this.sleep();
  }

  /** The worker has nothing else to do: it moves what waits, and asks to be told of the next slot. */
  sleep(): void {
    this.dom0Does((cpu) => {
      do {
        this.ring.pump(cpu);
        this.#pumped();
      } while (this.ring.finalCheck());
      this.ring.isUnattended = true;
    });
  }

  /** The worker is busy with commands from now on, and looks after the ring when it is through with them. */
  work(): void {
    this.ring.isUnattended = false;
  }

  check(): void {
    assert.equal(this.ring.backlog, this.backlog.length);
    assert.equal(this.ring.hasBacklog, this.backlog.length > 0);
    assert.equal(this.ring.waited, this.waited);
    assert.equal(this.front.unconsumedResponses(), this.inRing.length);
  }

  #pumped(): void {
    while (this.backlog.length > 0 && this.inRing.length < SLOTS) this.inRing.push(this.backlog.shift()!);
  }
}

Deno.test("events reach the guest once and in order, or not at all when their endpoint is closed while they wait", () => {
  const operation = fc.record({
    what: fc.constantFrom("send", "send", "send", "cancel", "take", "skip", "close", "work", "sleep"),
    eid: fc.nat(2),
    count: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
      const bench = new Bench();
      const { journeys, engine } = bench.host;
      for (const { what, eid, count } of operations) {
        if (what === "send") {
          bench.dom0Does((cpu) => {
            for (let i = 0; i < count; i++) bench.send(cpu, (eid + i) % 3);
          });
        } else if (what === "cancel") bench.dom0Does((cpu) => bench.claimInVain(cpu));
        else if (what === "close") bench.closed(eid);
        else if (what === "work") bench.work();
        else if (what === "sleep") bench.sleep();
        else bench.take(count, what === "take");
        bench.check();
      }
      bench.sleep();
      // The guest alone goes on: what waits moves because dom0 is told of each slot.
      while (bench.front.unconsumedResponses() > 0) bench.take(5, true);
      engine.run(engine.now + 100 * US);
      bench.check();
      assert.equal(bench.backlog.length, 0);
      for (const journey of bench.channel.eventJourneys) journeys.drop(journey); // of slots that were not looked at
      assert.equal(journeys.live, 0);
      assert.ok(bench.images.size <= bench.mostImages + 1, "dom0's memory is used again");
    }),
    { numRuns: 60 },
  );
});

Deno.test("the guest is notified of an event when it has asked for one", () => {
  const bench = new Bench();
  bench.dom0Does((cpu) => bench.send(cpu, 0));
  assert.equal(bench.notified, 1);
  bench.dom0Does((cpu) => bench.send(cpu, 0));
  assert.equal(bench.notified, 1, "it has not looked yet");
  bench.take(2, true);
  assert.equal(bench.front.finalCheckForResponses(), 0);
  bench.dom0Does((cpu) => bench.send(cpu, 0));
  assert.equal(bench.notified, 2);
  bench.dom0[0].settle();
  assert.equal(bench.dom0[0].time[IRQ], 3 * COSTS.backendResponse);
});

Deno.test("events of two CPUs of dom0 become visible in ring order", () => {
  const bench = new Bench();
  const { host, dom0, front } = bench;
  host.burst(dom0[0], 0, (cpu) => {
    cpu.charge(0, 1, 20 * US);
    bench.send(cpu, 0);
  });
  host.burst(dom0[1], 1 * US, (cpu) => bench.send(cpu, 1)); // filled long before
  host.engine.run(15 * US);
  assert.equal(front.unconsumedResponses(), 0);
  host.engine.run(100 * US);
  bench.check();
  bench.take(2, true);
});
