import type { Wait } from "../hw/thread.ts";
import type { LibraryOptions, Mx, MxAddress, MxMessage, MxRequest } from "../mx/api.ts";
import { type EnvironmentSettings, readEnvironment } from "../mx/environment.ts";
import * as mx from "../mx/status.ts";
import { Errors } from "./mx_errors.ts";
import { AddressHandle, EndpointHandle, RequestHandle } from "./mx_handles.ts";
import type { Call, mx_return_t, mx_status_t, Outcome } from "./mx_types.ts";
import { shown, wide } from "./mx_values.ts";

/** Told of every receive and send that a program has had reported: for meters. */
export interface MxListener {
  /** `latencyPs` from the send call to the completion, -1 when it is not known. */
  onReceived?(status: mx_status_t, latencyPs: number): void;
  onSent?(status: mx_status_t): void;
}

/** What the MX library of a guest program is made of. */
export interface MxLibraryOptions {
  readonly mx: Mx;
  /** How blocking calls wait: by polling (OMX_WAITSPIN=1), which occupies the CPU, or asleep. Default poll. */
  readonly waitMode?: "poll" | "block";
  /** Whether errors end the program as long as it sets no error handler (OMX_FATAL_ERRORS). Default true. */
  readonly fatalErrors?: boolean;
  /** Whether the program may name this memory in a segment. By default all that is in use. */
  readonly owns?: (address: number, length: number) => boolean;
  /** What every endpoint is opened with. */
  readonly library?: LibraryOptions;
  readonly listener?: MxListener;
}

/** Not done, no message, nothing found. */
export const NOTHING: Outcome = { code: mx.MX_SUCCESS, result: false, status: null };

/**
 * What all calls share: whether the library is initialised, checks of handles, error handlers and reports of completed
 * requests. A check that fails gives null, with what the call has to return in {@link code}.
 */
export class MxBase {
  protected readonly mx: Mx;
  protected readonly options: MxLibraryOptions;
  protected readonly errors: Errors;
  protected initialized = false;
  /** What mx_init has found in the environment. */
  protected settings: EnvironmentSettings = readEnvironment({});
  protected code: mx_return_t = mx.MX_SUCCESS;

  constructor(options: MxLibraryOptions) {
    this.mx = options.mx;
    this.options = options;
    this.errors = new Errors(options.mx.name);
    this.errors.isFatal = options.fatalErrors ?? true;
  }

  /** Puts an error before the error handler; the call returns what this returns. */
  protected fail(call: string, endpoint: EndpointHandle | null, code: number, text: string): mx_return_t {
    this.code = this.errors.call(call, endpoint, code, text);
    return this.code;
  }

  // ---- handles

  /** The open endpoint that a program has named. */
  protected useEndpoint(call: string, value: unknown): EndpointHandle | null {
    if (!EndpointHandle.is(value) || value.endpoint.mx !== this.mx || !value.endpoint.isOpen) {
      this.fail(call, null, mx.MX_BAD_ENDPOINT, `${shown(value)} is no open endpoint of this program`);
      return null;
    }
    if (value.endpoint.inHandler) {
      this.fail(call, value, mx.MX_BUSY, "an unexpected handler may not call the library");
      return null;
    }
    return value;
  }

  protected useRequest(call: string, endpoint: EndpointHandle, value: unknown): RequestHandle | null {
    if (RequestHandle.is(value) && value.owner === endpoint && value.request !== null) return value;
    this.fail(call, endpoint, mx.MX_BAD_REQUEST, `${shown(value)} is no pending request of this endpoint`);
    return null;
  }

  protected useAddress(call: string, endpoint: EndpointHandle, value: unknown): AddressHandle | null {
    if (AddressHandle.is(value) && value.owner === endpoint && !value.address.freed) return value;
    this.fail(call, endpoint, mx.MX_BAD_ADDR_LIST, `${shown(value)} is no address of this endpoint`);
    return null;
  }

  // ---- what requests end with

  /** Puts requests that have ended without success before the error handler; true when there were any. */
  protected drain(endpoint: EndpointHandle): boolean {
    const failures = endpoint.endpoint.takeFailures();
    if (failures === null) return false;
    for (const { kind, code, request } of failures) {
      const status = this.errors.request(kind, endpoint, code);
      if (request !== null) request.code = status;
    }
    return true;
  }

  /** Reports a done request: its handle is used up. */
  protected report(handle: RequestHandle): Outcome {
    const { owner, kind } = handle;
    const request = handle.request!;
    const status = statusOf(owner, request, handle.context);
    const { latencyPs } = request;
    this.letGo(handle);
    if (kind === "receive") this.options.listener?.onReceived?.(status, latencyPs);
    else if (kind === "send") this.options.listener?.onSent?.(status);
    return { code: mx.MX_SUCCESS, result: true, status };
  }

  protected letGo(handle: RequestHandle): void {
    const request = handle.request!;
    handle.request = null;
    handle.owner.endpoint.release(request);
  }

  /** What every endpoint is opened with. */
  protected get libraryOptions(): LibraryOptions {
    return { ...this.options.library, ...this.settings.library };
  }

  protected get waitMode(): "poll" | "block" {
    return this.settings.waitMode ?? this.options.waitMode ?? "poll";
  }

  protected refusedOutcome(): Outcome {
    return { code: this.code, result: false, status: null };
  }

  /**
   * Repeats a wait that a failed request has interrupted, once the error handler has seen that, until the wait's own
   * time is over.
   */
  protected *waitFor<T>(
    endpoint: EndpointHandle,
    limitPs: number,
    wait: (options: { mode: "poll" | "block"; timeoutPs: number }) => Generator<Wait, T>,
  ): Call<T> {
    const api = endpoint.endpoint;
    const until = api.now + limitPs;
    const wakeups = api.wakeupCount;
    const mode = this.waitMode;
    for (;;) {
      const found = yield* wait({ mode, timeoutPs: until - api.now });
      if (!this.drain(endpoint) || found) return found;
      if (api.now >= until || api.wakeupCount !== wakeups) return found;
    }
  }

  /** A look in vain takes a moment, and gives way: a program that looks in a loop must not stop time. */
  protected lookedInVain(endpoint: EndpointHandle): Wait {
    endpoint.endpoint.chargeLook();
    return 0;
  }
}

/** A status as the program sees it; of a message that waits for a receive when there is no context. */
export function statusOf(endpoint: EndpointHandle, message: MxMessage | MxRequest, context: unknown): mx_status_t {
  const source: MxAddress | null = message.source;
  return {
    code: "code" in message ? message.code : mx.STATUS_SUCCESS,
    source: source === null ? null : endpoint.addressHandle(source).public,
    match_info: wide(message.matchA, message.matchB),
    msg_length: message.messageLength,
    xfer_length: "transferLength" in message ? message.transferLength : 0,
    context,
  };
}
