import assert from "node:assert/strict";
import * as wire from "../../../src/mx/wire/mod.ts";
import { AT, dirtyView, NORMAL } from "./frames.ts";

const PARTIES = "02:00:00:00:00:01 > 02:00:00:00:00:02";

/** The line for a frame whose body is written by `emit`, with `payload` more bytes. */
function line(emit: (view: DataView, at: number) => number, payload = 0, cut = Infinity): string {
  const view = dirtyView();
  wire.emitHead(view, AT, 0x0200, 2, 0x0200, 1, 7);
  const used = emit(view, AT) + payload;
  return wire.describe(view, AT, Math.min(wire.padFrame(view, AT, used), cut), NORMAL);
}

const message = { dstEndpoint: 3, srcEndpoint: 4, libSeqnum: 0x4001, libPiggyack: 2, matchA: 1, matchB: 2, session: 5 };

Deno.test("one line says who, what and how much", () => {
  const tiny = { ...message, length: 20, checksum: 0 };
  assert.equal(
    line((v, at) => wire.emitTiny(v, at, tiny), 20),
    `${PARTIES}, MX TINY peer 7 ep 4 > 3, seq 1/s1, ack 2, match 0x00000001:00000002, session 0x00000005, length 20, frame 60`,
  );
  const reply = {
    frameSeqnum: 2,
    frameLength: 100,
    msgOffset: 17936,
    dstPullHandle: 35,
    dstMagic: wire.endpointMagic(0),
  };
  assert.equal(
    line((v, at) => wire.emitPullReply(v, at, reply), 100),
    `${PARTIES}, MX PULL_REPLY handle 0x00000023, magic 0x21071980, frame seq 2, offset 17936, length 100, frame 132`,
  );
  const nack = { ...wire.newNackLibFields(), srcEndpoint: 3, dstEndpoint: 4, nackType: 2, libSeqnum: 9 };
  assert.equal(
    line((v, at) => wire.emitNackLib(v, at, nack)),
    `${PARTIES}, MX NACK_LIB peer 7 ep 3 > 4, endpoint closed, seq 9, frame 60`,
  );
});

Deno.test("what is malformed is named", () => {
  const tiny = { ...message, length: 33, checksum: 0 };
  const emit = (v: DataView, at: number) => wire.emitTiny(v, at, tiny);
  assert.match(line(emit, 33), / length 33, frame 73 \[bad data length\]$/);
  tiny.length = 32;
  assert.match(line(emit), / length 32, frame 60 \[payload longer than frame\]$/);
  assert.match(line(emit, 0, 39), /MX TINY peer 7, frame 39 \[header cut short: 39 of 40 bytes\] \[runt\]$/);
  assert.equal(line(emit, 0, 16), `${PARTIES}, ethertype 0x86df, frame 16 [header cut short]`);
  assert.equal(line(emit, 0, 13), "[no Ethernet header: 13 of 14 bytes]");
  const typed = (type: number) => line((v, at) => (v.setUint8(at + 16, type), 60));
  assert.equal(typed(33), `${PARTIES}, MX ETHER_MULTICAST, frame 60 [invalid type]`);
  assert.equal(typed(77), `${PARTIES}, MX type 77, frame 60 [unknown type]`);
});

Deno.test("a host name cannot write to the terminal", () => {
  const reply = { ...wire.newHostReplyFields(), hostname: 'a"\x1b[2J\u009b\u202e' };
  const text = line((v, at) => wire.emitHostReply(v, at, reply));
  assert.match(text, /name "a\\"\\u001b\[2J\\u009b\\u202e", frame/);
});

Deno.test("broadcasts and unknown indexes have a word", () => {
  const view = dirtyView();
  wire.emitHead(view, AT, wire.BROADCAST_HI, wire.BROADCAST_LO, 0x0200, 1, 0);
  const length = wire.emitRaw(view, AT, { nicIdHigh: 0x0200, nicIdLow: 1, serial: 0xff });
  assert.equal(
    wire.describe(view, AT, length, NORMAL),
    "02:00:00:00:00:01 > broadcast, MX RAW nic 0x0000020000000001, serial 0x000000ff, frame 64",
  );
  wire.emitHead(view, AT, 0x0200, 2, 0x0200, 1, wire.UNKNOWN_PEER_INDEX);
  wire.emitConnect(view, AT, wire.newConnectFields());
  assert.match(wire.describe(view, AT, 60, NORMAL), /MX CONNECT peer \? ep 0 > 0, request,/);
});
