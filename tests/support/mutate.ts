import type { Prng } from "../../src/base/prng.ts";
import type { FramePool } from "../../src/hw/frame.ts";
import { splitOfMx } from "../../src/path/bridged.ts";

/** A frame that was seen on a wire: its bytes, and where its attached payload began. */
export interface SeenFrame {
  readonly bytes: Uint8Array;
  readonly linear: number;
}

/** Values that are most often at the edge of something. */
const EDGES = [
  0,
  1,
  31,
  32,
  33,
  128,
  129,
  255,
  4096,
  8192,
  8968,
  0x3fff,
  0x4000,
  0x7fff,
  0xffff,
  0x7fffffff,
  0xffffffff,
];
/** Where sessions, sequences, handles, magics, indexes and lengths lie in one type or another. */
const PLACES = [14, 16, 17, 18, 19, 20, 22, 24, 26, 28, 30, 32, 34, 36, 40, 42, 44, 46, 48, 52, 56];
const TYPES = [0, 1, 2, 3, 4, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 255];
const MAX_BYTES = 9000;

/** The bytes of a frame in the pool. */
export function seeFrame(frames: FramePool, frame: number): SeenFrame {
  const { u8 } = frames.memory;
  const linear = frames.linearOf(frame);
  const at = frames.at(frame);
  const payload = frames.payloadLengthOf(frame);
  const bytes = new Uint8Array(linear + payload);
  bytes.set(u8.subarray(at, at + linear));
  if (payload > 0) bytes.set(u8.subarray(frames.payloadOf(frame), frames.payloadOf(frame) + payload), linear);
  return { bytes, linear };
}

/** A frame like one of `seen` with something wrong, or that one once more, or bytes that mean nothing. */
export function mutate(random: Prng, seen: readonly SeenFrame[]): Uint8Array {
  const kind = random.below(20);
  if (kind === 0) return noise(random, 14 + random.below(180), false);
  if (kind === 1) return noise(random, 17 + random.below(180), true);
  const { bytes } = seen[random.below(seen.length)];
  if (kind <= 4) return bytes.slice(); // a replay
  if (kind === 5) return bytes.slice(0, 14 + random.below(Math.min(bytes.length - 13, 80)));
  if (kind === 6) {
    const longer = noise(random, Math.min(MAX_BYTES, bytes.length + 1 + random.below(200)), false);
    longer.set(bytes);
    return longer;
  }
  const changed = bytes.slice();
  for (let n = 1 + random.below(3); n > 0; n--) change(random, changed, seen);
  return changed;
}

/** Changes one field: a bit, a byte, a number at an edge or nearby, the type, or what another frame has there. */
function change(random: Prng, bytes: Uint8Array, seen: readonly SeenFrame[]): void {
  const view = new DataView(bytes.buffer);
  const head = Math.min(bytes.length, 64);
  const place = PLACES[random.below(PLACES.length)];
  const width = place + 4 <= head ? [1, 2, 4][random.below(3)] : 1;
  switch (random.below(7)) {
    case 0:
      bytes[random.below(head)] ^= 1 << random.below(8);
      return;
    case 1:
      bytes[Math.min(place, head - 1)] = random.below(256);
      return;
    case 2:
      if (head > 16) bytes[16] = TYPES[random.below(TYPES.length)];
      return;
    case 3: {
      const { bytes: other } = seen[random.below(seen.length)];
      const from = random.below(head);
      bytes.set(other.subarray(from, Math.min(other.length, head, from + 1 + random.below(8))), from);
      return;
    }
    case 4: {
      const near = random.below(5) - 2;
      if (place + 2 <= head) view.setUint16(place, view.getUint16(place) + near);
      return;
    }
    default: {
      const value = EDGES[random.below(EDGES.length)];
      if (place >= head) return;
      if (width === 1) view.setUint8(place, value);
      else if (width === 2) view.setUint16(place, value);
      else view.setUint32(place, value);
    }
  }
}

function noise(random: Prng, length: number, asMx: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length }, () => random.below(256));
  if (asMx) {
    bytes.set([0x86, 0xdf, 0, random.below(3), TYPES[random.below(TYPES.length)]], 12);
  }
  return bytes;
}

/** A frame with these bytes, divided into headers and payload as a NIC driver does; -1 when there is none left. */
export function frameOf(frames: FramePool, bytes: Uint8Array): number {
  const linear = splitOfMx(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  const frame = frames.take(linear);
  if (frame < 0) return frame;
  frames.memory.u8.set(bytes.subarray(0, linear), frames.at(frame));
  const payload = bytes.subarray(linear);
  if (payload.length > 0) frames.memory.u8.set(payload, frames.attachOwn(frame, payload.length));
  return frame;
}
