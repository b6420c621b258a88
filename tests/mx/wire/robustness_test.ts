import assert from "node:assert/strict";
import fc from "fast-check";
import type { MxLimits } from "../../../src/mx/limits.ts";
import * as wire from "../../../src/mx/wire/mod.ts";
import { type Codec, codecs } from "./codecs.ts";
import { AT, bytesOf, COMPAT, dirtyView, NORMAL, SMALL_MTU } from "./frames.ts";

const limits = fc.constantFrom(NORMAL, SMALL_MTU, COMPAT);
const lastStatus = wire.WIRE_RAW_TOO_LARGE;

/** The frame alone, so that any access outside of it throws. */
function exactView(frame: ArrayLike<number>): DataView {
  return new DataView(Uint8Array.from(frame).buffer);
}

function codecOf(type: number, compat: boolean): Codec | undefined {
  const ofType = codecs.filter((codec) => codec.type === type);
  return ofType.find((codec) => codec.compat === compat) ?? ofType[0];
}

/** Asks everything that a reader may ask of received bytes. */
function examine(frame: ArrayLike<number>, limits: MxLimits): void {
  const view = exactView(frame);
  const status = wire.validate(view, 0, frame.length, limits);
  assert.ok(status >= wire.WIRE_OK && status <= lastStatus);
  const line = wire.describe(view, 0, frame.length, limits);
  assert.match(line, /^[ -~]+$/, "one line of printable characters");
  if (status === wire.WIRE_OK) {
    const codec = codecOf(wire.packetType(view, 0), limits.compat);
    assert.ok(codec, "a valid frame has a known type");
    codec.parse(view, 0);
    if (frame.length >= wire.MIN_FRAME) assert.doesNotMatch(line.replace(/name ".*"/, ""), /\[/);
  } else {
    assert.match(line, /\[.+\]/, "says what is wrong");
  }
}

Deno.test("random bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), limits, examine), { numRuns: 2000 });
});

Deno.test("random bytes behind a good EtherType and any type", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 14, maxLength: 200 }), fc.nat(50), limits, (frame, type, limits) => {
      frame.set([0x86, 0xdf], 12);
      if (frame.length > 16) frame[16] = type;
      examine(frame, limits);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("good frames with a few bytes changed and any length", () => {
  const changes = fc.array(fc.tuple(fc.nat(79), fc.nat(0xff)), { maxLength: 4 });
  for (const codec of codecs) {
    fc.assert(
      fc.property(codec.arbitrary, changes, fc.nat(400), limits, (fields, changes, length, limits) => {
        const view = dirtyView();
        wire.emitHead(view, AT, 0x0200, 2, 0x0200, 1, 7);
        wire.padFrame(view, AT, codec.emit(view, AT, fields));
        for (const [offset, value] of changes) view.setUint8(AT + offset, value);
        examine(bytesOf(view, 0, length), limits);
      }),
      { numRuns: 300 },
    );
  }
});

Deno.test("describe of a frame that the view cuts off", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(100), fc.nat(9000), limits, (bytes, at, length, limits) => {
      assert.match(wire.describe(exactView(bytes), at, length, limits), /^[ -~]+$/);
    }),
    { numRuns: 1000 },
  );
});
