import { MxFatalError } from "../mx/fatal.ts";
import * as mx from "../mx/status.ts";
import type { EndpointHandle } from "./mx_handles.ts";
import { type mx_error_handler_t, MX_ERRORS_ARE_FATAL, type mx_return_t } from "./mx_types.ts";

/**
 * Statuses as the error handler sees them: Open-MX has one range of numbers for return codes and statuses, and its MX
 * face passes those of statuses that are no return codes unchanged (omx__mx_compat.c:204-233, omx_error.c:115-134).
 */
const HANDLER_CODES: readonly (readonly [status: number, code: number])[] = [
  [mx.STATUS_TIMEOUT, mx.MX_TIMEOUT],
  [mx.STATUS_TRUNCATED, 95],
  [mx.STATUS_CANCELLED, 90],
  [mx.STATUS_ENDPOINT_CLOSED, mx.MX_CONNECTION_FAILED],
  [mx.STATUS_ENDPOINT_UNREACHABLE, 92],
  [mx.STATUS_BAD_SESSION, 93],
  [mx.STATUS_BAD_KEY, mx.MX_BAD_CONNECTION_KEY],
  [mx.STATUS_BAD_ENDPOINT, mx.MX_BAD_ENDPOINT_ID],
  [mx.STATUS_BAD_RDMAWIN, 91],
  [mx.STATUS_ABORTED, 94],
  [mx.STATUS_NO_RESOURCES, mx.MX_NO_RESOURCES],
];
const codeOfStatus = new Map(HANDLER_CODES);
const statusOfCode = new Map(HANDLER_CODES.map(([status, code]) => [code, status]));

/** The error handlers of one library: what went wrong goes through the endpoint's, or else the library's. */
export class Errors {
  readonly #guest: string;
  /** Whether errors end the program where it has set no handler (OMX_FATAL_ERRORS). */
  isFatal = true;
  /** The one that the program has set. */
  #handler: mx_error_handler_t | null = null;

  constructor(guest: string) {
    this.#guest = guest;
  }

  set handler(handler: mx_error_handler_t | null) {
    this.#handler = handler;
  }

  /** What a call returns that has failed with `code`. */
  call(name: string, endpoint: EndpointHandle | null, code: number, text: string): mx_return_t {
    const answer = this.#ask(name, endpoint, code, `${name}: ${text}`, mx.mxStrError(code));
    return Number.isInteger(answer) ? answer : code;
  }

  /** The status of a request that has ended with `status`. */
  request(kind: string, endpoint: EndpointHandle, status: number): number {
    const code = codeOfStatus.get(status) ?? status;
    const answer = this.#ask(kind, endpoint, code, `${kind} request`, mx.mxStrStatus(status));
    return answer === mx.MX_SUCCESS ? mx.STATUS_SUCCESS : statusOfCode.get(answer) ?? status;
  }

  #ask(call: string, endpoint: EndpointHandle | null, code: number, text: string, meaning: string): number {
    const handler = endpoint?.errorHandler ?? this.#handler;
    if (handler !== null && handler !== MX_ERRORS_ARE_FATAL) return handler(text, code);
    if (handler === null && !this.isFatal) return code;
    throw new MxFatalError(this.#guest, call, code, `guest ${this.#guest}: ${text}: ${meaning} (code ${code})`);
  }
}
