import assert from "node:assert/strict";
import fc from "fast-check";
import { US } from "../../src/base/units.ts";
import { Netback } from "../../src/xen/netback.ts";
import { FrontRing, initSharedRing } from "../../src/xen/shared_ring.ts";
import { NetJourneys } from "../../src/xen/net_layout.ts";
import { GUEST_MAC, NetHost, OUTSIDE_MAC, splitAt64 } from "./net_support.ts";

/** A frontend that does what a test tells it, in the host's guest. */
class FakeFront {
  readonly host: NetHost;
  readonly tx: FrontRing;
  readonly rx: FrontRing;
  readonly back: Netback;
  readonly refs = new Int32Array(64);
  events = 0;
  readonly #port: number;

  constructor(host: NetHost, map = false) {
    this.host = host;
    const { guest, dom0, memory } = host;
    const pages = guest.allocPages(2);
    initSharedRing(memory, pages);
    initSharedRing(memory, pages + 4096);
    this.tx = new FrontRing(memory, pages, 12);
    this.rx = new FrontRing(memory, pages + 4096, 8);
    this.#port = guest.eventChannels.allocUnbound(0);
    const port = dom0.eventChannels.bindInterdomain(guest.id, this.#port);
    guest.eventChannels.listen(this.#port, () => void this.events++);
    // One reference for each page of the guest's payload.
    guest.grantTable.reserve(null, 64, this.refs);
    for (let i = 0; i < 64; i++) guest.grantTable.grantAccess(null, this.refs[i], 0, host.payload / 4096 + i, false);
    this.back = new Netback({
      dom0,
      guest,
      frames: host.frames,
      bridge: host.bridge,
      port,
      txPage: pages,
      rxPage: pages + 4096,
      processor: dom0.processors[1],
      split: splitAt64,
      journeys: new NetJourneys(),
      mapsTransmit: map,
    });
    dom0.eventChannels.listen(port, (cpu) => this.back.interrupt(cpu), 1);
    host.bridge.learn(GUEST_MAC.macLow, this.back.bridgePort);
    host.engine.run(0);
  }

  /** Posts transmit requests as given, notifies if asked to, and returns the answers' ids and statuses. */
  transmit(slots: { page: number; offset: number; size: number; flags?: number; ref?: number }[]): number[][] {
    const { view } = this.host.memory;
    slots.forEach(({ page, offset, size, flags, ref }, n) => {
      const slot = this.tx.claimRequest();
      view.setUint32(slot, ref ?? this.refs[page], true);
      view.setUint16(slot + 4, offset, true);
      view.setUint16(slot + 6, flags ?? (n + 1 < slots.length ? 4 : 0), true);
      view.setUint16(slot + 8, 100 + n, true);
      view.setUint16(slot + 10, size, true);
    });
    this.#notifyIf(this.tx.pushRequests());
    const answers: number[][] = [];
    while (this.tx.unconsumedResponses() > 0) {
      const slot = this.tx.takeResponse();
      answers.push([view.getUint16(slot, true), view.getInt16(slot + 2, true)]);
    }
    this.tx.finalCheckForResponses();
    return answers;
  }

  /** Posts buffers: pages of the guest's payload by number. */
  post(pages: number[]): void {
    const { view } = this.host.memory;
    for (const page of pages) {
      const slot = this.rx.claimRequest();
      view.setUint16(slot, page, true);
      view.setUint32(slot + 4, this.refs[page] ?? 5000, true);
    }
    this.#notifyIf(this.rx.pushRequests());
  }

  /** Takes the receive ring's answers: [id, flags, status]. */
  taken(): number[][] {
    const { view } = this.host.memory;
    const answers: number[][] = [];
    while (this.rx.unconsumedResponses() > 0) {
      const slot = this.rx.takeResponse();
      answers.push([view.getUint16(slot, true), view.getUint16(slot + 4, true), view.getInt16(slot + 6, true)]);
    }
    this.rx.finalCheckForResponses();
    return answers;
  }

  #notifyIf(wanted: boolean): void {
    const { host } = this;
    if (wanted) {
      host.burst(
        host.guest.processors[0],
        host.engine.now,
        (cpu) => void host.guest.eventChannels.send(cpu, this.#port),
      );
    }
    host.engine.run(host.engine.now + 200 * US);
  }
}

/** Writes an Ethernet header for the outside at an address. */
function header(host: NetHost, at: number): void {
  const { view } = host.memory;
  view.setUint16(at, OUTSIDE_MAC.macHigh);
  view.setUint32(at + 2, OUTSIDE_MAC.macLow);
  view.setUint16(at + 6, GUEST_MAC.macHigh);
  view.setUint32(at + 8, GUEST_MAC.macLow);
}

Deno.test("transmit: however a guest cuts a frame, the same bytes leave the bridge and every slot is answered", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  const at = host.payload + 3 * 4096;
  header(host, at);
  const whole = host.memory.u8.slice(at, at + 4000);
  const cuts = [[4000], [64, 3936], [14, 3986], [200, 1000, 2800], [64, 1, 1, 1, 3933], [3000, 1000]];
  for (const cut of cuts) {
    let offset = 0;
    const slots = cut.map((size, n) => {
      const slot = { page: 3, offset, size: n === 0 ? 4000 : size };
      offset += size;
      return slot;
    });
    assert.deepEqual(front.transmit(slots), cut.map((_, n) => [100 + n, 0]));
    assert.deepEqual(host.outside.left.pop(), whole, `cut ${cut}`);
  }
  // Three pages, from the middle of the first.
  header(host, at + 1000);
  const jumbo = host.memory.u8.slice(at + 1000, at + 10000);
  const rest = [{ page: 4, offset: 0, size: 4096 }, { page: 5, offset: 0, size: 1808 }];
  front.transmit([{ page: 3, offset: 1000, size: 9000 }, ...rest]);
  assert.deepEqual(host.outside.left.pop(), jumbo);
  assert.equal(host.frames.used, 0);
  assert.equal(host.guest.grantTable.mappedGrants, 0);
});

Deno.test("transmit: requests that make no frame are answered with an error, counted, and leave nothing behind", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  const error = (slots: Parameters<FakeFront["transmit"]>[0]) => {
    assert.deepEqual(front.transmit(slots), slots.map((_, n) => [100 + n, -1]));
  };
  error([{ page: 0, offset: 0, size: 13 }]);
  error([{ page: 0, offset: 4000, size: 200 }]);
  error([{ page: 0, offset: 0, size: 60, flags: 4 }]);
  error([{ page: 0, offset: 0, size: 60, flags: 8 }]);
  error([{ page: 0, offset: 0, size: 100 }, { page: 1, offset: 0, size: 200 }]);
  error([{ page: 0, offset: 0, size: 9300 }, { page: 1, offset: 0, size: 4096 }, { page: 2, offset: 0, size: 4096 }]);
  error(Array.from({ length: 30 }, (_, n) => ({ page: 0, offset: 0, size: n === 0 ? 3000 : 100 })));
  assert.equal(front.back.tx.counters.badRequest, 7);
  error([{ page: 0, offset: 0, size: 60, ref: 3000 }]);
  error([{ page: 0, offset: 0, size: 60, ref: 0xffffffff }]);
  assert.equal(front.back.tx.counters.badGrant, 2);
  assert.deepEqual(host.outside.left, []);
  header(host, host.payload);
  assert.deepEqual(front.transmit([{ page: 0, offset: 0, size: 60 }]), [[100, 0]], "and the next one goes");
  assert.equal(host.outside.left.length, 1);
  assert.equal(host.frames.used, 0);
});

Deno.test("an index from nowhere puts the thread to sleep, not out of its mind", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  host.memory.view.setUint32(front.tx.page, 5000, true);
  host.burst(host.dom0.processors[1], host.engine.now + US, (cpu) => front.back.interrupt(cpu));
  host.engine.run(host.engine.now + 1000 * US);
  assert.equal(front.back.wakes, 0);
  assert.ok(front.back.tx.ring.broken > 0);
});

for (const map of [false, true]) {
  Deno.test(`any slots: each is answered once, nothing is kept, and a good frame goes (${map ? "map" : "copy"})`, () => {
    const u16 = fc.oneof(fc.constantFrom(0, 13, 14, 60, 4095, 4096, 9000, 65535), fc.nat(0xffff));
    const slot = fc.record({
      page: fc.nat(63),
      offset: fc.oneof(fc.constantFrom(0, 0, 4032), u16),
      size: u16,
      flags: fc.oneof(fc.constantFrom(0, 0, 4, 4, 8), fc.nat(0xffff)),
      ref: fc.option(fc.oneof(fc.nat(100), fc.nat(0xffffffff)), { freq: 5, nil: undefined }),
    });
    const buffers = fc.array(fc.nat(80), { maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(fc.array(slot, { minLength: 1, maxLength: 40 }), { maxLength: 12 }),
        buffers,
        (chains, pages) => {
          const host = new NetHost();
          const front = new FakeFront(host, map);
          for (const chain of chains) {
            const answers = front.transmit(chain);
            assert.deepEqual(answers.map(([id]) => id).sort(), chain.map((_, n) => 100 + n).sort());
            assert.ok(answers.every(([, status]) => status === 0 || status === -1));
          }
          front.post(pages);
          host.arrive(host.engine.now + US, [9000, 60, 200].map((n) => host.frame(GUEST_MAC, OUTSIDE_MAC, n, 4096)));
          host.engine.run(host.engine.now + 300 * US);
          front.post([1, 2, 3, 4, 5]);
          const sent = host.outside.left.length;
          header(host, host.payload);
          assert.deepEqual(front.transmit([{ page: 0, offset: 0, size: 60 }]), [[100, 0]]);
          assert.equal(host.outside.left.length, sent + 1);
          assert.deepEqual([host.frames.used, host.guest.grantTable.mappedGrants], [0, 0]);
        },
      ),
      { numRuns: 30 },
    );
  });
}

Deno.test("receive: a frame waits for buffers, asks for as many as it needs, and fills them in order", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  const [bytes] = host.arrive(US, [host.frame(GUEST_MAC, OUTSIDE_MAC, 9000, 20 * 4096)]);
  host.engine.run(200 * US);
  assert.equal(front.back.rx.queue.count, 1);
  front.post([7]);
  front.post([8]);
  assert.deepEqual(front.taken(), [], "two pages are not enough");
  front.post([9]);
  assert.deepEqual(front.taken(), [[7, 4, 4096], [8, 4, 4096], [9, 0, 808]]);
  const { u8 } = host.memory;
  assert.deepEqual(u8.slice(host.payload + 7 * 4096, host.payload + 7 * 4096 + 9000), bytes);
  assert.equal(host.frames.used, 0);
});

Deno.test("receive: without buffers the interface's queue fills, and what comes then is dropped and counted", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  host.arrive(US, Array.from({ length: 40 }, () => host.frame(GUEST_MAC, OUTSIDE_MAC, 60)));
  host.engine.run(500 * US);
  assert.equal(front.back.rx.queue.count, 32);
  assert.equal(front.back.rx.counters.dropped, 8);
  assert.equal(host.frames.used, 32);
  front.post(Array.from({ length: 40 }, (_, n) => n));
  assert.equal(front.taken().length, 32);
  assert.equal(host.frames.used, 0);
});

Deno.test("receive: a page that cannot be written is answered with an error", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  front.post([70]);
  host.arrive(host.engine.now + US, [host.frame(GUEST_MAC, OUTSIDE_MAC, 60)]);
  host.engine.run(host.engine.now + 200 * US);
  assert.deepEqual(front.taken(), [[70, 0, -1]]);
  assert.equal(front.back.rx.counters.badGrant, 1);
});

Deno.test("the thread sleeps between frames, wakes once for a burst, and cold caches are paid for at each wake", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  header(host, host.payload);
  for (let n = 0; n < 5; n++) front.transmit([{ page: 0, offset: 0, size: 60 }]);
  assert.equal(front.back.wakes, 5);
  assert.equal(front.back.tx.counters.frames, 5);
  front.post([1, 2, 3, 4, 5, 6]);
  host.arrive(host.engine.now + US, Array.from({ length: 6 }, () => host.frame(GUEST_MAC, OUTSIDE_MAC, 60)));
  host.engine.run(host.engine.now + 500 * US);
  assert.equal(front.taken().length, 6);
  assert.equal(front.back.wakes, 6);
});

Deno.test("receive: a frame that ends with a page has no slot behind it", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  front.post([7, 8]);
  host.arrive(host.engine.now + US, [host.frame(GUEST_MAC, OUTSIDE_MAC, 8192, 4096)]);
  host.engine.run(host.engine.now + 200 * US);
  assert.deepEqual(front.taken(), [[7, 4, 4096], [8, 0, 4096]]);
});

Deno.test("receive: as many frames wait as there are buffers for, and those that are through make room again", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  const { rx } = front.back;
  for (let round = 0; round < 2; round++) {
    front.post(Array.from({ length: 40 }, (_, n) => n));
    for (let n = 0; n < 40; n++) assert.ok(rx.accept(host.frame(GUEST_MAC, OUTSIDE_MAC, 60)), `round ${round}, ${n}`);
    assert.ok(!rx.accept(host.frame(GUEST_MAC, OUTSIDE_MAC, 60)), "no buffer, and 32 wait already");
    host.burst(host.dom0.processors[1], host.engine.now + US, (cpu) => {
      while (rx.hasWork) rx.deliver(cpu);
    });
  }
  assert.equal(rx.counters.dropped, 2);
});

Deno.test("transmit: a slot that runs over a page of dom0 is two copies, and the longest frame goes", () => {
  const host = new NetHost();
  const front = new FakeFront(host);
  header(host, host.payload);
  const { counters } = host.dom0.mappings;
  const before = counters.copies;
  assert.deepEqual(
    front.transmit([
      { page: 0, offset: 0, size: 9216 },
      { page: 1, offset: 96, size: 4000 },
      { page: 2, offset: 0, size: 4096 },
      { page: 3, offset: 0, size: 1060 },
    ]).map(([, status]) => status),
    [0, 0, 0, 0],
  );
  assert.equal(host.outside.left[0]?.length, 9216);
  assert.equal(counters.copies - before, 4);
  const split = counters.copies;
  front.transmit([
    { page: 0, offset: 0, size: 60 + 3000 + 3000 },
    { page: 1, offset: 1000, size: 3000 },
    { page: 2, offset: 0, size: 3000 },
  ]);
  assert.equal(counters.copies - split, 4, "of the last one 96 bytes fit on dom0's first page");
});
