import assert from "node:assert/strict";
import fc from "fast-check";
import { Prng } from "../../../src/base/prng.ts";
import { MS, SECOND, US } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { blockMax, mxLimits } from "../../../src/mx/limits.ts";
import * as wire from "../../../src/mx/wire/mod.ts";
import { type BenchSide, DriverBench } from "../../support/driver_bench.ts";
import { copyFrame } from "../../support/wire.ts";
import * as make from "./frames.ts";

/* Both sides of a pull against models that know nothing of handles, bitmaps and jobs (invariants 12 and 13). */

const A = 0xaaaa0001;
const B = 0xbbbb0002;
const BUILDS = [{ mtu: 9000 }, { mtu: 1500 }, { mtu: 4144, compat: true }];
const buildName = ({ mtu, compat }: { mtu: number; compat?: boolean }) => compat ? "compat" : `MTU ${mtu}`;

// ---- the owner of the data

interface Reply {
  readonly seq: number;
  readonly offset: number;
  readonly bytes: number[];
}

/** What a request asks for, byte by byte: each byte belongs to the frame in which it lies. */
function repliesOf(region: Uint8Array, request: wire.PullFields, frameBytes: number): Reply[] {
  const { pulledRdmaOffset: base, firstFrameOffset: first, blockLength, frameIndex } = request;
  const start = frameIndex * frameBytes - base % frameBytes + first;
  const replies: Reply[] = [];
  for (let n = 0; n < blockLength; n++) {
    const number = Math.floor((first + n) / frameBytes);
    replies[number] ??= { seq: (frameIndex + number) % 256, offset: start + n, bytes: [] };
    replies[number].bytes.push(region[base + start + n]);
  }
  return replies;
}

for (const build of BUILDS) {
  Deno.test(`${buildName(build)}: a request is answered byte for byte, or dropped under the right counter`, () => {
    const t = new DriverBench(build);
    const { pullReplyBytes, repliesPerBlock } = t.limits;
    const length = Math.min(60_000, 14 * pullReplyBytes);
    const theirs = t.b.open(3, B);
    const source = t.memory.alloc(length);
    const data = make.pattern(length);
    t.memory.u8.set(data, source);
    t.b.driver.createRegion(theirs.endpoint, 7, length, [{ address: source, length }]);
    t.keepPayloads();
    const near = (value: number) => fc.integer({ min: -2, max: 2 }).map((d) => Math.max(0, value + d));
    const field = fc.oneof(fc.constant(0), near(pullReplyBytes), near(2 * pullReplyBytes), fc.nat(length + 10));
    const request = fc.record({
      pulledRdmaOffset: field,
      firstFrameOffset: fc.oneof(fc.constant(0), fc.nat(pullReplyBytes), near(pullReplyBytes)),
      blockLength: fc.oneof(field, near(pullReplyBytes * repliesPerBlock)),
      frameIndex: fc.oneof(fc.nat(15), fc.nat(300)),
    });
    fc.assert(
      fc.property(request, (asked) => {
        const { counters } = t.b.driver;
        const before = [...counters];
        const fields = {
          ...wire.newPullFields(),
          ...asked,
          dstEndpoint: 3,
          srcEndpoint: 2,
          session: B,
          pulledRdmaId: 7,
        };
        if (build.compat && Math.max(asked.pulledRdmaOffset, asked.blockLength) > 0xffff) return;
        t.send(t.a, make.pull(t.a, t.b, { ...fields, compat: build.compat }));
        t.run(t.engine.now + MS);
        const replies = t.takeWire();
        const drops = [count.DROP_PULL_BAD_REPLIES, count.DROP_PULL_BAD_OFFSET].filter((i) => counters[i] > before[i]);
        const start = asked.frameIndex * pullReplyBytes - asked.pulledRdmaOffset % pullReplyBytes +
          asked.firstFrameOffset;
        const frames = Math.ceil((asked.firstFrameOffset + asked.blockLength) / pullReplyBytes);
        const isInside = start >= 0 && asked.pulledRdmaOffset + start + asked.blockLength <= length &&
          asked.firstFrameOffset < pullReplyBytes;
        if (frames > repliesPerBlock) assert.deepEqual([drops, replies.length], [[count.DROP_PULL_BAD_REPLIES], 0]);
        else if (!isInside) assert.deepEqual([drops, replies.length], [[count.DROP_PULL_BAD_OFFSET], 0]);
        else {
          const wanted = repliesOf(data, fields, pullReplyBytes);
          assert.deepEqual(drops, []);
          assert.deepEqual(
            replies.map(({ fields }) => [fields.frameSeqnum, fields.msgOffset, fields.frameLength]),
            wanted.map(({ seq, offset, bytes }) => [seq, offset, bytes.length]),
          );
          for (const [i, reply] of replies.entries()) {
            const sent = reply.payloadLength > 0
              ? t.payloadOf(reply)
              : reply.bytes.subarray(32, 32 + reply.fields.frameLength);
            assert.equal(Buffer.compare(sent, Uint8Array.from(wanted[i].bytes)), 0);
          }
        }
      }),
      { numRuns: 150 },
    );
    t.clean();
  });
}

// ---- the puller

interface Block {
  readonly first: number;
  readonly length: number;
  readonly missing: Set<number>;
}

/**
 * Says which requests leave, and when: a list of blocks, and what is missing of each. The message begins `skew` bytes
 * into its frame 0; frame f has the bytes of the message that lie between f and f + 1 times the frame's size from there.
 */
class ModelPuller {
  readonly requests: number[][] = []; // at, first frame, bytes, offset in the first frame
  left: number;
  readonly #frameBytes: number;
  readonly #perBlock: number;
  readonly #total: number;
  readonly #skew: number;
  readonly #window: Block[] = [];
  #asked = 0;
  #quietSince = 0;
  /** Blocks that were asked for again since the last silence, because a later one was complete. */
  readonly #again = new Set<Block>();

  constructor(total: number, frameBytes: number, perBlock: number, skew: number) {
    this.#total = this.left = total;
    this.#frameBytes = frameBytes;
    this.#perBlock = perBlock;
    this.#skew = skew;
    this.#fill(0);
  }

  /** Bytes of the message in frames [from, to). */
  #bytesOf(from: number, to: number): number {
    const at = (frame: number) => Math.min(this.#total, Math.max(0, frame * this.#frameBytes - this.#skew));
    return at(to) - at(from);
  }

  /** Frame number `frame` of the message has come. */
  arrive(at: number, frame: number): void {
    this.silence(at);
    const number = this.#window.findIndex(({ missing }) => missing.has(frame));
    if (number < 0) return;
    const block = this.#window[number];
    block.missing.delete(frame);
    this.left -= this.#bytesOf(frame, frame + 1);
    this.#quietSince = at;
    if (block.missing.size > 0) return;
    if (number > 0) {
      const earlier = this.#window.slice(0, number);
      // Those before one that was asked for again have had their turn.
      const from = earlier.findLastIndex((each) => this.#again.has(each)) + 1;
      for (const each of earlier.slice(from)) {
        if (each.missing.size === 0) continue;
        this.#again.add(each);
        this.#ask(at, each);
      }
      return;
    }
    while (this.#window.length > 0 && this.#window[0].missing.size === 0) this.#window.shift();
    this.#fill(at);
  }

  /** Nothing accepted for a second: everything incomplete is asked for again, as often as that is over before `until`. */
  silence(until: number): void {
    while (this.left > 0 && this.#quietSince + SECOND <= until) {
      this.#quietSince += SECOND;
      this.#again.clear();
      for (const block of this.#window) if (block.missing.size > 0) this.#ask(this.#quietSince, block);
    }
  }

  #fill(at: number): void {
    while (this.#window.length < 4 && this.#bytesOf(0, this.#asked) < this.#total) {
      const first = this.#asked;
      this.#asked += this.#perBlock;
      const missing = new Set<number>();
      for (let frame = first; frame < this.#asked; frame++) if (this.#bytesOf(frame, frame + 1) > 0) missing.add(frame);
      const block = { first, length: this.#bytesOf(first, this.#asked), missing };
      this.#window.push(block);
      this.#ask(at, block);
    }
  }

  #ask(at: number, block: Block): void {
    this.requests.push([at, block.first, block.length, block.first === 0 ? this.#skew : 0]);
  }
}

/** A wire that loses, doubles and holds back frames until it has had `faults` of them. */
function spoil(t: DriverBench, random: Prng, faults: number, seen: (side: BenchSide, frame: number) => void): void {
  for (const side of [t.a, t.b]) {
    const receive = side.receive.bind(side);
    const deliver = (frame: number) => {
      seen(side, frame);
      receive(frame);
    };
    const late = t.engine.handler(`late ${side.name}`, deliver);
    side.receive = (frame: number) => {
      const fate = faults > 0 ? random.below(10) : 9;
      if (fate < 4) faults--;
      if (fate <= 1) t.frames.free(frame);
      else if (fate === 2) {
        t.engine.after(random.below(20) * US, late, copyFrame(t.frames, frame));
        deliver(frame);
      } else if (fate === 3) t.engine.after(random.below(8) === 0 ? 1500 * MS : random.below(300) * US, late, frame);
      else deliver(frame);
    };
  }
}

for (const build of BUILDS) {
  Deno.test(`${buildName(build)}: a puller asks for what a list of blocks says, when it says so, whatever the wire does`, () => {
    const pattern = make.pattern(6 * blockMax(mxLimits(build.mtu, build.compat)));
    for (let seed = 0; seed < 8; seed++) {
      const t = new DriverBench(build);
      const random = new Prng(seed, "pull model");
      const { pullReplyBytes, repliesPerBlock } = t.limits;
      const block = pullReplyBytes * repliesPerBlock;
      const total = Math.max(
        1,
        [1, block, 4 * block, 5 * block][seed % 4] + random.below(block >> 1) - (seed % 3) * 777,
      );
      const mine = t.a.open(2, A);
      const theirs = t.b.open(3, B);
      // Where the message begins in its owner's region: at its start, as Open-MX says, or somewhere.
      const base = [0, 0, 1, pullReplyBytes - 1, pullReplyBytes, 3 * pullReplyBytes + 77, 65535][seed % 7];
      const [source, target] = [t.memory.alloc(base + total), t.memory.alloc(total + 64)];
      const data = pattern.subarray(0, total);
      t.memory.u8.set(data, source + base);
      t.b.driver.createRegion(theirs.endpoint, 7, base + total, [{ address: source, length: base + total }]);
      t.a.driver.createRegion(mine.endpoint, 4, total, [{ address: target, length: total }]);
      const model = new ModelPuller(total, pullReplyBytes, repliesPerBlock, base % pullReplyBytes);
      const { view } = t.memory;
      spoil(t, random, seed * 6, (side, frame) => {
        if (side !== t.a || wire.packetType(view, t.frames.at(frame)) !== wire.PACKET_PULL_REPLY) return;
        model.arrive(t.engine.now, Math.ceil(wire.pullReplyMsgOffset(view, t.frames.at(frame)) / pullReplyBytes));
      });
      const command = { kind: c.CMD_PULL, peer: 1, endpoint: 3, session: B, length: total, region: 4, remoteRegion: 7 };
      t.a.execute(mine.endpoint, { ...command, cookie: 99, remoteOffset: base });
      t.run(60 * SECOND);
      const asked = t.wire.filter(({ name }) => name === "PULL")
        .map(({ at, fields }) => [at, fields.frameIndex, fields.blockLength, fields.firstFrameOffset]);
      assert.equal(model.left, 0, `seed ${seed}: everything has come`);
      assert.deepEqual(asked, model.requests, `seed ${seed}`);
      assert.deepEqual(mine.sink.events.map(({ type, small, length }) => [type, small, length]), [
        [c.EVENT_PULL_DONE, c.PULL_OK, total],
      ]);
      assert.equal(Buffer.compare(t.memory.u8.subarray(target, target + total), data), 0, `seed ${seed}: bytes`);
      assert.ok(t.memory.u8.subarray(target + total, target + total + 64).every((byte) => byte === 0));
      t.clean();
    }
  });
}

Deno.test("the offset that a RNDV names reaches the library", () => {
  const t = new DriverBench();
  const { sink } = t.b.open(3, B);
  const fields = {
    dstEndpoint: 3,
    srcEndpoint: 2,
    session: B,
    msgLength: 70_000,
    pulledRdmaId: 9,
    pulledRdmaSeqnum: 23,
  };
  t.send(t.a, make.rndv(t.a, t.b, { ...fields, pulledRdmaOffset: 0xfedc }));
  t.run(MS);
  assert.deepEqual(sink.events.map(({ type, small, extra }) => [type, small, extra]), [[c.EVENT_RNDV, 9, 0xfedc0017]]);
  t.clean();
});
