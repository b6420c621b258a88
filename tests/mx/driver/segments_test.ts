import assert from "node:assert/strict";
import fc from "fast-check";
import { MS, PAGE_SIZE, SECOND, US } from "../../../src/base/units.ts";
import * as c from "../../../src/mx/driver/contract.ts";
import * as count from "../../../src/mx/driver/counters.ts";
import { NativeDriver } from "../../../src/mx/driver/native.ts";
import { counted, DriverBench } from "../../support/driver_bench.ts";
import * as make from "./frames.ts";

/* Buffers in several stretches: regions, the pulls between them, and medium messages from the program's own pages. */

const A = 0xaaaa0001;
const B = 0xbbbb0002;
const to = { peer: 1, endpoint: 3, session: B, seq: 9, piggyack: 4, matchA: 1, matchB: 2 };

/** Memory in stretches of these lengths, no two of them neighbours. */
function stretches(t: DriverBench, lengths: readonly number[]): c.Segment[] {
  return lengths.map((length) => ({ address: t.memory.alloc(length + 64) + 32, length }));
}

function fill(t: DriverBench, segments: readonly c.Segment[], data: Uint8Array): void {
  let from = 0;
  for (const { address, length } of segments) t.memory.u8.set(data.subarray(from, from += length), address);
}

function contents(t: DriverBench, segments: readonly c.Segment[]): Uint8Array {
  return Uint8Array.from(
    segments.flatMap(({ address, length }) => [...t.memory.u8.subarray(address, address + length)]),
  );
}

const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + length, 0);

Deno.test("a pull between buffers in any stretches delivers every byte, whatever borders a reply spans", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lengths, lengths, fc.boolean(), fc.nat(), (from, into, isLocal, cut) => {
      const t = new DriverBench();
      const mine = t.a.open(2, A);
      const theirs = isLocal ? t.a.open(3, B) : t.b.open(3, B);
      const length = Math.max(1, Math.min(sum(from), sum(into)) - cut % 100);
      const source = stretches(t, from);
      const target = stretches(t, into);
      fill(t, source, make.pattern(sum(from)));
      (isLocal ? t.a : t.b).driver.createRegion(theirs.endpoint, 7, sum(from), source);
      t.a.driver.createRegion(mine.endpoint, 4, sum(into), target);
      const pull = { ...to, peer: isLocal ? 0 : 1, kind: c.CMD_PULL, length, region: 4, remoteRegion: 7 };
      assert.equal(t.a.execute(mine.endpoint, pull), c.RESULT_OK);
      t.run(t.engine.now + 10 * MS);
      assert.deepEqual(mine.sink.events.map(({ small, length }) => [small, length]), [[c.PULL_OK, length]]);
      const got = contents(t, target);
      assert.deepEqual(got.subarray(0, length), make.pattern(sum(from)).subarray(0, length));
      assert.ok(got.subarray(length).every((byte) => byte === 0), "and no byte more");
      t.clean();
    }),
    { numRuns: 40, seed: 11 },
  );
});

Deno.test("a reply is gathered from up to 16 stretches; from more it is copied together, which costs and is counted", () => {
  for (const [piece, linear] of [[PAGE_SIZE, 0], [700, 0], [100, 1]]) {
    const t = new DriverBench({ costs: { copyUncachedByte: 1000 } });
    const mine = t.a.open(2, A);
    const theirs = t.b.open(3, B);
    const length = t.limits.pullReplyBytes;
    const pieces = Math.ceil(length / piece);
    const source = stretches(t, Array.from({ length: pieces }, () => piece));
    t.b.driver.createRegion(theirs.endpoint, 7, length, source);
    t.a.driver.createRegion(mine.endpoint, 4, length, stretches(t, [length]));
    t.a.execute(mine.endpoint, { ...to, kind: c.CMD_PULL, length, region: 4, remoteRegion: 7 });
    t.expect(t.a, "PULL");
    const asked = t.engine.now;
    const reply = t.expect(t.b, "PULL_REPLY", { frameLength: length }, MS);
    assert.equal(t.b.driver.counters[count.PULL_REPLY_LINEAR], linear, `pieces of ${piece}`);
    assert.equal(reply.at - asked >= 1000 * length, linear === 1, `pieces of ${piece}: a copy takes time`);
    t.run(t.engine.now + SECOND / 10);
    t.clean();
  }
});

/** A native driver on the bench's side a, and what its owner was told. */
function native() {
  const t = new DriverBench({ costs: { pinPage: 1000, unpinPage: 10, pinBase: 7 } });
  const driver = new NativeDriver(t.a.driver, "test", "a", 0, 16);
  const results: number[] = [];
  const owner = {
    commandDone: (_kind: number, _cookie: number, result: number) => results.push(result),
    openFailed: (result: number) => assert.fail(`the open was refused: ${result}`),
    wake: () => {},
  };
  t.a.burst((cpu) => assert.ok(driver.open(cpu, 2, A, owner) !== null));
  /** Executes a command as a thread that stays in the kernel does; returns the picoseconds that it took. */
  const run = (fields: Partial<c.MxCommand>) => {
    let took = 0;
    t.run(t.engine.now + US); // the processor is through with what came before
    t.a.burst((cpu) => {
      const from = cpu.now;
      driver.submit(cpu, Object.assign(new c.MxCommand(), fields));
      while (!driver.advance(cpu));
      took = cpu.now - from;
    });
    return took;
  };
  return { t, results, run };
}

Deno.test("a region in segments pins every page that any of them touches, and releases as many", () => {
  const { t, results, run } = native();
  const base = t.memory.alloc(64 * PAGE_SIZE);
  const segments = [
    { address: base + 100, length: PAGE_SIZE }, // 2 pages
    { address: base + 8 * PAGE_SIZE, length: 1 }, // 1
    { address: base + 10 * PAGE_SIZE + 4095, length: 40 * PAGE_SIZE + 2 }, // 42
  ];
  const length = sum(segments.map((segment) => segment.length));
  const create = { kind: c.CMD_CREATE_REGION, region: 5, regionSeq: 23, length };
  assert.equal(run({ ...create, segments }), 7 + 45 * 1000);
  assert.equal(run({ kind: c.CMD_DESTROY_REGION, region: 5 }), 45 * 10);
  run({ ...create, segments, length: length + 1 });
  run({ ...create, segments: Array.from({ length: 257 }, () => segments[0]) });
  assert.deepEqual(results, [c.RESULT_OK, c.RESULT_OK, c.RESULT_INVALID, c.RESULT_INVALID]);
});

Deno.test("a medium message from user pages: fragments tile it across its segments, one event when the last has left", () => {
  for (const compat of [false, true]) {
    const t = new DriverBench({ compat });
    const mine = t.a.open(2, A);
    const theirs = t.b.open(3, B);
    const lengths = [1, 5000, 20, 9000, 8000, 700];
    const length = sum(lengths);
    const segments = stretches(t, lengths);
    const data = make.pattern(length);
    fill(t, segments, data);
    const cookies: number[] = [];
    t.link.tap.listen((side, frame) => {
      if (side === 0) cookies.push(t.frames.doneOf(frame));
    });
    const command = { ...to, kind: c.CMD_SEND_MEDIUM_VA, length, segments, cookie: 77 };
    assert.equal(t.a.execute(mine.endpoint, command), c.RESULT_OK);
    t.run(t.engine.now + MS);
    const size = t.limits.mediumFragmentBytes;
    const fragments = Math.ceil(length / size);
    const got = new Uint8Array(length);
    for (const event of theirs.sink.events) {
      assert.deepEqual([event.type, event.length, event.seq, event.piggyack], [c.EVENT_MEDIUM_FRAG, length, 9, 4]);
      got.set(event.data, event.small * size);
    }
    assert.deepEqual(got, data);
    assert.deepEqual(counted(t.a), { [count.SEND_MEDIUM_VA]: fragments });
    for (const [i, cookie] of cookies.entries()) {
      t.a.burst((cpu) => t.a.driver.frameSent(cpu, cookie));
      assert.equal(mine.sink.events.length, i === fragments - 1 ? 1 : 0);
    }
    assert.deepEqual([mine.sink.events[0].type, mine.sink.events[0].cookie], [c.EVENT_MEDIUM_DONE, 77]);
    t.clean();
  }
});

Deno.test("pages of a medium message are pinned at once and released with the last frame", () => {
  const t = new DriverBench({ costs: { pinPage: 1000, unpinPage: 10, pinBase: 7 } });
  const mine = t.a.open(2, A);
  const address = t.memory.alloc(4 * PAGE_SIZE) + 10;
  t.a.portFull = true; // every frame is through at once
  t.a.burst((cpu) => {
    const from = cpu.now;
    const command = { ...to, kind: c.CMD_SEND_MEDIUM_VA, address, length: 3 * PAGE_SIZE };
    t.a.driver.execute(cpu, 1, mine.endpoint, Object.assign(new c.MxCommand(), command));
    assert.equal(cpu.now - from, 7 + 4 * 1010);
  });
  assert.equal(mine.sink.events.length, 1);
});

Deno.test("a medium message that is empty, too long, in too many segments or not in them is refused", () => {
  const t = new DriverBench();
  const mine = t.a.open(2, A);
  const address = t.memory.alloc(PAGE_SIZE);
  const many = Array.from({ length: 257 }, () => ({ address, length: 1 }));
  const wrongs = [{ length: 0 }, { length: 262145 }, { length: 257, segments: many }, {
    length: 3,
    segments: [{ address, length: 2 }],
  }];
  for (const wrong of wrongs) {
    const command = { ...to, kind: c.CMD_SEND_MEDIUM_VA, address, ...wrong };
    assert.equal(t.a.execute(mine.endpoint, command), c.RESULT_INVALID, JSON.stringify(wrong).slice(0, 50));
  }
  t.silence(t.engine.now + US);
  t.clean();
});

Deno.test("between endpoints of one host a medium message is counted once, and only when all of it was delivered", () => {
  const t = new DriverBench();
  const mine = t.a.open(2, A);
  const other = t.a.open(6, B);
  const address = t.memory.alloc(20000);
  const command = { ...to, peer: 0, endpoint: 6, kind: c.CMD_SEND_MEDIUM_VA, address, length: 20000, cookie: 5 };
  t.a.execute(mine.endpoint, command);
  other.sink.room = 1;
  t.a.execute(mine.endpoint, command);
  assert.equal(other.sink.events.length, 4);
  assert.deepEqual(mine.sink.events.map(({ type, cookie }) => [type, cookie]), Array(2).fill([c.EVENT_MEDIUM_DONE, 5]));
  assert.deepEqual(counted(t.a), { [count.SHARED_MEDIUM_VA]: 1, [count.UNEXP_QUEUE_FULL]: 2 });
  t.clean();
});
