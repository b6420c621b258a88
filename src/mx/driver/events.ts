/*
 * The 64-byte event slot between driver and library (omx_io.h:84-94, 777-852). The last two bytes are the type and the
 * id; the id is written last and is 1 + (index mod 255), so that a consumer sees a fresh event by polling one byte.
 * Everything else is little-endian at these offsets (the library and driver are always of one build):
 *
 *    0 cookie/inline data ... 31    TINY: payload; MEDIUM_DONE, PULL_DONE: cookie u32 @0; MEDIUM_FRAG: checksum u16 @0
 *   32 match_a u32   36 match_b u32
 *   40 session u32   own session of the sender (connect), session of the packet (others)
 *   44 length u32    message length; bytes transferred (NOTIFY, PULL_DONE)
 *   48 peer u16      index of the sender in this driver's peer table
 *   50 endpoint u8   of the sender
 *   51 fragment u8   MEDIUM_FRAG; region id (RNDV, NOTIFY); connect seq; status (PULL_DONE); nack type
 *   52 seq u16       lib_seqnum; connect: target_recv_seqnum_start
 *   54 piggyack u16  lib_piggyack; MEDIUM_FRAG, TINY, SMALL, RNDV, NOTIFY
 *   56 extra u32     MEDIUM_FRAG: frag_length | recvq slot << 16 · SMALL: recvq slot << 16 | checksum ·
 *                    TINY: checksum · RNDV, NOTIFY: region seq
 *                    LIBACK: ack number · CONNECT_REQUEST: key · CONNECT_REPLY: target session
 *   60 shared u8     the sender is on this host      61 status u8  connect status
 *   62 type u8       63 id u8
 *
 * A RNDV's extra has in its upper half where in the region the message begins.
 */
export const EVENT_BYTES = 64;
export const EV_COOKIE = 0;
export const EV_DATA = 0;
/** Of a medium fragment in a debug build; tiny and small have theirs in the lower half of EV_EXTRA. */
export const EV_CHECKSUM = 0;
export const EV_MATCH_A = 32;
export const EV_MATCH_B = 36;
export const EV_SESSION = 40;
export const EV_LENGTH = 44;
export const EV_PEER = 48;
export const EV_ENDPOINT = 50;
export const EV_SMALL_FIELD = 51;
export const EV_SEQ = 52;
export const EV_PIGGYACK = 54;
export const EV_EXTRA = 56;
export const EV_SHARED = 60;
export const EV_STATUS = 61;
export const EV_TYPE = 62;
export const EV_ID = 63;

/** The id byte of the event with free-running number `index`. */
export function eventId(index: number): number {
  return 1 + (index % 255);
}
