import * as ethernet from "./ethernet.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { HEAD_BYTES } = ethernet;

/*
 * What all packets share: the type byte, and for those between endpoints the four bytes that begin their body.
 *
 *   off  B  field            in
 *    16  1  ptype            every packet (W:241)
 *    17  1  dst_endpoint     TRUC CONNECT TINY SMALL MEDIUM RNDV PULL NOTIFY
 *    18  1  src_endpoint     the same
 *    19  1  src_generation   the same; never set nor read by anyone, so we treat it as padding
 *
 * NACK_LIB, NACK_MCP and PULL_REPLY have other fields at 17 to 19, see their files.
 */
export const OFF_PTYPE = HEAD_BYTES;
const OFF_DST_ENDPOINT = 17;
const OFF_SRC_ENDPOINT = 18;

// Again, because V8 reads what is exported each time.
const PTYPE = OFF_PTYPE;

/** Packet types (W:122-146). */
export const PACKET_NONE = 0;
export const PACKET_RAW = 1;
export const PACKET_MFM_NIC_REPLY = 2;
export const PACKET_HOST_QUERY = 3;
export const PACKET_HOST_REPLY = 4;
export const PACKET_ETHER_UNICAST = 32;
export const PACKET_ETHER_MULTICAST = 33;
export const PACKET_ETHER_NATIVE = 34;
export const PACKET_TRUC = 35;
export const PACKET_CONNECT = 36;
export const PACKET_TINY = 37;
export const PACKET_SMALL = 38;
export const PACKET_MEDIUM = 39;
export const PACKET_RNDV = 40;
export const PACKET_PULL = 41;
export const PACKET_PULL_REPLY = 42;
export const PACKET_NOTIFY = 43;
export const PACKET_NACK_LIB = 44;
export const PACKET_NACK_MCP = 45;

/** Header lengths, bytes from the frame's start; a payload begins there. */
export const HOST_QUERY_HEADER = 32;
export const HOST_REPLY_HEADER = 32;
export const TRUC_HEADER = 44;
export const CONNECT_HEADER = 48;
/** TINY and SMALL, and the part that MEDIUM and RNDV begin with. */
export const MSG_HEADER = 40;
export const MEDIUM_HEADER = 48;
export const RNDV_HEADER = 48;
export const PULL_HEADER = 60;
export const PULL_HEADER_COMPAT = 48;
export const PULL_REPLY_HEADER = 32;
export const NOTIFY_HEADER = 40;
export const NACK_HEADER = 32;
/** The driver looks at no more than the type of a RAW frame; this is what the discovery daemon reads of it. */
export const RAW_HEADER = 44;

const headers = new Uint8Array(256);
headers[PACKET_RAW] = RAW_HEADER;
headers[PACKET_HOST_QUERY] = HOST_QUERY_HEADER;
headers[PACKET_HOST_REPLY] = HOST_REPLY_HEADER;
headers[PACKET_TRUC] = TRUC_HEADER;
headers[PACKET_CONNECT] = CONNECT_HEADER;
headers[PACKET_TINY] = MSG_HEADER;
headers[PACKET_SMALL] = MSG_HEADER;
headers[PACKET_MEDIUM] = MEDIUM_HEADER;
headers[PACKET_RNDV] = RNDV_HEADER;
headers[PACKET_PULL] = PULL_HEADER;
headers[PACKET_PULL_REPLY] = PULL_REPLY_HEADER;
headers[PACKET_NOTIFY] = NOTIFY_HEADER;
headers[PACKET_NACK_LIB] = NACK_HEADER;
headers[PACKET_NACK_MCP] = NACK_HEADER;

/** Bytes up to the payload of packet type `type` (0 to 255); 0 for a type that nobody handles. */
export function headerLength(type: number, compat: boolean): number {
  return compat && type === PACKET_PULL ? PULL_HEADER_COMPAT : headers[type];
}

/** Whether the type has a name but no implementation: counted as "invalid", all other bad types as "unknown". */
export function isReservedType(type: number): boolean {
  return type === PACKET_MFM_NIC_REPLY || (type >= PACKET_ETHER_UNICAST && type <= PACKET_ETHER_NATIVE);
}

const names = new Map<number, string>([
  [PACKET_NONE, "NONE"],
  [PACKET_RAW, "RAW"],
  [PACKET_MFM_NIC_REPLY, "MFM_NIC_REPLY"],
  [PACKET_HOST_QUERY, "HOST_QUERY"],
  [PACKET_HOST_REPLY, "HOST_REPLY"],
  [PACKET_ETHER_UNICAST, "ETHER_UNICAST"],
  [PACKET_ETHER_MULTICAST, "ETHER_MULTICAST"],
  [PACKET_ETHER_NATIVE, "ETHER_NATIVE"],
  [PACKET_TRUC, "TRUC"],
  [PACKET_CONNECT, "CONNECT"],
  [PACKET_TINY, "TINY"],
  [PACKET_SMALL, "SMALL"],
  [PACKET_MEDIUM, "MEDIUM"],
  [PACKET_RNDV, "RNDV"],
  [PACKET_PULL, "PULL"],
  [PACKET_PULL_REPLY, "PULL_REPLY"],
  [PACKET_NOTIFY, "NOTIFY"],
  [PACKET_NACK_LIB, "NACK_LIB"],
  [PACKET_NACK_MCP, "NACK_MCP"],
]);

/** The type's name as in the wire header file, or `type 77`. */
export function packetTypeText(type: number): string {
  return names.get(type) ?? `type ${type}`;
}

/** Every type that has a name: code and name. */
export const PACKET_TYPES: readonly (readonly [type: number, name: string])[] = [...names];

export function packetType(view: DataView, at: number): number {
  return view.getUint8(at + PTYPE);
}

export function dstEndpoint(view: DataView, at: number): number {
  return view.getUint8(at + OFF_DST_ENDPOINT);
}

export function srcEndpoint(view: DataView, at: number): number {
  return view.getUint8(at + OFF_SRC_ENDPOINT);
}

/** Writes bytes 16 to 19 of a packet between endpoints. */
export function emitEndpoints(view: DataView, at: number, type: number, dst: number, src: number): void {
  view.setUint32(at + PTYPE, (type << 24) | ((dst & 0xff) << 16) | ((src & 0xff) << 8));
}
