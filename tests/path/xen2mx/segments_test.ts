import assert from "node:assert/strict";
import { PULL_OK, RESULT_INVALID, RESULT_OK, type Segment } from "../../../src/mx/driver/contract.ts";
import { Raw, scattered } from "./raw.ts";
import { patternAt, Stage } from "./support.ts";

/* Regions of several segments at cut 1: one ring message has two (reference, 4.5), a region up to 256. */

function fill(stage: Stage, segments: readonly Segment[], salt: number): void {
  let at = 0;
  for (const { address, length } of segments) {
    for (let i = 0; i < length; i++) stage.memory.u8[address + i] = patternAt(at++, salt);
  }
}

function check(stage: Stage, segments: readonly Segment[], salt: number): void {
  let at = 0;
  for (const [n, { address, length }] of segments.entries()) {
    for (let i = 0; i < length; i++) {
      if (stage.memory.u8[address + i] !== patternAt(at++, salt)) assert.fail(`segment ${n}, byte ${i}`);
    }
  }
}

const uneven = (count: number) => Array.from({ length: count }, (_, i) => 1 + (i * 977) % 2300);
const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);

/** Sizes of the sender's stretches and of the receiver's. */
const LAYOUTS: [number[], number[]][] = [
  [[70_000], uneven(40)],
  [[1, 4096, 30_000], [100_000]],
  [uneven(256), uneven(255)],
  [[5000, 0, 40_000, 0], [0, 9000, 60_000]],
];

Deno.test("regions of 1 to 256 segments are served and filled, between hosts and inside one", () => {
  for (const options of [{ path: "xen2mx" }, { path: "xen2mx-plain" }, { hosts: 1 }]) {
    const stage = new Stage(options);
    const [server, puller] = stage.actors.map((actor) => new Raw(stage, actor));
    let ready = false;
    let done = false;
    server.play(function* () {
      yield* server.open(0, 11);
      for (const [i, [sizes]] of LAYOUTS.entries()) {
        const segments = scattered(server.actor, sizes);
        fill(stage, segments, i);
        assert.equal(yield* server.create(i, segments), RESULT_OK);
      }
      yield* server.greet(puller);
      ready = true;
      while (!done) yield 100_000_000;
      for (const i of LAYOUTS.keys()) assert.equal(yield* server.destroy(i), RESULT_OK);
      yield* server.close();
    });
    puller.play(function* () {
      yield* puller.open(1, 22);
      while (!ready) yield 100_000_000;
      yield* puller.greet(server);
      for (const [i, [from, to]] of LAYOUTS.entries()) {
        const segments = scattered(puller.actor, to);
        const length = Math.min(sum(from), sum(to));
        assert.equal(yield* puller.create(9, segments), RESULT_OK);
        assert.deepEqual(yield* puller.pull(server, i, 9, length), { status: PULL_OK, length });
        assert.equal(yield* puller.destroy(9), RESULT_OK);
        check(stage, cut(segments, length), i);
      }
      done = true;
      yield* puller.close();
    });
    stage.run();
    assert.ok(server.finished && puller.finished);
    stage.nothingLeft();
  }
});

/** The first `length` bytes of a buffer. */
function cut(segments: readonly Segment[], length: number): Segment[] {
  let left = length;
  return segments.map((segment) => {
    const bytes = Math.min(left, segment.length);
    left -= bytes;
    return { address: segment.address, length: bytes };
  });
}

Deno.test("a region takes a message for every two segments, and one when its mapping is still there", () => {
  const stage = new Stage({ hosts: 1, guests: 1 });
  const raw = new Raw(stage, stage.actors[0]);
  const { ring } = raw.driver.device;
  const messages: number[] = [];
  raw.play(function* () {
    yield* raw.open(0, 11);
    for (const count of [1, 2, 3, 9]) {
      const segments = scattered(raw.actor, uneven(count));
      for (let again = 0; again < 2; again++) {
        const before = ring.reqProdPvt;
        assert.equal(yield* raw.create(0, segments), RESULT_OK);
        messages.push(ring.reqProdPvt - before);
        assert.equal(yield* raw.destroy(0), RESULT_OK);
      }
    }
    yield* raw.close();
  });
  stage.run();
  assert.deepEqual(messages, [1, 1, 1, 1, 2, 1, 5, 1]);
  stage.nothingLeft();
});

Deno.test("what can never be registered is refused for good, not for now", () => {
  const stage = new Stage({ hosts: 1, guests: 1 });
  const raw = new Raw(stage, stage.actors[0]);
  raw.play(function* () {
    yield* raw.open(0, 11);
    const address = raw.actor.alloc(4096);
    const many = Array.from({ length: 257 }, () => ({ address, length: 1 }));
    assert.equal(yield* raw.create(0, many), RESULT_INVALID);
    // More pages than the grant table has entries: 64 MiB, and above the message's 16 lists in one segment.
    assert.equal(yield* raw.create(0, [{ address, length: 65 << 20 }]), RESULT_INVALID);
    assert.equal(yield* raw.destroy(0), RESULT_INVALID);
    assert.equal(yield* raw.create(0, [{ address, length: 1 }]), RESULT_OK);
    assert.equal(yield* raw.create(0, [{ address, length: 1 }]), RESULT_INVALID, "the number is in use");
    yield* raw.close();
  });
  stage.run();
  assert.ok(raw.finished);
  stage.nothingLeft();
});
