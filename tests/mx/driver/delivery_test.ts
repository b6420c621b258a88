import assert from "node:assert/strict";
import { MS } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { PACKET_CONNECT, PACKET_TINY, parseConnect } from "../../../src/mx/wire/mod.ts";
import { counted, DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";
import { SlotArea } from "../../../src/mx/driver/slot_area.ts";

const NOWHERE = SlotArea.flat(0, 4096);

/* Commands become frames, and frames events: every class, on the wire and between endpoints of one host. */

const A = 0xaaaa0001;
const B = 0xbbbb0002;

function connected() {
  const bench = new DriverBench();
  return { t: bench, mine: bench.a.open(2, A), theirs: bench.b.open(3, B) };
}

/** What every message command says of its destination. */
const to = { peer: 1, endpoint: 3, session: B, seq: 9, piggyack: 4, matchA: 0xdeadbeef, matchB: 0x01020304 };

Deno.test("tiny and small carry their payload; match, sequence, piggyack and session arrive as given", () => {
  const { t, mine, theirs } = connected();
  for (const [kind, type, length] of [[c.CMD_SEND_TINY, c.EVENT_TINY, 32], [c.CMD_SEND_SMALL, c.EVENT_SMALL, 128]]) {
    const address = t.memory.alloc(length);
    t.memory.u8.set(make.pattern(length), address);
    assert.equal(t.a.execute(mine.endpoint, { kind, ...to, address, length }), c.RESULT_OK);
    const frame = t.expect(t.a, kind === c.CMD_SEND_TINY ? "TINY" : "SMALL", { length, session: B });
    assert.equal(frame.length, 40 + length);
    t.silence(t.engine.now + MS);
    const event = theirs.sink.events.pop()!;
    assert.deepEqual([event.type, event.peer, event.endpoint, event.length], [type, 1, 2, length]);
    assert.deepEqual([event.matchA, event.matchB, event.seq, event.piggyack], [0xdeadbeef, 0x01020304, 9, 4]);
    assert.deepEqual(event.data, make.pattern(length));
  }
  t.clean();
});

Deno.test("a medium fragment goes from send queue to receive queue; its sender hears when it has left", () => {
  const { t, mine, theirs } = connected();
  for (const [fragment, fragmentLength] of [[0, 8192], [1, 5]]) {
    const queueOffset = 2 * t.limits.slotBytes;
    t.memory.u8.set(make.pattern(fragmentLength, fragment), mine.sendQueue.atOffset(queueOffset));
    const command = { ...to, length: 8197, fragment, fragmentLength, queueOffset, cookie: 70 + fragment };
    t.a.execute(mine.endpoint, { kind: c.CMD_SEND_MEDIUM_FRAG, ...command });
    const frame = t.expect(t.a, "MEDIUM", { length: 8197, fragLength: fragmentLength, fragSeqnum: fragment });
    assert.equal(frame.length, Math.max(60, 48 + fragmentLength), "a frame that would be too short is linear");
    t.silence(t.engine.now + MS);
    const event = theirs.sink.events.pop()!;
    assert.deepEqual([event.type, event.small, event.length], [c.EVENT_MEDIUM_FRAG, fragment, 8197]);
    assert.deepEqual(event.data, make.pattern(fragmentLength, fragment));
  }
  t.clean();
});

Deno.test("rendezvous, notify and explicit ack arrive field by field", () => {
  const { t, mine, theirs } = connected();
  t.a.execute(mine.endpoint, { kind: c.CMD_SEND_RNDV, ...to, length: 1 << 20, region: 7, regionSeq: 23 });
  t.expect(t.a, "RNDV", { msgLength: 1 << 20, pulledRdmaId: 7, pulledRdmaSeqnum: 23 });
  const notified = { length: 500, remoteRegion: 8, remoteRegionSeq: 24 };
  t.a.execute(mine.endpoint, { kind: c.CMD_SEND_NOTIFY, ...to, ...notified });
  t.expect(t.a, "NOTIFY", { totalLength: 500, pulledRdmaId: 8, pulledRdmaSeqnum: 24, libSeqnum: 9, libPiggyack: 4 });
  t.a.execute(mine.endpoint, { kind: c.CMD_SEND_LIBACK, ...to, ackNumber: 6 });
  t.expect(t.a, "TRUC", { libSeqnum: 9, sendSeq: 9, acknum: 6, session: B, sessionId: B, resent: 0 });
  t.silence(t.engine.now + MS);
  const [rndv, notify, ack] = theirs.sink.events;
  assert.deepEqual([rndv.type, rndv.length, rndv.small, rndv.extra], [c.EVENT_RNDV, 1 << 20, 7, 23]);
  assert.deepEqual([notify.type, notify.length, notify.small, notify.extra], [c.EVENT_NOTIFY, 500, 8, 24]);
  assert.deepEqual([notify.seq, notify.piggyack], [9, 4]);
  assert.deepEqual([ack.type, ack.seq, ack.extra], [c.EVENT_LIBACK, 9, 6]);
  t.clean();
});

Deno.test("CONNECT teaches the index that its sender uses for us, and every later frame carries it", () => {
  const { t, mine, theirs } = connected();
  t.b.driver.peers.at(1)!.reverse = 0xffff;
  const tiny = { ...to, kind: c.CMD_SEND_TINY, session: A, endpoint: 2 };
  t.b.execute(theirs.endpoint, tiny);
  assert.equal(t.expect(t.b, "TINY").peerIndex, 0xffff, "unknown before the first connect");
  t.silence(t.engine.now + MS);
  t.a.execute(mine.endpoint, { kind: c.CMD_CONNECT_REQUEST, ...to, ownSession: A, key: 0x77, recvSeqStart: 1 });
  const request = t.expect(t.a, "CONNECT", { srcDstPeerIndex: 1, srcSessionId: A, appKey: 0x77, isReply: 0 });
  assert.equal(request.length, 60);
  t.silence(t.engine.now + MS);
  t.b.execute(theirs.endpoint, tiny);
  assert.equal(t.expect(t.b, "TINY").peerIndex, 1);
  // A peer that numbers its peers anew says so in its next connect.
  t.send(t.a, make.connect(t.a, t.b, { dstEndpoint: 3, srcDstPeerIndex: 17 }));
  t.silence(t.engine.now + MS);
  t.b.execute(theirs.endpoint, tiny);
  assert.equal(t.expect(t.b, "TINY").peerIndex, 17);
  t.clean();
});

Deno.test("a connect reply echoes the request's session and number", () => {
  const { t, mine, theirs } = connected();
  const reply = { kind: c.CMD_CONNECT_REPLY, peer: 1, endpoint: 2, session: A, ownSession: B, connectSeq: 5 };
  t.b.execute(theirs.endpoint, { ...reply, connectStatus: 11, recvSeqStart: 0x4001 });
  const { bytes, type } = t.expect(t.b, "CONNECT");
  assert.equal(type, PACKET_CONNECT);
  const fields = parseConnect(new DataView(bytes.buffer), 0);
  assert.deepEqual([fields.isReply, fields.srcSessionId, fields.targetSessionId], [true, A, B]);
  assert.deepEqual([fields.connectSeqnum, fields.connectStatusCode], [5, 11]);
  t.silence(t.engine.now + MS);
  const [event] = mine.sink.events;
  assert.deepEqual([event.type, event.session, event.extra], [c.EVENT_CONNECT_REPLY, A, B]);
  assert.deepEqual([event.status, event.small, event.seq], [11, 5, 0x4001]);
  t.clean();
});

Deno.test("between endpoints of one host every class is delivered without a frame on the wire", () => {
  const { t, mine } = connected();
  const other = t.a.open(6, 0x600d);
  const local = { ...to, peer: 0, endpoint: 6, session: 0x600d };
  const address = t.memory.alloc(256);
  t.memory.u8.set(make.pattern(256), address);
  t.memory.u8.set(make.pattern(4096), mine.sendQueue.at(0));
  const run = (fields: object) => assert.equal(t.a.execute(mine.endpoint, { ...local, ...fields }), c.RESULT_OK);
  run({ kind: c.CMD_SEND_TINY, address, length: 20 });
  run({ kind: c.CMD_SEND_SMALL, address, length: 100 });
  run({ kind: c.CMD_SEND_MEDIUM_FRAG, length: 4096, fragmentLength: 4096, cookie: 3 });
  run({ kind: c.CMD_SEND_RNDV, length: 9, region: 1, regionSeq: 23 });
  run({ kind: c.CMD_SEND_NOTIFY, length: 9 });
  run({ kind: c.CMD_SEND_LIBACK, ackNumber: 1 });
  run({ kind: c.CMD_CONNECT_REQUEST, ownSession: A });
  run({ kind: c.CMD_CONNECT_REPLY, ownSession: A });
  t.silence(t.engine.now + MS);
  const types = [0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x11, 0x12];
  assert.deepEqual(other.sink.events.map(({ type }) => type), types);
  assert.ok(other.sink.events.every(({ shared, peer, endpoint }) => shared === 1 && peer === 0 && endpoint === 2));
  assert.deepEqual(other.sink.events[1].data, make.pattern(256).slice(0, 100));
  assert.deepEqual(other.sink.events[2].data, make.pattern(4096));
  assert.deepEqual(mine.sink.events.map(({ type, cookie }) => [type, cookie]), [[c.EVENT_MEDIUM_DONE, 3]]);
  const shared = [72, 73, 74, 76, 77, 78, 79, 80];
  assert.deepEqual(counted(t.a), Object.fromEntries(shared.map((i) => [i, 1])), "only the shared counters move");
  t.clean();
});

Deno.test("a refusal between endpoints of one host is an event, and the medium-done event comes even so", () => {
  const { t, mine } = connected();
  const local = { ...to, peer: 0, endpoint: 6 };
  t.a.execute(mine.endpoint, { ...local, kind: c.CMD_SEND_TINY });
  t.a.execute(mine.endpoint, { ...local, kind: c.CMD_SEND_MEDIUM_FRAG, length: 200, fragmentLength: 200, cookie: 8 });
  t.silence(t.engine.now + MS);
  assert.deepEqual(mine.sink.events.map(({ type, small, seq }) => [type, small, seq]), [
    [c.EVENT_NACK_LIB, 2, 9],
    [c.EVENT_NACK_LIB, 2, 9],
    [c.EVENT_MEDIUM_DONE, 0, 0],
  ]);
  // An explicit ack that finds nobody is not refused; another session is, and a full queue is silent.
  mine.sink.events.length = 0;
  const other = t.a.open(6, 0x600d);
  t.a.execute(mine.endpoint, { ...local, kind: c.CMD_SEND_LIBACK });
  t.a.execute(mine.endpoint, { ...local, kind: c.CMD_SEND_LIBACK, endpoint: 9 });
  t.a.execute(mine.endpoint, { ...local, kind: c.CMD_SEND_RNDV });
  other.sink.room = 0;
  const fragment = { ...local, kind: c.CMD_SEND_MEDIUM_FRAG, session: 0x600d, length: 200, fragmentLength: 200 };
  t.a.execute(mine.endpoint, { ...fragment, cookie: 9 });
  t.silence(t.engine.now + MS);
  assert.deepEqual(mine.sink.events.map(({ type, small, cookie }) => [type, small, cookie]), [
    [c.EVENT_NACK_LIB, 3, 0],
    [c.EVENT_MEDIUM_DONE, 0, 9],
  ]);
  assert.deepEqual(counted(t.a), { [count.UNEXP_QUEUE_FULL]: 1 }, "what was not delivered is not counted as shared");
  t.clean();
});

Deno.test("a fragment that finds no room to leave is done all the same", () => {
  const { t, mine } = connected();
  t.a.portFull = true;
  const fragment = { ...to, length: 200, fragmentLength: 200, cookie: 5 };
  t.a.execute(mine.endpoint, { ...fragment, kind: c.CMD_SEND_MEDIUM_FRAG });
  t.silence(t.engine.now + MS);
  assert.deepEqual(mine.sink.events.map(({ type, cookie }) => [type, cookie]), [[c.EVENT_MEDIUM_DONE, 5]]);
  t.clean();
});

Deno.test("a command that is refused gives up the journey that it was given", () => {
  const t = new DriverBench({ frames: 1 });
  const mine = t.a.open(2, A);
  const { journeys } = t.frames;
  const held = t.frames.take(60);
  const region = { length: 100000, region: 0, remoteRegion: 0 };
  t.a.driver.createRegion(mine.endpoint, 0, 100000, [{ address: t.memory.alloc(100000), length: 100000 }]);
  const kinds = [c.CMD_SEND_TINY, c.CMD_SEND_SMALL, c.CMD_SEND_MEDIUM_FRAG, c.CMD_SEND_RNDV, c.CMD_SEND_NOTIFY];
  for (const kind of kinds) {
    const result = t.a.execute(mine.endpoint, { ...to, kind, journey: journeys.begin(0) });
    assert.equal(result, c.RESULT_NO_RESOURCES, "no buffer");
    assert.equal(t.a.execute(mine.endpoint, { ...to, kind, peer: 9, journey: journeys.begin(0) }), c.RESULT_INVALID);
  }
  for (const wrong of [{ region: 1 }, { length: 0 }, { length: 100001 }, { peer: 9 }]) {
    const command = { ...to, ...region, ...wrong, kind: c.CMD_PULL, journey: journeys.begin(0) };
    assert.equal(t.a.execute(mine.endpoint, command), c.RESULT_INVALID);
  }
  assert.equal(t.a.driver.counters[count.BUFFER_ALLOC_FAILED], kinds.length);
  t.frames.free(held);
  t.clean();
});

Deno.test("endpoints and regions: taken, out of range, and gone after a close", () => {
  const { t, mine } = connected();
  const { driver } = t.a;
  assert.equal(driver.open(2, 1, mine.sink, NOWHERE), null);
  assert.equal(driver.open(256, 1, mine.sink, NOWHERE), null);
  assert.equal(driver.open(-1, 1, mine.sink, NOWHERE), null);
  assert.equal(driver.createRegion(mine.endpoint, 4, 10, []), c.RESULT_OK);
  assert.equal(driver.createRegion(mine.endpoint, 4, 10, []), c.RESULT_INVALID);
  assert.equal(driver.createRegion(mine.endpoint, 256, 10, []), c.RESULT_INVALID);
  assert.equal(t.a.execute(mine.endpoint, { kind: c.CMD_DESTROY_REGION, region: 5 }), c.RESULT_INVALID);
  driver.close(mine.endpoint);
  assert.equal(mine.endpoint.regions.filter((region) => region !== null).length, 0);
  t.send(t.b, make.eager(t.b, t.a, "TINY", { dstEndpoint: 2, srcEndpoint: 3, session: A, libSeqnum: 1 }));
  t.expect(t.a, "NACK_LIB", { nackType: 2 });
  const reopened = t.a.open(2, A + 1);
  t.send(t.b, make.eager(t.b, t.a, "TINY", { dstEndpoint: 2, srcEndpoint: 3, session: A, libSeqnum: 1 }));
  t.expect(t.a, "NACK_LIB", { nackType: 3 });
  assert.equal(reopened.sink.events.length, 0);
  assert.equal(t.wire.filter(({ type }) => type === PACKET_TINY).length, 2);
  t.clean();
});
