import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { headerLength, packetType, padFrame } from "../../../src/mx/wire/mod.ts";
import { codecs } from "./codecs.ts";
import { AT, bytesOf, dirtyView } from "./frames.ts";

Deno.test("every type that has a header is tried, in both layouts where there are two", () => {
  for (let type = 0; type < 256; type++) {
    for (const compat of [false, true]) {
      if (headerLength(type, compat) === 0) continue;
      const isTried = codecs.some((codec) => codec.type === type && codec.compat === compat);
      const isSame = headerLength(type, false) === headerLength(type, true) &&
        codecs.filter((codec) => codec.type === type).length === 1;
      assert.ok(isTried || isSame, `type ${type}`);
    }
  }
});

Deno.test("parse gives back what emit was given", () => {
  for (const codec of codecs) {
    fc.assert(
      fc.property(codec.arbitrary, (fields) => {
        const view = dirtyView();
        const used = codec.emit(view, AT, fields);
        assert.equal(packetType(view, AT), codec.type, codec.name);
        assert.ok(used >= headerLength(codec.type, codec.compat), codec.name);
        assert.deepEqual(codec.parse(view, AT), fields, codec.name);
      }),
    );
  }
});

Deno.test("what lay in the buffer before does not reach the wire", () => {
  for (const codec of codecs) {
    fc.assert(
      fc.property(codec.arbitrary, fc.nat(0xff), (fields, before) => {
        const dirty = dirtyView();
        new Uint8Array(dirty.buffer).fill(before, AT);
        const clean = dirtyView();
        new Uint8Array(clean.buffer).fill(0, AT);
        const length = padFrame(dirty, AT, codec.emit(dirty, AT, fields));
        assert.equal(padFrame(clean, AT, codec.emit(clean, AT, fields)), length);
        assert.deepEqual(bytesOf(dirty, 16, length), bytesOf(clean, 16, length), codec.name);
        assert.deepEqual(bytesOf(dirty, 0, 16), new Array(16).fill(before), codec.name);
        assert.deepEqual(bytesOf(dirty, length, length + 8), new Array(8).fill(before), codec.name);
      }),
      { numRuns: 30 },
    );
  }
});

Deno.test("padding and the head do not affect parse", () => {
  for (const codec of codecs) {
    fc.assert(
      fc.property(codec.arbitrary, fc.infiniteStream(fc.nat(0xff)), (fields, noise) => {
        const view = dirtyView();
        codec.emit(view, AT, fields);
        for (const pad of codec.pads) view.setUint8(AT + pad, noise.next().value);
        for (let i = 0; i < 16; i++) view.setUint8(AT + i, noise.next().value);
        assert.deepEqual(codec.parse(view, AT), fields, codec.name);
      }),
    );
  }
});

Deno.test("every other header byte affects parse", () => {
  for (const codec of codecs) {
    const samples = fc.sample(codec.arbitrary, { numRuns: 20, seed: 1 });
    const affecting = new Set<number>();
    for (const fields of samples) {
      const view = dirtyView();
      codec.emit(view, AT, fields);
      for (let offset = 16; offset < headerLength(codec.type, codec.compat); offset++) {
        const before = view.getUint8(AT + offset);
        for (const bit of [0x01, 0x02]) {
          view.setUint8(AT + offset, before ^ bit);
          if (!isDeepStrictEqual(codec.parse(view, AT), fields)) affecting.add(offset);
        }
        view.setUint8(AT + offset, before);
      }
    }
    for (let offset = 16; offset < headerLength(codec.type, codec.compat); offset++) {
      const silent = codec.pads.includes(offset) || codec.constants.includes(offset);
      assert.equal(affecting.has(offset), !silent, `${codec.name} byte ${offset}`);
    }
  }
});

Deno.test("a new record has the fields, in the order, that parse gives", () => {
  for (const codec of codecs) {
    const view = dirtyView();
    const fields = codec.fresh();
    codec.emit(view, AT, fields);
    const parsed = codec.parse(view, AT);
    assert.deepEqual(Object.keys(parsed as object), Object.keys(fields as object), codec.name);
  }
});
