import assert from "node:assert/strict";
import { MS } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { CommitHandlers, EventProducer, QueueMemory } from "../../../src/mx/driver/event_queues.ts";
import { counted, DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";
import { SlotArea } from "../../../src/mx/driver/slot_area.ts";

const NOWHERE = SlotArea.flat(0, 4096);

/* What a driver does when something is full, and with the odd frames that no check names: each has its counter. */

const A = 0xaaaa0001;
const B = 0xbbbb0002;
const to = { peer: 1, endpoint: 3, session: B, seq: 9, piggyack: 4, matchA: 0, matchB: 0 };

Deno.test("an index beyond the board's endpoints is BAD_ENDPOINT, one that nobody has opened is CLOSED, for messages and pulls", () => {
  const t = new DriverBench({ parts: { endpointMax: 8 } });
  assert.equal(t.b.driver.open(8, 1, t.b.open(3, B).sink, NOWHERE), null);
  for (const [dstEndpoint, nackType] of [[7, 2], [8, 1], [255, 1]]) {
    t.send(t.a, make.eager(t.a, t.b, "TINY", { dstEndpoint, srcEndpoint: 5, libSeqnum: 7 }));
    t.expect(t.b, "NACK_LIB", { nackType, srcEndpoint: dstEndpoint, dstEndpoint: 5, libSeqnum: 7 });
    t.send(t.a, make.connect(t.a, t.b, { dstEndpoint, srcEndpoint: 5 }));
    t.expect(t.b, "NACK_LIB", { nackType });
    t.send(t.a, make.pull(t.a, t.b, { dstEndpoint, srcEndpoint: 5, blockLength: 1, srcPullHandle: 4, srcMagic: 6 }));
    t.expect(t.b, "NACK_MCP", { nackType, srcPullHandle: 4, srcMagic: 6 });
  }
  assert.equal(t.b.driver.counters[count.DROP_BAD_ENDPOINT], 9);
  t.clean();
});

Deno.test("no buffer for a frame: messages are refused, pulls wait for their timer, NACKs are not sent; all are counted", () => {
  const t = new DriverBench({ frames: 1 });
  const mine = t.a.open(2, A);
  const held = t.frames.take(60);
  const address = t.memory.alloc(40000);
  t.a.driver.createRegion(mine.endpoint, 4, 40000, [{ address, length: 40000 }]);
  const kinds = [c.CMD_SEND_TINY, c.CMD_SEND_MEDIUM_VA, c.CMD_SEND_LIBACK, c.CMD_CONNECT_REQUEST];
  for (const kind of kinds) {
    assert.equal(t.a.execute(mine.endpoint, { ...to, kind, length: 1, address }), c.RESULT_NO_RESOURCES);
  }
  assert.equal(t.a.execute(mine.endpoint, { ...to, kind: c.CMD_PULL, region: 4, length: 40000 }), c.RESULT_OK);
  assert.deepEqual(counted(t.a), { [count.BUFFER_ALLOC_FAILED]: 5 });
  t.frames.free(held);
  t.run(t.engine.now + 1100 * MS);
  assert.equal(t.takeWire()[0].name, "PULL", "asked for again");
  t.a.driver.close(mine.endpoint);
  t.clean();
});

Deno.test("256 regions: the 257th, and a taken one, are refused; a pull into none too", () => {
  const t = new DriverBench();
  const { endpoint } = t.a.open(2, A);
  for (let id = 0; id < 256; id++) assert.equal(t.a.driver.createRegion(endpoint, id, 1, []), c.RESULT_OK);
  for (const id of [256, 0, 255, -1]) {
    assert.equal(t.a.driver.createRegion(endpoint, id, 1, []), c.RESULT_INVALID);
  }
  assert.equal(t.a.execute(endpoint, { kind: c.CMD_DESTROY_REGION, region: 17 }), c.RESULT_OK);
  assert.equal(t.a.execute(endpoint, { ...to, kind: c.CMD_PULL, region: 17, length: 1 }), c.RESULT_INVALID);
  assert.equal(t.a.driver.createRegion(endpoint, 17, 1, []), c.RESULT_OK);
});

Deno.test("event queues: as many as there are slots, each queue by itself, and again what the library has consumed", () => {
  const t = new DriverBench();
  const entries = 16;
  const queues = new QueueMemory((bytes) => t.memory.alloc(bytes), t.limits, 2, A, entries);
  const producer = new EventProducer(new CommitHandlers(t.engine), t.memory, "queues", queues, { wake() {} });
  for (const expected of [false, true]) {
    for (let i = 0; i < entries; i++) assert.equal(producer.reserve(expected), i);
    assert.equal(producer.reserve(expected), -1);
  }
  producer.release(4, 0);
  for (let i = 0; i < 4; i++) assert.equal(producer.reserve(false), entries + i);
  assert.deepEqual([producer.reserve(false), producer.reserve(true)], [-1, -1]);
  // One receive slot is taken for each SMALL and MEDIUM only, in turn.
  assert.deepEqual([1, 2, 3].map(() => producer.reserveRecvSlot()), [0, 1, 2]);
});

Deno.test("a full expected queue loses MEDIUM_DONE and PULL_DONE, each counted; nothing else breaks", () => {
  const t = new DriverBench();
  const mine = t.a.open(2, A);
  mine.sink.room = 0;
  t.a.portFull = true; // the frame is through at once
  t.a.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_MEDIUM_FRAG, length: 200, fragmentLength: 200 });
  const address = t.memory.alloc(4096);
  t.a.execute(mine.endpoint, { ...to, kind: c.CMD_SEND_MEDIUM_VA, length: 200, address });
  assert.deepEqual(counted(t.a), {
    [count.SEND_MEDIUM_FRAG]: 1,
    [count.SEND_MEDIUM_VA]: 1,
    [count.EXP_QUEUE_FULL]: 2,
  });
  t.clean();
});

Deno.test("a NACK_MCP with a magic of no endpoint, a handle of no pull, or from nobody", () => {
  const t = new DriverBench();
  t.b.open(3, B);
  t.send(t.a, make.nackMcp(t.a, t.b, { nackType: 2, srcMagic: 9 ^ 0x21071980 }));
  t.send(t.a, make.nackMcp(t.a, t.b, { nackType: 2, srcMagic: 3 ^ 0x21071980, srcPullHandle: 12 }));
  t.send(t.a, make.nackMcp(t.a, t.b, { nackType: 2, peerIndex: 9 }));
  t.send(t.a, make.nackMcp(t.a, t.b, { nackType: 2, peerIndex: 0xffff, srcMac: 0x777 }));
  t.silence(t.engine.now + MS);
  assert.deepEqual(counted(t.b), {
    [count.RECV_NACK_MCP]: 4,
    [count.DROP_NACK_BAD_MAGIC]: 1,
    [count.DROP_NACK_BAD_HANDLE]: 1,
    [count.DROP_BAD_PEER_INDEX]: 1,
    [count.DROP_BAD_PEER_ADDR]: 1,
  });
  t.clean();
});

Deno.test("other protocols, and TRUCs that are no ack, are ignored without a counter; a long tail is no fault", () => {
  const t = new DriverBench();
  const theirs = t.b.open(3, B);
  const ack = make.truc(t.a, t.b, { dstEndpoint: 3, session: B, sessionId: B });
  ack[28] = 0x56;
  const arp = make.eager(t.a, t.b, "TINY", { dstEndpoint: 3, session: B });
  arp[13] = 0x06;
  t.send(t.a, ack);
  t.send(t.a, arp);
  t.silence(t.engine.now + MS);
  assert.deepEqual([counted(t.b), t.b.driver.ignored], [{}, 2]);
  t.send(t.a, make.eager(t.a, t.b, "TINY", { dstEndpoint: 3, session: B, frameLength: 190 }, make.pattern(3)));
  t.silence(t.engine.now + MS);
  assert.deepEqual(theirs.sink.events.map(({ length }) => length), [3]);
  t.clean();
});
