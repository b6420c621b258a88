/*
 * The 16-byte head of every MX frame: an Ethernet II header and one field of MX's own (W:235-239).
 *
 *   off  B  field
 *     0  6  dst                  destination MAC
 *     6  6  src                  source MAC
 *    12  2  ethertype            0x86DF, big-endian even in a build with host-order fields
 *    14  2  dst_src_peer_index   the number that the *destination* gave to the sender; 0xffff while unknown
 *
 * Everywhere in this folder a frame is a `DataView` that holds much else besides, and the offset `at` of the frame's
 * first byte in it; all offsets count from there. A MAC is two numbers, because 48 bits do not fit in one integer
 * operation: `hi` the first 16 bits, `lo` the other 32.
 */
const OFF_DST = 0;
const OFF_SRC = 6;
const OFF_ETHERTYPE = 12;
const OFF_PEER_INDEX = 14;

/** Bytes of the head; the packet's own fields begin here (W:241). */
export const HEAD_BYTES = 16;
/** EtherType of MX over Ethernet (W:40-43). */
export const ETHERTYPE = 0x86df;
/** Shortest Ethernet frame without its check sequence, bytes: shorter packets are padded (lnx/omx_send.c:159). */
export const MIN_FRAME = 60;
/** Peer index on the wire while the destination has not told us ours (lnx/omx_peer.c:591). */
export const UNKNOWN_PEER_INDEX = 0xffff;
export const BROADCAST_HI = 0xffff;
export const BROADCAST_LO = 0xffffffff;

// Again, because V8 reads what is exported each time.
const TYPE = ETHERTYPE;
const SHORTEST = MIN_FRAME;

/** Writes bytes 0 to 15. The peer index is 0 where the real driver leaves it unwritten (HOST_QUERY, PULL_REPLY, RAW). */
export function emitHead(
  view: DataView,
  at: number,
  dstHi: number,
  dstLo: number,
  srcHi: number,
  srcLo: number,
  peerIndex: number,
): void {
  // By words: each call of a view's method checks its place.
  view.setInt32(at + OFF_DST, (dstHi << 16) | (dstLo >>> 16));
  view.setInt32(at + OFF_DST + 4, (dstLo << 16) | (srcHi & 0xffff));
  view.setInt32(at + OFF_SRC + 2, srcLo | 0);
  view.setInt32(at + OFF_ETHERTYPE, (TYPE << 16) | (peerIndex & 0xffff));
}

export function readDstHi(view: DataView, at: number): number {
  return view.getUint16(at + OFF_DST);
}

export function readDstLo(view: DataView, at: number): number {
  return view.getUint32(at + OFF_DST + 2);
}

export function readSrcHi(view: DataView, at: number): number {
  return view.getUint16(at + OFF_SRC);
}

export function readSrcLo(view: DataView, at: number): number {
  return view.getUint32(at + OFF_SRC + 2);
}

export function readEthertype(view: DataView, at: number): number {
  return view.getUint16(at + OFF_ETHERTYPE);
}

/** `dst_src_peer_index`: the receiver's own index of the sender, or 0xffff. */
export function readPeerIndex(view: DataView, at: number): number {
  return view.getUint16(at + OFF_PEER_INDEX);
}

export function writePeerIndex(view: DataView, at: number, index: number): void {
  view.setUint16(at + OFF_PEER_INDEX, index);
}

/**
 * Zeroes from the end of what is written, `usedBytes`, up to the shortest frame, and returns the frame's length in
 * bytes. The real driver sends whatever the buffer held (lnx/omx_send.c:66-86); a run has to be repeatable to the byte.
 */
export function padFrame(view: DataView, at: number, usedBytes: number): number {
  if (usedBytes >= SHORTEST) return usedBytes;
  const end = at + SHORTEST;
  let i = at + usedBytes;
  for (; i + 4 <= end; i += 4) view.setInt32(i, 0);
  for (; i < end; i++) view.setUint8(i, 0);
  return SHORTEST;
}

/** The 48 bits as one exact number, to look a peer up in a `Map`. */
export function macKey(hi: number, lo: number): number {
  return hi * 0x1_0000_0000 + lo;
}

export function isBroadcast(hi: number, lo: number): boolean {
  return hi === BROADCAST_HI && lo === BROADCAST_LO;
}

/** Six colon-separated pairs of lower-case digits. */
export function macText(hi: number, lo: number): string {
  return macKey(hi, lo).toString(16).padStart(12, "0").replace(/..(?!$)/g, "$&:");
}
