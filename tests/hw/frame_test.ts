import assert from "node:assert/strict";
import fc from "fast-check";
import { PAGE_SIZE, pagesSpanned } from "../../src/base/units.ts";
import { FramePool } from "../../src/hw/frame.ts";
import { Memory } from "../../src/hw/memory.ts";
import { Journeys } from "../../src/metrics/journey.ts";

/* Payload of a frame's own: what was copied into it stays, wherever it has come from and whatever becomes of that. */

const SIZE = 2 * PAGE_SIZE;
/** Of a sender, who shares bytes that stay; of a ring, where copies are deferred; and of a kernel, where they are made. */
const PLACES = ["sender", "ring", "kernel"] as const;
type Place = typeof PLACES[number];

class World {
  readonly memory = new Memory(1 << 20);
  readonly frames = new FramePool(this.memory, new Journeys(), 16);
  readonly at: Record<Place, number> = { sender: 0, ring: 0, kernel: 0 };
  /** What the sender shares. */
  table = 0;
  #written = 0;

  constructor() {
    for (const place of PLACES) this.at[place] = this.memory.alloc(SIZE);
    this.memory.defer(this.at.ring, SIZE);
    for (const place of PLACES) this.fill(place);
  }

  /** Somebody else's bytes from now on. */
  fill(place: Place): void {
    const seed = ++this.#written;
    const { memory, at } = this;
    const bytes = Uint8Array.from({ length: SIZE }, (_, i) => i * 7 + (i >> 8) * 3 + seed * 41);
    if (place !== "sender") return memory.write(at[place], bytes);
    this.table = memory.alloc(SIZE);
    memory.write(this.table, bytes);
    memory.keep(this.table, SIZE);
    memory.clear(at.sender, SIZE);
    memory.defer(at.sender, SIZE);
    memory.copy(at.sender, this.table, SIZE);
  }

  read(place: Place, offset: number, length: number): Uint8Array {
    return this.memory.bytes(this.at[place] + offset, length).slice();
  }

  payload(frame: number): Uint8Array {
    return this.memory.bytes(this.frames.payloadOf(frame), this.frames.payloadLengthOf(frame));
  }
}

const offset = fc.oneof(fc.nat({ max: SIZE }), fc.constantFrom(0, 512, PAGE_SIZE));
const length = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.constantFrom(512, 511, 4000));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant("add" as const), from: fc.constantFrom(...PLACES), offset, length }),
  },
  // Where the piece before has ended, as of a packet in several buffers.
  { weight: 4, arbitrary: fc.record({ what: fc.constant("go on" as const), length }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("arrive" as const), offset, source: offset, length }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("fill" as const), place: fc.constantFrom(...PLACES) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("copy" as const) }) },
);

Deno.test("a frame's own payload is what was copied into it, whatever becomes of where it has come from", () => {
  const all = fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const world = new World();
    const { memory, frames, at } = world;
    const made: { frame: number; bytes: number[] }[] = [{ frame: frames.take(60), bytes: [] }];
    let [from, next]: [Place, number] = ["sender", 0];
    const add = (length: number) => {
      const bytes = Math.min(length, SIZE - next, 9000 - made[0].bytes.length);
      if (bytes <= 0) return;
      made[0].bytes.push(...world.read(from, next, bytes));
      frames.addCopy(made[0].frame, at[from] + next, bytes);
      next += bytes;
    };
    for (const step of steps) {
      if (step.what === "add") {
        [from, next] = [step.from, step.offset];
        add(step.length);
      } else if (step.what === "go on") add(step.length);
      else if (step.what === "fill") world.fill(step.place);
      else if (step.what === "arrive") {
        const bytes = Math.min(step.length, SIZE - step.offset, SIZE - step.source);
        if (bytes > 0) memory.copy(at.ring + step.offset, at.sender + step.source, bytes);
      } else if (made.length < 8) made.push({ frame: frames.copy(made[0].frame), bytes: [...made[0].bytes] });
    }
    for (const { frame, bytes } of made) {
      assert.deepEqual([...world.payload(frame)], bytes);
      assert.equal(frames.payloadPages(frame), pagesSpanned(0, bytes.length), "as in a buffer of its own");
      frames.free(frame);
    }
  });
  fc.assert(all, { numRuns: 300 });
});

Deno.test("a frame that owns bytes which stay as they are refers to them, whoever has their sender's place by then", () => {
  const world = new World();
  const { memory, frames, at, payload, fill, read } = bound(world);
  const { table } = world;
  const frame = frames.take(60);
  frames.attach(frame, at.sender + 100, PAGE_SIZE);
  assert.equal(frames.payloadPages(frame), 2, "where it lies across two pages");
  const before = read("sender", 100, PAGE_SIZE);
  frames.own(frame);
  frames.own(frame);
  assert.deepEqual([memory.copies, frames.payloadOf(frame)], [0, table + 100]);
  assert.equal(frames.payloadPages(frame), 1, "a copy would begin with a page");
  fill("sender");
  assert.deepEqual(payload(frame), before);
  assert.equal(memory.copies, 0);
});

Deno.test("a frame that only refers to bytes sees what becomes of them", () => {
  const { frames, at, payload, fill, read } = bound(new World());
  const frame = frames.take(60);
  frames.attach(frame, at.sender, 1000);
  fill("sender");
  assert.deepEqual(payload(frame), read("sender", 0, 1000));
});

Deno.test("frames keep what is known of them while the pool makes room for more, up to its capacity", () => {
  const frames = new FramePool(new Memory(4 << 20), new Journeys(), 2000);
  const taken = Array.from({ length: 2000 }, (_, i) => {
    const frame = frames.take(60 + i % 100);
    frames.attach(frame, 4096 * i, i);
    return frame;
  });
  assert.equal(new Set(taken).size, 2000);
  assert.equal(frames.take(60), -1);
  assert.equal(frames.exhausted, 1);
  for (const [i, frame] of taken.entries()) {
    assert.deepEqual(
      [frames.linearOf(frame), frames.payloadOf(frame), frames.payloadLengthOf(frame), frames.journeyOf(frame)],
      [60 + i % 100, 4096 * i, i, -1],
    );
  }
});

function bound(world: World) {
  const { memory, frames, at } = world;
  return {
    memory,
    frames,
    at,
    payload: world.payload.bind(world),
    fill: world.fill.bind(world),
    read: world.read.bind(world),
  };
}
