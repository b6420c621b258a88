/*
 * The control plane's messages, on `ring`: the native structures again, little-endian. Offsets are within the union.
 *
 *   peer (96)         0 board_addr u64   8 hostname[80]   88 index u32     the same in question and answer
 *   board info (136)  0 addr u64   8 mtu u32   12 numa node u32   16 hostname[80]   96 interface and driver names
 */
export const FUNC_BOARD_INFO = 0xc0904f12;
export const FUNC_PEER_FROM_INDEX = 0xc0604f24;
export const FUNC_PEER_FROM_ADDR = 0xc0604f25;
export const FUNC_PEER_FROM_HOSTNAME = 0xc0604f26;

export const PEER_ADDRESS = 0;
export const PEER_HOSTNAME = 8;
export const PEER_INDEX = 88;
export const BOARD_ADDRESS = 0;
export const BOARD_MTU = 8;
export const BOARD_HOSTNAME = 16;
/** Bytes of a host name, the zero at its end included (OMX_HOSTNAMELEN_MAX). */
const HOSTNAME_BYTES = 80;

/** A board's address as the library has it: the 48 bits of the MAC address as a number. */
export function writeAddress(view: DataView, at: number, macHigh: number, macLow: number): void {
  view.setUint32(at, macLow >>> 0, true);
  view.setUint32(at + 4, macHigh, true);
}

/** High 16 and low 32 bits. */
export function readAddress(view: DataView, at: number): [macHigh: number, macLow: number] {
  return [view.getUint32(at + 4, true), view.getUint32(at, true)];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Cut where it does not fit; a name that is not known is empty. */
export function writeName(view: DataView, at: number, name: string | null): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, HOSTNAME_BYTES);
  bytes.fill(0);
  encoder.encodeInto(name ?? "", bytes.subarray(0, HOSTNAME_BYTES - 1));
}

export function readName(view: DataView, at: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, HOSTNAME_BYTES);
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
