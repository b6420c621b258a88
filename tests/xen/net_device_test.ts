import assert from "node:assert/strict";
import fc from "fast-check";
import { US } from "../../src/base/units.ts";
import { IRQ, KERNEL } from "../../src/metrics/stage.ts";
import type { Netback } from "../../src/xen/netback.ts";
import { connectVif, isVifConnected } from "../../src/xen/netback_connect.ts";
import { GUEST_MAC, NetHost, OUTSIDE_MAC, splitAt64 } from "./net_support.ts";

function connected(queueLimit = 64): { host: NetHost; back: Netback } {
  const host = new NetHost(4, queueLimit);
  let back: Netback | null = null;
  connectVif([host.front], {
    dom0: host.dom0,
    frames: host.frames,
    bridge: host.bridge,
    split: splitAt64,
    vcpu: 1,
    connected: (netback) => back = netback,
  });
  host.engine.run(0);
  return { host, back: back! };
}

Deno.test("handshake: the two halves find each other through xenstore", () => {
  const { host, back } = connected();
  const { xenstore } = host.xen;
  assert.ok(isVifConnected(host.dom0, host.guest));
  assert.equal(xenstore.read("/local/domain/1/device/vif/0/mac"), "02:4d:57:00:00:01");
  assert.equal(xenstore.read("/local/domain/1/device/vif/0/tx-ring-ref"), String(host.front.ringRefs[0]));
  assert.equal(host.dom0.mappings.mappingsOf(host.guest.id), 2);
  assert.equal(back.rx.ring.unconsumedRequests(), 256);
});

/** Nothing is under way any more: everything that can be held is where it began. */
function assertAtRest(host: NetHost, back: Netback): void {
  assert.equal(host.frames.used, 0, "frames");
  assert.equal(host.front.tx.slotsInUse, 0, "transmit slots");
  assert.equal(host.front.tx.queue.count, 0);
  assert.equal(back.rx.queue.count, 0);
  assert.equal(host.front.rx.posted, 256, "receive buffers");
  assert.equal(host.guest.grantTable.activeGrants, 2 + 256);
  assert.equal(host.guest.grantTable.mappedGrants, 2, "only the rings stay mapped");
  assert.equal(host.journeys.live, 0);
}

const burst = fc.record({
  gap: fc.integer({ min: 0, max: 60 }), // microseconds
  inwards: fc.boolean(),
  frames: fc.array(
    fc.record({
      length: fc.oneof(fc.integer({ min: 60, max: 300 }), fc.integer({ min: 60, max: 9014 })),
      offset: fc.integer({ min: 0, max: 16000 }),
    }),
    { minLength: 1, maxLength: 40 },
  ),
});

Deno.test("slots, grants and frames are conserved, and bytes stay in order, whatever is sent when", () => {
  fc.assert(
    fc.property(fc.array(burst, { minLength: 1, maxLength: 12 }), (bursts) => {
      const { host, back } = connected(2000);
      const outwards: Uint8Array[] = [];
      const inwards: Uint8Array[] = [];
      let at = US;
      for (const { gap, inwards: isInwards, frames } of bursts) {
        at += gap * US;
        const [to, from] = isInwards ? [GUEST_MAC, OUTSIDE_MAC] : [OUTSIDE_MAC, GUEST_MAC];
        const ids = frames.map(({ length, offset }) => host.frame(to, from, length, offset));
        if (isInwards) inwards.push(...host.arrive(at, ids));
        else outwards.push(...host.send(at, ids));
      }
      host.engine.run(at + 100_000 * US);
      assert.deepEqual(host.outside.left, outwards);
      // Inwards the interface's queue may have been full: what is left is in order, and the rest is counted.
      const { dropped } = back.rx.counters;
      assert.equal(host.stack.received.length + dropped, inwards.length);
      let next = 0;
      for (const bytes of host.stack.received) {
        while (next < inwards.length && !same(inwards[next], bytes)) next++;
        assert.ok(next++ < inwards.length, "a frame that was never sent, or out of order");
      }
      assertAtRest(host, back);
    }),
    { numRuns: 60, seed: 7 },
  );
});

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("a message's time is booked to the last picosecond on both ways through dom0", () => {
  const { host, back } = connected();
  const { journeys, frames, engine } = host;
  for (const isInwards of [false, true]) {
    const began = engine.now + 10 * US;
    const [to, from] = isInwards ? [GUEST_MAC, OUTSIDE_MAC] : [OUTSIDE_MAC, GUEST_MAC];
    const frame = host.frame(to, from, 9000);
    let ended = 0;
    host.outside.transmit = (cpu, id) => {
      ended = finish(frames.takeJourney(id), cpu.now);
      frames.free(id);
      return true;
    };
    host.stack.receive = (cpu, id) => void (ended = finish(frames.takeJourney(id), cpu.now));
    const finish = (journey: number, now: number) => {
      assert.equal(journeys.lastBooking(journey), now);
      return journeys.finish(journey, now);
    };
    const processor = isInwards ? host.dom0.processors[0] : host.guest.processors[0];
    host.burst(processor, began, (cpu) => {
      frames.setJourney(frame, journeys.begin(cpu.now));
      cpu.carry(frames.journeyOf(frame), 0);
      if (isInwards) host.bridge.forward(cpu, 1, 0, frame);
      else host.front.transmit(cpu, frame, KERNEL);
      cpu.putDown();
    });
    engine.run(engine.now + 1000 * US);
    assert.ok(ended > 10 * US, "it has taken its time");
  }
  assert.equal(journeys.finished, 2);
  assertAtRest(host, back);
});

Deno.test("netfront's work is CPU time of who does it: a sender's own, or an interrupt's", () => {
  for (const cls of [KERNEL, IRQ]) {
    const { host } = connected();
    const [vcpu] = host.guest.processors;
    const kernelTime = () => {
      vcpu.settle();
      return vcpu.time[KERNEL];
    };
    // Three slots each way: sent, answered to an interrupt; received in the poll loop, buffers posted again.
    host.send(0, [host.frame(OUTSIDE_MAC, GUEST_MAC, 9000)], host.front, cls);
    host.engine.run(2 * US);
    const sending = kernelTime();
    assert.equal(sending > 0, cls === KERNEL);
    host.arrive(500 * US, [host.frame(GUEST_MAC, OUTSIDE_MAC, 9000)]);
    host.engine.run(1000 * US);
    assert.equal(host.stack.received.length, 1);
    assert.equal(host.outside.left.length, 1);
    assert.ok(vcpu.time[IRQ] > 0);
    assert.equal(kernelTime() - sending, 0, "nothing else is a thread's");
  }
});
