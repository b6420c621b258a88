import { mxLimits } from "../../src/mx/limits.ts";
import * as wire from "../../src/mx/wire/mod.ts";
import { type Work, WorkHash } from "./work.ts";

/** Frames are written into so many places in turn, as they are in a run. */
const PLACES = 256;
const PLACE_BYTES = 192;
const LIMITS = mxLimits(9000, false);

function prepare(at: (n: number) => number, view: DataView): void {
  const tiny = wire.newEagerFields();
  const reply = wire.newPullReplyFields();
  for (let n = 0; n < PLACES; n++) emit(view, at(n), n, tiny, reply);
}

/** A TINY or a pull reply in turn, from the Ethernet header on. */
function emit(
  view: DataView,
  at: number,
  n: number,
  tiny: ReturnType<typeof wire.newEagerFields>,
  reply: ReturnType<typeof wire.newPullReplyFields>,
): void {
  wire.emitHead(view, at, 0x024d, 0x57000000 + (n & 1), 0x024d, 0x57000001 - (n & 1), n & 1);
  if ((n & 1) === 0) {
    tiny.dstEndpoint = n & 7;
    tiny.libSeqnum = n & 0x3fff;
    tiny.matchB = n;
    tiny.length = n & 31;
    wire.padFrame(view, at, wire.emitTiny(view, at, tiny) + tiny.length);
  } else {
    reply.frameSeqnum = n & 0xff;
    reply.frameLength = 128;
    reply.msgOffset = n * 8;
    wire.emitPullReply(view, at, reply);
  }
}

/** Writing the headers of frames. */
export function wireEncode(operations: number): Work {
  const view = new DataView(new ArrayBuffer(PLACES * PLACE_BYTES));
  const tiny = wire.newEagerFields();
  const reply = wire.newPullReplyFields();
  const hash = new WorkHash();
  for (let n = 0; n < operations; n++) {
    const at = (n % PLACES) * PLACE_BYTES;
    emit(view, at, n, tiny, reply);
    hash.add(view.getUint8(at + 17));
  }
  return { operations, hash: hash.text };
}

/** Validating frames and reading the fields that a receiver reads. */
export function wireDecode(operations: number): Work {
  const view = new DataView(new ArrayBuffer(PLACES * PLACE_BYTES));
  prepare((n) => n * PLACE_BYTES, view);
  const hash = new WorkHash();
  for (let n = 0; n < operations; n++) {
    const at = (n % PLACES) * PLACE_BYTES;
    hash.add(wire.validate(view, at, PLACE_BYTES, LIMITS));
    hash.add(wire.readSrcLo(view, at));
    if (wire.packetType(view, at) === wire.PACKET_TINY) {
      hash.add(wire.dstEndpoint(view, at) + wire.msgLibSeqnum(view, at) + wire.msgLength(view, at));
      hash.add(wire.msgMatchA(view, at) ^ wire.msgMatchB(view, at));
    } else {
      hash.add(wire.pullReplyFrameLength(view, at) + wire.pullReplyMsgOffset(view, at));
      hash.add(wire.pullReplyDstHandle(view, at) ^ wire.pullReplyDstMagic(view, at));
    }
  }
  return { operations, hash: hash.text };
}
