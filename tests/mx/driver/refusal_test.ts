import assert from "node:assert/strict";
import { MS } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { OFF_PTYPE, packetTypeText, TRUC_LENGTH, TRUC_TYPE } from "../../../src/mx/wire/mod.ts";
import { counted, DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";

/*
 * What a driver does with frames that it cannot deliver: the checks of omx_recv.c in their order (reference, 1.6), one
 * counter for each, a NACK where the protocol has one, silence elsewhere, and no event in any case.
 */

const SESSION = 0x1234abcd;

function bench() {
  const bench = new DriverBench();
  return { bench, ...bench.b.open(3, SESSION) };
}

/** A frame of each message class to endpoint 3, with the given session. */
function messages({ a, b }: DriverBench, session: number, dstEndpoint = 3): Uint8Array[] {
  const to = { dstEndpoint, srcEndpoint: 5, libSeqnum: 77, session };
  return [
    make.eager(a, b, "TINY", to, make.pattern(8)),
    make.eager(a, b, "SMALL", to, make.pattern(100)),
    make.medium(a, b, { ...to, length: 12, fragLength: 12, frameLength: 60 }),
    make.rndv(a, b, to),
    make.notify(a, b, to),
  ];
}

Deno.test("a packet to a closed endpoint is refused with NACK_LIB 2 that echoes its sequence and endpoints", () => {
  const { bench: t, sink } = bench();
  for (const frame of messages(t, SESSION, 4)) {
    t.send(t.a, frame);
    const nack = t.expect(t.b, "NACK_LIB", { nackType: 2, srcEndpoint: 4, dstEndpoint: 5, libSeqnum: 77 });
    assert.equal(nack.peerIndex, 1, "the head names the refuser as the refused knows it");
    t.silence(t.engine.now + 5 * MS);
  }
  assert.equal(t.b.driver.counters[count.DROP_BAD_ENDPOINT], 5);
  assert.equal(sink.events.length, 0);
  t.clean();
});

Deno.test("another session is refused with exactly one NACK_LIB 3 and changes nothing", () => {
  const { bench: t, sink } = bench();
  for (const frame of messages(t, SESSION + 1)) {
    t.send(t.a, frame);
    t.expect(t.b, "NACK_LIB", { nackType: 3, srcEndpoint: 3, dstEndpoint: 5, libSeqnum: 77 });
    t.silence(t.engine.now + 5 * MS);
  }
  assert.deepEqual(counted(t.b), { [count.DROP_BAD_SESSION]: 5, [count.SEND_NACK_LIB]: 5 });
  assert.equal(sink.events.length, 0);
  t.clean();
});

Deno.test("a connect to a closed endpoint is refused, and teaches the peer index all the same", () => {
  const { bench: t } = bench();
  t.send(t.a, make.connect(t.a, t.b, { dstEndpoint: 9, srcEndpoint: 5, srcDstPeerIndex: 41, peerIndex: 0xffff }));
  const nack = t.expect(t.b, "NACK_LIB", { nackType: 2, srcEndpoint: 9, dstEndpoint: 5, libSeqnum: 0 });
  assert.equal(nack.peerIndex, 41);
  t.clean();
});

Deno.test("an explicit ack is never refused: closed endpoint and wrong session are silent", () => {
  const { bench: t, sink } = bench();
  const ack = { srcEndpoint: 5, libSeqnum: 2, acknum: 1 };
  t.send(t.a, make.truc(t.a, t.b, { ...ack, dstEndpoint: 4, session: SESSION, sessionId: SESSION }));
  t.silence(t.engine.now + 5 * MS);
  t.send(t.a, make.truc(t.a, t.b, { ...ack, dstEndpoint: 3, session: SESSION + 1, sessionId: SESSION + 1 }));
  t.silence(t.engine.now + 5 * MS);
  assert.deepEqual(counted(t.b), { [count.DROP_BAD_ENDPOINT]: 1, [count.DROP_BAD_SESSION]: 1 });
  assert.equal(sink.events.length, 0);
  t.clean();
});

Deno.test("an explicit ack is looked at after its peer, endpoint and session: kind, length, and the session once more", () => {
  const { bench: t, sink } = bench();
  const { a, b } = t;
  const ack = (fields: object, kind = 0x55, length = 16) => {
    const good = { dstEndpoint: 3, srcEndpoint: 5, libSeqnum: 2, acknum: 1, session: SESSION, sessionId: SESSION };
    const frame = make.truc(a, b, { ...good, ...fields });
    frame[TRUC_TYPE] = kind;
    frame[TRUC_LENGTH] = length;
    return frame;
  };
  const steps: [Uint8Array, number | null][] = [
    [ack({ peerIndex: 7, dstEndpoint: 4 }, 0x54, 15), count.DROP_BAD_PEER_INDEX],
    [ack({ dstEndpoint: 4, session: 1 }, 0x54, 15), count.DROP_BAD_ENDPOINT],
    [ack({ session: 1 }, 0x54, 15), count.DROP_BAD_SESSION],
    [ack({ sessionId: 1 }, 0x54, 15), null], // dropped without a counter
    [ack({ sessionId: 1 }, 0x55, 15), count.DROP_BAD_DATALEN],
    [ack({ sessionId: 1 }), count.DROP_BAD_SESSION],
  ];
  for (const [frame, counter] of steps) {
    const before = t.b.driver.counters.slice();
    t.send(a, frame);
    t.silence(t.engine.now + MS);
    const changed = [...before.keys()].filter((i) => t.b.driver.counters[i] !== before[i]);
    assert.deepEqual(changed, counter === null ? [] : [counter]);
  }
  assert.equal(sink.events.length, 0);
  t.send(a, ack({}));
  t.run(t.engine.now + MS);
  assert.deepEqual(sink.events.map(({ type, seq }) => [type, seq]), [[c.EVENT_LIBACK, 2]]);
  t.clean();
});

Deno.test("a peer index that names nobody drops every packet that relies on it, without an answer", () => {
  const { bench: t, sink } = bench();
  const to = { dstEndpoint: 3, session: SESSION, peerIndex: 2 };
  for (const peerIndex of [2, 1023, 0xffff]) {
    t.send(t.a, make.eager(t.a, t.b, "TINY", { ...to, peerIndex }));
    t.send(t.a, make.truc(t.a, t.b, { ...to, sessionId: SESSION, peerIndex }));
    t.send(t.a, make.pull(t.a, t.b, { ...to, peerIndex }));
  }
  t.silence(t.engine.now + 5 * MS);
  assert.equal(t.b.driver.counters[count.DROP_BAD_PEER_INDEX], 9);
  assert.equal(sink.events.length, 0);
  t.clean();
});

Deno.test("checks come in the order length, frame length, peer, endpoint, session", () => {
  const { bench: t } = bench();
  const { a, b } = t;
  const everythingWrong = { dstEndpoint: 8, session: 1, peerIndex: 7 };
  const steps: [Uint8Array, number][] = [
    [make.eager(a, b, "TINY", { ...everythingWrong, length: 33, frameLength: 50 }), count.DROP_BAD_DATALEN],
    [make.eager(a, b, "SMALL", { ...everythingWrong, length: 129 }), count.DROP_BAD_DATALEN],
    [make.medium(a, b, { ...everythingWrong, fragLength: 8193 }), count.DROP_BAD_DATALEN],
    [make.eager(a, b, "TINY", { ...everythingWrong, length: 32 }), count.DROP_BAD_FRAMELEN],
    [make.eager(a, b, "TINY", { ...everythingWrong, length: 20 }), count.DROP_BAD_PEER_INDEX],
    [make.eager(a, b, "TINY", { ...everythingWrong, peerIndex: 1 }), count.DROP_BAD_ENDPOINT],
    [make.eager(a, b, "TINY", { dstEndpoint: 3, session: 1 }), count.DROP_BAD_SESSION],
  ];
  for (const [frame, counter] of steps) {
    const before = t.b.driver.counters.slice();
    t.send(a, frame);
    t.run(t.engine.now + MS);
    const changed = [...t.b.driver.counters.keys()].filter((i) => t.b.driver.counters[i] !== before[i]);
    assert.deepEqual(changed.filter((i) => i >= count.DROP_BAD_HEADER && i <= count.DROP_UNKNOWN), [counter]);
  }
  t.clean();
});

Deno.test("frames that are cut short, or of a type that nobody handles, are counted and dropped", () => {
  const { bench: t } = bench();
  const { a, b } = t;
  t.send(a, make.rndv(a, b, { frameLength: 47 }));
  for (const type of [32, 99, 0]) {
    const frame = make.eager(a, b, "TINY", {});
    frame[OFF_PTYPE] = type;
    t.send(a, frame);
  }
  t.silence(t.engine.now + 5 * MS);
  const { counters } = t.b.driver;
  assert.equal(counters[count.DROP_BAD_HEADER], 1);
  assert.equal(counters[count.DROP_INVALID], 1, packetTypeText(32));
  assert.equal(counters[count.DROP_UNKNOWN], 2);
  t.clean();
});

Deno.test("a full event queue drops the packet and counts it; the sender finds out by itself", () => {
  const { bench: t, sink } = bench();
  sink.room = 2;
  for (const frame of messages(t, SESSION)) t.send(t.a, frame);
  t.send(t.a, make.connect(t.a, t.b, { dstEndpoint: 3, srcEndpoint: 5 }));
  t.silence(t.engine.now + 5 * MS);
  assert.equal(sink.events.length, 2);
  assert.equal(t.b.driver.counters[count.UNEXP_QUEUE_FULL], 4);
  assert.equal(t.b.driver.counters[count.RECV_RNDV], 0, "a packet that was dropped was not received");
  t.clean();
});

Deno.test("a NACK_LIB of any type becomes an event; a sender without an index is found by its address", () => {
  const { bench: t, sink } = bench();
  for (const nackType of [c.NACK_BAD_ENDPOINT, c.NACK_ENDPOINT_CLOSED, c.NACK_BAD_SESSION]) {
    for (const peerIndex of [1, 0xffff]) {
      t.send(t.a, make.nackLib(t.a, t.b, { dstEndpoint: 3, srcEndpoint: 5, nackType, libSeqnum: 12, peerIndex }));
      t.silence(t.engine.now + MS);
      const event = sink.events.pop()!;
      assert.deepEqual([event.type, event.small, event.seq], [c.EVENT_NACK_LIB, nackType, 12]);
      assert.deepEqual([event.peer, event.endpoint], [1, 5]);
    }
  }
  // A NACK that cannot be delivered is never answered with another.
  t.send(t.a, make.nackLib(t.a, t.b, { dstEndpoint: 4, peerIndex: 1 }));
  t.silence(t.engine.now + 5 * MS);
  assert.equal(t.b.driver.counters[count.DROP_BAD_ENDPOINT], 1);
  t.clean();
});

Deno.test("a connect from an address that nobody knows is dropped", () => {
  const { bench: t, sink } = bench();
  t.send(t.a, make.connect(t.a, t.b, { dstEndpoint: 3, srcMac: 0x777 }));
  t.silence(t.engine.now + 5 * MS);
  assert.deepEqual(counted(t.b), { [count.DROP_BAD_PEER_ADDR]: 1 });
  assert.equal(sink.events.length, 0);
  t.clean();
});
