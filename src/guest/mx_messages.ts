import { connectCode, type MxRequest, type Segment } from "../mx/api.ts";
import { MAX_SEGMENTS } from "../mx/limits.ts";
import * as mx from "../mx/status.ts";
import { type EndpointHandle, RequestHandle } from "./mx_handles.ts";
import { MxRequests } from "./mx_requests.ts";
import type { Call, mx_endpoint_addr_t, mx_endpoint_t, mx_request_t, mx_return_t, mx_segment_t } from "./mx_types.ts";
import { isU32, isU64, lowerWord, shown, timeoutPs, upperWord } from "./mx_values.ts";

interface Posted {
  readonly code: mx_return_t;
  readonly request: mx_request_t | null;
}

/** Connecting, sending and receiving (omx_partner.c:297-717, omx_send.c:1058-1166, omx_recv.c:1263-1298). */
export class MxMessages extends MxRequests {
  // ---- connecting

  *mx_connect(
    endpoint: mx_endpoint_t,
    nic_id: bigint,
    endpoint_id: number,
    key: number,
    timeout: number,
  ): Call<{ code: mx_return_t; address: mx_endpoint_addr_t | null }> {
    const call = "mx_connect";
    const ep = this.useEndpoint(call, endpoint);
    if (ep === null || !this.checkTimeout(call, ep, timeout) || !this.#checkTarget(call, ep, nic_id, key)) {
      return { code: this.code, address: null };
    }
    const api = ep.endpoint;
    const peer = api.peerByMac(Number(nic_id));
    const limitPs = timeoutPs(timeout);
    const request = yield* api.iconnectPeer(peer, endpoint_id, key);
    let code = request.returnCode;
    if (code === mx.MX_SUCCESS) {
      const finished = yield* this.waitFor(ep, limitPs, (options) => api.wait(request, options));
      code = finished ? connectCode(request.code) : mx.MX_TIMEOUT;
    }
    const address = code === mx.MX_SUCCESS ? ep.addressHandle(request.source!).public : null;
    api.endConnect(request);
    if (address !== null) return { code, address };
    const text = `nic ${shown(nic_id)}, endpoint ${shown(endpoint_id)}, key ${shown(key)}`;
    return { code: this.fail(call, ep, code, text), address: null };
  }

  *mx_iconnect(
    endpoint: mx_endpoint_t,
    nic_id: bigint,
    endpoint_id: number,
    key: number,
    match_info: bigint,
    context: unknown,
  ): Call<Posted> {
    const call = "mx_iconnect";
    const ep = this.useEndpoint(call, endpoint);
    if (ep === null || !this.#checkTarget(call, ep, nic_id, key) || !this.#checkInfo(call, ep, match_info)) {
      return { code: this.code, request: null };
    }
    const handle = new RequestHandle(ep, "connect", context);
    const api = ep.endpoint;
    const peer = api.peerByMac(Number(nic_id));
    const [a, b] = [upperWord(match_info), lowerWord(match_info)];
    const request = yield* api.iconnectPeer(peer, endpoint_id, key, a, b, null, handle);
    return this.#posted(call, handle, request, `nic ${shown(nic_id)}, endpoint ${shown(endpoint_id)}`);
  }

  *mx_disconnect(endpoint: mx_endpoint_t, address: mx_endpoint_addr_t): Call<mx_return_t> {
    const ep = this.useEndpoint("mx_disconnect", endpoint);
    const to = ep === null ? null : this.useAddress("mx_disconnect", ep, address);
    if (ep === null || to === null) return this.code;
    yield* ep.endpoint.disconnect(to.address);
    ep.forget(to.address);
    this.drain(ep);
    return mx.MX_SUCCESS;
  }

  // ---- sending and receiving

  mx_isend(
    endpoint: mx_endpoint_t,
    segments_list: readonly mx_segment_t[],
    segments_count: number,
    dest_endpoint: mx_endpoint_addr_t,
    match_info: bigint,
    context: unknown,
  ): Call<Posted> {
    return this.#send("mx_isend", endpoint, segments_list, segments_count, dest_endpoint, match_info, context);
  }

  mx_issend(
    endpoint: mx_endpoint_t,
    segments_list: readonly mx_segment_t[],
    segments_count: number,
    dest_endpoint: mx_endpoint_addr_t,
    match_info: bigint,
    context: unknown,
  ): Call<Posted> {
    return this.#send("mx_issend", endpoint, segments_list, segments_count, dest_endpoint, match_info, context);
  }

  *#send(
    call: "mx_isend" | "mx_issend",
    endpoint: unknown,
    list: unknown,
    count: unknown,
    dest: unknown,
    info: bigint,
    context: unknown,
  ): Call<Posted> {
    const ep = this.useEndpoint(call, endpoint);
    const segments = ep === null ? null : this.#readSegments(call, ep, list, count);
    if (ep === null || segments === null) return { code: this.code, request: null };
    const to = this.useAddress(call, ep, dest);
    if (to === null || !this.#checkInfo(call, ep, info)) return { code: this.code, request: null };
    const handle = new RequestHandle(ep, "send", context);
    const [a, b] = [upperWord(info), lowerWord(info)];
    const request = yield* ep.endpoint.isendv(segments, call === "mx_issend", to.address, a, b, handle);
    return this.#posted(call, handle, request, "");
  }

  *mx_irecv(
    endpoint: mx_endpoint_t,
    segments_list: readonly mx_segment_t[],
    segments_count: number,
    match_info: bigint,
    match_mask: bigint,
    context: unknown,
  ): Call<Posted> {
    const call = "mx_irecv";
    const ep = this.useEndpoint(call, endpoint);
    const segments = ep === null ? null : this.#readSegments(call, ep, segments_list, segments_count);
    if (ep === null || segments === null || !this.checkMatch(call, ep, match_info, match_mask)) {
      return { code: this.code, request: null };
    }
    const handle = new RequestHandle(ep, "receive", context);
    const request = yield* ep.endpoint.irecvv(
      segments,
      upperWord(match_info),
      lowerWord(match_info),
      upperWord(match_mask),
      lowerWord(match_mask),
      handle,
    );
    return this.#posted(call, handle, request, `match mask ${shown(match_mask)}`);
  }

  // ---- inside

  /** The request of a call that the library has accepted; one that it has refused is gone. */
  #posted(call: string, handle: RequestHandle, request: MxRequest, text: string): Posted {
    const ep = handle.owner;
    handle.request = request;
    const { returnCode } = request;
    if (returnCode !== mx.MX_SUCCESS) this.letGo(handle);
    this.drain(ep);
    if (returnCode !== mx.MX_SUCCESS) return { code: this.fail(call, ep, returnCode, text), request: null };
    return { code: mx.MX_SUCCESS, request: handle.public };
  }

  #checkInfo(call: string, ep: EndpointHandle, info: unknown): boolean {
    if (isU64(info)) return true;
    this.fail(call, ep, mx.MX_BAD_MATCH_MASK, `match information is a bigint of 64 bits, not ${shown(info)}`);
    return false;
  }

  #checkTarget(call: string, ep: EndpointHandle, nicId: unknown, key: unknown): boolean {
    if (!isU64(nicId)) this.fail(call, ep, mx.MX_NIC_NOT_FOUND, `nic ${shown(nicId)}`);
    else if (!isU32(key)) this.fail(call, ep, mx.MX_BAD_CONNECTION_KEY, `key ${shown(key)}`);
    else return true;
    return false;
  }

  /** A buffer of up to 256 segments; none at all is an empty one (omx_segments.h:44-77). */
  #readSegments(call: string, ep: EndpointHandle, list: unknown, count: unknown): Segment[] | null {
    if (!Number.isInteger(count) || (count as number) < 0 || (count as number) > MAX_SEGMENTS) {
      this.fail(call, ep, mx.MX_BAD_SEG_CNT, `${shown(count)} segments, at most ${MAX_SEGMENTS}`);
      return null;
    }
    if (count === 0) return NO_SEGMENTS;
    const segments = copySegments(list, count as number);
    if (segments === null) {
      this.fail(call, ep, mx.MX_BAD_SEG_LIST, `${shown(list)} is no list of ${count} segments`);
      return null;
    }
    const owns = this.options.owns;
    for (const { address, length } of segments) {
      const isMemory = Number.isInteger(address) && address >= 0 && (owns === undefined || owns(address, length));
      if (length === 0 || isMemory) continue;
      this.fail(call, ep, mx.MX_BAD_SEG_MEM, `${length} bytes at ${shown(address)} are not the program's`);
      return null;
    }
    return segments;
  }
}

/** The program's list as it is now; null when it is none, or too short, or has a length that C could not hold. */
function copySegments(list: unknown, count: number): Segment[] | null {
  try {
    if (!Array.isArray(list) || list.length < count) return null;
    const segments: Segment[] = [];
    for (let i = 0; i < count; i++) {
      const { segment_ptr, segment_length } = list[i] as mx_segment_t;
      if (!Number.isInteger(segment_length) || segment_length < 0 || segment_length > U32_MAX) return null;
      segments.push({ address: segment_ptr, length: segment_length });
    }
    return segments;
  } catch {
    return null; // a getter or a proxy of the program's
  }
}

const U32_MAX = 0xffffffff;
const NO_SEGMENTS: Segment[] = [];
