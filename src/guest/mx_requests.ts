import * as mx from "../mx/status.ts";
import type { MxRequest } from "../mx/api.ts";
import { MxBase, NOTHING, statusOf } from "./mx_base.ts";
import { type EndpointHandle, RequestHandle } from "./mx_handles.ts";
import type { Call, mx_endpoint_t, mx_request_t, mx_return_t, Outcome } from "./mx_types.ts";
import { exactPs, isMilliseconds, isU64, lowerWord, shown, timeoutPs, upperWord } from "./mx_values.ts";

interface Peeked {
  readonly code: mx_return_t;
  readonly request: mx_request_t | null;
  readonly result: boolean;
}

const NO_REQUEST: Peeked = { code: mx.MX_SUCCESS, request: null, result: false };
const NO: { code: mx_return_t; result: boolean } = { code: mx.MX_SUCCESS, result: false };
const YES: { code: mx_return_t; result: boolean } = { code: mx.MX_SUCCESS, result: true };

/** The calls that look for completions and waiting messages (omx_test.c, omx_misc.c:260-343). */
export class MxRequests extends MxBase {
  *mx_test(endpoint: mx_endpoint_t, request: mx_request_t): Call<Outcome> {
    const ep = this.useEndpoint("mx_test", endpoint);
    const handle = ep === null ? null : this.useRequest("mx_test", ep, request);
    if (ep === null || handle === null) return this.refusedOutcome();
    const done = yield* ep.endpoint.test(handle.request!);
    this.drain(ep);
    if (done) return this.report(handle);
    yield this.lookedInVain(ep);
    return NOTHING;
  }

  *mx_wait(endpoint: mx_endpoint_t, request: mx_request_t, timeout: number): Call<Outcome> {
    const ep = this.useEndpoint("mx_wait", endpoint);
    const handle = ep === null ? null : this.useRequest("mx_wait", ep, request);
    if (ep === null || handle === null || !this.checkTimeout("mx_wait", ep, timeout)) return this.refusedOutcome();
    const done = yield* this.waitFor(
      ep,
      timeoutPs(timeout),
      (options) => ep.endpoint.wait(handle.request!, options),
    );
    return done ? this.report(handle) : NOTHING;
  }

  *mx_test_any(endpoint: mx_endpoint_t, match_info: bigint, match_mask: bigint): Call<Outcome> {
    const ep = this.useEndpoint("mx_test_any", endpoint);
    if (ep === null || !this.checkMatch("mx_test_any", ep, match_info, match_mask)) return this.refusedOutcome();
    const found = yield* ep.endpoint.testAny(...fourWords(match_info, match_mask));
    this.drain(ep);
    if (found !== null) return this.report(found.context as RequestHandle);
    yield this.lookedInVain(ep);
    return NOTHING;
  }

  *mx_wait_any(endpoint: mx_endpoint_t, timeout: number, match_info: bigint, match_mask: bigint): Call<Outcome> {
    const call = "mx_wait_any";
    const ep = this.useEndpoint(call, endpoint);
    if (ep === null || !this.checkTimeout(call, ep, timeout) || !this.checkMatch(call, ep, match_info, match_mask)) {
      return this.refusedOutcome();
    }
    const words = fourWords(match_info, match_mask);
    const found = yield* this.waitFor(ep, timeoutPs(timeout), (options) => ep.endpoint.waitAny(...words, options));
    return found === null ? NOTHING : this.report(found.context as RequestHandle);
  }

  *mx_ipeek(endpoint: mx_endpoint_t): Call<Peeked> {
    const ep = this.useEndpoint("mx_ipeek", endpoint);
    if (ep === null) return { code: this.code, request: null, result: false };
    const found = yield* ep.endpoint.ipeek();
    this.drain(ep);
    if (found === null) yield this.lookedInVain(ep);
    return peeked(found);
  }

  *mx_peek(endpoint: mx_endpoint_t, timeout: number): Call<Peeked> {
    const ep = this.useEndpoint("mx_peek", endpoint);
    if (ep === null || !this.checkTimeout("mx_peek", ep, timeout)) {
      return { code: this.code, request: null, result: false };
    }
    return peeked(yield* this.waitFor(ep, timeoutPs(timeout), (options) => ep.endpoint.peek(options)));
  }

  *mx_iprobe(endpoint: mx_endpoint_t, match_info: bigint, match_mask: bigint): Call<Outcome> {
    const ep = this.useEndpoint("mx_iprobe", endpoint);
    if (ep === null || !this.checkMatch("mx_iprobe", ep, match_info, match_mask)) return this.refusedOutcome();
    const message = yield* ep.endpoint.iprobe(...fourWords(match_info, match_mask));
    this.drain(ep);
    if (message !== null) return { code: mx.MX_SUCCESS, result: true, status: statusOf(ep, message, null) };
    yield this.lookedInVain(ep);
    return NOTHING;
  }

  *mx_probe(endpoint: mx_endpoint_t, timeout: number, match_info: bigint, match_mask: bigint): Call<Outcome> {
    const call = "mx_probe";
    const ep = this.useEndpoint(call, endpoint);
    if (ep === null || !this.checkTimeout(call, ep, timeout) || !this.checkMatch(call, ep, match_info, match_mask)) {
      return this.refusedOutcome();
    }
    const words = fourWords(match_info, match_mask);
    const message = yield* this.waitFor(ep, timeoutPs(timeout), (options) => ep.endpoint.probe(...words, options));
    if (message === null) return NOTHING;
    return { code: mx.MX_SUCCESS, result: true, status: statusOf(ep, message, null) };
  }

  *mx_ibuffered(endpoint: mx_endpoint_t, request: mx_request_t): Call<{ code: mx_return_t; result: boolean }> {
    const ep = this.useEndpoint("mx_ibuffered", endpoint);
    const handle = ep === null ? null : this.useRequest("mx_ibuffered", ep, request);
    if (ep === null || handle === null) return { code: this.code, result: false };
    if (handle.kind !== "send") {
      return { code: this.fail("mx_ibuffered", ep, mx.MX_BAD_REQUEST, `a ${handle.kind} request`), result: false };
    }
    const buffered = yield* ep.endpoint.ibuffered(handle.request!);
    this.drain(ep);
    if (!buffered) yield this.lookedInVain(ep);
    return buffered ? YES : NO;
  }

  *mx_cancel(endpoint: mx_endpoint_t, request: mx_request_t): Call<{ code: mx_return_t; result: boolean }> {
    const ep = this.useEndpoint("mx_cancel", endpoint);
    const handle = ep === null ? null : this.useRequest("mx_cancel", ep, request);
    if (ep === null || handle === null) return { code: this.code, result: false };
    if (handle.kind === "send") {
      return { code: this.fail("mx_cancel", ep, mx.MX_BAD_REQUEST, "a send request"), result: false };
    }
    const cancelled = yield* ep.endpoint.cancel(handle.request!);
    this.drain(ep);
    if (cancelled) handle.request = null;
    return cancelled ? YES : NO;
  }

  *mx_forget(endpoint: mx_endpoint_t, request: mx_request_t): Call<mx_return_t> {
    const ep = this.useEndpoint("mx_forget", endpoint);
    const handle = ep === null ? null : this.useRequest("mx_forget", ep, request);
    if (ep === null || handle === null) return this.code;
    const own = handle.request!;
    handle.request = null;
    yield* ep.endpoint.forget(own);
    this.drain(ep);
    return mx.MX_SUCCESS;
  }

  mx_context(request: mx_request_t): { code: mx_return_t; context: unknown } {
    const value: unknown = request;
    if (RequestHandle.is(value) && value.request !== null && value.owner.endpoint.mx === this.mx) {
      return { code: mx.MX_SUCCESS, context: value.context };
    }
    const code = this.fail("mx_context", null, mx.MX_BAD_REQUEST, `${shown(value)} is no pending request`);
    return { code, context: undefined };
  }

  mx_set_request_timeout(
    endpoint: mx_endpoint_t,
    request: mx_request_t | null,
    milli_seconds: number,
  ): mx_return_t {
    const call = "mx_set_request_timeout";
    const ep = this.useEndpoint(call, endpoint);
    if (ep === null || !this.checkTimeout(call, ep, milli_seconds)) return this.code;
    if (request === null) {
      ep.endpoint.setRequestTimeout(null, exactPs(milli_seconds));
      return mx.MX_SUCCESS;
    }
    const handle = this.useRequest(call, ep, request);
    if (handle === null) return this.code;
    ep.endpoint.setRequestTimeout(handle.request!, exactPs(milli_seconds));
    return mx.MX_SUCCESS;
  }

  // ---- checks

  protected checkTimeout(call: string, endpoint: EndpointHandle, timeout: unknown): boolean {
    if (isMilliseconds(timeout)) return true;
    this.fail(call, endpoint, mx.MX_FAILURE, `a timeout is milliseconds, not ${shown(timeout)}`);
    return false;
  }

  /** Bits outside the mask are an error; open context ids are not, in these calls (omx_types.h:215-217). */
  protected checkMatch(call: string, endpoint: EndpointHandle, info: unknown, mask: unknown): boolean {
    if (isU64(info) && isU64(mask) && (info & ~mask) === 0n) return true;
    this.fail(call, endpoint, mx.MX_BAD_MATCH_MASK, `match info ${shown(info)}, mask ${shown(mask)}`);
    return false;
  }
}

function peeked(request: MxRequest | null): Peeked {
  if (request === null) return NO_REQUEST;
  return { code: mx.MX_SUCCESS, request: (request.context as RequestHandle).public, result: true };
}

function fourWords(info: bigint, mask: bigint): [number, number, number, number] {
  return [upperWord(info), lowerWord(info), upperWord(mask), lowerWord(mask)];
}
