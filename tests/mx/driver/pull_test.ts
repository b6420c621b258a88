import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { type BenchEndpoint, type BenchOptions, DriverBench } from "../../support/driver_bench.ts";
import type { WireFrame } from "../../support/wire.ts";
import * as make from "./frames.ts";

/* Large messages between two drivers: a pulls from a region of b (reference, 2.7 and invariants 12 and 13). */

const A = 0xaaaa0001;
const B = 0xbbbb0002;
const REGION = 7;
const OWN = 4;

interface Transfer {
  readonly t: DriverBench;
  readonly mine: BenchEndpoint;
  readonly theirs: BenchEndpoint;
  /** Starts the pull of the whole message. */
  start(fields?: object): number;
  /** Whether the puller's memory holds the message, and nothing was written behind it. */
  isIntact(): boolean;
}

function transfer(length: number, mtu = 9000, parts: BenchOptions["parts"] = {}): Transfer {
  const t = new DriverBench({ mtu, parts });
  const mine = t.a.open(2, A);
  const theirs = t.b.open(3, B);
  const source = t.memory.alloc(length + 64);
  const target = t.memory.alloc(length + 64);
  const data = make.pattern(length);
  t.memory.u8.set(data, source);
  t.b.driver.createRegion(theirs.endpoint, REGION, length, [{ address: source, length }]);
  t.a.driver.createRegion(mine.endpoint, OWN, length, [{ address: target, length }]);
  const command = { kind: c.CMD_PULL, peer: 1, endpoint: 3, session: B, length, region: OWN, cookie: 99 };
  return {
    t,
    mine,
    theirs,
    start: (fields = {}) =>
      t.a.execute(mine.endpoint, { ...command, remoteRegion: REGION, remoteRegionSeq: 23, ...fields }),
    isIntact: () =>
      Buffer.compare(t.memory.u8.subarray(target, target + length), data) === 0 &&
      t.memory.u8.subarray(target + length, target + length + 64).every((byte) => byte === 0),
  };
}

const named = (frames: WireFrame[], name: string) => frames.filter((frame) => frame.name === name);
const done = (endpoint: BenchEndpoint) =>
  endpoint.sink.events.map(({ type, cookie, length, small }) => [type, cookie, length, small]);

/** Loses frames between the drivers: those for which `lose` says so. */
function loseFrames(t: DriverBench, lose: (frame: WireFrame) => boolean): void {
  t.link.tap.listen(() => t.link.cut = lose(t.wire[t.wire.length - 1]));
}

Deno.test("one mebibyte at MTU 9000: four pulls, 117 replies that tile it exactly once", () => {
  const { t, start, isIntact, mine } = transfer(1 << 20);
  assert.equal(start(), c.RESULT_OK);
  t.run(MS);
  const pulls = named(t.wire, "PULL");
  assert.deepEqual(pulls.map(({ fields }) => [fields.frameIndex, fields.blockLength, fields.firstFrameOffset]), [
    [0, 286976, 0],
    [32, 286976, 0],
    [64, 286976, 0],
    [96, 187648, 0],
  ]);
  const replies = named(t.wire, "PULL_REPLY");
  assert.deepEqual(replies.map(({ fields }) => fields.frameSeqnum), Array.from({ length: 117 }, (_, i) => i));
  assert.deepEqual(replies.map(({ fields }) => fields.msgOffset), Array.from({ length: 117 }, (_, i) => i * 8968));
  assert.equal(replies[116].fields.frameLength, 8288);
  assert.ok(replies.slice(0, 116).every(({ length }) => length === 9000), "full replies fill the frame");
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 1 << 20, c.PULL_OK]]);
  assert.ok(isIntact());
  t.clean();
});

Deno.test("never more than four blocks are asked for, and the next only when the first is complete", () => {
  for (const [mtu, length, frames, blocks] of [[9000, 4 << 20, 468, 15], [1500, 1 << 20, 715, 23]]) {
    const { t, start, isIntact } = transfer(length, mtu);
    start();
    t.run(10 * MS);
    const perBlock = t.limits.repliesPerBlock;
    const { block } = make.pullSizes(t.limits);
    const pulls = named(t.wire, "PULL");
    assert.deepEqual([named(t.wire, "PULL_REPLY").length, pulls.length], [frames, blocks]);
    for (const [i, pull] of pulls.entries()) {
      assert.equal(pull.fields.frameIndex, i * perBlock);
      assert.equal(pull.fields.blockLength, Math.min(block, length - i * block));
      const answered = named(t.wire, "PULL_REPLY").filter(({ at }) => at + US <= pull.at).length;
      assert.ok(i < 4 || answered >= (i - 3) * perBlock, `block ${i} was asked for before block ${i - 4} was there`);
    }
    assert.ok(isIntact());
    t.clean();
  }
});

Deno.test("the copy engine takes messages from 64 KiB on, but for pieces of less than 1 KiB", () => {
  const offloaded = (length: number) => {
    const { t, start, isIntact } = transfer(length, 9000, { copyOffload: true });
    start();
    t.run(10 * MS);
    assert.ok(isIntact());
    return t.a.driver.counters[count.DMA_RECV_PULL_REPLY];
  };
  const piece = 8968;
  assert.deepEqual([65535, 65536].map(offloaded), [0, Math.ceil(65536 / piece)]);
  assert.deepEqual([10 * piece + 1023, 10 * piece + 1024].map(offloaded), [10, 11]);
});

Deno.test("one reply of block 0 is lost: asked for again when block 1 is complete, and 31 duplicates are dropped", () => {
  const { t, start, isIntact, mine } = transfer(2 * 286976);
  let lost = 0;
  loseFrames(t, ({ name, fields }) => name === "PULL_REPLY" && fields.frameSeqnum === 5 && lost++ === 0);
  start();
  t.run(MS);
  assert.deepEqual(named(t.wire, "PULL").map(({ fields }) => fields.frameIndex), [0, 32, 0]);
  assert.equal(named(t.wire, "PULL_REPLY").length, 64 + 32, "the server sends the whole block");
  const { counters } = t.a.driver;
  // The repeated block's last replies find the pull over: the handle is gone by then.
  assert.equal(counters[count.DROP_REPLY_DUPLICATE] + counters[count.DROP_REPLY_BAD_HANDLE], 31);
  assert.deepEqual([counters[count.PULL_NON_FIRST_EARLY], counters[count.PULL_TIMEOUT_FIRST]], [1, 0]);
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 2 * 286976, c.PULL_OK]]);
  assert.ok(isIntact());
  t.clean();
});

Deno.test("a reply of the newest block is lost: silence for 1000 ms, then the block is asked for again", () => {
  const { t, start, isIntact, mine } = transfer(100000);
  let lost = 0;
  loseFrames(t, ({ name, fields }) => name === "PULL_REPLY" && fields.frameSeqnum === 11 && lost++ === 0);
  start();
  t.run(MS);
  const last = t.wire[t.wire.length - 1].at;
  t.takeWire();
  t.silence(last + 999 * MS);
  const again = t.expect(t.a, "PULL", { frameIndex: 0, blockLength: 100000 }, 2 * MS);
  assert.ok(Math.abs(again.at - last - SECOND) < 10 * US);
  t.run(2 * SECOND);
  assert.equal(t.a.driver.counters[count.PULL_TIMEOUT_FIRST], 1);
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 100000, c.PULL_OK]]);
  assert.ok(isIntact());
  t.clean();
});

Deno.test("every block has a second chance at once, however soon after the last one that needed it", () => {
  const { t, start, isIntact, mine } = transfer(8 * 286976);
  const lost = new Set([5, 3 * 32 + 7, 4 * 32]);
  loseFrames(t, ({ name, fields }) => name === "PULL_REPLY" && lost.delete(fields.frameSeqnum));
  start();
  t.run(20 * MS);
  const pulls = named(t.wire, "PULL").map(({ fields }) => fields.frameIndex / 32);
  const times = (block: number) => pulls.filter((each) => each === block).length;
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map(times), [2, 1, 1, 2, 2, 1, 1, 1]);
  assert.equal(t.a.driver.counters[count.PULL_TIMEOUT_FIRST], 0);
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 8 * 286976, c.PULL_OK]]);
  assert.ok(isIntact());
  t.clean();
});

Deno.test("a block is asked for again once until the next silence, though all blocks behind it are complete", () => {
  const { t, start, isIntact } = transfer(4 * 286976);
  // Reply 5 is lost whenever it comes before a second has passed.
  loseFrames(t, ({ name, fields, at }) => name === "PULL_REPLY" && fields.frameSeqnum === 5 && at < SECOND);
  start();
  t.run(SECOND - MS);
  assert.equal(named(t.wire, "PULL").length - 4, 1);
  assert.equal(t.a.driver.counters[count.PULL_NON_FIRST_EARLY], 3, "counted though nothing was left to ask for");
  t.run(2 * SECOND);
  assert.ok(isIntact());
  t.clean();
});

Deno.test("after a silence a later block that is complete is a sign of loss again", () => {
  const { t, start, isIntact, mine } = transfer(4 * 286976);
  // Of block 0 one reply is lost three times, of block 1 twice: once more than a second chance makes up for.
  const losses = new Map([[5, 3], [37, 2]]);
  loseFrames(t, ({ name, fields }) => {
    const left = name === "PULL_REPLY" ? losses.get(fields.frameSeqnum) ?? 0 : 0;
    losses.set(fields.frameSeqnum, left - 1);
    return left > 0;
  });
  start();
  t.run(SECOND + 100 * MS);
  const pulls = named(t.wire, "PULL").map(({ fields }) => fields.frameIndex / 32);
  // All four; two again as block 2 is complete; two after a second; block 0 as block 1 is complete.
  assert.deepEqual(pulls, [0, 1, 2, 3, 0, 1, 0, 1, 0]);
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 4 * 286976, c.PULL_OK]]);
  assert.ok(isIntact());
  t.clean();
});

Deno.test("of two pulls at a time each request names its own region and message", () => {
  const { t, start, mine, theirs } = transfer(6 * 286976);
  const other = {
    length: 5 * 286976 + 1000,
    region: OWN + 1,
    remoteRegion: REGION + 1,
    remoteRegionSeq: 77,
    cookie: 5,
  };
  for (const [driver, endpoint, region] of [[t.b, theirs, REGION + 1], [t.a, mine, OWN + 1]] as const) {
    const segments = [{ address: t.memory.alloc(other.length), length: other.length }];
    driver.driver.createRegion(endpoint.endpoint, region, other.length, segments);
  }
  assert.deepEqual([start(), start(other)], [c.RESULT_OK, c.RESULT_OK]);
  t.run(20 * MS);
  const requests = named(t.wire, "PULL").map(({ fields }) => fields);
  for (const [region, seq, total] of [[REGION, 23, 6 * 286976], [REGION + 1, 77, other.length]]) {
    const own = requests.filter(({ pulledRdmaId }) => pulledRdmaId === region);
    assert.equal(own.length, 6);
    for (const fields of own) assert.deepEqual([fields.pulledRdmaSeqnum, fields.totalLength], [seq, total]);
  }
  const all = [[c.EVENT_PULL_DONE, 99, 6 * 286976, c.PULL_OK], [c.EVENT_PULL_DONE, 5, other.length, c.PULL_OK]];
  assert.deepEqual(done(mine).sort(), all.sort());
});

Deno.test("a pull ends for time only when a second was silent: one that gets replies may take longer", () => {
  const { t, start, isIntact, mine } = transfer(5 * 8968);
  const receive = t.a.receive.bind(t.a);
  const late = t.engine.handler("late", receive);
  let nth = 0;
  t.a.receive = (frame: number) => {
    nth++;
    if (nth === 4) t.engine.after(700 * MS, late, frame);
    else if (nth === 5) t.engine.after(1400 * MS, late, frame);
    else receive(frame);
  };
  start({ timeoutPs: SECOND });
  t.run(3 * SECOND);
  assert.equal(t.a.driver.counters[count.PULL_TIMEOUT_ABORT], 0);
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 5 * 8968, c.PULL_OK]]);
  assert.ok(isIntact());
  t.clean();
});

Deno.test("requests for more than one new block at a time are counted, whatever made room for them", () => {
  // Block 0 comes last: the whole window is complete then, and one block is left to ask for, or two.
  const counted = (blocks: number) => {
    const { t, start, isIntact } = transfer(blocks * 286976);
    let held = false;
    loseFrames(t, ({ name, fields }) => !held && name === "PULL_REPLY" && fields.frameSeqnum === 5 && (held = true));
    start();
    t.run(20 * MS);
    assert.ok(isIntact());
    return t.a.driver.counters[count.PULL_NOT_ONLY_FIRST];
  };
  assert.deepEqual([counted(5), counted(6)], [0, 1]);
});

Deno.test("without an answer every incomplete block is asked for each second, and after 500 s the pull times out once", () => {
  const { t, start, mine } = transfer(3 * 286976);
  loseFrames(t, () => true);
  start();
  t.run(3 * SECOND + MS);
  const pulls = named(t.wire, "PULL");
  assert.equal(pulls.length, 4 * 3);
  assert.deepEqual(pulls.slice(3, 6).map(({ at }) => Math.round(at / MS)), [1000, 1000, 1000]);
  t.run(600 * SECOND);
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 0, c.PULL_TIMEOUT]]);
  assert.equal(t.a.driver.pulls.active, 0);
  t.takeWire();
  t.silence(700 * SECOND);
  t.clean();
});

Deno.test("the owner of the data refuses with NACK_MCP, which echoes the handle and ends the pull with its type", () => {
  const wrong = [
    [{ endpoint: 9 }, c.PULL_ENDPOINT_CLOSED],
    [{ session: B + 1 }, c.PULL_BAD_SESSION],
    [{ remoteRegion: 8 }, c.PULL_BAD_REGION],
    [{ remoteRegion: 300 }, c.PULL_BAD_REGION],
  ] as const;
  for (const [fields, status] of wrong) {
    const { t, start, mine } = transfer(50000);
    assert.equal(start(fields), c.RESULT_OK);
    const { srcPullHandle, srcMagic } = t.expect(t.a, "PULL").fields;
    t.expect(t.b, "NACK_MCP", { nackType: status, srcEndpoint: 2, srcPullHandle, srcMagic });
    t.silence(t.engine.now + MS);
    assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, 0, status]]);
    // The same refusal again belongs to a handle that is gone.
    t.send(t.b, make.nackMcp(t.b, t.a, { srcEndpoint: 2, nackType: status, srcPullHandle, srcMagic }));
    t.silence(5 * SECOND);
    assert.equal(t.a.driver.counters[count.DROP_NACK_BAD_HANDLE], 1);
    assert.equal(mine.sink.events.length, 1);
    t.clean();
  }
  // Others name reasons that an Open-MX here does not have, or none.
  const strange = [[c.NACK_BAD_ENDPOINT, c.PULL_BAD_ENDPOINT], [0, c.PULL_ABORTED], [6, c.PULL_ABORTED]];
  for (const [nackType, status] of strange) {
    const { t, start, mine } = transfer(50000);
    start();
    t.link.cut = true;
    const { srcPullHandle, srcMagic } = t.expect(t.a, "PULL").fields;
    t.link.cut = false;
    t.send(t.b, make.nackMcp(t.b, t.a, { nackType, srcPullHandle, srcMagic }));
    t.run(t.engine.now + MS);
    assert.equal(done(mine)[0][3], status);
  }
});

Deno.test("pulls that ask for too many frames, or for bytes outside of the region, are dropped in silence", () => {
  const { t } = transfer(50000);
  const ask = { dstEndpoint: 3, srcEndpoint: 2, session: B, pulledRdmaId: REGION };
  const bad = [
    [{ blockLength: 286977 }, count.DROP_PULL_BAD_REPLIES],
    [{ blockLength: 286976, firstFrameOffset: 1 }, count.DROP_PULL_BAD_REPLIES],
    [{ blockLength: 286977, pulledRdmaId: 300 }, count.DROP_PULL_BAD_REPLIES],
    [{ blockLength: 50001 }, count.DROP_PULL_BAD_OFFSET],
    [{ blockLength: 8968, frameIndex: 5 }, count.DROP_PULL_BAD_OFFSET],
    [{ blockLength: 8968, frameIndex: 0xffffffff }, count.DROP_PULL_BAD_OFFSET],
    [{ blockLength: 8968, pulledRdmaOffset: 41033 }, count.DROP_PULL_BAD_OFFSET],
    [{ blockLength: 10, pulledRdmaOffset: 8967 }, count.DROP_PULL_BAD_OFFSET],
  ] as const;
  for (const [fields, counter] of bad) {
    const before = t.b.driver.counters[counter];
    t.send(t.a, make.pull(t.a, t.b, { ...ask, ...fields }));
    t.silence(t.engine.now + MS);
    assert.equal(t.b.driver.counters[counter], before + 1, JSON.stringify(fields));
  }
  t.send(t.a, make.pull(t.a, t.b, { ...ask, blockLength: 0 }));
  t.silence(t.engine.now + MS);
  t.clean();
});

Deno.test("an offset into the region and into the first frame: replies carry the bytes that they claim", () => {
  const { t } = transfer(50000);
  const ask = { dstEndpoint: 3, srcEndpoint: 2, session: B, pulledRdmaId: REGION };
  const data = make.pattern(50000);
  t.keepPayloads();
  // 20000 bytes from region offset 1000 on: the first frame is short by what lies before it.
  const [rdma, first, wanted] = [1000, 1000, 20000];
  t.send(t.a, make.pull(t.a, t.b, { ...ask, pulledRdmaOffset: rdma, firstFrameOffset: first, blockLength: wanted }));
  let offset = 0;
  for (const length of [7968, 8968, 3064]) {
    const reply = t.expect(t.b, "PULL_REPLY", { msgOffset: offset, frameLength: length });
    const sent = t.payloadOf(reply);
    assert.deepEqual(sent, data.slice(rdma + offset, rdma + offset + length));
    offset += length;
  }
  t.silence(t.engine.now + MS);
  t.clean();
});

Deno.test("a region in pieces is pulled whole: a reply may span pages that do not follow one another", () => {
  const length = 60000;
  const { t, start, theirs, isIntact, mine } = transfer(length);
  const data = make.pattern(length);
  const extents: { address: number; length: number }[] = [];
  for (let at = 0; at < length; at += 4096) {
    const address = t.memory.alloc(8192); // every second page
    const bytes = Math.min(4096, length - at);
    t.memory.u8.set(data.subarray(at, at + bytes), address);
    extents.push({ address, length: bytes });
  }
  t.b.execute(theirs.endpoint, { kind: c.CMD_DESTROY_REGION, region: REGION });
  t.b.driver.createRegion(theirs.endpoint, REGION, length, extents);
  start();
  t.run(MS);
  assert.deepEqual(done(mine), [[c.EVENT_PULL_DONE, 99, length, c.PULL_OK]]);
  assert.ok(isIntact());
  t.clean();
});
