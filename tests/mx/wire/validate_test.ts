import assert from "node:assert/strict";
import fc from "fast-check";
import type { MxLimits } from "../../../src/mx/limits.ts";
import * as wire from "../../../src/mx/wire/mod.ts";
import { codecs } from "./codecs.ts";
import { AT, COMPAT, dirtyView, hex, NORMAL, SMALL_MTU, viewOf } from "./frames.ts";

const HEAD = hex("02 00 00 00 00 02  02 00 00 00 00 01  86 df  00 07");

/** The verdict on a frame of `length` bytes that begins with `body` behind a good head. */
function verdict(body: string, length: number, limits: MxLimits = NORMAL): number {
  const bytes = [...HEAD, ...hex(body)];
  while (bytes.length < length) bytes.push(0);
  return wire.validate(viewOf(bytes), AT, length, limits);
}

Deno.test("types that nobody handles are told apart as in the driver's table", () => {
  const { WIRE_INVALID_TYPE: invalid, WIRE_UNKNOWN_TYPE: unknown } = wire;
  const implemented = new Set([1, 3, 4, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45]);
  for (let type = 0; type < 256; type++) {
    const expected = [2, 32, 33, 34].includes(type) ? invalid : unknown;
    const status = verdict(type.toString(16).padStart(2, "0"), 64);
    if (implemented.has(type)) assert.ok(status !== invalid && status !== unknown, `type ${type}`);
    else assert.equal(status, expected, `type ${type}`);
  }
});

Deno.test("header lengths by type and layout", () => {
  const table: [number, number, number][] = [
    [wire.PACKET_TRUC, 44, 44],
    [wire.PACKET_CONNECT, 48, 48],
    [wire.PACKET_TINY, 40, 40],
    [wire.PACKET_SMALL, 40, 40],
    [wire.PACKET_MEDIUM, 48, 48],
    [wire.PACKET_RNDV, 48, 48],
    [wire.PACKET_PULL, 60, 48],
    [wire.PACKET_PULL_REPLY, 32, 32],
    [wire.PACKET_NOTIFY, 40, 40],
    [wire.PACKET_NACK_LIB, 32, 32],
    [wire.PACKET_NACK_MCP, 32, 32],
    [wire.PACKET_HOST_QUERY, 32, 32],
    [wire.PACKET_HOST_REPLY, 32, 32],
  ];
  for (const [type, normal, compat] of table) {
    assert.equal(wire.headerLength(type, false), normal, wire.packetTypeText(type));
    assert.equal(wire.headerLength(type, true), compat, wire.packetTypeText(type));
    assert.ok(normal <= wire.MIN_FRAME);
  }
});

Deno.test("a frame that ends inside its header is too short, one byte more is not", () => {
  for (const codec of codecs) {
    const limits = codec.compat ? COMPAT : NORMAL;
    const view = dirtyView();
    wire.emitHead(view, AT, 0, 0, 0, 0, 0);
    codec.emit(view, AT, codec.fresh());
    const header = wire.headerLength(codec.type, codec.compat);
    for (let length = 0; length < header; length++) {
      assert.equal(wire.validate(view, AT, length, limits), wire.WIRE_SHORT_HEADER, `${codec.name} ${length}`);
    }
    assert.notEqual(wire.validate(view, AT, header, limits), wire.WIRE_SHORT_HEADER, codec.name);
    assert.equal(wire.validate(view, AT, Math.max(header + 1, 60), limits), wire.WIRE_OK, codec.name);
  }
});

Deno.test("TINY and SMALL: the class's maximum before the frame's length", () => {
  assert.equal(verdict("25 00 00 00 00 20", 72), wire.WIRE_OK);
  assert.equal(verdict("25 00 00 00 00 20", 71), wire.WIRE_BAD_FRAME_LENGTH);
  assert.equal(verdict("25 00 00 00 00 21", 60), wire.WIRE_BAD_DATALEN);
  assert.equal(verdict("25 00 00 00 00 00", 60), wire.WIRE_OK);
  assert.equal(verdict("26 00 00 00 00 80", 168), wire.WIRE_OK);
  assert.equal(verdict("26 00 00 00 00 80", 167), wire.WIRE_BAD_FRAME_LENGTH);
  assert.equal(verdict("26 00 00 00 00 81", 4000), wire.WIRE_BAD_DATALEN);
});

Deno.test("MEDIUM: a fragment may fill a receive-queue slot and no more", () => {
  const body = (length: number) => "27" + "00".repeat(23) + length.toString(16).padStart(4, "0");
  for (const limits of [NORMAL, SMALL_MTU, COMPAT]) {
    const slot = limits.slotBytes;
    assert.equal(verdict(body(slot), 48 + slot, limits), wire.WIRE_OK);
    assert.equal(verdict(body(slot), 47 + slot, limits), wire.WIRE_BAD_FRAME_LENGTH);
    assert.equal(verdict(body(slot + 1), 49 + slot, limits), wire.WIRE_BAD_DATALEN);
  }
});

Deno.test("RNDV, CONNECT and TRUC: less data than the fixed amount is refused", () => {
  assert.equal(verdict("28 00 00 00 00 07", 60), wire.WIRE_BAD_DATALEN);
  assert.equal(verdict("28 00 00 00 00 08", 60), wire.WIRE_OK);
  assert.equal(verdict("24 00 00 00 0f", 60), wire.WIRE_BAD_DATALEN);
  assert.equal(verdict("24 00 00 00 10", 60), wire.WIRE_OK);
  assert.equal(verdict("23 00 00 00 0f 00 00 00  00 00 00 00  55", 60), wire.WIRE_BAD_DATALEN);
  assert.equal(verdict("23 00 00 00 10 00 00 00  00 00 00 00  55", 60), wire.WIRE_OK);
  assert.equal(verdict("23 00 00 00 10 00 00 00  00 00 00 00  54", 60), wire.WIRE_BAD_TRUC_TYPE);
});

Deno.test("PULL_REPLY and HOST_REPLY: the payload ends inside the frame", () => {
  assert.equal(verdict("2a 00 00 1c", 60), wire.WIRE_OK);
  assert.equal(verdict("2a 00 00 1d", 60), wire.WIRE_BAD_FRAME_LENGTH);
  assert.equal(verdict("2a 00 23 08", 9000), wire.WIRE_OK);
  assert.equal(verdict("2a 00 23 08", 8999), wire.WIRE_BAD_FRAME_LENGTH);
  assert.equal(verdict("04 1c", 60), wire.WIRE_OK);
  assert.equal(verdict("04 1d", 60), wire.WIRE_BAD_FRAME_LENGTH);
});

Deno.test("RAW up to 1024 bytes, and other protocols not at all", () => {
  assert.equal(verdict("01", 1024), wire.WIRE_OK);
  assert.equal(verdict("01", 1025), wire.WIRE_RAW_TOO_LARGE);
  const ip = [...hex("02 00 00 00 00 02  02 00 00 00 00 01  08 00"), ...new Array(46).fill(0x25)];
  assert.equal(wire.validate(viewOf(ip), AT, ip.length, NORMAL), wire.WIRE_NOT_MX);
});

Deno.test("bytes behind the payload are ignored", () => {
  for (const codec of codecs) {
    fc.assert(
      fc.property(codec.arbitrary, fc.integer({ min: 60, max: 300 }), fc.nat(200), (fields, length, more) => {
        const limits = codec.compat ? COMPAT : NORMAL;
        const view = dirtyView();
        wire.emitHead(view, AT, 0, 0, 0, 0, 0);
        codec.emit(view, AT, fields);
        if (wire.validate(view, AT, length, limits) !== wire.WIRE_OK) return;
        assert.equal(wire.validate(view, AT, length + more, limits), wire.WIRE_OK, codec.name);
      }),
    );
  }
});
