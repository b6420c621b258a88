import assert from "node:assert/strict";
import fc from "fast-check";
import {
  emitHead,
  isBroadcast,
  macKey,
  macText,
  padFrame,
  readDstHi,
  readDstLo,
  readEthertype,
  readPeerIndex,
  readSrcHi,
  readSrcLo,
} from "../../../src/mx/wire/mod.ts";
import { AT, bytesOf, dirtyView, hex } from "./frames.ts";

const mac = fc.record({ hi: fc.nat(0xffff), lo: fc.nat(0xffffffff) });

Deno.test("the head is dst, src, ethertype and the destination's index of the sender", () => {
  const view = dirtyView();
  emitHead(view, AT, 0x0260, 0xdd445566, 0x0011, 0xf2334455, 0x0103);
  assert.deepEqual(bytesOf(view, 0, 17), hex("02 60 dd 44 55 66  00 11 f2 33 44 55  86 df  01 03  ee"));
  assert.equal(readDstHi(view, AT), 0x0260);
  assert.equal(readDstLo(view, AT), 0xdd445566);
  assert.equal(readSrcHi(view, AT), 0x0011);
  assert.equal(readSrcLo(view, AT), 0xf2334455);
  assert.equal(readEthertype(view, AT), 0x86df);
  assert.equal(readPeerIndex(view, AT), 0x0103);
});

Deno.test("a MAC as text is its digits, in pairs", () => {
  fc.assert(fc.property(mac, ({ hi, lo }) => {
    const text = macText(hi, lo);
    assert.match(text, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    const digits = text.replaceAll(":", "");
    assert.deepEqual([parseInt(digits.slice(0, 4), 16), parseInt(digits.slice(4), 16)], [hi, lo]);
    assert.equal(macKey(hi, lo), parseInt(digits, 16));
  }));
  assert.equal(macText(0x0200, 0x0000000a), "02:00:00:00:00:0a");
  assert.ok(isBroadcast(0xffff, 0xffffffff));
  assert.ok(!isBroadcast(0xffff, 0xfffffffe));
});

Deno.test("a short frame is padded with zeroes to 60 bytes, a long one left alone", () => {
  for (const used of [32, 40, 59, 60, 61, 100]) {
    const view = dirtyView();
    assert.equal(padFrame(view, AT, used), Math.max(used, 60));
    const expected = new Array(120).fill(0xee).fill(0, Math.min(used, 60), 60);
    assert.deepEqual(bytesOf(view, 0, 120), expected);
  }
});
