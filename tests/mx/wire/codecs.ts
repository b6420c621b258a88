import fc from "fast-check";
import * as wire from "../../../src/mx/wire/mod.ts";

/** One packet type in one layout, for properties that hold for all of them. */
export interface Codec {
  name: string;
  type: number;
  compat: boolean;
  arbitrary: fc.Arbitrary<unknown>;
  emit: (view: DataView, at: number, fields: unknown) => number;
  parse: (view: DataView, at: number) => unknown;
  fresh: () => unknown;
  /** Header bytes that belong to no field. */
  pads: number[];
  /** Header bytes that always have one value, so parse does not give them. */
  constants: number[];
}

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff));

const endpoints = { dstEndpoint: u8, srcEndpoint: u8 };
const message = { ...endpoints, libSeqnum: u16, libPiggyack: u16, matchA: u32, matchB: u32, session: u32 };

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

const constants: Record<number, number[]> = {
  [wire.PACKET_RNDV]: [20, 21],
  [wire.PACKET_CONNECT]: [20],
  [wire.PACKET_TRUC]: [20, 28],
};

function codec<F>(
  name: string,
  type: number,
  emit: (view: DataView, at: number, fields: F, compat: boolean) => number,
  parse: (view: DataView, at: number, compat: boolean) => F,
  fresh: () => F,
  arbitrary: fc.Arbitrary<F>,
  pads: number[],
  compat = false,
): Codec {
  return {
    name: compat ? `${name}, compat` : name,
    type,
    compat,
    // Copied, because the library's own records have no prototype and so differ from ours in a strict comparison.
    arbitrary: arbitrary.map((fields) => ({ ...fields })),
    emit: (view, at, fields) => emit(view, at, fields as F, compat),
    parse: (view, at) => parse(view, at, compat),
    fresh,
    pads,
    constants: [16, ...(constants[type] ?? [])],
  };
}

function both(make: (compat: boolean) => Codec): Codec[] {
  return [make(false), make(true)];
}

const eager = fc.record({ ...message, length: u16, checksum: u16 });
const connect = fc.record({
  ...endpoints,
  libSeqnum: u16,
  srcDstPeerIndex: u16,
  srcSessionId: u32,
  appKey: u32,
  targetSessionId: u32,
  targetRecvSeqnumStart: u16,
  isReply: fc.boolean(),
  connectSeqnum: u8,
  connectStatusCode: u8,
}).map((f) => f.isReply ? { ...f, appKey: 0 } : { ...f, targetSessionId: 0, connectStatusCode: 0 });

const hostname = fc.string({ unit: "binary", maxLength: 60 }).filter((s) => !s.includes("\0") && s.isWellFormed());

export const codecs: Codec[] = [
  codec("TINY", wire.PACKET_TINY, wire.emitTiny, wire.parseEager, wire.newEagerFields, eager, [19]),
  codec("SMALL", wire.PACKET_SMALL, wire.emitSmall, wire.parseEager, wire.newEagerFields, eager, [19]),
  ...both((compat) =>
    codec(
      "MEDIUM",
      wire.PACKET_MEDIUM,
      wire.emitMedium,
      wire.parseMedium,
      wire.newMediumFields,
      fc.record({
        ...message,
        length: compat ? u16 : u32,
        fragLength: u16,
        fragSeqnum: u8,
        fragPipeline: compat ? u8 : fc.constant(0),
        checksum: u16,
      }),
      compat ? [19, 22, 23, 46, 47] : [19, 43, 46, 47],
      compat,
    )
  ),
  codec(
    "RNDV",
    wire.PACKET_RNDV,
    wire.emitRndv,
    wire.parseRndv,
    wire.newRndvFields,
    fc.record({ ...message, msgLength: u32, pulledRdmaId: u8, pulledRdmaSeqnum: u8, pulledRdmaOffset: u16 }),
    [19, 22, 23],
  ),
  ...both((compat) =>
    codec(
      "PULL",
      wire.PACKET_PULL,
      wire.emitPull,
      wire.parsePull,
      wire.newPullFields,
      fc.record({
        ...endpoints,
        session: u32,
        totalLength: u32,
        pulledRdmaId: compat ? u8 : u32,
        pulledRdmaSeqnum: u8,
        pulledRdmaOffset: compat ? u16 : u32,
        srcPullHandle: u32,
        srcMagic: u32,
        firstFrameOffset: compat ? u16 : u32,
        blockLength: compat ? u16 : u32,
        frameIndex: u32,
      }),
      compat ? [19] : [19, 33, 34, 35],
      compat,
    )
  ),
  codec(
    "PULL_REPLY",
    wire.PACKET_PULL_REPLY,
    wire.emitPullReply,
    wire.parsePullReply,
    wire.newPullReplyFields,
    fc.record({ frameSeqnum: u8, frameLength: u16, msgOffset: u32, dstPullHandle: u32, dstMagic: u32 }),
    [],
  ),
  codec(
    "NOTIFY",
    wire.PACKET_NOTIFY,
    wire.emitNotify,
    wire.parseNotify,
    wire.newNotifyFields,
    fc.record({
      ...endpoints,
      session: u32,
      totalLength: u32,
      pulledRdmaId: u8,
      pulledRdmaSeqnum: u8,
      libSeqnum: u16,
      libPiggyack: u16,
    }),
    [19, ...span(30, 34), 38, 39],
  ),
  codec(
    "TRUC",
    wire.PACKET_TRUC,
    wire.emitTruc,
    wire.parseTruc,
    wire.newTrucFields,
    fc.record({
      ...endpoints,
      session: u32,
      libSeqnum: u16,
      sessionId: u32,
      acknum: u32,
      sendSeq: u16,
      resent: u8,
    }),
    [19, 21, 22, 23, 29, 43],
  ),
  codec(
    "CONNECT",
    wire.PACKET_CONNECT,
    wire.emitConnect,
    wire.parseConnect,
    wire.newConnectFields,
    connect,
    [19, 21, 22, 23, ...span(28, 32), 45, 46, 47],
  ),
  codec(
    "NACK_LIB",
    wire.PACKET_NACK_LIB,
    wire.emitNackLib,
    wire.parseNackLib,
    wire.newNackLibFields,
    fc.record({ srcEndpoint: u8, nackType: u8, dstEndpoint: u8, dstSrcPeerIndex: u16, libSeqnum: u16 }),
    [18, ...span(20, 25), 30, 31],
  ),
  codec(
    "NACK_MCP",
    wire.PACKET_NACK_MCP,
    wire.emitNackMcp,
    wire.parseNackMcp,
    wire.newNackMcpFields,
    fc.record({ srcEndpoint: u8, nackType: u8, srcPullHandle: u32, srcMagic: u32 }),
    [18, ...span(20, 24)],
  ),
  codec(
    "HOST_QUERY",
    wire.PACKET_HOST_QUERY,
    wire.emitHostQuery,
    wire.parseHostQuery,
    wire.newHostQueryFields,
    fc.record({ srcDstPeerIndex: u16, magic: u32 }),
    [17, ...span(20, 24), ...span(28, 32)],
  ),
  codec(
    "HOST_REPLY",
    wire.PACKET_HOST_REPLY,
    wire.emitHostReply,
    wire.parseHostReply,
    wire.newHostReplyFields,
    fc.record({ srcDstPeerIndex: u16, magic: u32, hostname }),
    [...span(20, 24), ...span(28, 32)],
  ),
  codec(
    "RAW",
    wire.PACKET_RAW,
    wire.emitRaw,
    wire.parseRaw,
    wire.newRawFields,
    fc.record({ nicIdHigh: u32, nicIdLow: u32, serial: u32 }),
    span(17, 32),
  ),
];
