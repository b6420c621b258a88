import { MS } from "../base/units.ts";
import type { Wait } from "../hw/thread.ts";
import { POLLING, type WaitOptions } from "./lib/calls.ts";
import { CompletionCalls } from "./lib/completion.ts";
import type { Partner } from "./lib/partner.ts";
import type { Request } from "./lib/request.ts";
import type { MxAddress, MxRequest } from "./lib/types.ts";
import { MAX_ENDPOINTS } from "./limits.ts";
import * as mx from "./status.ts";

/** Half a second, a little shortened, is one transmission (omx_lib.h:98-119). */
const resendsFor = (timeoutPs: number) =>
  timeoutPs === Infinity ? Infinity : Math.floor((Math.ceil(timeoutPs / MS) * 2 + 1023) / 1024);

/** How an endpoint finds others, and for how long it tries. */
export class ConnectingCalls extends CompletionCalls {
  /**
   * Connects to an endpoint and waits. Code: MX_SUCCESS with the address; MX_NIC_NOT_FOUND for an unknown host,
   * MX_BAD_ENDPOINT_ID out of range there, MX_CONNECTION_FAILED when it is closed, MX_BAD_CONNECTION_KEY, MX_TIMEOUT
   * after `timeoutPs`, or when the request has been repeated in vain as often as the endpoint's requests are. Messages
   * to the address may be sent at once; large ones from it need the other side's connect too ("half-connected", see
   * `partner.ts`).
   */
  *connect(
    hostName: string,
    endpointId: number,
    key: number,
    timeoutPs = Infinity,
    options: WaitOptions = POLLING,
  ): Generator<Wait, { code: number; address: MxAddress | null }> {
    const peer = this.library.driver.peerByName(hostName);
    const request = yield* this.iconnectPeer(peer, endpointId, key);
    if (request.returnCode !== mx.MX_SUCCESS) return { code: this.code, address: null };
    const finished = yield* this.wait(request, { mode: options.mode, timeoutPs });
    const code = finished ? connectCode(request.code) : mx.MX_TIMEOUT;
    const address = code === mx.MX_SUCCESS ? request.source : null;
    this.endConnect(request);
    this.code = code;
    return { code, address };
  }

  /**
   * The end of a connect that was waited for: without an answer it is taken back, and whatever else there is with the
   * other side goes on (omx_partner.c:399-465).
   */
  endConnect(request: MxRequest): void {
    if (!this.library.cancel(request as Request)) this.release(request);
  }

  /** Starts a connect: completes like a send, with the address as `source` and the given match information. */
  *iconnect(
    hostName: string,
    endpointId: number,
    key: number,
    matchA = 0,
    matchB = 0,
    timeoutPs = Infinity,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    const peer = this.library.driver.peerByName(hostName);
    return yield* this.iconnectPeer(peer, endpointId, key, matchA, matchB, timeoutPs, context);
  }

  /**
   * The same to a peer of the driver's table; below 0 stands for an unknown one. Without a timeout the endpoint's default
   * holds.
   */
  *iconnectPeer(
    peer: number,
    endpointId: number,
    key: number,
    matchA = 0,
    matchB = 0,
    timeoutPs: number | null = null,
    context?: unknown,
  ): Generator<Wait, MxRequest> {
    const badId = !Number.isInteger(endpointId) || endpointId < 0 || endpointId >= MAX_ENDPOINTS;
    this.code = !this.opened
      ? mx.MX_BAD_ENDPOINT
      : peer < 0
      ? mx.MX_NIC_NOT_FOUND
      : badId
      ? mx.MX_BAD_ENDPOINT_ID
      : mx.MX_SUCCESS;
    if (this.code !== mx.MX_SUCCESS) return this.rejected(context);
    const resends = timeoutPs === null ? this.library.core.resendsMax : resendsFor(timeoutPs);
    const request = this.library.connect(this.cpu, peer, endpointId, key >>> 0, resends);
    request.matchA = matchA >>> 0;
    request.matchB = matchB >>> 0;
    request.context = context;
    yield* this.makeProgress();
    return request;
  }

  /** Ends everything with a partner (its requests become unreachable) and forgets its address (mx_disconnect). */
  *disconnect(address: MxAddress): Generator<Wait, void> {
    if (!this.checkOpen()) return;
    yield* this.makeProgress();
    const partner = address as Partner;
    this.code = partner.freed ? mx.MX_BAD_ADDR_LIST : mx.MX_SUCCESS;
    if (partner.freed) return;
    this.library.disconnect(this.cpu, partner);
    yield* this.settle();
  }

  /**
   * How long a request may be repeated, or (null) new requests and pulls of this endpoint (mx_set_request_timeout). A
   * partner that has not answered by then is given up: its requests end unreachable. So does a receive whose pull takes longer.
   */
  setRequestTimeout(request: MxRequest | null, timeoutPs: number): void {
    const { core } = this.library;
    if (request !== null) (request as Request).resendsMax = resendsFor(timeoutPs);
    else {
      core.resendsMax = resendsFor(timeoutPs);
      core.pullTimeoutPs = timeoutPs;
    }
  }
}

/** Return code of a blocking connect by its request's status (omx_partner.c:399-465). */
export function connectCode(status: number): number {
  if (status === mx.STATUS_SUCCESS) return mx.MX_SUCCESS;
  if (status === mx.STATUS_BAD_KEY) return mx.MX_BAD_CONNECTION_KEY;
  if (status === mx.STATUS_BAD_ENDPOINT) return mx.MX_BAD_ENDPOINT_ID;
  if (status === mx.STATUS_ENDPOINT_CLOSED) return mx.MX_CONNECTION_FAILED;
  return mx.MX_TIMEOUT;
}
