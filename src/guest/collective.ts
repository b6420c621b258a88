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
 * A thin layer for programs that think in ranks: point to point by rank, and the usual collectives, over MX calls alone.
 * Every rank makes the same collective calls in the same order. Match information, from the top: 8 bits of kind, 32
 * bits of tag or of the collective's number, 24 bits of the sender's rank.
 */

/** What `reduce` and `allReduce` do with two numbers. */
export type Operation = "sum" | "min" | "max";

/** Any sender, for {@link Communicator.recv}. */
export const ANY_RANK = -1;

const POINT_TO_POINT = 1n;
const COLLECTIVE = 2n;
/** Filter of the endpoints: "mx". */
const KEY = 0x6d78;
/** A rank that has not opened its endpoint yet is asked again after so many microseconds, and so often. */
const RETRY_US = 100;
const RETRIES = 20_000;

const OPERATIONS: Readonly<Record<Operation, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
};

/** What has been received. */
export interface Received {
  readonly from: number;
  readonly tag: number;
  /** Bytes. */
  readonly length: number;
}

/** All ranks of a run, connected with one another both ways. */
export class Communicator {
  readonly rank: number;
  readonly ranks: number;
  readonly endpoint: mx_endpoint_t;
  readonly #guest: Guest;
  readonly #addresses: readonly (mx_endpoint_addr_t | null)[];
  #collectives = 0;
  #scratch: GuestBuffer | null = null;

  /** Use {@link open}. */
  private constructor(guest: Guest, endpoint: mx_endpoint_t, addresses: readonly (mx_endpoint_addr_t | null)[]) {
    this.rank = guest.rank;
    this.ranks = guest.ranks;
    this.endpoint = endpoint;
    this.#guest = guest;
    this.#addresses = addresses;
  }

  /** Initialises MX, opens the rank's endpoint, connects to every other, and waits until all have done so. */
  static *open(guest: Guest): Call<Communicator> {
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
    const communicator = new Communicator(guest, endpoint!, addresses);
    yield* communicator.barrier();
    return communicator;
  }

  /** Waits for all ranks, closes the endpoint and finalises MX. */
  *close(): Call<void> {
    const { mx } = this.#guest;
    // Synchronous sends: nobody closes while what it has sent may still have to be repeated.
    yield* this.#disseminate(true);
    must(this.#guest, "mx_close_endpoint", yield* mx.mx_close_endpoint(this.endpoint));
    must(this.#guest, "mx_finalize", yield* mx.mx_finalize());
  }

  // ---- point to point

  /** Sends a buffer to another rank; returns when it may be written again. */
  *send(to: number, data: GuestBuffer | mx_segment_t, tag = 0): Call<void> {
    yield* this.#wait(yield* this.#post(to, segmentOf(data), match(POINT_TO_POINT, tag, this.rank), false));
  }

  /** Receives from a rank, or from {@link ANY_RANK}, a message with this tag. */
  *recv(from: number, into: GuestBuffer | mx_segment_t, tag = 0): Call<Received> {
    const mask = from === ANY_RANK ? MX_MATCH_MASK_NONE & ~0xff_ffffn : MX_MATCH_MASK_NONE;
    if (from !== ANY_RANK) this.#check(from);
    const info = match(POINT_TO_POINT, tag, from === ANY_RANK ? 0 : from);
    const status = yield* this.#wait(yield* this.#expect(segmentOf(into), info, mask));
    return {
      from: Number(status.match_info & 0xff_ffffn),
      tag: Number((status.match_info >> 24n) & 0xffff_ffffn),
      length: status.xfer_length,
    };
  }

  // ---- collectives

  /** Returns when every rank has called it. Dissemination: ceil(log2 n) rounds of empty messages. */
  *barrier(): Call<void> {
    yield* this.#disseminate(false);
  }

  /** What `root` has in the buffer, every rank has. Binomial tree. */
  *broadcast(root: number, buffer: GuestBuffer): Call<void> {
    this.#check(root);
    const info = this.#next();
    const { ranks } = this;
    const place = (this.rank - root + ranks) % ranks;
    let bit = 1;
    for (; bit < ranks; bit *= 2) {
      if ((place & bit) === 0) continue;
      yield* this.#receive((place - bit + root) % ranks, buffer.segment(), info);
      break;
    }
    for (bit /= 2; bit >= 1; bit /= 2) {
      if (place + bit < ranks) yield* this.#send((place + bit + root) % ranks, buffer.segment(), info);
    }
  }

  /** Combines the doubles of all ranks, element by element, in the buffer of `root`. Binomial tree. */
  *reduce(root: number, buffer: GuestBuffer, operation: Operation = "sum"): Call<void> {
    this.#check(root);
    const info = this.#next();
    const { ranks } = this;
    const place = (this.rank - root + ranks) % ranks;
    // Only the root's buffer changes: the others add up in a copy.
    const [sum, other] = this.#pair(buffer);
    for (let bit = 1; bit < ranks; bit *= 2) {
      if ((place & bit) !== 0) {
        yield* this.#send((place - bit + root) % ranks, sum.segment(), info);
        return;
      }
      if (place + bit >= ranks) continue;
      yield* this.#receive((place + bit + root) % ranks, other.segment(), info);
      combine(sum, other, operation);
    }
    buffer.write(sum.bytes());
  }

  /**
   * The same with the result in every rank's buffer, equal to the last bit. Recursive doubling; ranks beyond a power of
   * two hand their part to another first, and are told the result.
   */
  *allReduce(buffer: GuestBuffer, operation: Operation = "sum"): Call<void> {
    const info = this.#next();
    const [sum, other] = this.#pair(buffer);
    let core = 1;
    while (core * 2 <= this.ranks) core *= 2;
    const beyond = this.ranks - core;
    if (this.rank >= core) {
      yield* this.#send(this.rank - core, sum.segment(), info);
      yield* this.#receive(this.rank - core, sum.segment(), info);
    } else {
      if (this.rank < beyond) {
        yield* this.#receive(this.rank + core, other.segment(), info);
        combine(sum, other, operation);
      }
      for (let bit = 1; bit < core; bit *= 2) {
        const partner = this.rank ^ bit;
        yield* this.#exchange(partner, sum.segment(), partner, other.segment(), info);
        combine(sum, other, operation);
      }
      if (this.rank < beyond) yield* this.#send(this.rank + core, sum.segment(), info);
    }
    buffer.write(sum.bytes());
  }

  /** Block i of every rank's `outgoing` goes to rank i; block j of `incoming` comes from rank j. Pairwise exchange. */
  *allToAll(outgoing: GuestBuffer, incoming: GuestBuffer): Call<void> {
    const { rank, ranks } = this;
    const size = this.#blockOf(outgoing, incoming);
    const info = this.#next();
    incoming.write(outgoing.bytes().slice(rank * size, (rank + 1) * size), rank * size);
    for (let step = 1; step < ranks; step++) {
      const to = (rank + step) % ranks;
      const from = (rank - step + ranks) % ranks;
      yield* this.#exchange(to, outgoing.segment(to * size, size), from, incoming.segment(from * size, size), info);
    }
  }

  /** Every rank's `part` becomes a block of `whole`, which only `root` needs. All receives are posted at once. */
  *gather(root: number, part: GuestBuffer, whole: GuestBuffer | null): Call<void> {
    this.#check(root);
    const info = this.#next();
    if (this.rank !== root) {
      yield* this.#send(root, part.segment(), info);
      return;
    }
    const size = part.length;
    if (whole === null || whole.length < size * this.ranks) {
      throw new Error(
        `gather: wanted a buffer of ${size * this.ranks} bytes at the root, found ${whole?.length ?? "none"}`,
      );
    }
    const requests: mx_request_t[] = [];
    for (let from = 0; from < this.ranks; from++) {
      if (from === root) continue;
      requests.push(yield* this.#expect(whole.segment(from * size, size), info | BigInt(from), MX_MATCH_MASK_NONE));
    }
    whole.write(part.bytes(), root * size);
    for (const request of requests) yield* this.#wait(request);
  }

  // ---- what they are made of

  *#disseminate(synchronous: boolean): Call<void> {
    const info = this.#next();
    const { rank, ranks } = this;
    // A rendezvous has something to pull: a byte.
    const [outgoing, incoming] = synchronous ? this.#bytes() : [null, null];
    for (let distance = 1; distance < ranks; distance *= 2) {
      const from = (rank - distance + ranks) % ranks;
      const receive = yield* this.#expect(incoming, info | BigInt(from), MX_MATCH_MASK_NONE);
      const send = yield* this.#post((rank + distance) % ranks, outgoing, info | BigInt(rank), synchronous);
      yield* this.#wait(receive);
      // At the end a partner that has all that it waited for may be gone before it could say so.
      yield* this.#wait(send, synchronous);
    }
  }

  *#send(to: number, segment: mx_segment_t, info: bigint): Call<void> {
    yield* this.#wait(yield* this.#post(to, segment, info | BigInt(this.rank), false));
  }

  *#receive(from: number, segment: mx_segment_t, info: bigint): Call<void> {
    yield* this.#wait(yield* this.#expect(segment, info | BigInt(from), MX_MATCH_MASK_NONE));
  }

  *#exchange(to: number, outgoing: mx_segment_t, from: number, incoming: mx_segment_t, info: bigint): Call<void> {
    const receive = yield* this.#expect(incoming, info | BigInt(from), MX_MATCH_MASK_NONE);
    const send = yield* this.#post(to, outgoing, info | BigInt(this.rank), false);
    yield* this.#wait(receive);
    yield* this.#wait(send);
  }

  *#post(to: number, segment: mx_segment_t | null, info: bigint, synchronous: boolean): Call<mx_request_t> {
    this.#check(to);
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

  *#expect(segment: mx_segment_t | null, info: bigint, mask: bigint): Call<mx_request_t> {
    const { mx } = this.#guest;
    const list = segment === null ? [] : [segment];
    const { code, request } = yield* mx.mx_irecv(this.endpoint, list, list.length, info, mask, null);
    must(this.#guest, "mx_irecv", code);
    return request!;
  }

  *#wait(request: mx_request_t, mayFail = false): Call<mx_status_t> {
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

  /** Match information of the next collective, but for the sender. */
  #next(): bigint {
    this.#collectives = (this.#collectives + 1) % 2 ** 32;
    return match(COLLECTIVE, this.#collectives, 0);
  }

  #bytes(): [mx_segment_t, mx_segment_t] {
    const buffer = this.#guest.alloc(2);
    return [buffer.segment(0, 1), buffer.segment(1, 1)];
  }

  /** A copy of a buffer of doubles, and another as long, in memory that is kept for the next time. */
  #pair(buffer: GuestBuffer): [GuestBuffer, GuestBuffer] {
    const { length } = buffer;
    if (length % 8 !== 0) throw new Error(`found a buffer of ${length} bytes, wanted doubles of 8 bytes`);
    if (this.#scratch === null || this.#scratch.length < 2 * length) this.#scratch = this.#guest.alloc(2 * length);
    const [sum, other] = [part(this.#scratch, 0, length), part(this.#scratch, length, length)];
    sum.write(buffer.bytes());
    return [sum, other];
  }

  #blockOf(outgoing: GuestBuffer, incoming: GuestBuffer): number {
    const size = outgoing.length / this.ranks;
    if (Number.isInteger(size) && incoming.length === outgoing.length) return size;
    throw new Error(
      `allToAll: found ${outgoing.length} and ${incoming.length} bytes, wanted two equal multiples of ${this.ranks}`,
    );
  }

  #check(rank: number): void {
    if (Number.isInteger(rank) && rank >= 0 && rank < this.ranks) return;
    throw new Error(`found rank ${rank}, wanted 0 to ${this.ranks - 1}`);
  }
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

function match(kind: bigint, tag: number, rank: number): bigint {
  if (!Number.isInteger(tag) || tag < 0 || tag >= 2 ** 32) throw new Error(`found tag ${tag}, wanted 0 to 2^32 - 1`);
  return (kind << 56n) | (BigInt(tag) << 24n) | BigInt(rank);
}

function segmentOf(data: GuestBuffer | mx_segment_t): mx_segment_t {
  return "segment" in data ? data.segment() : data;
}

/** A part of a buffer as a buffer. */
function part(whole: GuestBuffer, offset: number, length: number): GuestBuffer {
  return {
    address: whole.address + offset,
    length,
    bytes: () => whole.bytes().subarray(offset, offset + length),
    write: (data, at = 0) => whole.write(data, offset + at),
    text: (chars = length) => new TextDecoder().decode(whole.bytes().subarray(offset, offset + chars)),
    segment: (at = 0, bytes = length - at) => whole.segment(offset + at, bytes),
  };
}

/** Doubles, little-endian, wherever they begin. */
function combine(sum: GuestBuffer, other: GuestBuffer, operation: Operation): void {
  const apply = OPERATIONS[operation];
  if (apply === undefined) throw new Error(`found operation ${String(operation)}, wanted sum, min or max`);
  const [to, from] = [sum.bytes(), other.bytes()];
  const a = new DataView(to.buffer, to.byteOffset, to.length);
  const b = new DataView(from.buffer, from.byteOffset, from.length);
  for (let at = 0; at < to.length; at += 8) {
    a.setFloat64(at, apply(a.getFloat64(at, true), b.getFloat64(at, true)), true);
  }
}
