import type { FramePool } from "../hw/frame.ts";
import { type FrameTap, lossText, OUTBOUND } from "../hw/tap.ts";
import { BlockWriter, type CaptureAbout, FLAG_INBOUND, FLAG_OUTBOUND, PACKET_OVERHEAD, padded } from "./pcapng.ts";

export interface CaptureOptions {
  /** Bytes kept of each frame, 0 for all. */
  readonly snaplen: number;
  /** Most bytes of the file; frames that would go beyond it are counted instead. */
  readonly limitBytes: number;
}

/** Frames are copied into pieces of this size, and the file is made in such. */
const CHUNK_BYTES = 1024 * 1024;
/** No frame is longer (hw/frame.ts), with its block around it. */
const LARGEST_BLOCK = 16 * 1024;

/** What is kept of each frame beside its bytes; grows by doubling. */
class Records {
  count = 0;
  /** When it was seen, picoseconds. */
  at = new Float64Array(256);
  /** Place in the chunks. */
  place = new Float64Array(256);
  kept = new Uint16Array(256);
  length = new Uint16Array(256);
  tap = new Uint16Array(256);
  way = new Uint8Array(256);
  lost = new Uint8Array(256);
  /** Frames of the same tap that were left out since the one before. */
  dropped = new Float64Array(256);

  next(): number {
    if (this.count === this.at.length) this.#grow();
    return this.count++;
  }

  #grow(): void {
    const size = this.count * 2;
    const larger = <T extends Float64Array | Uint16Array | Uint8Array>(into: T, from: T): T => (into.set(from), into);
    this.at = larger(new Float64Array(size), this.at);
    this.place = larger(new Float64Array(size), this.place);
    this.kept = larger(new Uint16Array(size), this.kept);
    this.length = larger(new Uint16Array(size), this.length);
    this.tap = larger(new Uint16Array(size), this.tap);
    this.way = larger(new Uint8Array(size), this.way);
    this.lost = larger(new Uint8Array(size), this.lost);
    this.dropped = larger(new Float64Array(size), this.dropped);
  }
}

/**
 * Keeps copies of the frames that some taps show, up to a limit, and makes a pcapng file of them. It looks on: a run
 * with a capture is the same run.
 */
export class Capture {
  readonly taps: readonly FrameTap[];
  /** Frames that were left out for want of room. */
  dropped = 0;
  readonly #frames: FramePool;
  readonly #options: CaptureOptions;
  readonly #records = new Records();
  readonly #chunks: Uint8Array[] = [];
  #chunkUsed = CHUNK_BYTES;
  #bytes = 0;
  readonly #seenAt: number[];
  readonly #droppedAt: number[];
  readonly #droppedSince: number[];
  readonly #stop: (() => void)[];
  /** What was seen last was kept, so that its loss can be noted. */
  #keptLast = false;

  /** Listens from now on. */
  constructor(taps: readonly FrameTap[], frames: FramePool, options: CaptureOptions) {
    this.taps = taps;
    this.#frames = frames;
    this.#options = options;
    this.#seenAt = taps.map(() => 0);
    this.#droppedAt = taps.map(() => 0);
    this.#droppedSince = taps.map(() => 0);
    this.#stop = taps.map((tap, index) =>
      tap.listen((way, frame, now) => this.#seen(index, way, frame, now), (reason) => this.#lost(reason))
    );
  }

  /** Frames that are kept. */
  get kept(): number {
    return this.#records.count;
  }

  /** Listens no more. */
  stop(): void {
    for (const stop of this.#stop.splice(0)) stop();
  }

  #seen(tap: number, way: 0 | 1, frame: number, now: number): void {
    const frames = this.#frames;
    const { snaplen, limitBytes } = this.#options;
    const length = frames.frameLength(frame);
    const kept = snaplen > 0 ? Math.min(length, snaplen) : length;
    const bytes = PACKET_OVERHEAD + padded(kept);
    this.#seenAt[tap]++;
    this.#keptLast = this.#bytes + bytes <= limitBytes;
    if (!this.#keptLast) {
      this.dropped++;
      this.#droppedAt[tap]++;
      this.#droppedSince[tap]++;
      return;
    }
    this.#bytes += bytes;
    const records = this.#records;
    const record = records.next();
    records.at[record] = now;
    records.place[record] = this.#copy(frame, kept);
    records.kept[record] = kept;
    records.length[record] = length;
    records.tap[record] = tap;
    records.way[record] = way;
    records.lost[record] = 0;
    records.dropped[record] = this.#droppedSince[tap];
    this.#droppedSince[tap] = 0;
  }

  #lost(reason: number): void {
    if (this.#keptLast) this.#records.lost[this.#records.count - 1] = reason;
  }

  /** Copies the first `bytes` of a frame: its linear part, then what it refers to. */
  #copy(frame: number, bytes: number): number {
    if (this.#chunkUsed + bytes > CHUNK_BYTES) {
      this.#chunks.push(new Uint8Array(CHUNK_BYTES));
      this.#chunkUsed = 0;
    }
    const chunk = this.#chunks[this.#chunks.length - 1];
    const { memory } = this.#frames;
    const at = this.#frames.at(frame);
    const linear = Math.min(bytes, this.#frames.linearOf(frame));
    chunk.set(memory.bytes(at, linear), this.#chunkUsed);
    if (bytes > linear) {
      const payload = this.#frames.payloadOf(frame);
      chunk.set(memory.bytes(payload, bytes - linear), this.#chunkUsed + linear);
    }
    const place = (this.#chunks.length - 1) * CHUNK_BYTES + this.#chunkUsed;
    this.#chunkUsed += bytes;
    return place;
  }

  /** The whole file, piece by piece; `endPs` is the instant at which the run has ended. */
  *file(about: CaptureAbout, endPs: number): Generator<Uint8Array> {
    let writer = new BlockWriter(CHUNK_BYTES);
    writer.section(about);
    for (const { name, comment, rateBps } of this.taps) {
      writer = yield* withRoom(writer);
      writer.interface({ name, description: comment, rateBps }, this.#options.snaplen);
    }
    for (const [number, record] of this.#inOrder().entries()) {
      writer = yield* withRoom(writer);
      this.#write(writer, record, number);
    }
    yield writer.bytes.subarray(0, writer.at);
    writer = new BlockWriter(CHUNK_BYTES);
    for (const index of this.taps.keys()) {
      writer = yield* withRoom(writer);
      const [seen, dropped] = [this.#seenAt[index], this.#droppedAt[index]];
      writer.statistics(index, Math.floor(endPs / 1000), { seen, dropped, written: seen - dropped });
    }
    yield writer.bytes.subarray(0, writer.at);
  }

  #write(writer: BlockWriter, record: number, id: number): void {
    const { at, place, kept, length, tap, way, lost, dropped } = this.#records;
    const chunk = this.#chunks[Math.floor(place[record] / CHUNK_BYTES)];
    const from = place[record] % CHUNK_BYTES;
    writer.packet({
      interface: tap[record],
      ns: Math.floor(at[record] / 1000),
      kept: chunk.subarray(from, from + kept[record]),
      length: length[record],
      flags: way[record] === OUTBOUND ? FLAG_OUTBOUND : FLAG_INBOUND,
      id,
      dropped: dropped[record],
      comment: lossText(lost[record]),
    });
  }

  /** By time: a CPU's burst runs ahead of the clock, so that an interface's frames may be seen before a wire's. */
  #inOrder(): Uint32Array {
    const { at, count } = this.#records;
    const order = new Uint32Array(count);
    let sorted = true;
    for (let i = 0; i < count; i++) {
      order[i] = i;
      if (i > 0 && at[i] < at[i - 1]) sorted = false;
    }
    return sorted ? order : order.sort((x, y) => at[x] - at[y] || x - y);
  }
}

/** A writer that has room for any block; gives the bytes of one that has not. */
function* withRoom(writer: BlockWriter): Generator<Uint8Array, BlockWriter> {
  if (writer.room >= LARGEST_BLOCK) return writer;
  yield writer.bytes.subarray(0, writer.at);
  return new BlockWriter(CHUNK_BYTES);
}
