import type { ProcessContext } from "../workload/workload.ts";
import type { MxLibrary } from "./mx_types.ts";

/** The MX library of a rank. */
export function guestLibrary(_context: ProcessContext): MxLibrary {
  return {} as MxLibrary;
}
