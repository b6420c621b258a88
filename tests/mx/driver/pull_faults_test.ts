import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../../src/base/units.ts";
import { KERNEL } from "../../../src/metrics/stage.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";

/* What can go wrong with a pull under way: hostile replies, a region or an endpoint that goes, and the local copy. */

const A = 0xaaaa0001;
const B = 0xbbbb0002;

/** A pull by a whose requests nobody answers but the script. */
function pulling(length: number) {
  const t = new DriverBench();
  const mine = t.a.open(2, A);
  const target = t.memory.alloc(length);
  t.a.driver.createRegion(mine.endpoint, 4, length, [{ address: target, length }]);
  const command = { kind: c.CMD_PULL, peer: 1, endpoint: 3, session: B, length, region: 4, remoteRegion: 7 };
  t.link.cut = true;
  assert.equal(t.a.execute(mine.endpoint, { ...command, cookie: 99 }), c.RESULT_OK);
  t.run(10 * US);
  t.link.cut = false;
  const { srcPullHandle: dstPullHandle, srcMagic: dstMagic } = t.takeWire()[0].fields;
  const reply = (frameSeqnum: number, msgOffset: number, length: number, fields = {}) => {
    const head = { dstPullHandle, dstMagic, frameSeqnum, msgOffset, frameLength: 32 };
    const bytes = make.pullReply(t.b, t.a, { ...head, ...fields });
    new DataView(bytes.buffer).setUint16(18, length);
    t.send(t.b, bytes, make.pattern(length, frameSeqnum));
    t.run(t.engine.now + 10 * US);
  };
  return { t, mine, target, reply };
}

const status = (events: { type: number; small: number }[]) => events.map(({ type, small }) => [type, small]);

Deno.test("replies that do not fit are dropped, each under its counter, and the pull still ends whole", () => {
  const { t, mine, reply } = pulling(20000);
  const { counters } = t.a.driver;
  const bad = (counter: number, act: () => void) => {
    const before = counters[counter];
    act();
    assert.equal(counters[counter], before + 1, `counter ${counter}`);
    assert.equal(mine.sink.events.length, 0);
  };
  const arrived = counters[count.RECV_PULL_REPLY];
  bad(count.DROP_BAD_FRAMELEN, () => {
    t.send(t.b, make.pullReply(t.b, t.a, { frameLength: 32, dstMagic: 0 }).fill(1, 18, 20));
    t.run(t.engine.now + MS);
  });
  assert.equal(counters[count.RECV_PULL_REPLY], arrived + 1, "counted before anything is looked at");
  bad(count.DROP_REPLY_BAD_MAGIC, () => reply(0, 0, 8968, { dstMagic: 0x21071980 ^ 9 }));
  bad(count.DROP_REPLY_BAD_HANDLE, () => reply(0, 0, 8968, { dstPullHandle: 0x24 }));
  bad(count.DROP_REPLY_BAD_HANDLE, () => reply(0, 0, 8968, { dstPullHandle: 0xffffffff }));
  bad(count.DROP_REPLY_BAD_WRAP, () => reply(1, 0, 8968));
  bad(count.DROP_REPLY_BAD_WRAP, () => reply(0, 8968, 8968));
  bad(count.DROP_REPLY_BAD_SEQ, () => reply(3, 3 * 8968, 10));
  bad(count.DROP_REPLY_BAD_SEQ, () => reply(200, 200 * 8968, 10));
  bad(count.DROP_REPLY_BAD_SEQ, () => reply(1, 8960, 8968));
  bad(count.DROP_REPLY_BAD_SEQ, () => reply(1, 8968, 8000));
  bad(count.DROP_REPLY_BAD_SEQ, () => reply(2, 2 * 8968, 2065));
  reply(1, 8968, 8968);
  bad(count.DROP_REPLY_DUPLICATE, () => reply(1, 8968, 8968));
  reply(2, 2 * 8968, 2064);
  reply(0, 0, 8968);
  assert.deepEqual(status(mine.sink.events), [[c.EVENT_PULL_DONE, c.PULL_OK]]);
  bad(count.DROP_REPLY_BAD_HANDLE, () => {
    mine.sink.events.length = 0;
    reply(0, 0, 8968);
  });
  t.clean();
});

Deno.test("replies in any order are put where they belong", () => {
  const { t, mine, target, reply } = pulling(5 * 8968);
  for (const i of [3, 0, 4, 2, 1]) reply(i, i * 8968, 8968);
  assert.deepEqual(status(mine.sink.events), [[c.EVENT_PULL_DONE, c.PULL_OK]]);
  for (let i = 0; i < 5; i++) {
    const got = t.memory.u8.slice(target + i * 8968, target + (i + 1) * 8968);
    assert.deepEqual(got, make.pattern(8968, i));
  }
  t.clean();
});

Deno.test("a closed endpoint drops its pulls without a word, and late replies find no handle", () => {
  const { t, mine, reply } = pulling(20000);
  t.a.driver.close(mine.endpoint);
  assert.equal(t.a.driver.pulls.active, 0);
  reply(0, 0, 8968);
  assert.equal(t.a.driver.counters[count.DROP_REPLY_BAD_MAGIC], 1);
  t.takeWire();
  t.silence(5 * SECOND);
  assert.equal(mine.sink.events.length, 0);
  t.clean();
});

Deno.test("a reply to a pull of a closed endpoint does not reach a pull of the next one of its number", () => {
  const { t, mine, reply } = pulling(20000);
  const names: number[] = [];
  let open = mine;
  // Three lives, the last of them after one without a pull.
  for (let life = 1; life <= 3; life++) {
    t.a.driver.close(open.endpoint);
    open = t.a.open(2, A + life);
    if (life === 2) continue;
    const target = t.memory.alloc(20000);
    t.a.driver.createRegion(open.endpoint, 4, 20000, [{ address: target, length: 20000 }]);
    const command = { kind: c.CMD_PULL, peer: 1, endpoint: 3, session: B, length: 20000, region: 4, remoteRegion: 7 };
    t.link.cut = true;
    assert.equal(t.a.execute(open.endpoint, command), c.RESULT_OK);
    t.run(t.engine.now + 10 * US);
    t.link.cut = false;
    const dstPullHandle = t.takeWire()[0].fields.srcPullHandle;
    for (const old of names) reply(0, 0, 8968, { dstPullHandle: old });
    reply(0, 0, 8968); // the first life's
    assert.equal(t.a.driver.counters[count.DROP_REPLY_BAD_HANDLE], life === 1 ? 1 : 3);
    assert.ok(t.memory.u8.subarray(target, target + 20000).every((byte) => byte === 0));
    for (const [i, bytes] of [8968, 8968, 2064].entries()) reply(i, i * 8968, bytes, { dstPullHandle });
    assert.deepEqual(status(open.sink.events), [[c.EVENT_PULL_DONE, c.PULL_OK]]);
    names.push(dstPullHandle);
  }
  t.a.driver.close(open.endpoint);
  t.clean();
});

Deno.test("a region that goes while it is streamed ends the stream; the puller asks again and is refused", () => {
  const t = new DriverBench({ costs: { driverSend: US } });
  const mine = t.a.open(2, A);
  const theirs = t.b.open(3, B);
  const length = 286976;
  const memory = t.memory.alloc(2 * length);
  t.a.driver.createRegion(mine.endpoint, 4, length, [{ address: memory, length }]);
  t.b.driver.createRegion(theirs.endpoint, 7, length, [{ address: memory + length, length }]);
  // Taken away in the middle of the block, by the fifth reply that leaves.
  let replies = 0;
  t.link.tap.listen((side) => {
    if (side === 1 && ++replies === 5) t.b.driver.destroyRegion(t.b.cpu, theirs.endpoint, 7);
  });
  const command = { kind: c.CMD_PULL, peer: 1, endpoint: 3, session: B, length, region: 4, remoteRegion: 7 };
  t.a.execute(mine.endpoint, command);
  t.run(900 * MS);
  assert.ok(replies >= 5 && replies < 32, `${replies} replies`);
  assert.deepEqual(mine.sink.events, []);
  t.run(2 * SECOND);
  assert.deepEqual(status(mine.sink.events), [[c.EVENT_PULL_DONE, c.PULL_BAD_REGION]]);
  t.clean();
});

Deno.test("a region that goes ends the pulls into it: one PULL_DONE each, and not a byte is written from then on", () => {
  const { t, mine, target, reply } = pulling(20000);
  reply(0, 0, 8968);
  // A second pull into the region, and one into another, which goes on.
  const other = t.memory.alloc(8968);
  t.a.driver.createRegion(mine.endpoint, 5, 8968, [{ address: other, length: 8968 }]);
  const command = { kind: c.CMD_PULL, peer: 1, endpoint: 3, session: B, remoteRegion: 7 };
  t.link.cut = true;
  t.a.execute(mine.endpoint, { ...command, region: 4, length: 50, cookie: 100 });
  t.a.execute(mine.endpoint, { ...command, region: 5, length: 8968, cookie: 101 });
  t.run(t.engine.now + 10 * US);
  t.link.cut = false;
  const [, { fields }] = t.takeWire();
  assert.equal(t.a.execute(mine.endpoint, { kind: c.CMD_DESTROY_REGION, region: 4 }), c.RESULT_OK);
  const ended = mine.sink.events.map(({ type, cookie, small }) => [type, cookie, small]);
  assert.deepEqual(ended, [[c.EVENT_PULL_DONE, 99, c.PULL_ABORTED], [c.EVENT_PULL_DONE, 100, c.PULL_ABORTED]]);
  t.memory.u8.fill(0x55, target, target + 20000);
  reply(1, 8968, 8968);
  reply(2, 2 * 8968, 2064);
  assert.ok(t.memory.u8.subarray(target, target + 20000).every((byte) => byte === 0x55));
  assert.equal(t.a.driver.counters[count.DROP_REPLY_BAD_HANDLE], 2);
  reply(0, 0, 8968, { dstPullHandle: fields.srcPullHandle });
  assert.deepEqual(mine.sink.events.slice(2).map(({ cookie, small }) => [cookie, small]), [[101, c.PULL_OK]]);
  assert.equal(t.a.driver.pulls.active, 0);
  t.takeWire();
  t.silence(t.engine.now + 5 * SECOND);
  t.clean();
});

Deno.test("a region that goes ends the copy of a pull between endpoints of one host too", () => {
  const t = new DriverBench({ costs: { copyUncachedByte: 1000 } });
  const mine = t.a.open(2, A);
  const source = t.a.open(6, B);
  const length = 100_000;
  const memory = t.memory.alloc(2 * length);
  t.memory.u8.set(make.pattern(length), memory);
  t.a.driver.createRegion(source.endpoint, 7, length, [{ address: memory, length }]);
  const pull = { kind: c.CMD_PULL, peer: 0, endpoint: 6, session: B, length, region: 4, remoteRegion: 7 };
  const into = { address: memory + length, length };
  t.a.driver.createRegion(mine.endpoint, 4, length, [into]);
  const elsewhere = { address: t.memory.alloc(length), length };
  t.a.driver.createRegion(mine.endpoint, 5, length, [elsewhere]);
  t.a.execute(mine.endpoint, { ...pull, cookie: 1 });
  t.run(40 * US); // some of its seven pieces
  t.a.burst((cpu) => {
    const written = t.memory.u8.subarray(into.address, into.address + length);
    assert.deepEqual([written[1], written[length - 1]], [make.pattern(length)[1], 0]);
    assert.equal(t.a.driver.destroyRegion(cpu, mine.endpoint, 4), c.RESULT_OK);
    written.fill(0x55);
    // The handle serves another pull at once, and the copy that was stopped does not take that one for its own.
    const again = Object.assign(new c.MxCommand(), { ...pull, region: 5, cookie: 2 });
    assert.equal(t.a.driver.execute(cpu, KERNEL, mine.endpoint, again), c.RESULT_OK);
  });
  t.run(t.engine.now + MS);
  assert.deepEqual(mine.sink.events.map(({ cookie, small, length }) => [cookie, small, length]), [
    [1, c.PULL_ABORTED, 4 * 16384],
    [2, c.PULL_OK, length],
  ]);
  assert.ok(t.memory.u8.subarray(memory + length, memory + 2 * length).every((byte) => byte === 0x55));
  assert.deepEqual(t.memory.u8.slice(elsewhere.address, elsewhere.address + length), make.pattern(length));
  t.clean();
});

Deno.test("the completion of a pull finds the queue full: counted, and the handle is free again", () => {
  const { t, mine, reply } = pulling(100);
  mine.sink.room = 0;
  reply(0, 0, 100);
  assert.equal(t.a.driver.counters[count.EXP_QUEUE_FULL], 1);
  assert.equal(t.a.driver.pulls.active, 0);
  t.clean();
});

Deno.test("1024 pulls of an endpoint, then no resources; slots are used again under another name", () => {
  const { t, mine } = pulling(100);
  t.link.cut = true;
  const command = { kind: c.CMD_PULL, peer: 1, endpoint: 3, session: B, length: 100, region: 4, remoteRegion: 7 };
  for (let i = 1; i < 1024; i++) assert.equal(t.a.execute(mine.endpoint, command), c.RESULT_OK);
  assert.equal(t.a.execute(mine.endpoint, command), c.RESULT_NO_RESOURCES);
  const names = new Set(t.wire.map(({ fields }) => fields.srcPullHandle));
  assert.equal(names.size, 1024);
  t.link.cut = false;
  const [{ srcPullHandle, srcMagic }] = t.wire.map(({ fields }) => fields);
  t.send(t.b, make.nackMcp(t.b, t.a, { nackType: 4, srcPullHandle, srcMagic }));
  t.run(t.engine.now + 10 * US);
  assert.equal(t.a.execute(mine.endpoint, command), c.RESULT_OK);
  const again = t.takeWire().pop()!;
  assert.equal(again.fields.srcPullHandle >>> 22, srcPullHandle >>> 22, "the slot that was freed");
  assert.notEqual(again.fields.srcPullHandle, srcPullHandle, "another generation");
  t.a.driver.close(mine.endpoint);
  t.clean();
});

Deno.test("a pull between endpoints of one host is one copy: nothing on the wire", () => {
  const t = new DriverBench();
  const mine = t.a.open(2, A);
  const other = t.a.open(6, B);
  const length = 100_000;
  const memory = t.memory.alloc(2 * length);
  t.memory.u8.set(make.pattern(length), memory);
  t.a.driver.createRegion(other.endpoint, 7, length, [{ address: memory, length }]);
  t.a.driver.createRegion(mine.endpoint, 4, length, [
    { address: memory + length, length: 50_001 },
    { address: memory + length + 50_001, length: length - 50_001 },
  ]);
  const command = { kind: c.CMD_PULL, peer: 0, endpoint: 6, session: B, length, region: 4, remoteRegion: 7 };
  for (const fields of [{}, { session: 1 }, { remoteRegion: 8 }, { endpoint: 9 }]) {
    assert.equal(t.a.execute(mine.endpoint, { ...command, ...fields }), c.RESULT_OK);
    t.silence(t.engine.now + MS);
  }
  // A shorter source region than the pull: the copy cannot be made.
  t.a.driver.createRegion(other.endpoint, 9, length - 1, [{ address: memory, length: length - 1 }]);
  t.a.execute(mine.endpoint, { ...command, remoteRegion: 9 });
  t.silence(t.engine.now + MS);
  assert.deepEqual(mine.sink.events.map(({ small }) => small), [
    c.PULL_OK,
    c.PULL_BAD_SESSION,
    c.PULL_BAD_REGION,
    c.PULL_ENDPOINT_CLOSED,
    c.PULL_ABORTED,
  ]);
  assert.deepEqual(t.memory.u8.slice(memory + length, memory + 2 * length), make.pattern(length));
  t.clean();
});
