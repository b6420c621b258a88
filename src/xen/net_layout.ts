import { ringSize } from "./shared_ring.ts";

/*
 * The two rings of a network device (io/netif.h), each in a page of the guest. Little-endian, as the guest is.
 *
 * Transmit, 12 bytes a slot. Netfront writes requests, netback writes responses over them. A frame takes one slot for
 * each stretch of a page that it lies in:
 *
 *   request   0  u32  gref     of the page
 *             4  u16  offset   in the page
 *             6  u16  flags    NETTXF_*; more_data in all slots of a frame but the last
 *             8  u16  id       echoed in the response
 *            10  u16  size     first slot: of the whole frame; others: of this stretch
 *   response  0  u16  id
 *             2  s16  status   NETIF_RSP_*
 *
 * Receive, 8 bytes a slot. Netfront posts empty pages, netback fills as many as a frame needs:
 *
 *   request   0  u16  id
 *             4  u32  gref     of a page that netback may write
 *   response  0  u16  id
 *             2  u16  offset   of the data in the page
 *             4  u16  flags    NETRXF_*
 *             6  s16  status   bytes if it is above zero, else NETIF_RSP_*
 */
export const TX_SLOT_BYTES = 12;
export const TX_GREF = 0;
export const TX_OFFSET = 4;
export const TX_FLAGS = 6;
export const TX_ID = 8;
export const TX_SIZE = 10;
export const TX_RSP_ID = 0;
export const TX_RSP_STATUS = 2;

export const RX_SLOT_BYTES = 8;
export const RX_ID = 0;
export const RX_GREF = 4;
export const RX_RSP_ID = 0;
export const RX_RSP_OFFSET = 2;
export const RX_RSP_FLAGS = 4;
export const RX_RSP_STATUS = 6;

export const NETTXF_more_data = 4;
/** The next slot is not data but describes an offload: none is negotiated here. */
export const NETTXF_extra_info = 8;
export const NETRXF_more_data = 4;

export const NETIF_RSP_DROPPED = -2;
export const NETIF_RSP_ERROR = -1;
export const NETIF_RSP_OKAY = 0;

/** Slots of each ring: 256 (NET_TX_RING_SIZE and NET_RX_RING_SIZE of 4 KiB pages). */
export const TX_SLOTS = ringSize(TX_SLOT_BYTES);
export const RX_SLOTS = ringSize(RX_SLOT_BYTES);

/** Slots that one frame may have: a linear part and MAX_SKB_FRAGS pages of 4 KiB (64 KiB and a bit). */
export const MAX_FRAME_SLOTS = 18;
/** Longest frame that either half takes, bytes: a jumbo frame with room to spare. */
export const MAX_FRAME_BYTES = 9216;
/** An Ethernet header: no frame is shorter. */
export const ETH_HLEN = 14;

export type { HeaderSplit } from "../hw/frame.ts";

/** The messages in a device's slots, by number of a frame's first slot. The observer's: no guest can read it. */
export class NetJourneys {
  readonly tx: Int32Array = new Int32Array(TX_SLOTS).fill(-1);
  readonly rx: Int32Array = new Int32Array(RX_SLOTS).fill(-1);

  /** Takes the message out of a slot; -1 when there is none. */
  static take(slots: Int32Array, number: number): number {
    const journey = slots[number];
    slots[number] = -1;
    return journey;
  }
}
