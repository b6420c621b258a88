import { PAGE_SIZE } from "../base/units.ts";
import {
  ETH_HLEN,
  MAX_FRAME_BYTES,
  MAX_FRAME_SLOTS,
  NETTXF_extra_info,
  NETTXF_more_data,
  TX_GREF,
  TX_ID,
  TX_OFFSET,
  TX_RSP_ID,
} from "./net_layout.ts";
import type { BackRing } from "./shared_ring.ts";

// Fields of a slot are read and written two at a time, and by names of this file: V8 folds no imported constants.
const GREF = TX_GREF;
const OFFSET_AND_FLAGS = TX_OFFSET;
const ID_AND_SIZE = TX_ID;
const RSP_ID_AND_STATUS = TX_RSP_ID;
const MORE_DATA = NETTXF_more_data;
const EXTRA_INFO = NETTXF_extra_info;
const MAX_SLOTS = MAX_FRAME_SLOTS;
const MAX_BYTES = MAX_FRAME_BYTES;
const PAGE_BYTES = PAGE_SIZE;
const HEADER_BYTES = ETH_HLEN;

/** The transmit slots of one frame, each read once, because the guest may write them at any time. */
export class TxSlots {
  readonly refs = new Int32Array(MAX_FRAME_SLOTS);
  readonly offsets = new Int32Array(MAX_FRAME_SLOTS);
  /** Of each slot's own stretch, once {@link isSound} has been looked at. */
  readonly sizes = new Int32Array(MAX_FRAME_SLOTS);
  ids: Int32Array = new Int32Array(MAX_FRAME_SLOTS);
  count = 0;
  /** Whether they describe a frame. */
  isSound = false;
  readonly #ring: BackRing;
  #length = 0;

  constructor(ring: BackRing) {
    this.#ring = ring;
  }

  /** Bytes of the frame. */
  get length(): number {
    return this.#length;
  }

  /** Reads slots up to the one without more_data, at most as many as are there. */
  read(): void {
    const ring = this.#ring;
    const waiting = ring.unconsumedRequests();
    const { view } = ring.memory;
    const first = ring.reqCons;
    const { refs, offsets, sizes } = this;
    let { ids } = this;
    let flags = 0;
    let count = 0;
    do {
      const slot = ring.slot(first + count);
      const offsetAndFlags = view.getInt32(slot + OFFSET_AND_FLAGS, true);
      const idAndSize = view.getInt32(slot + ID_AND_SIZE, true);
      const n = count++;
      if (n === ids.length) ids = this.#growIds();
      ids[n] = idAndSize & 0xffff;
      flags = offsetAndFlags >>> 16;
      if (n >= MAX_SLOTS) continue;
      refs[n] = view.getInt32(slot + GREF, true);
      offsets[n] = offsetAndFlags & 0xffff;
      sizes[n] = idAndSize >>> 16;
      if ((flags & EXTRA_INFO) !== 0) sizes[0] = 0; // makes it unsound
    } while ((flags & MORE_DATA) !== 0 && count < waiting);
    ring.takeRequests(count);
    this.count = count;
    this.isSound = this.#check(flags);
  }

  /** Answers them all; the caller publishes. */
  answer(status: number): void {
    const { ids, count } = this;
    const ring = this.#ring;
    const { view } = ring.memory;
    const first = ring.claimResponses(count);
    for (let n = 0; n < count; n++) {
      const slot = ring.slot(first + n);
      view.setInt32(slot + RSP_ID_AND_STATUS, ids[n] | (status << 16), true);
    }
  }

  /** A guest may claim a chain as long as its ring: all of it has to be answered. */
  #growIds(): Int32Array {
    const larger = new Int32Array(this.#ring.size);
    larger.set(this.ids);
    return this.ids = larger;
  }

  /** Checks of netbk_count_requests and tx_build_gops. Leaves the first slot with the size of its own stretch. */
  #check(lastFlags: number): boolean {
    const { count, sizes, offsets } = this;
    if ((lastFlags & MORE_DATA) !== 0 || count > MAX_SLOTS) return false;
    const total = sizes[0];
    let first = total;
    let isSound = true;
    for (let n = 1; n < count; n++) {
      const size = sizes[n];
      first = (first - size) | 0;
      if (size === 0 || ((offsets[n] + size) | 0) > PAGE_BYTES) isSound = false;
    }
    sizes[0] = first;
    this.#length = total;
    if (first < HEADER_BYTES || total > MAX_BYTES || ((offsets[0] + first) | 0) > PAGE_BYTES) return false;
    return isSound;
  }
}

/** Writes one transmit response. */
export function answerTx(ring: BackRing, id: number, status: number): void {
  const slot = ring.claimResponse();
  ring.memory.view.setInt32(slot + RSP_ID_AND_STATUS, id | (status << 16), true);
}
