import type { Memory } from "../hw/memory.ts";

/*
 * Registers and descriptors of the Intel 8254x (PCI/PCI-X Family of Gigabit Ethernet Controllers, Software Developer's
 * Manual, chapters 3 and 13), as far as a driver that moves packets needs them. Everything is little-endian.
 */

/** Bytes of register space that are decoded. */
export const REGISTER_SPACE = 0x6000;

export const STATUS = 0x0008;
/** Interrupt causes; reading clears them (13.4.17). */
export const ICR = 0x00c0;
/** Sets and clears bits of the interrupt mask (13.4.20, 13.4.21). */
export const IMS = 0x00d0;
export const IMC = 0x00d8;
export const RCTL = 0x0100;
export const TCTL = 0x0400;
/** A ring: its address in two halves (the high one is reached as the low one plus 4), its length, head and tail. */
export const RDBAL = 0x2800;
export const RDLEN = 0x2808;
export const RDH = 0x2810;
export const RDT = 0x2818;
export const TDBAL = 0x3800;
export const TDLEN = 0x3808;
export const TDH = 0x3810;
export const TDT = 0x3818;
/** RDLEN and TDLEN count bytes in steps of 128, bits 19:7 (13.4.27, 13.4.39). */
export const RING_BYTES_MASK = 0xfff80;
/** The station's address: four low bytes, then two high ones, in the order in which they are sent (13.5.2), and AV. */
export const RAL0 = 0x5400;
export const RAH0 = 0x5404;

/** Names of the registers that a run writes or reads, for counters. */
export const REGISTER_NAMES: Readonly<Record<number, string>> = {
  [STATUS]: "STATUS",
  [ICR]: "ICR",
  [IMS]: "IMS",
  [IMC]: "IMC",
  [RDT]: "RDT",
  [TDT]: "TDT",
};

/** RCTL and TCTL: enabled. */
export const CTL_EN = 1 << 1;
/** RCTL: takes all unicast, all multicast frames, those longer than 1522 bytes with FCS, broadcasts (table 13-67). */
export const RCTL_UPE = 1 << 3;
export const RCTL_MPE = 1 << 4;
export const RCTL_LPE = 1 << 5;
export const RCTL_BAM = 1 << 15;
/** RCTL: receive buffers of 4096 bytes (BSIZE with BSEX). */
export const RCTL_BUFFER_4096 = (1 << 25) | (3 << 16);
/** RAH: the address is valid. */
export const RAH_AV = 2 ** 31;

/** Bytes of a receive buffer, by BSIZE and BSEX; a reserved combination is taken for BSIZE alone. */
export function receiveBufferBytes(rctl: number): number {
  const size = 2048 >> (rctl >> 16 & 3);
  return (rctl & (1 << 25)) !== 0 && size < 2048 ? size * 16 : size;
}

/** Causes: a transmit descriptor was written back, a receive descriptor was. */
export const CAUSE_TXDW = 1 << 0;
export const CAUSE_RXT0 = 1 << 7;
export const CAUSE_ALL = 0xffff;

/*
 *   transmit descriptor, legacy (3.3.3)          receive descriptor (3.2.3)
 *    0  u64  buffer address   driver              0  u64  buffer address   driver
 *    8  u16  length           driver              8  u16  length           device
 *   10  u8   checksum offset  not used           10  u16  checksum         not used
 *   11  u8   command          driver             12  u8   status           device; the driver clears it
 *   12  u8   status           device             13  u8   errors           not used
 */
export const DESCRIPTOR_BYTES = 16;
const LENGTH = 8;
const COMMAND = LENGTH + 3;
const STATUS_BYTE = 12;
/** Transmit command: last descriptor of a packet; insert FCS; report status. */
export const CMD_EOP = 1;
export const CMD_IFCS = 2;
export const CMD_RS = 8;
/** Status of either: done; last descriptor of a packet. */
export const STA_DD = 1;
export const STA_EOP = 2;

/** Writes a descriptor as a driver does. The status is clear. */
export function writeDescriptor(memory: Memory, at: number, address: number, length: number, command: number): void {
  const { view } = memory;
  view.setUint32(at, address >>> 0, true);
  view.setUint32(at + 4, (address / 2 ** 32) >>> 0, true);
  view.setUint32(at + LENGTH, (length & 0xffff) | (command << 24), true); // the command in byte 11, no checksum offset
  view.setUint32(at + STATUS_BYTE, 0, true);
}

export function bufferOf(memory: Memory, at: number): number {
  const { view } = memory;
  const address = view.getUint32(at, true);
  const upper = view.getUint32(at + 4, true);
  return upper === 0 ? address : address + upper * 2 ** 32; // nearly always 0
}

export function lengthOf(memory: Memory, at: number): number {
  return memory.view.getUint16(at + LENGTH, true);
}

export function setLength(memory: Memory, at: number, length: number): void {
  memory.view.setUint16(at + LENGTH, length, true);
}

export function commandOf(memory: Memory, at: number): number {
  return memory.view.getUint8(at + COMMAND);
}

export function statusOf(memory: Memory, at: number): number {
  return memory.view.getUint8(at + STATUS_BYTE);
}

export function setStatus(memory: Memory, at: number, status: number): void {
  memory.view.setUint8(at + STATUS_BYTE, status);
}
