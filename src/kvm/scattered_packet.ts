import type { FramePool } from "../hw/frame.ts";
import { CHAIN_NONE, CHAIN_OK, type DeviceQueue } from "./device_queue.ts";
import { NET_HEADER_BYTES, writeNetHeader } from "./net_header.ts";
import { VIRTIO_NET_F_MRG_RXBUF } from "./virtqueue.ts";

// How a packet fits in the receive buffers.
export const PACKET_FITS = 0;
/** There are too few at present. */
export const PACKET_STARVED = 1;
/** No single one holds it, and they are not merged. */
export const PACKET_TOO_LONG = 2;

// Here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const OK = CHAIN_OK;
const NONE = CHAIN_NONE;
const HEADER = NET_HEADER_BYTES;

/** An address that no buffer goes on from. */
const NOWHERE = -1;

/** A packet on its way into a guest's receive buffers: which chains it takes, and what has been written into each. */
export class ScatteredPacket {
  /** Chains that could not be used, of those that the packet has taken. */
  bad = 0;
  readonly #frames: FramePool;
  readonly #rx: DeviceQueue;
  readonly #merges: boolean;
  #chains = 0;
  readonly #heads: Int32Array;
  readonly #statuses: Uint8Array;
  readonly #written: Int32Array;
  // From which byte on the packet is still to be written, and where.
  #unwritten = 0;
  #to = 0;

  constructor(frames: FramePool, rx: DeviceQueue) {
    const { size } = rx.queue;
    this.#frames = frames;
    this.#rx = rx;
    this.#merges = rx.queue.has(VIRTIO_NET_F_MRG_RXBUF);
    this.#heads = new Int32Array(size);
    this.#statuses = new Uint8Array(size);
    this.#written = new Int32Array(size);
  }

  /**
   * Writes header and frame into the next buffers, as many chains as it takes if they may be merged (5.1.6.4). Chains
   * that turn out to be too few go back unused: what was written into them nobody looks at. Chains that cannot be used
   * are given back empty, in their place. Answers how it fits.
   */
  write(frame: number, length: number): number {
    const rx = this.#rx;
    const total = HEADER + length;
    this.#chains = 0;
    this.bad = 0;
    this.#unwritten = HEADER; // itself written when the number of buffers is known; the first one holds all of it
    this.#to = NOWHERE;
    let done = 0;
    let header = 0;
    let merged = 0;
    while (done < total) {
      const status = rx.take();
      if (status === NONE) {
        this.#flush(frame, done);
        while (this.#chains > 0) rx.undo(this.#statuses[--this.#chains]);
        return PACKET_STARVED;
      }
      if (rx.isLost) continue; // no chain, but an index from which none follows
      const before = done;
      this.#heads[this.#chains] = rx.head;
      this.#statuses[this.#chains] = status;
      if (status === OK && rx.readable === 0 && rx.lengths[0] >= HEADER) { // 5.1.6.3.1
        if (done === 0) header = rx.addresses[0];
        for (let i = 0; i < rx.buffers && done < total; i++) done = this.#fill(frame, done, total, i);
        merged++;
      }
      this.#written[this.#chains++] = done - before;
      if (!this.#merges && merged > 0 && done < total) {
        this.#flush(frame, done);
        this.#written[this.#chains - 1] = 0;
        this.bad = this.#chains - merged;
        return PACKET_TOO_LONG;
      }
    }
    this.#flush(frame, done);
    this.bad = this.#chains - merged;
    writeNetHeader(this.#frames.memory, header, this.#frames.linearOf(frame), merged);
    return PACKET_FITS;
  }

  /**
   * Fills buffer `i` of the chain from byte `done` of header, linear part and payload on; returns the new `done`. Buffers
   * that lie one behind another are written together.
   */
  #fill(frame: number, done: number, total: number, i: number): number {
    const { addresses, lengths } = this.#rx;
    let end = done + lengths[i];
    if (end > total) end = total;
    let to = addresses[i];
    if (done < HEADER) {
      to += HEADER - done;
      done = HEADER;
    }
    if (done < end && to !== this.#to + done - this.#unwritten) {
      this.#flush(frame, done);
      this.#to = to;
    }
    return end;
  }

  /** Writes what is still to be written of linear part and payload before byte `end`. */
  #flush(frame: number, end: number): void {
    const frames = this.#frames;
    const { memory } = frames;
    let done = this.#unwritten;
    if (done >= end) return;
    this.#unwritten = end;
    let to = this.#to;
    const linear = frames.linearOf(frame);
    const linearEnd = HEADER + linear;
    if (done < linearEnd) {
      const piece = (end < linearEnd ? end : linearEnd) - done;
      memory.copy(to, frames.at(frame) + done - HEADER, piece);
      to += piece;
      done += piece;
    }
    if (done < end) memory.copy(to, frames.payloadOf(frame) + done - linearEnd, end - done);
  }

  /** Gives the chains back that {@link write} has filled, in their order. */
  giveBack(): void {
    for (let i = 0; i < this.#chains; i++) this.#rx.giveBack(this.#heads[i], this.#written[i]);
  }
}
