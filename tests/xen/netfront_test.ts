import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { TX_RSP_STATUS, TX_SLOTS } from "../../src/xen/net_layout.ts";
import { BackRing } from "../../src/xen/shared_ring.ts";
import { bytesOf, GUEST_MAC, NetHost, OUTSIDE_MAC } from "./net_support.ts";

const START = 50 * US;

/** A backend that does what a test tells it: the other end of both rings and of the event channel. */
class FakeBack {
  readonly host: NetHost;
  readonly tx: BackRing;
  readonly rx: BackRing;
  readonly port: number;
  events = 0;

  constructor(host: NetHost) {
    this.host = host;
    const { front, guest, dom0 } = host;
    const port = guest.eventChannels.allocUnbound(0);
    front.bind(port);
    front.rx.fill();
    this.tx = new BackRing(host.memory, front.tx.ring.page, 12);
    this.rx = new BackRing(host.memory, front.rx.ring.page, 8);
    this.port = dom0.eventChannels.bindInterdomain(guest.id, port);
    dom0.eventChannels.listen(this.port, () => void this.events++);
    host.engine.run(START); // a fresh binding comes with an event without a cause
    this.events = 0;
  }

  /** Answers `count` transmit slots; notifies when netfront has asked for it. Returns whether it had. */
  answer(count: number, status = 0, id = (asked: number) => asked): boolean {
    const { view } = this.host.memory;
    for (let i = 0; i < count; i++) {
      const asked = view.getUint16(this.tx.takeRequest() + 8, true);
      const slot = this.tx.claimResponse();
      view.setUint16(slot, id(asked), true);
      view.setInt16(slot + TX_RSP_STATUS, status, true);
    }
    return this.#notifyIf(this.tx.publishResponses(this.tx.rspProdPvt));
  }

  /** Puts pieces of a frame into posted buffers, as netback would with grant copies. */
  deliver(pieces: Uint8Array[], change: (n: number, slot: number) => void = () => {}): boolean {
    const { view, u8 } = this.host.memory;
    pieces.forEach((piece, n) => {
      const request = this.rx.takeRequest();
      const [id, ref] = [view.getUint16(request, true), view.getUint32(request + 4, true)];
      const entry = this.host.guest.grantTable.entryAddress(ref);
      u8.set(piece, view.getUint32(entry + 4, true) * 4096);
      const slot = this.rx.claimResponse();
      view.setUint16(slot, id, true);
      view.setUint16(slot + 2, 0, true);
      view.setUint16(slot + 4, n + 1 < pieces.length ? 4 : 0, true);
      view.setInt16(slot + 6, piece.length, true);
      change(n, slot);
    });
    return this.#notifyIf(this.rx.publishResponses(this.rx.rspProdPvt));
  }

  #notifyIf(wanted: boolean): boolean {
    const { host } = this;
    if (wanted) {
      host.burst(host.dom0.processors[0], host.engine.now, (cpu) => void host.dom0.eventChannels.send(cpu, this.port));
    }
    host.engine.run(host.engine.now + 100 * US);
    return wanted;
  }
}

function pieces(bytes: Uint8Array): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 4096) list.push(bytes.subarray(at, at + 4096));
  return list;
}

function incoming(host: NetHost, length: number): Uint8Array {
  const frame = host.frame(GUEST_MAC, OUTSIDE_MAC, length);
  const bytes = bytesOf(host.frames, frame);
  host.frames.free(frame);
  return bytes;
}

Deno.test("transmit: one event for a burst, and answers are asked for when half of them are there", () => {
  const host = new NetHost();
  const back = new FakeBack(host);
  host.send(START, Array.from({ length: 8 }, () => host.frame(OUTSIDE_MAC, GUEST_MAC, 100)));
  host.engine.run(200 * US);
  assert.equal(back.tx.unconsumedRequests(), 8);
  assert.equal(back.events, 1, "the backend asked once");
  assert.equal(host.frames.used, 8, "frames are held until they are answered");
  assert.equal(back.answer(1), true, "the first answer was asked for");
  assert.equal(host.frames.used, 7);
  assert.equal(back.answer(3), false, "of seven under way, the fourth comes next");
  assert.equal(host.frames.used, 7);
  assert.equal(back.answer(1), true);
  assert.equal(host.frames.used, 3);
  assert.equal(back.answer(3), true);
  assert.equal(host.frames.used, 0);
  assert.equal(host.guest.grantTable.activeGrants, 2 + 256);
  assert.equal(host.front.tx.slotsInUse, 0);
});

Deno.test("transmit: a full ring queues, a full queue drops and counts, and answers let frames go in order", () => {
  const host = new NetHost(4, 10);
  const back = new FakeBack(host);
  const sent = host.send(START, Array.from({ length: TX_SLOTS + 15 }, () => host.frame(OUTSIDE_MAC, GUEST_MAC, 60)));
  host.engine.run(2000 * US);
  assert.equal(back.tx.unconsumedRequests(), TX_SLOTS);
  assert.equal(host.front.tx.queue.count, 10);
  assert.equal(host.front.tx.counters.dropped, 5);
  const { view, u8 } = host.memory;
  for (let n = 0; n < TX_SLOTS + 10; n++) {
    const slot = back.tx.slot(back.tx.reqCons);
    const entry = host.guest.grantTable.entryAddress(view.getUint32(slot, true));
    const at = view.getUint32(entry + 4, true) * 4096 + view.getUint16(slot + 4, true);
    assert.deepEqual(u8.slice(at, at + 60), sent[n]);
    back.answer(1);
  }
  assert.equal(host.front.tx.counters.frames, TX_SLOTS + 10);
  assert.equal(host.frames.used, 0);
});

Deno.test("transmit: a sender learns when its frame's pages may be written again; errors are counted", () => {
  const host = new NetHost();
  const back = new FakeBack(host);
  const frame = host.frame(OUTSIDE_MAC, GUEST_MAC, 9000, 100);
  host.frames.setDone(frame, 77);
  host.send(START, [frame]);
  host.engine.run(100 * US);
  assert.equal(back.tx.unconsumedRequests(), 4, "a head and three pages");
  back.answer(3, -1);
  assert.deepEqual(host.stack.sent, [], "its last slot is still with the backend");
  back.answer(1, -1);
  assert.deepEqual(host.stack.sent, [77]);
  assert.equal(host.front.tx.counters.errors, 4);
});

Deno.test("transmit: an answer for nothing that is under way is counted and changes nothing", () => {
  const host = new NetHost();
  const back = new FakeBack(host);
  host.send(START, [host.frame(OUTSIDE_MAC, GUEST_MAC, 60)]);
  host.engine.run(100 * US);
  back.answer(1, 0, () => 9999);
  assert.equal(host.front.tx.counters.badResponse, 1);
  assert.equal(host.front.tx.slotsInUse, 1);
  // Two more, and the first of them is answered twice.
  host.send(host.engine.now, [1, 2].map(() => host.frame(OUTSIDE_MAC, GUEST_MAC, 60)));
  host.engine.run(host.engine.now + 100 * US);
  const ids: number[] = [];
  back.answer(2, 0, (asked) => {
    ids.push(asked);
    return ids[0];
  });
  host.engine.run(host.engine.now + 100 * US);
  assert.equal(host.front.tx.counters.badResponse, 2);
  assert.equal(host.front.tx.slotsInUse, 2);
});

Deno.test("receive: frames of one and of several slots, around the ring's end, are put together and buffers reposted", () => {
  const host = new NetHost();
  const back = new FakeBack(host);
  const expected: Uint8Array[] = [];
  for (let n = 0; n < 300; n++) {
    const bytes = incoming(host, [60, 1500, 4096, 4097, 9000][n % 5]);
    expected.push(bytes);
    back.deliver(pieces(bytes));
  }
  assert.deepEqual(host.stack.received, expected);
  assert.equal(host.front.rx.posted, 256);
  assert.equal(host.guest.grantTable.activeGrants, 2 + 256);
  assert.equal(host.frames.used, 0);
});

Deno.test("receive: what is broken is dropped whole, counted, and its buffers come back", () => {
  const host = new NetHost();
  const back = new FakeBack(host);
  const { view } = host.memory;
  const bytes = incoming(host, 9000);
  back.deliver(pieces(bytes), (n, slot) => n === 1 && view.setInt16(slot + 6, -1, true));
  back.deliver(pieces(bytes), (_n, slot) => view.setUint16(slot + 4, 4, true));
  back.deliver(pieces(bytes), (_n, slot) => view.setUint16(slot, 255, true));
  back.deliver(pieces(bytes), (n, slot) => n === 0 && view.setUint16(slot + 2, 200, true));
  back.deliver([bytes.subarray(0, 8)]);
  assert.equal(host.front.rx.counters.errors, 5);
  const stranger = incoming(host, 60);
  stranger[5] ^= 1;
  back.deliver([stranger]);
  assert.equal(host.front.rx.counters.otherHost, 1);
  assert.deepEqual(host.stack.received, []);
  back.deliver(pieces(bytes));
  assert.deepEqual(host.stack.received, [bytes]);
  assert.equal(host.front.rx.posted, 256);
});
