/** Sizes that follow from the MTU that Open-MX was built for (omx_wire.h:45-111, omx_io.h:54-109). */
export interface MxLimits {
  /** Largest frame, counted from the Ethernet header on. */
  readonly mtu: number;
  /** MX 1.2 wire compatibility: 4 KiB fragments and narrow pull fields. */
  readonly compat: boolean;
  /** Payload of a full pull reply ("FRAME"), bytes. */
  readonly pullReplyBytes: number;
  /** Payload of a full medium fragment, bytes. */
  readonly mediumFragmentBytes: number;
  /** Bytes of a send-queue or receive-queue slot. */
  readonly slotBytes: number;
  /** Fragments of one medium message. */
  readonly mediumFragments: number;
  /** Pull replies in one block. */
  readonly repliesPerBlock: number;
}

export const TINY_MAX = 32;
export const SMALL_MAX = 128;
/** Up to this size, inclusive, a message to another host is eager; above it goes by rendezvous. */
export const RNDV_THRESHOLD = 32768;
/** The same between endpoints of one host. */
export const SHARED_RNDV_THRESHOLD = 4096;
/** Pull blocks that one large receive has in flight. */
export const PULL_BLOCKS = 4;
export const MAX_SEGMENTS = 256;
export const MAX_REGIONS = 256;
export const MAX_ENDPOINTS = 256;
/** Concurrent large sends of one endpoint: half the regions, so that receives can always proceed (omx_large.c:62). */
export const MAX_LARGE_SENDS = 128;

/** Whole messages completely received and not acknowledged that make an explicit ack leave at once. */
export const NOT_ACKED_MAX = 4;
/** Oldest unacknowledged message may wait this long for a piggyback: (HZ + 64) / 64 jiffies, about 16 ms. */
export const ACK_DELAY_PS = 16_000_000_000;
/** Resend period: (HZ + 2) / 2 jiffies, 0.5 s. */
export const RESEND_DELAY_PS = 500_000_000_000;
export const RESENDS_MAX = 1000;
/** The driver requests missing pull replies again after this long without any. */
export const PULL_RETRANSMIT_PS = 1_000_000_000_000;

/** Limits of a build for `mtu` 9000 or 1500, or of a wire-compatible build. */
export function mxLimits(mtu: number, compat = false): MxLimits {
  if (compat) {
    return {
      mtu: 4144,
      compat,
      pullReplyBytes: 4096,
      mediumFragmentBytes: 4096,
      slotBytes: 4096,
      mediumFragments: 8,
      repliesPerBlock: 8,
    };
  }
  const room = mtu - 48;
  const fragment = room >= 8192 ? 8192 : room >= 4096 ? 4096 : room;
  return {
    mtu,
    compat,
    pullReplyBytes: mtu - 32,
    mediumFragmentBytes: fragment,
    slotBytes: 2 ** Math.ceil(Math.log2(fragment)),
    mediumFragments: 32,
    repliesPerBlock: 32,
  };
}

/** Largest message that can go by medium fragments. */
export function mediumMax(limits: MxLimits): number {
  return limits.mediumFragmentBytes * limits.mediumFragments;
}

/** A rendezvous threshold as a user may set it, between what is always eager and what can be (omx_init.c:351-368). */
export function rndvThreshold(bytes: number, limits: MxLimits): number {
  return Math.max(SMALL_MAX, Math.min(mediumMax(limits), bytes));
}

/** How a message travels to another host. */
export type MessageClass = "tiny" | "small" | "medium" | "large";

/** The class of a message by its length in bytes, where the longest eager one is of `threshold` bytes. */
export function messageClass(length: number, threshold: number): MessageClass {
  if (length <= SMALL_MAX) return length <= TINY_MAX ? "tiny" : "small";
  return length <= threshold ? "medium" : "large";
}

/** Most bytes that one pull block asks for. */
export function blockMax(limits: MxLimits): number {
  return limits.pullReplyBytes * limits.repliesPerBlock;
}
