import type { MxLimits } from "../limits.ts";
import * as limits from "../limits.ts";
import { LIBACK_DATA_BYTES, TRUC_TYPE_ACK, trucLength, trucType } from "./ack.ts";
import { CONNECT_DATA_BYTES, connectLength } from "./connect.ts";
import { hostReplyLength, RAW_FRAME_MAX } from "./discovery.ts";
import * as eagerWire from "./eager.ts";
import * as ethernet from "./ethernet.ts";
import * as header from "./header.ts";
import { RNDV_DATA_BYTES, rndvLength } from "./large.ts";
import * as pulls from "./pull.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { SMALL_MAX, TINY_MAX } = limits;
const { mediumFragLength, msgLength } = eagerWire;
const { ETHERTYPE, readEthertype } = ethernet;
const {
  headerLength,
  isReservedType,
  OFF_PTYPE,
  PACKET_CONNECT,
  PACKET_HOST_REPLY,
  PACKET_MEDIUM,
  PACKET_PULL_REPLY,
  PACKET_RAW,
  PACKET_RNDV,
  PACKET_SMALL,
  PACKET_TINY,
  PACKET_TRUC,
  packetType,
} = header;
const { pullReplyFrameLength } = pulls;

/** The frame can be parsed, and its payload lies inside it. */
export const WIRE_OK = 0;
/** The frame ends inside its type's header (counter "header length"). */
export const WIRE_SHORT_HEADER = 1;
/** A length field beyond its type's range (DROP_BAD_DATALEN). */
export const WIRE_BAD_DATALEN = 2;
/** A length field beyond the frame's end (DROP_BAD_SKBLEN). */
export const WIRE_BAD_FRAME_LENGTH = 3;
/** A type with a name but no implementation (counter "invalid type"). */
export const WIRE_INVALID_TYPE = 4;
/** A type that has no name (counter "unknown type"). */
export const WIRE_UNKNOWN_TYPE = 5;
/** Another protocol's EtherType. */
export const WIRE_NOT_MX = 6;
/** A TRUC that is no ack; the real driver drops it without a counter. */
export const WIRE_BAD_TRUC_TYPE = 7;
/** A RAW frame of more than 1024 bytes (counter "raw too large"). */
export const WIRE_RAW_TOO_LARGE = 8;

const texts = [
  "ok",
  "header cut short",
  "bad data length",
  "payload longer than frame",
  "invalid type",
  "unknown type",
  "not MX",
  "bad TRUC type",
  "raw frame too large",
];

/** One of the `WIRE_` codes in words. */
export function wireStatusText(status: number): string {
  return texts[status] ?? `status ${status}`;
}

/**
 * What can be said of a received frame without asking who sent it or what is open here: steps 1 and 2 of the driver's
 * checks (lnx/omx_recv.c:185, 194, 300, 309, 425, 434, 586), in their order. `frameLength` is in bytes, all of them
 * inside the view. Any bytes get an answer; bytes behind the payload are allowed (lnx/omx_recv.c:194).
 */
export function validate(view: DataView, at: number, frameLength: number, limits: MxLimits): number {
  const status = validateFrame(view, at, frameLength, limits);
  return status === WIRE_OK && packetType(view, at) === PACKET_TRUC ? validateTruc(view, at) : status;
}

/**
 * The data of a TRUC, at which the driver looks only when it knows peer, endpoint and session (lnx/omx_recv.c:773-790).
 * That the session is said twice alike is for who knows it to check.
 */
export function validateTruc(view: DataView, at: number): number {
  if (trucType(view, at) !== TRUC_TYPE_ACK) return WIRE_BAD_TRUC_TYPE;
  return trucLength(view, at) < LIBACK_DATA_BYTES ? WIRE_BAD_DATALEN : WIRE_OK;
}

/** {@link validate} without the data of a TRUC. */
export function validateFrame(view: DataView, at: number, frameLength: number, limits: MxLimits): number {
  if (frameLength <= OFF_PTYPE) return WIRE_SHORT_HEADER;
  if (readEthertype(view, at) !== ETHERTYPE) return WIRE_NOT_MX;
  const type = packetType(view, at);
  const header = headerLength(type, limits.compat);
  if (header === 0) return isReservedType(type) ? WIRE_INVALID_TYPE : WIRE_UNKNOWN_TYPE;
  if (frameLength < header) return WIRE_SHORT_HEADER;
  const room = frameLength - header;
  switch (type) {
    case PACKET_TINY:
      return checkPayload(msgLength(view, at), TINY_MAX, room);
    case PACKET_SMALL:
      return checkPayload(msgLength(view, at), SMALL_MAX, room);
    case PACKET_MEDIUM:
      // Up to a whole receive-queue slot, which at MTU 1500 is more than a full fragment.
      return checkPayload(mediumFragLength(view, at), limits.slotBytes, room);
    case PACKET_PULL_REPLY:
      return pullReplyFrameLength(view, at) > room ? WIRE_BAD_FRAME_LENGTH : WIRE_OK;
    case PACKET_HOST_REPLY:
      return hostReplyLength(view, at) > room ? WIRE_BAD_FRAME_LENGTH : WIRE_OK;
    case PACKET_RNDV:
      return rndvLength(view, at) < RNDV_DATA_BYTES ? WIRE_BAD_DATALEN : WIRE_OK;
    case PACKET_CONNECT:
      return connectLength(view, at) < CONNECT_DATA_BYTES ? WIRE_BAD_DATALEN : WIRE_OK;
    case PACKET_RAW:
      return frameLength > RAW_FRAME_MAX ? WIRE_RAW_TOO_LARGE : WIRE_OK;
    default:
      return WIRE_OK;
  }
}

function checkPayload(length: number, max: number, room: number): number {
  if (length > max) return WIRE_BAD_DATALEN;
  return length > room ? WIRE_BAD_FRAME_LENGTH : WIRE_OK;
}
