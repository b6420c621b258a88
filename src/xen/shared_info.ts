import * as faults from "../base/assert.ts";
import * as units from "../base/units.ts";
import type { Memory } from "../hw/memory.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const assert: typeof faults.assert = faults.assert;
const { PAGE_SIZE } = units;

/*
 * The shared-info page on x86-64 (xen.h): 32 vcpu_info of 64 bytes, then the pending and mask bits of 4096 ports.
 *
 *   vcpu_info    0  u8   evtchn_upcall_pending   Xen sets, the guest clears
 *                1  u8   evtchn_upcall_mask      the guest writes; not used: a processor takes no upcall in a burst
 *                8  u64  evtchn_pending_sel      Xen sets, the guest clears
 *               16       arch and time           not modelled
 *   page      2048  u64  evtchn_pending[64]      Xen sets, the guest clears
 *             2560  u64  evtchn_mask[64]         the guest writes
 *
 * VCPUs from the 33rd on have their vcpu_info in pages of their own, as if registered with VCPUOP_register_vcpu_info.
 */
const VCPU_INFO_BYTES = 64;
const LEGACY_MAX_VCPUS = 32;
const UPCALL_PENDING = 0;
const PENDING_SEL = 8;
const PENDING = 2048;
const MASK = 2560;

// What a port was when an event came for it.
export const PORT_IDLE = 0;
export const PORT_PENDING = 1;
export const PORT_MASKED = 2;

/** Ports of a domain: 64 words of 64 bits, the two-level layout of x86-64. Port 0 is never given out. */
export const EVTCHN_PORTS = 4096;

/** The bits by which Xen and a guest tell each other about events; everything here is in guest memory. */
export class SharedInfo {
  /** Machine address of the page. */
  readonly address: number;
  readonly #memory: Memory;
  readonly #more: number;

  /** `allocPages` gives zeroed pages of the domain. */
  constructor(memory: Memory, vcpus: number, allocPages: (count: number) => number) {
    this.#memory = memory;
    this.address = allocPages(1);
    const more = Math.max(0, vcpus - LEGACY_MAX_VCPUS) * VCPU_INFO_BYTES;
    this.#more = more === 0 ? 0 : allocPages(Math.ceil(more / PAGE_SIZE));
    memory.u8.fill(0xff, this.address + MASK, this.address + MASK + EVTCHN_PORTS / 8);
  }

  /** Where a VCPU's vcpu_info is. */
  vcpuInfo(vcpu: number): number {
    if (vcpu < LEGACY_MAX_VCPUS) return this.address + vcpu * VCPU_INFO_BYTES;
    return this.#more + (vcpu - LEGACY_MAX_VCPUS) * VCPU_INFO_BYTES;
  }

  isPending(port: number): boolean {
    return this.#bit(PENDING, port);
  }

  setPending(port: number, value: boolean): void {
    this.#setBit(PENDING, port, value);
  }

  /** Xen's part: an event has come for a port. Says what the port was: PORT_IDLE, PORT_PENDING or PORT_MASKED. */
  arrive(port: number): number {
    const byte = this.address + PENDING + (port >> 3);
    const bit = 1 << (port & 7);
    const { view } = this.#memory;
    const pending = view.getUint8(byte);
    if ((pending & bit) !== 0) return PORT_PENDING;
    view.setUint8(byte, pending | bit);
    return (view.getUint8(byte + (MASK - PENDING)) & bit) === 0 ? PORT_IDLE : PORT_MASKED;
  }

  isMasked(port: number): boolean {
    return this.#bit(MASK, port);
  }

  setMasked(port: number, value: boolean): void {
    this.#setBit(MASK, port, value);
  }

  /** Pending and not masked ports of a group of 32, as bits. */
  active(group: number): number {
    const { view } = this.#memory;
    const at = this.address + (group << 2);
    return view.getInt32(at + PENDING, true) & ~view.getInt32(at + MASK, true);
  }

  /** Xen's part: selects the port's word for a VCPU; whether the VCPU's upcall has to be raised for it. */
  select(vcpu: number, port: number): boolean {
    const { view } = this.#memory;
    const info = this.vcpuInfo(vcpu);
    const word = port >> 6;
    const selector = info + PENDING_SEL + (word >> 3);
    view.setUint8(selector, view.getUint8(selector) | (1 << (word & 7)));
    if (view.getUint8(info + UPCALL_PENDING) !== 0) return false;
    view.setUint8(info + UPCALL_PENDING, 1);
    return true;
  }

  /** The upcall's part, first: the flag is cleared before the selector is read, so nothing between is lost. */
  clearUpcall(vcpu: number): void {
    this.#memory.view.setUint8(this.vcpuInfo(vcpu) + UPCALL_PENDING, 0);
  }

  /** The upcall's part, then: takes half of the selector (0 is words 0 to 31, 1 the rest) and clears it. */
  takeSelector(vcpu: number, half: 0 | 1): number {
    const at = this.vcpuInfo(vcpu) + (half === 0 ? PENDING_SEL : PENDING_SEL + 4);
    const { view } = this.#memory;
    const bits = view.getInt32(at, true);
    if (bits !== 0) view.setInt32(at, 0, true);
    return bits;
  }

  #bit(array: number, port: number): boolean {
    if (!(port > 0 && port < EVTCHN_PORTS)) return false;
    return ((this.#memory.view.getUint8(this.address + array + (port >> 3)) >> (port & 7)) & 1) === 1;
  }

  #setBit(array: number, port: number, value: boolean): void {
    assert(port > 0 && port < EVTCHN_PORTS, "event channel: there is no such port");
    const byte = this.address + array + (port >> 3);
    const { view } = this.#memory;
    const bits = view.getUint8(byte);
    const bit = 1 << (port & 7);
    const changed = value ? bits | bit : bits & ~bit;
    view.setUint8(byte, changed);
  }
}
