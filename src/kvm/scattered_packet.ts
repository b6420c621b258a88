import type { FramePool } from "../hw/frame.ts";
import { CHAIN_NONE, CHAIN_OK, type DeviceQueue, NO_STRETCH } from "./device_queue.ts";
import { NET_HEADER_BYTES, writeNetHeader } from "./net_header.ts";
import { VIRTIO_NET_F_MRG_RXBUF } from "./virtqueue.ts";

// How a packet fits in the receive buffers.
const PACKET_FITS = 0;
/** There are too few at present. */
export const PACKET_STARVED = 1;
/** No single one holds it, and they are not merged. */
export const PACKET_TOO_LONG = 2;

// Here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const OK = CHAIN_OK;
const NONE = CHAIN_NONE;
const HEADER = NET_HEADER_BYTES;
const NONE_SUCH = NO_STRETCH;

/** An address that no buffer goes on from. */
const NOWHERE = -1;

/** A packet on its way into a guest's receive buffers: which chains it takes, and what is written into each. */
export class ScatteredPacket {
  /** Index of its first used element. */
  first = 0;
  /** Chains that could not be used, of those that the packet has taken. */
  bad = 0;
  readonly #frames: FramePool;
  readonly #rx: DeviceQueue;
  readonly #merges: boolean;
  /** Of those chains, the statuses that were not OK. */
  readonly #badStatuses: number[] = [];

  constructor(frames: FramePool, rx: DeviceQueue) {
    this.#frames = frames;
    this.#rx = rx;
    this.#merges = rx.queue.has(VIRTIO_NET_F_MRG_RXBUF);
  }

  /**
   * Writes header and frame into the next buffers, as many chains as it takes if they may be merged (5.1.6.4), and gives
   * these back, not yet published. Chains that turn out to be too few go back unused: what was written into them nobody
   * looks at. Chains that cannot be used are given back empty, in their place. Answers how it fits.
   */
  write(frame: number, length: number): number {
    const rx = this.#rx;
    const total = HEADER + length;
    this.first = rx.nextIndex;
    this.bad = 0;
    const at = this.#merges ? rx.fillStretch(total) : NONE_SUCH;
    if (at === NONE_SUCH) return this.#scatter(frame, total);
    this.#copy(frame, HEADER, total, at + HEADER);
    writeNetHeader(this.#frames.memory, at, this.#frames.linearOf(frame), rx.filled);
    return PACKET_FITS;
  }

  /** The same for `total` bytes of header and frame, wherever the buffers lie and however long each is. */
  #scatter(frame: number, total: number): number {
    const rx = this.#rx;
    const { addresses, lengths } = rx;
    if (this.#badStatuses.length > 0) this.#badStatuses.length = 0;
    let chains = 0;
    let merged = 0;
    let header = 0;
    let done = 0; // of header and frame
    // From which byte on they are still to be written, and where: buffers that lie one behind another are written
    // together. The header itself is when the number of buffers is known; the first one holds all of it.
    let unwritten = HEADER;
    let to = NOWHERE;
    while (done < total) {
      const status = rx.take();
      if (status === NONE) {
        this.#copy(frame, unwritten, done, to);
        rx.undo(chains, this.first, this.#badStatuses);
        return PACKET_STARVED;
      }
      if (rx.isLost) continue; // no chain, but an index from which none follows
      chains = (chains + 1) | 0;
      if (status !== OK || rx.readable !== 0 || lengths[0] < HEADER) { // 5.1.6.3.1
        if (status !== OK) this.#badStatuses.push(status);
        rx.giveBack(rx.head, 0);
        continue;
      }
      merged = (merged + 1) | 0;
      const before = done;
      if (done === 0) header = addresses[0];
      const { buffers } = rx;
      for (let i = 0; i < buffers && done < total; i = (i + 1) | 0) {
        const skipped = done === 0 ? HEADER : 0;
        const from = done + skipped;
        const address = addresses[i] + skipped;
        const end = done + lengths[i];
        done = end < total ? end : total;
        if (address === to + from - unwritten) continue;
        this.#copy(frame, unwritten, from, to);
        unwritten = from;
        to = address;
      }
      if (!this.#merges && done < total) {
        this.#copy(frame, unwritten, done, to);
        rx.giveBack(rx.head, 0);
        this.bad = chains - merged;
        return PACKET_TOO_LONG;
      }
      rx.giveBack(rx.head, done - before);
    }
    this.#copy(frame, unwritten, done, to);
    this.bad = chains - merged;
    writeNetHeader(this.#frames.memory, header, this.#frames.linearOf(frame), merged);
    return PACKET_FITS;
  }

  /** Writes the bytes [from, end) of header, linear part and payload, those of the header left out. */
  #copy(frame: number, from: number, end: number, to: number): void {
    if (from >= end) return;
    const frames = this.#frames;
    const { memory } = frames;
    const linearEnd = HEADER + frames.linearOf(frame);
    let payload = from - linearEnd;
    if (payload < 0) {
      const piece = (end < linearEnd ? end : linearEnd) - from;
      memory.copy(to, frames.at(frame) + from - HEADER, piece);
      to += piece;
      payload = 0;
    }
    const left = end - linearEnd - payload;
    if (left > 0) memory.copy(to, frames.payloadOf(frame) + payload, left);
  }
}
