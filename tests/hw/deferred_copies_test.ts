import assert from "node:assert/strict";
import fc from "fast-check";
import { PAGE_SIZE } from "../../src/base/units.ts";
import { Memory } from "../../src/hw/memory.ts";

/** Two senders' buffers, two receivers', and an ordinary one, of two pages each. */
const PLACES = 5;
const SIZE = 2 * PAGE_SIZE;
const isSender = (place: number) => place < 2;
const isReceiver = (place: number) => place === 2 || place === 3;

const any = fc.nat({ max: PLACES - 1 });
const offset = fc.oneof(fc.nat({ max: SIZE }), fc.constantFrom(0, 511, 512, PAGE_SIZE, SIZE));
const step = fc.record({
  // Most copies go on where the one before has ended, from there or from anywhere.
  what: fc.constantFrom(
    "copy",
    "copy",
    "go on",
    "go on",
    "go on",
    "go on elsewhere",
    "read",
    "write",
    "compare",
    "another owner",
  ),
  to: any,
  from: any,
  at: offset,
  source: offset,
  length: fc.oneof(offset, fc.integer({ min: 500, max: 1500 })),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Bytes that differ within any page, and from one seed to the next. */
function pattern(seed: number): Uint8Array {
  return Uint8Array.from({ length: SIZE }, (_, i) => (i * 31 + (i >> 8) * 7 + seed * 101) & 0xff);
}

/** The memory, and beside it what should be in it. */
class Twin {
  readonly memory = new Memory(1 << 20);
  readonly address = Array.from({ length: PLACES }, () => this.memory.alloc(SIZE));
  readonly model = this.address.map(() => new Uint8Array(SIZE));
  #owners = 0;
  /** Ends of the latest copy. */
  #to = 2;
  #at = 0;
  #from = 0;
  #source = 0;

  constructor() {
    for (const place of this.address.keys()) this.#own(place);
  }

  step({ what, to, from, at, source, length }: Step): void {
    if (what === "copy") this.#copy(to, at, from, source, length);
    if (what === "go on") this.#copy(this.#to, this.#at, this.#from, this.#source, length);
    if (what === "go on elsewhere") this.#copy(this.#to, this.#at, from, source, length);
    if (what === "write") this.#write(to, at, Math.min(length, SIZE - at));
    if (what === "read") this.read(to, at, Math.min(length, SIZE - at));
    if (what === "compare") this.#compare(to, at, from, source, Math.min(length, SIZE - at, SIZE - source));
    if (what !== "another owner" || isSender(to)) return;
    this.memory.clear(this.address[to], SIZE);
    this.model[to].fill(0);
    this.#own(to);
  }

  read(place: number, at: number, length: number): void {
    const bytes = this.memory.bytes(this.address[place] + at, length);
    assert.deepEqual(bytes, this.model[place].subarray(at, at + length));
  }

  #own(place: number): void {
    const { memory, address, model } = this;
    if (isReceiver(place)) return memory.defer(address[place], SIZE);
    model[place].set(pattern(this.#owners++));
    memory.u8.set(model[place], address[place]);
    if (isSender(place)) memory.keep(address[place], SIZE);
  }

  #copy(to: number, at: number, from: number, source: number, wanted: number): void {
    if (isSender(to) || to === from) return;
    const length = Math.min(wanted, SIZE - at, SIZE - source);
    this.memory.copy(this.address[to] + at, this.address[from] + source, length);
    this.model[to].set(this.model[from].subarray(source, source + length), at);
    [this.#to, this.#at, this.#from, this.#source] = [to, at + length, from, source + length];
  }

  #write(place: number, at: number, length: number): void {
    if (isSender(place)) return;
    const bytes = pattern(this.#owners++).subarray(0, length);
    this.memory.write(this.address[place] + at, bytes);
    this.model[place].set(bytes, at);
  }

  #compare(to: number, at: number, from: number, source: number, length: number): void {
    const [a, b] = [this.model[to].subarray(at, at + length), this.model[from].subarray(source, source + length)];
    const same = this.memory.equal(this.address[to] + at, this.address[from] + source, length);
    assert.equal(same, a.every((byte, i) => byte === b[i]));
  }
}

Deno.test("a copy that is deferred cannot be told from one that is made", () => {
  const all = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const twin = new Twin();
    for (const next of steps) twin.step(next);
    for (const place of twin.address.keys()) twin.read(place, 0, SIZE);
  });
  fc.assert(all, { numRuns: 500 });
});

Deno.test("a message that arrives in order is not copied, and neither is what is copied on from there", () => {
  const memory = new Memory(1 << 20);
  const [sender, receiver, third] = [1, 2, 3].map(() => memory.alloc(SIZE));
  memory.u8.set(pattern(1), sender);
  memory.keep(sender, SIZE);
  memory.defer(receiver, SIZE);
  memory.defer(third, SIZE);
  for (let at = 0; at < SIZE; at += 1024) memory.copy(receiver + at, sender + at, 1024);
  memory.copy(third, receiver, SIZE);
  assert.equal(memory.copies, 0);
  assert.ok(memory.equal(third, sender, SIZE));
  assert.ok(memory.u8.subarray(third, third + SIZE).every((byte) => byte === 0), "nothing was written");
  assert.deepEqual(memory.bytes(third, SIZE), pattern(1));
});

Deno.test("of a buffer that is discarded nothing is remembered, and what lies beside it stays", () => {
  const memory = new Memory(1 << 20);
  const [sender, receiver] = [1, 2].map(() => memory.alloc(SIZE));
  memory.u8.set(pattern(1), sender);
  memory.keep(sender, SIZE);
  memory.defer(receiver, SIZE);
  memory.copy(receiver, sender, SIZE);
  memory.discard(receiver + 1000, 2000);
  assert.deepEqual(memory.bytes(receiver, 1000), pattern(1).subarray(0, 1000));
  assert.deepEqual(memory.bytes(receiver + 1000, 2000), new Uint8Array(2000), "as it was");
  assert.deepEqual(memory.bytes(receiver + 3000, SIZE - 3000), pattern(1).subarray(3000));
});

Deno.test("what was promised to stay as it is may not be copied over, nor be anybody else's", () => {
  const memory = new Memory(1 << 20);
  const sender = memory.alloc(SIZE);
  memory.keep(sender, SIZE);
  assert.throws(() => memory.copy(sender + 8, sender + PAGE_SIZE, 8), /constant/);
  assert.throws(() => memory.clear(sender, SIZE), /constant/);
});

Deno.test("what stands at one place for both is not read to compare it; anything else is, each time", () => {
  const memory = new Memory(1 << 20);
  const [expected, sender, receiver] = [1, 2, 3].map(() => memory.alloc(SIZE));
  memory.u8.set(pattern(1), expected);
  memory.keep(expected, SIZE);
  memory.defer(sender, SIZE);
  memory.defer(receiver, SIZE);
  memory.copy(sender, expected, SIZE);
  memory.copy(receiver, sender, SIZE);
  assert.ok(memory.equal(receiver, expected, SIZE));
  assert.equal(memory.comparedBytes, 0);
  // A byte of its own, as of a frame that was damaged on its way; and a message a byte further on than it should be.
  memory.write(receiver + 5000, Uint8Array.of(memory.view.getUint8(expected + 5000) ^ 1));
  for (let i = 0; i < 3; i++) assert.ok(!memory.equal(receiver, expected, SIZE));
  memory.copy(receiver, sender + 1, SIZE - 1);
  for (let i = 0; i < 3; i++) assert.ok(!memory.equal(receiver, expected, SIZE - 1));
  // A sender that writes into what it shares changes its own bytes alone.
  memory.write(sender + 100, Uint8Array.of(memory.view.getUint8(expected + 100) ^ 1));
  memory.copy(receiver, sender, SIZE);
  assert.ok(!memory.equal(receiver, expected, SIZE));
  assert.deepEqual(memory.bytes(expected, SIZE), pattern(1));
});
