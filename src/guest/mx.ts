import { mxStrError, mxStrStatus } from "../mx/status.ts";
import type { MxLibraryOptions } from "./mx_base.ts";
import { bound } from "./bound.ts";
import { MxInfo } from "./mx_info.ts";
import type { mx_return_t, MxLibrary } from "./mx_types.ts";

export type { MxLibraryOptions, MxListener } from "./mx_base.ts";

/*
 * MX's C interface over `mx/api.ts`. What a program passes is checked here, whatever it is; what it gets are handles,
 * bigints and milliseconds. The calls are spread over a chain of classes: errors and handles in `mx_base.ts`, completions
 * in `mx_requests.ts`, messages in `mx_messages.ts`, endpoints in `mx_endpoints.ts`, names and facts in `mx_info.ts`.
 */

class GuestMx extends MxInfo implements MxLibrary {
  mx_strerror(code: mx_return_t): string {
    return typeof code === "number" ? mxStrError(code) : "no return code";
  }

  mx_strstatus(code: number): string {
    return typeof code === "number" ? mxStrStatus(code) : "no status";
  }
}

/** The MX library of one guest program. Its functions can be taken out of it, as C's are in no object. */
export function createMxLibrary(options: MxLibraryOptions): MxLibrary {
  return bound(new GuestMx(options));
}
