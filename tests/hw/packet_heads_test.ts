import assert from "node:assert/strict";
import fc from "fast-check";
import { PAGE_SIZE } from "../../src/base/units.ts";
import { Memory } from "../../src/hw/memory.ts";
import { HEAD_BYTES } from "../../src/hw/packet_heads.ts";

/** A sender's buffer, two rings of packets, a page where such are put together, and one of anything. */
const SENDER = 0;
const isRing = (place: number) => place === 1 || place === 2;
const SCRATCH = 3;
const PLAIN = 4;
const PLACES = 5;
const SIZE = 2 * PAGE_SIZE;

const any = fc.nat({ max: PLACES - 1 });
const page = fc.nat({ max: 1 }).map((number) => number * PAGE_SIZE);
/** Heads lie at the begin of a page: most of what is done is done there. */
const offset = fc.oneof(
  fc.nat({ max: SIZE }),
  page,
  fc.tuple(page, fc.oneof(fc.constantFrom(12, 84, 255, 256), fc.nat({ max: 300 }))).map(([at, more]) => at + more),
);
const length = fc.oneof(
  fc.nat({ max: 300 }),
  fc.constantFrom(0, 12, 72, 256, 511, 512),
  fc.integer({ min: PAGE_SIZE - 100, max: PAGE_SIZE + 100 }),
  fc.nat({ max: SIZE }),
);
const step = fc.record({
  what: fc.constantFrom(
    "copy",
    "copy",
    "copy",
    "packet",
    "packet",
    "take",
    "read",
    "write",
    "compare",
    "discard",
    "own",
  ),
  to: any,
  from: any,
  at: offset,
  source: offset,
  length,
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function pattern(seed: number, length = SIZE): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed * 101) & 0xff);
}

/** What nobody may ask for: it was discarded. */
const UNKNOWN = -1;

/** The memory, and beside it a world where every copy is made at once. */
class Twin {
  readonly memory = new Memory(1 << 20);
  readonly address = Array.from({ length: PLACES }, () => this.memory.alloc(SIZE));
  readonly model = this.address.map(() => new Int16Array(SIZE));
  #seed = 0;
  /** The header that was written last, until anything else is done in its place. */
  #header = { place: 1, at: 0, length: 0 };

  constructor() {
    for (const place of this.address.keys()) this.#own(place);
  }

  step({ what, to, from, at, source, length: wanted }: Step): void {
    const length = Math.min(wanted, SIZE - at);
    const common = Math.min(length, SIZE - source);
    if (what === "read") this.read(to, at, length);
    if (what === "compare") this.#compare(to, at, from, source, common);
    if (what === "take") this.#take();
    if (to === SENDER && what !== "own") return;
    if (what === "copy" && to !== from) this.#copy(to, at, from, source, common);
    if (what === "packet" && isRing(to) && at < SIZE) this.#packet(to, at - (at % PAGE_SIZE), wanted, source);
    if (what === "write") this.#write(to, at, length);
    if (what === "discard" && isRing(to)) this.#discard(to, at, length);
    if (what === "own" && to === PLAIN) this.#own(to);
  }

  read(place: number, at: number, length: number): void {
    const bytes = this.memory.bytes(this.address[place] + at, length);
    for (let i = 0; i < length; i++) {
      const expected = this.model[place][at + i];
      if (expected !== UNKNOWN) assert.equal(bytes[i], expected, `place ${place} byte ${at + i}`);
    }
  }

  #own(place: number): void {
    const { memory, address, model } = this;
    if (isRing(place)) return memory.deferPackets(address[place], SIZE);
    if (place === SCRATCH) return memory.defer(address[place], SIZE);
    memory.clear(address[place], SIZE);
    model[place].set(pattern(this.#seed++));
    memory.u8.set(model[place], address[place]);
    if (place === SENDER) memory.keep(address[place], SIZE);
  }

  #copy(to: number, at: number, from: number, source: number, length: number): void {
    this.memory.copy(this.address[to] + at, this.address[from] + source, length);
    this.model[to].set(this.model[from].subarray(source, source + length), at);
    this.#header.length = 0;
  }

  /** Headers of up to 192 bytes, before them sometimes virtio's, and payload behind them, as a backend writes them. */
  #packet(to: number, at: number, seed: number, source: number): void {
    const before = seed % 2 === 0 ? 0 : 12;
    const header = 14 + seed % 178;
    this.#copy(to, at + before, PLAIN, source % 1000, header);
    const payload = Math.min(seed, SIZE - at - before - header, SIZE - source);
    if (payload > 0) this.#copy(to, at + before + header, SENDER, source, payload);
    if (before > 0) {
      const bytes = pattern(this.#seed++, before);
      const place = this.memory.headToWrite(this.address[to] + at, before);
      for (const [i, byte] of bytes.entries()) this.memory.view.setUint8(place + i, byte);
      this.model[to].set(bytes, at);
    }
    this.#header = { place: to, at: at + before, length: header };
    const place = this.memory.headAt(this.address[to] + at + before);
    for (const [i, byte] of this.model[to].subarray(at + before, at + before + header).entries()) {
      if (byte !== UNKNOWN) assert.equal(this.memory.view.getUint8(place + i), byte);
    }
  }

  #take(): void {
    const { place, at, length } = this.#header;
    if (length === 0) return;
    this.memory.takeHeader(this.address[PLAIN], this.address[place] + at, length);
    this.model[PLAIN].set(this.model[place].subarray(at, at + length));
    this.model[place].fill(UNKNOWN, at - (at % PAGE_SIZE), at + length);
    this.#header.length = 0;
  }

  #write(place: number, at: number, length: number): void {
    const bytes = pattern(this.#seed++, length);
    this.memory.write(this.address[place] + at, bytes);
    this.model[place].set(bytes, at);
    this.#header.length = 0;
  }

  #discard(place: number, at: number, length: number): void {
    this.memory.discard(this.address[place] + at, length);
    this.model[place].fill(UNKNOWN, at, at + length);
    this.#header.length = 0;
  }

  #compare(to: number, at: number, from: number, source: number, length: number): void {
    const [a, b] = [this.model[to].subarray(at, at + length), this.model[from].subarray(source, source + length)];
    if (a.includes(UNKNOWN) || b.includes(UNKNOWN)) return;
    const same = this.memory.equal(this.address[to] + at, this.address[from] + source, length);
    assert.equal(same, a.every((byte, i) => byte === b[i]));
  }
}

Deno.test("packets in a ring cannot be told from those of a world where every copy is made at once", () => {
  const all = fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
    const twin = new Twin();
    for (const next of steps) twin.step(next);
    for (const place of twin.address.keys()) twin.read(place, 0, SIZE);
  });
  fc.assert(all, { numRuns: 1000 });
});

/** A ring of so many pages, a sender's bytes that stay, and a header. */
function ring(pages: number) {
  const memory = new Memory(1 << 20);
  const [sender, header, to] = [SIZE, PAGE_SIZE, PAGE_SIZE].map((bytes) => memory.alloc(bytes));
  memory.u8.set(pattern(1), sender);
  memory.keep(sender, SIZE);
  memory.u8.set(pattern(2, PAGE_SIZE), header);
  const first = memory.alloc(pages * PAGE_SIZE);
  memory.deferPackets(first, pages * PAGE_SIZE);
  return { memory, sender, header, to, first, bytes: pages * PAGE_SIZE };
}

Deno.test("packets that go round a ring touch none of its pages, whether they are taken or not", () => {
  for (const taken of [true, false]) {
    const { memory, sender, header, to, first, bytes } = ring(64);
    for (let round = 0; round < 3; round++) {
      for (let at = first; at < first + bytes; at += 2 * PAGE_SIZE) {
        memory.copy(at + 12, header, 72);
        memory.copy(at + 84, sender, 8000);
        memory.view.setUint32(memory.headToWrite(at, 12), round + 1);
        assert.equal(memory.view.getUint32(memory.headAt(at)), round + 1);
        if (taken) memory.takeHeader(to, at + 12, 72);
        assert.ok(memory.equal(at + 84, sender, 8000));
        memory.discard(at + 84, 8000);
      }
    }
    assert.ok(memory.u8.subarray(first, first + bytes).every((byte) => byte === 0));
  }
});

Deno.test("heads that have been taken leave their places to the next, so that few are ever touched", () => {
  const { memory, header, to, first, bytes } = ring(64);
  const places = new Set<number>();
  for (let at = first; at < first + bytes; at += PAGE_SIZE) {
    memory.copy(at, header, 100);
    places.add(memory.headAt(at));
    memory.takeHeader(to, at, 100);
    assert.equal(memory.headAt(at), at, "it has none any more");
  }
  assert.equal(places.size, 1);
});

Deno.test("every page of several rings may have a head at the same time", () => {
  const memory = new Memory(1 << 20);
  const header = memory.alloc(PAGE_SIZE);
  const rings = [1, 255, 300].map((pages) => ({ pages, first: memory.alloc(pages * PAGE_SIZE) }));
  for (const { first, pages } of rings) memory.deferPackets(first, pages * PAGE_SIZE);
  const all = rings.flatMap(({ first, pages }) => Array.from({ length: pages }, (_, i) => first + i * PAGE_SIZE));
  const places = new Set<number>();
  for (const [i, at] of all.entries()) {
    memory.u8.set(pattern(i, HEAD_BYTES), header);
    memory.copy(at, header, HEAD_BYTES);
    places.add(memory.headAt(at));
  }
  assert.equal(places.size, all.length);
  for (const [i, at] of all.entries()) assert.deepEqual(memory.bytes(at, HEAD_BYTES), pattern(i, HEAD_BYTES));
});

Deno.test("a head is not taken for bytes that stay as they are", () => {
  const { memory, sender, header, first } = ring(1);
  memory.copy(first, header, 100);
  memory.copy(first + 100, sender, 1000);
  assert.equal(memory.placeOfKept(first, 100), -1);
  assert.equal(memory.placeOfKept(first + 50, 100), -1);
  assert.equal(memory.placeOfKept(first + 100, 1000), sender);
});
