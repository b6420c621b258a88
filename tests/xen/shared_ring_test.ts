import assert from "node:assert/strict";
import fc from "fast-check";
import { US } from "../../src/base/units.ts";
import { Memory } from "../../src/hw/memory.ts";
import { type Process, type Thread, WAIT_BLOCK } from "../../src/hw/thread.ts";
import { BACKEND, FRONTEND, KERNEL } from "../../src/metrics/stage.ts";
import { BackRing, FrontRing, initSharedRing, RING_BROKEN, ringSize } from "../../src/xen/shared_ring.ts";
import { Host } from "./support.ts";

const SLOT = 250;

function ring(start = 0): { memory: Memory; page: number; front: FrontRing; back: BackRing } {
  const memory = new Memory(1 << 20);
  const page = memory.alloc(4096);
  initSharedRing(memory, page);
  if (start !== 0) {
    // As after 2^32 - n messages.
    for (const [field, value] of [[0, start], [4, start + 1], [8, start], [12, start + 1]]) {
      memory.view.setUint32(page + field, value, true);
    }
  }
  return { memory, page, front: new FrontRing(memory, page, SLOT), back: new BackRing(memory, page, SLOT) };
}

Deno.test("layout: sizes, header fields and slots are those of ring.h", () => {
  assert.equal(ringSize(250), 16);
  assert.equal(ringSize(112), 32); // blkif
  assert.equal(ringSize(12), 256); // netif_tx
  assert.equal(ringSize(8), 256); // netif_rx
  assert.equal(ringSize(4032), 1);
  assert.equal(ringSize(4033), 0);
  const { memory, page, front, back } = ring();
  assert.deepEqual([...memory.u8.subarray(page, page + 16)], [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
  assert.equal(front.claimRequest(), page + 64);
  assert.equal(front.claimRequest(), page + 64 + 250);
  assert.equal(memory.view.getUint32(page, true), 0, "claimed is not published");
  assert.equal(front.pushRequests(), true);
  assert.equal(memory.view.getUint32(page, true), 2);
  assert.equal(back.unconsumedRequests(), 2);
  assert.equal(front.slot(16), front.slot(0));
});

Deno.test("a notification is asked for once: pushes that do not pass the event index need none", () => {
  const { front, back } = ring();
  front.claimRequest();
  assert.equal(front.pushRequests(), true, "req_event starts at 1");
  front.claimRequest();
  assert.equal(front.pushRequests(), false, "the back has not asked again");
  back.takeRequest();
  assert.equal(back.finalCheckForRequests(), 1, "one is left, so it goes on without asking");
  back.takeRequest();
  assert.equal(back.finalCheckForRequests(), 0);
  assert.equal(front.pushRequests(), false, "nothing new");
  front.claimRequest();
  front.claimRequest();
  assert.equal(front.pushRequests(), true);
  // Three pushes had something new. Nothing is answered yet: 1, 2 and 4 entries were in use then.
  const { published, entries, notified, suppressed, usedSum } = front.pushes;
  assert.deepEqual({ published, entries, notified, suppressed, usedSum }, {
    published: 3,
    entries: 4,
    notified: 2,
    suppressed: 1,
    usedSum: 1 + 2 + 4,
  });
  assert.equal(front.pushes.takeHighest(), 4);
  assert.equal(front.pushes.takeHighest(), 0);
});

Deno.test("several slots at a time are those that come one by one, across the wrap of the indexes", () => {
  const { front, back } = ring(2 ** 32 - 3);
  front.claimRequest();
  assert.throws(() => front.claimRequests(16), /more requests were claimed/);
  const first = front.claimRequests(15);
  assert.equal(first, 2 ** 32 - 2);
  assert.ok(front.isFull);
  front.pushRequests();
  assert.throws(() => back.takeRequests(1), /more requests were taken/, "it has not looked");
  assert.equal(back.unconsumedRequests(), 16);
  assert.equal(back.takeRequestToAnswer(), front.slot(first - 1));
  assert.equal(back.takeRequestToAnswer(), front.slot(first));
  back.takeRequests(5);
  assert.throws(() => back.takeRequestToAnswer(), /before this one/);
  assert.equal(back.claimResponses(5), 2 ** 32 - 1);
  assert.equal(back.rspProdPvt, 4);
  assert.equal(back.reqCons, 4);
  assert.equal(back.takeRequest(), front.slot(4));
  assert.throws(() => back.takeRequests(9), /more requests were taken/);
  assert.throws(() => back.claimResponses(18), /more responses/);
});

Deno.test("an index from nowhere is a status", () => {
  const { memory, page, front, back } = ring();
  memory.view.setUint32(page + 0, 17, true);
  assert.equal(back.unconsumedRequests(), RING_BROKEN);
  assert.equal(back.finalCheckForRequests(), RING_BROKEN);
  memory.view.setUint32(page + 0, 0xffffffff, true);
  assert.equal(back.unconsumedRequests(), RING_BROKEN);
  memory.view.setUint32(page + 8, 1000, true);
  assert.equal(front.unconsumedResponses(), RING_BROKEN);
  assert.equal(back.broken, 3);
  assert.equal(front.broken, 1);
  // Sixteen are answered by nobody yet, so a seventeenth lies on a slot in use.
  const { memory: m, page: p, back: b } = ring();
  m.view.setUint32(p, 16, true);
  for (let i = 0; i < 8; i++) b.takeRequest();
  m.view.setUint32(p, 17, true);
  assert.equal(b.unconsumedRequests(), RING_BROKEN);
});

Deno.test("publishing out of order never takes anything back", () => {
  const { front, back } = ring(0xfffffffe);
  front.claimRequest();
  const first = front.reqProdPvt | 0; // as it travels through an event
  front.claimRequest();
  const second = front.reqProdPvt | 0;
  assert.equal(front.publishRequests(second), true);
  assert.equal(front.publishRequests(first), false);
  assert.equal(back.unconsumedRequests(), 2);
});

Deno.test("a reversed ring: events as responses, slots returned as empty requests", () => {
  const { front, back } = ring(0xfffffff8);
  for (let round = 0; round < 5; round++) {
    assert.equal(back.freeResponses, 16);
    for (let i = 0; i < 16; i++) back.claimResponse();
    assert.equal(back.freeResponses, 0);
    assert.equal(back.unanswered, -16);
    back.publishResponses(back.rspProdPvt);
    assert.equal(front.unconsumedResponses(), 16);
    for (let i = 0; i < 16; i++) {
      const slot = front.takeResponse();
      assert.equal(front.claimRequest(), slot, "the slot that is returned is the one consumed");
    }
    front.pushRequests();
    assert.equal(back.unconsumedRequests(), 16);
    for (let i = 0; i < 16; i++) back.takeRequest();
  }
  assert.equal(back.broken + front.broken, 0);
});

/** The same ring as lists. */
class Model {
  claimed: number[] = [];
  asked: number[] = [];
  taken: number[] = [];
  answering: number[] = [];
  answered: number[] = [];
  get inUse(): number {
    return this.claimed.length + this.asked.length + this.taken.length + this.answering.length + this.answered.length;
  }
}

Deno.test("any interleaving across the wrap of the indexes agrees with lists, and no sleeper is forgotten", () => {
  const operation = fc.constantFrom("claim", "push", "take", "answer", "reply", "consume", "sleepBack", "sleepFront");
  fc.assert(
    fc.property(
      fc.integer({ min: -40, max: 3 }),
      fc.array(operation, { maxLength: 400, size: "max" }),
      (start, operations) => {
        const { memory, front, back } = ring(start >>> 0);
        const model = new Model();
        let next = 1;
        let backAsked = true; // both ends start asleep, asking for the first entry
        let frontAsked = true;
        for (const name of operations) {
          if (name === "claim") {
            assert.equal(front.isFull, model.inUse === 16);
            assert.equal(front.freeRequests, 16 - model.inUse);
            if (front.isFull) continue;
            memory.view.setUint32(front.claimRequest(), next, true);
            model.claimed.push(next++);
          } else if (name === "push") {
            const notify = front.pushRequests();
            assert.equal(notify, backAsked && model.claimed.length > 0);
            if (notify) backAsked = false;
            model.asked.push(...model.claimed.splice(0));
          } else if (name === "take") {
            assert.equal(back.unconsumedRequests(), model.asked.length);
            if (model.asked.length === 0) continue;
            const value = model.asked.shift()!;
            assert.equal(memory.view.getUint32(back.takeRequest(), true), value);
            model.taken.push(value);
          } else if (name === "answer") {
            assert.equal(back.unanswered, model.taken.length);
            if (model.taken.length === 0) continue;
            const value = model.taken.shift()!;
            memory.view.setUint32(back.claimResponse(), value + 0x10000, true);
            model.answering.push(value + 0x10000);
          } else if (name === "reply") {
            const notify = back.publishResponses(back.rspProdPvt);
            assert.equal(notify, frontAsked && model.answering.length > 0);
            if (notify) frontAsked = false;
            model.answered.push(...model.answering.splice(0));
          } else if (name === "consume") {
            assert.equal(front.unconsumedResponses(), model.answered.length);
            if (model.answered.length === 0) continue;
            assert.equal(memory.view.getUint32(front.takeResponse(), true), model.answered.shift()!);
          } else if (name === "sleepBack") {
            assert.equal(back.finalCheckForRequests(), model.asked.length);
            if (model.asked.length === 0) backAsked = true;
          } else {
            assert.equal(front.finalCheckForResponses(), model.answered.length);
            if (model.answered.length === 0) frontAsked = true;
          }
        }
        assert.equal(back.broken + front.broken, 0);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("two processors, two-step publishing: every request is answered at any timing, also with sleepers", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.nat(3000), fill: fc.nat(2000) }), { minLength: 1, maxLength: 60, size: "max" }),
      fc.integer({ min: 0, max: 2500 }),
      (requests, work) => {
        const host = new Host(2);
        const guest = host.domain("guest");
        const dom0 = host.domain("dom0");
        const page = guest.allocPages(1);
        initSharedRing(host.memory, page);
        const front = new FrontRing(host.memory, page, SLOT);
        const back = new BackRing(host.memory, page, SLOT);
        const backPort = dom0.eventChannels.allocUnbound(guest.id);
        const port = guest.eventChannels.bindInterdomain(dom0.id, backPort);
        const sender = guest.eventChannels.sender(port);
        let served = 0;
        let visible = 0;
        const publish = host.engine.handler("publish", (index) => {
          visible++;
          if (front.publishRequests(index)) guest.processors[0].raise(sender);
        });
        const worker: Thread = host.start(
          dom0.processors[0],
          (function* (): Process {
            for (;;) {
              // Nothing has been charged since the burst began, so this is the right instant for the final check.
              while (back.finalCheckForRequests() === 0) yield WAIT_BLOCK;
              back.takeRequest();
              served++;
              assert.ok(served <= visible, "a request was seen before it was published");
              dom0.processors[0].charge(BACKEND, KERNEL, work * 1000 + 1);
              back.claimResponse();
              yield 0;
              back.publishResponses(back.rspProdPvt);
            }
          })(),
        );
        // A handler that runs as an event: the kernel's wake-up, which is not what this test is about.
        const wake = host.engine.handler("wake", () => worker.notify());
        dom0.eventChannels.listen(backPort, (cpu) => cpu.post(wake));
        host.start(
          guest.processors[0],
          (function* (): Process {
            for (const { gap, fill } of requests) {
              yield gap * 1000;
              while (front.isFull) {
                yield 1 * US;
                while (front.unconsumedResponses() > 0) front.takeResponse();
              }
              front.claimRequest();
              guest.processors[0].charge(FRONTEND, KERNEL, fill * 1000);
              guest.processors[0].post(publish, front.reqProdPvt | 0);
            }
          })(),
        );
        host.engine.run(1000 * US);
        assert.equal(served, requests.length);
        assert.ok(dom0.eventChannels.counters.arrived <= requests.length);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("a front that writes rsp_prod does not disturb what the back has claimed", () => {
  const { memory, page, back } = ring();
  for (const written of [1, 0, 7, 2 ** 32 - 1]) {
    const slot = back.claimResponse();
    memory.view.setUint32(page + 8, written === 1 ? back.rspProdPvt : written, true);
    back.unclaimResponse();
    assert.equal(back.claimResponse(), slot);
    back.unclaimResponse();
  }
});
