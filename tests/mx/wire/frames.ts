import { mxLimits } from "../../../src/mx/limits.ts";

/** Where test frames begin: odd, so that an access at a wrong place cannot hit a right one. */
export const AT = 37;
const SURROUNDING = 0xa5;

export const NORMAL = mxLimits(9000);
export const SMALL_MTU = mxLimits(1500);
export const COMPAT = mxLimits(0, true);

/** Bytes from hexadecimal pairs; all white space is for the reader. */
export function hex(text: string): number[] {
  const digits = text.replace(/\s+/g, "");
  return digits.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? [];
}

/** A view that holds `frame` at {@link AT}, between bytes that belong to others. */
export function viewOf(frame: readonly number[]): DataView {
  const bytes = new Uint8Array(AT + frame.length + 32).fill(SURROUNDING);
  bytes.set(frame, AT);
  return new DataView(bytes.buffer);
}

/** A view for emitting into, full of other bytes. */
export function dirtyView(size = 512): DataView {
  return viewOf(new Array(size).fill(0xee));
}

/** The bytes [from, to) of the frame at {@link AT}. */
export function bytesOf(view: DataView, from: number, to: number): number[] {
  return [...new Uint8Array(view.buffer, AT + from, to - from)];
}
