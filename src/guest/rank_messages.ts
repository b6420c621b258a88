import { showValue } from "../base/quantity.ts";
import { MX_CONNECTION_FAILED, MX_SUCCESS, MX_TIMEOUT, STATUS_SUCCESS, STATUS_TRUNCATED } from "../mx/status.ts";
import type { Guest, GuestBuffer } from "./guest.ts";
import {
  type Call,
  type mx_endpoint_addr_t,
  type mx_endpoint_t,
  MX_ERRORS_RETURN,
  MX_INFINITE,
  MX_MATCH_MASK_NONE,
  MX_PARAM_ERROR_HANDLER,
  type mx_request_t,
  type mx_segment_t,
  type mx_status_t,
} from "./mx_types.ts";

/*
 * Messages by rank over MX calls, what collectives are made of. Match information, from the top: 8 bits of kind, 32 bits
 * of tag or of the collective's number, 24 bits of the sender's rank.
 */

/** Kinds of messages, which never match one another. */
export const POINT_TO_POINT = 1n;
export const COLLECTIVE = 2n;
/** Filter of the endpoints: "mx". */
const KEY = 0x6d78;
/** A rank that has not opened its endpoint yet is asked again after so many microseconds, and so often. */
const RETRY_US = 100;
const RETRIES = 20_000;

/** The endpoint of a rank, connected with those of all others both ways. What MX refuses is thrown, with its words. */
export class RankMessages {
  readonly rank: number;
  readonly ranks: number;
  readonly endpoint: mx_endpoint_t;
  readonly #guest: Guest;
  readonly #addresses: readonly (mx_endpoint_addr_t | null)[];

  /** Use {@link open}. */
  private constructor(guest: Guest, endpoint: mx_endpoint_t, addresses: readonly (mx_endpoint_addr_t | null)[]) {
    this.rank = guest.rank;
    this.ranks = guest.ranks;
    this.endpoint = endpoint;
    this.#guest = guest;
    this.#addresses = addresses;
  }

  /** Initialises MX, opens the rank's endpoint, and connects to every other, which may be yet to open its own. */
  static *open(guest: Guest): Call<RankMessages> {
    const { mx } = guest;
    must(guest, "mx_init", yield* mx.mx_init());
    const params = [{ key: MX_PARAM_ERROR_HANDLER, val: MX_ERRORS_RETURN }] as const;
    const { code, endpoint } = yield* mx.mx_open_endpoint(0, guest.endpoint(guest.rank), KEY, params, params.length);
    must(guest, "mx_open_endpoint", code);
    const addresses: (mx_endpoint_addr_t | null)[] = [];
    for (let i = 0; i < guest.ranks; i++) addresses.push(null);
    // Each begins with its neighbour, or all would ask rank 0 first.
    for (let step = 1; step < guest.ranks; step++) {
      const rank = (guest.rank + step) % guest.ranks;
      addresses[rank] = yield* connect(guest, endpoint!, rank);
    }
    return new RankMessages(guest, endpoint!, addresses);
  }

  /** Closes the endpoint and finalises MX. */
  *close(): Call<void> {
    const { mx } = this.#guest;
    must(this.#guest, "mx_close_endpoint", yield* mx.mx_close_endpoint(this.endpoint));
    must(this.#guest, "mx_finalize", yield* mx.mx_finalize());
  }

  /** Sends and waits until the segment may be written again. `info` is without the sender, here and in the next two. */
  *send(to: number, segment: mx_segment_t, info: bigint): Call<void> {
    yield* this.wait(yield* this.post(to, segment, info | BigInt(this.rank), false));
  }

  /** Receives from one rank, and waits for it. */
  *receive(from: number, segment: mx_segment_t, info: bigint): Call<void> {
    yield* this.wait(yield* this.expect(segment, info | BigInt(from), MX_MATCH_MASK_NONE));
  }

  /** To one, and from one, at the same time. */
  *exchange(to: number, outgoing: mx_segment_t, from: number, incoming: mx_segment_t, info: bigint): Call<void> {
    const receive = yield* this.expect(incoming, info | BigInt(from), MX_MATCH_MASK_NONE);
    const send = yield* this.post(to, outgoing, info | BigInt(this.rank), false);
    yield* this.wait(receive);
    yield* this.wait(send);
  }

  /** Begins a send; a synchronous one is done when it has been matched. */
  *post(to: number, segment: mx_segment_t | null, info: bigint, synchronous: boolean): Call<mx_request_t> {
    this.check(to);
    const address = this.#addresses[to];
    if (address === null) throw new Error(`found rank ${to}, wanted another rank than this one`);
    const { mx } = this.#guest;
    const list = segment === null ? [] : [segment];
    const { code, request } = synchronous
      ? yield* mx.mx_issend(this.endpoint, list, list.length, address, info, null)
      : yield* mx.mx_isend(this.endpoint, list, list.length, address, info, null);
    must(this.#guest, "mx_isend", code);
    return request!;
  }

  /** Posts a receive of what matches `info` under `mask`. */
  *expect(segment: mx_segment_t | null, info: bigint, mask: bigint): Call<mx_request_t> {
    const { mx } = this.#guest;
    const list = segment === null ? [] : [segment];
    const { code, request } = yield* mx.mx_irecv(this.endpoint, list, list.length, info, mask, null);
    must(this.#guest, "mx_irecv", code);
    return request!;
  }

  /** Waits for a request, and throws what it ended with, unless it `mayFail`. */
  *wait(request: mx_request_t, mayFail = false): Call<mx_status_t> {
    const { mx } = this.#guest;
    for (;;) {
      const { code, result, status } = yield* mx.mx_wait(this.endpoint, request, MX_INFINITE);
      must(this.#guest, "mx_wait", code);
      if (!result) continue; // somebody called mx_wakeup
      if (status!.code === STATUS_SUCCESS || mayFail) return status!;
      const { msg_length, xfer_length } = status!;
      const cut = status!.code === STATUS_TRUNCATED ? ` (${msg_length} bytes came, ${xfer_length} fit)` : "";
      throw new Error(`a message ended with status "${mx.mx_strstatus(status!.code)}"${cut}`);
    }
  }

  /** Throws when there is no such rank. */
  check(rank: number): void {
    if (Number.isInteger(rank) && rank >= 0 && rank < this.ranks) return;
    throw new Error(`found rank ${rank}, wanted 0 to ${this.ranks - 1}`);
  }
}

/** Match information: kind, tag or number (0 to 2^32 - 1), and rank of the sender. */
export function match(kind: bigint, tag: number, rank: number): bigint {
  if (!Number.isInteger(tag) || tag < 0 || tag >= 2 ** 32) throw new Error(`found tag ${tag}, wanted 0 to 2^32 - 1`);
  return (kind << 56n) | (BigInt(tag) << 24n) | BigInt(rank);
}

/** A whole buffer, or the segment that is one already. */
export function segmentOf(data: GuestBuffer | mx_segment_t): mx_segment_t {
  if (typeof data === "object" && data !== null) return "segment" in data ? data.segment() : data;
  // Not everything can be written as JSON.
  const shown = /bigint|symbol|function/.test(typeof data) ? `a ${typeof data}` : showValue(data);
  throw new Error(`found ${shown}, wanted a buffer of guest.alloc, or a segment of one`);
}

/** Connects to a rank, which may not have opened its endpoint yet. */
function* connect(guest: Guest, endpoint: mx_endpoint_t, rank: number): Call<mx_endpoint_addr_t> {
  const { mx } = guest;
  const { code: found, nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(rank));
  must(guest, "mx_hostname_to_nic_id", found);
  for (let attempt = 0;; attempt++) {
    const { code, address } = yield* mx.mx_connect(endpoint, nic_id, guest.endpoint(rank), KEY, MX_INFINITE);
    if (code === MX_SUCCESS) return address!;
    const mayComeUp = code === MX_CONNECTION_FAILED || code === MX_TIMEOUT;
    if (!mayComeUp || attempt === RETRIES) must(guest, `mx_connect to rank ${rank}`, code);
    yield* guest.sleep(RETRY_US);
  }
}

function must(guest: Guest, call: string, code: number): void {
  if (code !== MX_SUCCESS) throw new Error(`${call}: ${guest.mx.mx_strerror(code)}`);
}
