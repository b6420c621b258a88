import type { Memory } from "../hw/memory.ts";

/*
 * The header before each packet in a virtio-net queue (VIRTIO 1.1, 5.1.6), little-endian:
 *
 *   flags u8, gso_type u8, hdr_len u16, gso_size u16, csum_start u16, csum_offset u16, num_buffers u16
 */
export const NET_HEADER_BYTES = 12;
const HDR_LEN = 2;
const NUM_BUFFERS = 10;

/**
 * Writes a header without offloads. `headerLength` says how much of the packet belongs in a frame's linear part. Where it
 * goes there may have been payload of a packet before it, whose copy was put off: that must not come any more.
 */
export function writeNetHeader(memory: Memory, at: number, headerLength: number, buffers: number): void {
  writeNetHeaderByView(memory, memory.headToWrite(at, NET_HEADER_BYTES), headerLength, buffers);
}

/** The same where no packet's payload ever is, so that nothing is put off there. */
export function writeNetHeaderByView(memory: Memory, at: number, headerLength: number, buffers: number): void {
  const { view } = memory;
  view.setUint32(at, headerLength << 16, true); // with flags and gso_type before it
  view.setUint32(at + 4, 0, true);
  view.setUint32(at + 8, buffers << 16, true); // with csum_offset before it
}

/** `hdr_len`: a hint (5.1.6.2), not to be trusted. In a receive buffer `at` is where the header really stands. */
export function netHeaderLength(memory: Memory, at: number): number {
  return memory.view.getUint16(at + HDR_LEN, true);
}

/** Receive buffers that the packet takes, this one included (5.1.6.4); written by the device. `at` is as above. */
export function netBuffers(memory: Memory, at: number): number {
  return memory.view.getUint16(at + NUM_BUFFERS, true);
}
