import type { Guest, GuestBuffer } from "./guest.ts";
import { type Call, type mx_endpoint_t, MX_MATCH_MASK_NONE, type mx_request_t, type mx_segment_t } from "./mx_types.ts";
import { COLLECTIVE, match, POINT_TO_POINT, RankMessages, segmentOf } from "./rank_messages.ts";

/*
 * A thin layer for programs that think in ranks: point to point by rank, and the usual collectives, over MX calls alone.
 * Every rank makes the same collective calls in the same order.
 */

/** Any sender, for {@link Communicator.recv}. */
export const ANY_RANK = -1;

/** What `reduce` and `allReduce` do with two numbers. */
export type Operation = "sum" | "min" | "max";

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
  readonly #messages: RankMessages;
  #collectives = 0;
  #scratch: GuestBuffer | null = null;

  /** Use {@link open}. */
  private constructor(guest: Guest, messages: RankMessages) {
    this.rank = guest.rank;
    this.ranks = guest.ranks;
    this.endpoint = messages.endpoint;
    this.#guest = guest;
    this.#messages = messages;
  }

  /** Initialises MX, opens the rank's endpoint, connects to every other, and waits until all have done so. */
  static *open(guest: Guest): Call<Communicator> {
    const communicator = new Communicator(guest, yield* RankMessages.open(guest));
    yield* communicator.barrier();
    return communicator;
  }

  /** Waits for all ranks, closes the endpoint and finalises MX. */
  *close(): Call<void> {
    // Synchronous sends: nobody closes while what it has sent may still have to be repeated.
    yield* this.#disseminate(true);
    yield* this.#messages.close();
  }

  // ---- point to point

  /** Sends a buffer to another rank; returns when it may be written again. */
  *send(to: number, data: GuestBuffer | mx_segment_t, tag = 0): Call<void> {
    const info = match(POINT_TO_POINT, tag, this.rank);
    yield* this.#messages.wait(yield* this.#messages.post(to, segmentOf(data), info, false));
  }

  /** Receives from a rank, or from {@link ANY_RANK}, a message with this tag. */
  *recv(from: number, into: GuestBuffer | mx_segment_t, tag = 0): Call<Received> {
    const mask = from === ANY_RANK ? MX_MATCH_MASK_NONE & ~0xff_ffffn : MX_MATCH_MASK_NONE;
    if (from !== ANY_RANK) this.#messages.check(from);
    const info = match(POINT_TO_POINT, tag, from === ANY_RANK ? 0 : from);
    const status = yield* this.#messages.wait(yield* this.#messages.expect(segmentOf(into), info, mask));
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
    this.#messages.check(root);
    const info = this.#next();
    const { ranks } = this;
    const place = (this.rank - root + ranks) % ranks;
    let bit = 1;
    for (; bit < ranks; bit *= 2) {
      if ((place & bit) === 0) continue;
      yield* this.#messages.receive((place - bit + root) % ranks, buffer.segment(), info);
      break;
    }
    for (bit /= 2; bit >= 1; bit /= 2) {
      if (place + bit < ranks) yield* this.#messages.send((place + bit + root) % ranks, buffer.segment(), info);
    }
  }

  /** Combines the doubles of all ranks, element by element, in the buffer of `root`. Binomial tree. */
  *reduce(root: number, buffer: GuestBuffer, operation: Operation = "sum"): Call<void> {
    this.#messages.check(root);
    const info = this.#next();
    const { ranks } = this;
    const place = (this.rank - root + ranks) % ranks;
    // Only the root's buffer changes: the others add up in a copy.
    const [sum, other] = this.#pair(buffer);
    for (let bit = 1; bit < ranks; bit *= 2) {
      if ((place & bit) !== 0) {
        yield* this.#messages.send((place - bit + root) % ranks, sum.segment(), info);
        return;
      }
      if (place + bit >= ranks) continue;
      yield* this.#messages.receive((place + bit + root) % ranks, other.segment(), info);
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
      yield* this.#messages.send(this.rank - core, sum.segment(), info);
      yield* this.#messages.receive(this.rank - core, sum.segment(), info);
    } else {
      if (this.rank < beyond) {
        yield* this.#messages.receive(this.rank + core, other.segment(), info);
        combine(sum, other, operation);
      }
      for (let bit = 1; bit < core; bit *= 2) {
        const partner = this.rank ^ bit;
        yield* this.#messages.exchange(partner, sum.segment(), partner, other.segment(), info);
        combine(sum, other, operation);
      }
      if (this.rank < beyond) yield* this.#messages.send(this.rank + core, sum.segment(), info);
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
      yield* this.#messages.exchange(
        to,
        outgoing.segment(to * size, size),
        from,
        incoming.segment(from * size, size),
        info,
      );
    }
  }

  /** Every rank's `part` becomes a block of `whole`, which only `root` needs. All receives are posted at once. */
  *gather(root: number, part: GuestBuffer, whole: GuestBuffer | null): Call<void> {
    this.#messages.check(root);
    const info = this.#next();
    if (this.rank !== root) {
      yield* this.#messages.send(root, part.segment(), info);
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
      requests.push(
        yield* this.#messages.expect(whole.segment(from * size, size), info | BigInt(from), MX_MATCH_MASK_NONE),
      );
    }
    whole.write(part.bytes(), root * size);
    for (const request of requests) yield* this.#messages.wait(request);
  }

  // ---- inside

  *#disseminate(synchronous: boolean): Call<void> {
    const info = this.#next();
    const { rank, ranks } = this;
    // A rendezvous has something to pull: a byte.
    const [outgoing, incoming] = synchronous ? this.#bytes() : [null, null];
    for (let distance = 1; distance < ranks; distance *= 2) {
      const from = (rank - distance + ranks) % ranks;
      const receive = yield* this.#messages.expect(incoming, info | BigInt(from), MX_MATCH_MASK_NONE);
      const send = yield* this.#messages.post((rank + distance) % ranks, outgoing, info | BigInt(rank), synchronous);
      yield* this.#messages.wait(receive);
      // At the end a partner that has all that it waited for may be gone before it could say so.
      yield* this.#messages.wait(send, synchronous);
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
