import assert from "node:assert/strict";
import * as wire from "../../../src/mx/wire/mod.ts";
import { AT, bytesOf, COMPAT, dirtyView, hex, NORMAL, viewOf } from "./frames.ts";

/*
 * One frame of each type, written out by hand from the field tables. Each must come out of `emit`, go back through
 * `parse`, and be found valid.
 */
interface Example<F> {
  body: string;
  fields: F;
  emit: (view: DataView, at: number, fields: F) => number;
  parse: (view: DataView, at: number) => F;
  /** Bytes of payload behind the header that the frame's length field speaks of. */
  payload?: number;
  compat?: boolean;
}

const HEAD = hex("02 00 00 00 00 02  02 00 00 00 00 01  86 df  00 07");

function check<F>(name: string, example: Example<F>): void {
  Deno.test(`${name}: the bytes of the field table`, () => {
    const body = hex(example.body);
    const view = dirtyView();
    wire.emitHead(view, AT, 0x0200, 2, 0x0200, 1, 7);
    const used = example.emit(view, AT, example.fields);
    assert.equal(used, HEAD.length + body.length);
    assert.deepEqual(bytesOf(view, 0, used), [...HEAD, ...body]);
    assert.deepEqual(bytesOf(view, used, used + 8), new Array(8).fill(0xee));

    const payload = new Array(example.payload ?? 0).fill(0x5a);
    const frame = [...HEAD, ...body, ...payload];
    while (frame.length < wire.MIN_FRAME) frame.push(0);
    const received = viewOf(frame);
    assert.deepEqual(example.parse(received, AT), example.fields);
    const limits = example.compat ? COMPAT : NORMAL;
    assert.equal(wire.wireStatusText(wire.validate(received, AT, frame.length, limits)), "ok");
  });
}

const compatly =
  <F>(emit: (v: DataView, at: number, f: F, compat: boolean) => number) => (v: DataView, at: number, f: F) =>
    emit(v, at, f, true);
const normally =
  <F>(emit: (v: DataView, at: number, f: F, compat: boolean) => number) => (v: DataView, at: number, f: F) =>
    emit(v, at, f, false);

const message = {
  dstEndpoint: 0x03,
  srcEndpoint: 0x04,
  libSeqnum: 0x4001,
  libPiggyack: 0x4002,
  matchA: 0xdeadbeef,
  matchB: 0xcafebabe,
  session: 0x89abcdef,
};

check("TINY", {
  body: `25 03 04 00   00 14 00 00   40 01 40 02   de ad be ef   ca fe ba be   89 ab cd ef`,
  fields: { ...message, length: 20, checksum: 0 },
  emit: wire.emitTiny,
  parse: wire.parseEager,
  payload: 20,
});

check("SMALL", {
  body: `26 03 04 00   00 80 12 34   40 01 40 02   de ad be ef   ca fe ba be   89 ab cd ef`,
  fields: { ...message, length: 128, checksum: 0x1234 },
  emit: wire.emitSmall,
  parse: wire.parseEager,
  payload: 128,
});

check("MEDIUM", {
  body: `27 03 04 00   00 04 00 01   40 01 40 02   de ad be ef   ca fe ba be   89 ab cd ef
         20 00 1f 00   43 21 00 00`,
  fields: { ...message, length: 0x40001, fragLength: 8192, fragSeqnum: 31, fragPipeline: 0, checksum: 0x4321 },
  emit: normally(wire.emitMedium),
  parse: (v, at) => wire.parseMedium(v, at, false),
  payload: 8192,
});

check("MEDIUM, compat", {
  body: `27 03 04 00   80 00 00 00   40 01 40 02   de ad be ef   ca fe ba be   89 ab cd ef
         10 00 07 0c   43 21 00 00`,
  fields: { ...message, length: 32768, fragLength: 4096, fragSeqnum: 7, fragPipeline: 12, checksum: 0x4321 },
  emit: compatly(wire.emitMedium),
  parse: (v, at) => wire.parseMedium(v, at, true),
  payload: 4096,
  compat: true,
});

check("RNDV", {
  body: `28 03 04 00   00 08 00 00   40 01 40 02   de ad be ef   ca fe ba be   89 ab cd ef
         00 10 00 00   c8 17 01 02`,
  fields: { ...message, msgLength: 1 << 20, pulledRdmaId: 200, pulledRdmaSeqnum: 23, pulledRdmaOffset: 0x0102 },
  emit: wire.emitRndv,
  parse: wire.parseRndv,
});

check("PULL", {
  body: `29 03 04 00   89 ab cd ef   00 10 00 00   00 00 01 c8   17 00 00 00   00 01 02 03
         ff c0 00 23   21 07 19 84   00 00 10 20   00 04 61 00   80 00 00 20`,
  fields: {
    dstEndpoint: 3,
    srcEndpoint: 4,
    session: 0x89abcdef,
    totalLength: 1 << 20,
    pulledRdmaId: 0x1c8,
    pulledRdmaSeqnum: 23,
    pulledRdmaOffset: 0x10203,
    srcPullHandle: 0xffc00023,
    srcMagic: wire.endpointMagic(4),
    firstFrameOffset: 0x1020,
    blockLength: 286976,
    frameIndex: 0x80000020,
  },
  emit: normally(wire.emitPull),
  parse: (v, at) => wire.parsePull(v, at, false),
});

check("PULL, compat", {
  body: `29 03 04 00   89 ab cd ef   00 10 00 00   c8 17 01 02
         ff c0 00 23   21 07 19 84   0f ff 80 00   80 00 00 08`,
  fields: {
    dstEndpoint: 3,
    srcEndpoint: 4,
    session: 0x89abcdef,
    totalLength: 1 << 20,
    pulledRdmaId: 0xc8,
    pulledRdmaSeqnum: 23,
    pulledRdmaOffset: 0x0102,
    srcPullHandle: 0xffc00023,
    srcMagic: wire.endpointMagic(4),
    firstFrameOffset: 4095,
    blockLength: 32768,
    frameIndex: 0x80000008,
  },
  emit: compatly(wire.emitPull),
  parse: (v, at) => wire.parsePull(v, at, true),
  compat: true,
});

check("PULL_REPLY", {
  body: `2a ff 23 08   80 00 00 01   ff c0 00 23   21 07 19 84`,
  fields: {
    frameSeqnum: 255,
    frameLength: 8968,
    msgOffset: 0x80000001,
    dstPullHandle: 0xffc00023,
    dstMagic: wire.endpointMagic(4),
  },
  emit: wire.emitPullReply,
  parse: wire.parsePullReply,
  payload: 8968,
});

check("NOTIFY", {
  body: `2b 03 04 00   89 ab cd ef   00 10 00 00   c8 17 00 00   00 00 40 01   40 02 00 00`,
  fields: {
    dstEndpoint: 3,
    srcEndpoint: 4,
    session: 0x89abcdef,
    totalLength: 1 << 20,
    pulledRdmaId: 200,
    pulledRdmaSeqnum: 23,
    libSeqnum: 0x4001,
    libPiggyack: 0x4002,
  },
  emit: wire.emitNotify,
  parse: wire.parseNotify,
});

check("TRUC", {
  body: `23 03 04 00   10 00 00 00   89 ab cd ef   55 00 40 01   89 ab cd ee   00 00 00 01   40 02 09 00`,
  fields: {
    dstEndpoint: 3,
    srcEndpoint: 4,
    session: 0x89abcdef,
    libSeqnum: 0x4001,
    sessionId: 0x89abcdee,
    acknum: 1,
    sendSeq: 0x4002,
    resent: 9,
  },
  emit: wire.emitTruc,
  parse: wire.parseTruc,
});

const connection = {
  dstEndpoint: 3,
  srcEndpoint: 4,
  libSeqnum: 0x0102,
  srcDstPeerIndex: 9,
  srcSessionId: 0x89abcdef,
  targetRecvSeqnumStart: 0x4001,
  connectSeqnum: 0xfe,
};

check("CONNECT request", {
  body: `24 03 04 00   10 00 00 00   01 02 00 09   00 00 00 00   89 ab cd ef   f0 0d f0 0d   40 01 00 fe   00 00 00 00`,
  fields: { ...connection, appKey: 0xf00df00d, targetSessionId: 0, isReply: false, connectStatusCode: 0 },
  emit: wire.emitConnect,
  parse: wire.parseConnect,
});

check("CONNECT reply", {
  body: `24 03 04 00   10 00 00 00   01 02 00 09   00 00 00 00   89 ab cd ef   f0 0d f0 0d   40 01 01 fe   0b 00 00 00`,
  fields: {
    ...connection,
    appKey: 0,
    targetSessionId: 0xf00df00d,
    isReply: true,
    connectStatusCode: wire.CONNECT_STATUS_BAD_KEY,
  },
  emit: wire.emitConnect,
  parse: wire.parseConnect,
});

check("NACK_LIB", {
  body: `2c 03 00 02   00 00 00 00   00 04 00 07   40 01 00 00`,
  fields: {
    srcEndpoint: 3,
    nackType: wire.NACK_ENDPOINT_CLOSED,
    dstEndpoint: 4,
    dstSrcPeerIndex: 7,
    libSeqnum: 0x4001,
  },
  emit: wire.emitNackLib,
  parse: wire.parseNackLib,
});

check("NACK_MCP", {
  body: `2d 04 00 04   00 00 00 00   ff c0 00 23   21 07 19 84`,
  fields: {
    srcEndpoint: 4,
    nackType: wire.NACK_BAD_REGION,
    srcPullHandle: 0xffc00023,
    srcMagic: wire.endpointMagic(4),
  },
  emit: wire.emitNackMcp,
  parse: wire.parseNackMcp,
});

check("HOST_QUERY", {
  body: `03 00 01 02   00 00 00 00   13 05 20 08   00 00 00 00`,
  fields: { srcDstPeerIndex: 0x0102, magic: wire.HOST_MAGIC_INITIAL },
  emit: wire.emitHostQuery,
  parse: wire.parseHostQuery,
});

check("HOST_REPLY", {
  // 32 of header, "node1:0" and its NUL, then zeroes: 60 + 8 bytes in all.
  body: `04 08 01 02   00 00 00 00   13 05 20 09   00 00 00 00   6e 6f 64 65 31 3a 30 00
         00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`,
  fields: { srcDstPeerIndex: 0x0102, magic: 0x13052009, hostname: "node1:0" },
  emit: wire.emitHostReply,
  parse: wire.parseHostReply,
});

check("RAW", {
  body: `01 00 00 00   00 00 00 00   00 00 00 00   00 00 00 00   00 00 02 00   00 00 00 01   de ad be ef
         00 00 00 00   00 00 00 00   00 00 00 00   00 00 00 00   00 00 00 00`,
  fields: { nicIdHigh: 0x0200, nicIdLow: 1, serial: 0xdeadbeef },
  emit: wire.emitRaw,
  parse: wire.parseRaw,
});

Deno.test("an endpoint's magic goes both ways", () => {
  assert.equal(wire.endpointMagic(0), 0x21071980);
  for (let index = 0; index < 256; index++) assert.equal(wire.magicEndpoint(wire.endpointMagic(index)), index);
  assert.equal(wire.magicEndpoint(0xffffff80), 0);
});

Deno.test("compat fields that do not fit are our own fault", () => {
  const view = dirtyView();
  const pull = { ...wire.newPullFields(), blockLength: 65536 };
  assert.throws(() => wire.emitPull(view, AT, pull, true), /16 bits/);
  assert.throws(() => wire.emitPull(view, AT, { ...wire.newPullFields(), pulledRdmaId: 256 }, true), /8 bits/);
  assert.throws(() => wire.emitMedium(view, AT, { ...wire.newMediumFields(), length: 65536 }, true), /16 bits/);
  assert.throws(
    () => wire.emitHostReply(view, AT, { ...wire.newHostReplyFields(), hostname: "x".repeat(255) }),
    /254 bytes/,
  );
});
