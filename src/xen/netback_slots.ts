import { PAGE_SIZE } from "../base/units.ts";
import {
  ETH_HLEN,
  MAX_FRAME_BYTES,
  MAX_FRAME_SLOTS,
  NETTXF_extra_info,
  NETTXF_more_data,
  TX_FLAGS,
  TX_GREF,
  TX_ID,
  TX_OFFSET,
  TX_RSP_ID,
  TX_RSP_STATUS,
  TX_SIZE,
} from "./net_layout.ts";
import type { BackRing } from "./shared_ring.ts";

/** The transmit slots of one frame, each read once, because the guest may write them at any time. */
export class TxSlots {
  readonly refs = new Int32Array(MAX_FRAME_SLOTS);
  readonly offsets = new Int32Array(MAX_FRAME_SLOTS);
  /** Of each slot's own stretch, once {@link isSound} has been looked at. */
  readonly sizes = new Int32Array(MAX_FRAME_SLOTS);
  ids = new Int32Array(MAX_FRAME_SLOTS);
  count = 0;
  /** Whether they describe a frame. */
  isSound = false;
  readonly #ring: BackRing;

  constructor(ring: BackRing) {
    this.#ring = ring;
  }

  /** Bytes of the frame. */
  get length(): number {
    let length = 0;
    for (let n = 0; n < this.count; n++) length += this.sizes[n];
    return length;
  }

  /** Reads slots up to the one without more_data, at most as many as are there. */
  read(): void {
    const waiting = this.#ring.unconsumedRequests();
    const { view } = this.#ring.memory;
    let flags = 0;
    this.count = 0;
    do {
      const slot = this.#ring.takeRequest();
      const n = this.count++;
      if (n === this.ids.length) this.#growIds();
      this.ids[n] = view.getUint16(slot + TX_ID, true);
      flags = view.getUint16(slot + TX_FLAGS, true);
      if (n >= MAX_FRAME_SLOTS) continue;
      this.refs[n] = view.getUint32(slot + TX_GREF, true);
      this.offsets[n] = view.getUint16(slot + TX_OFFSET, true);
      this.sizes[n] = view.getUint16(slot + TX_SIZE, true);
      if ((flags & NETTXF_extra_info) !== 0) this.sizes[0] = 0; // makes it unsound
    } while ((flags & NETTXF_more_data) !== 0 && this.count < waiting);
    this.isSound = this.#check(flags);
  }

  /** Answers them all; the caller publishes. */
  answer(status: number): void {
    for (let n = 0; n < this.count; n++) answerTx(this.#ring, this.ids[n], status);
  }

  /** A guest may claim a chain as long as its ring: all of it has to be answered. */
  #growIds(): void {
    const larger = new Int32Array(this.#ring.size);
    larger.set(this.ids);
    this.ids = larger;
  }

  /** Checks of netbk_count_requests and tx_build_gops. Leaves the first slot with the size of its own stretch. */
  #check(lastFlags: number): boolean {
    if ((lastFlags & NETTXF_more_data) !== 0 || this.count > MAX_FRAME_SLOTS) return false;
    const total = this.sizes[0];
    let first = total;
    for (let n = 1; n < this.count; n++) first -= this.sizes[n];
    this.sizes[0] = first;
    if (first < ETH_HLEN || total > MAX_FRAME_BYTES) return false;
    for (let n = 0; n < this.count; n++) {
      if (this.sizes[n] === 0 || this.offsets[n] + this.sizes[n] > PAGE_SIZE) return false;
    }
    return true;
  }
}

/** Writes one transmit response. */
export function answerTx(ring: BackRing, id: number, status: number): void {
  const { view } = ring.memory;
  const slot = ring.claimResponse();
  view.setUint16(slot + TX_RSP_ID, id, true);
  view.setInt16(slot + TX_RSP_STATUS, status, true);
}
