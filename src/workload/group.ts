import type { Process, Wait } from "../hw/thread.ts";
import type { MxAddress, MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import { connectTo, openEndpoint } from "./connect.ts";
import { isMarkedLast, markedLast, OWN_BITS } from "./last_mark.ts";
import { Meeting, PartnerDied } from "./meeting.ts";
import { Pattern } from "./payload.ts";
import { doublingPartners, NOTHING, recursiveDoubling, type Reduction } from "./recursive_doubling.ts";
import type { ProcessContext } from "./workload.ts";

/*
 * Upper match word of a group's messages: the mark that this round is the last, 15 bits of step, 16 bits of the
 * sender's rank. Step and sender are matched. The lower word has the number of the message among all from this sender to
 * this receiver: MX keeps their order, so that it need not be matched to keep rounds apart; it is checked instead, and a
 * message that is lost, comes twice or in another's place is found.
 */
const stepAndSender = (step: number, rank: number) => (step << 16) | rank;

/** Rounds of one operation for each of several sizes. */
export interface Rounds {
  readonly sizes: readonly number[];
  /** Measured rounds of each size, and those before them that are not. */
  readonly iterations: number;
  readonly warmUps: number;
  /** Payload that a round moves in the whole group, bytes. */
  bytesOf(size: number): number;
}

/**
 * One rank of a group that works in rounds: an endpoint, connected both ways with all that it exchanges messages with.
 * When a rank dies, all begin anew with its next life: what a collective has without one of its ranks is nothing.
 *
 * Who decides that a round is the last (rank 0, or the root) sets {@link isLast} as it begins. The word travels with the
 * messages of the round: whoever knows says it in all that it still sends. An operation in which each rank depends on
 * the one that decides, as every collective does, has told all by its end, and nobody before. So all end together.
 */
export class Group {
  readonly rank: number;
  readonly ranks: number;
  /** This round is the last. */
  isLast = false;
  /** What is received counts. Sequence and payload are checked anyway. */
  isMeasured = true;
  readonly #context: ProcessContext;
  readonly #waiting: WaitOptions;
  readonly #peers: readonly number[];
  readonly #meeting: Meeting;
  #endpoint!: MxEndpoint;
  /** By rank: addresses, and messages sent to it. */
  readonly #addresses: MxAddress[] = [];
  readonly #sent: number[];
  /** Where payload that is not computed is sent from, in so many windows. */
  #outbox = 0;
  #windows = 1;

  /** `peers` are those that the workload exchanges messages with; they name this rank too. */
  constructor(context: ProcessContext, peers: Iterable<number>, wait: "poll" | "block") {
    const { rank, ranks } = context;
    this.#context = context;
    this.rank = rank;
    this.ranks = ranks;
    this.#waiting = { mode: wait };
    // Each begins with its neighbour, or all would ask rank 0 first.
    const distance = (peer: number) => (peer - rank + ranks) % ranks;
    const all = new Set([...peers, ...doublingPartners(rank, ranks)]);
    this.#peers = [...all].sort((x, y) => distance(x) - distance(y));
    this.#meeting = new Meeting(context, everyOther(rank, ranks));
    this.#sent = new Array(ranks).fill(0);
  }

  /** Joins the others, runs the program with them, and leaves; all of it anew when one of them has died. */
  *run(program: () => Process): Process {
    const context = this.#context;
    context.onDeath(() => this.#countLost());
    for (;;) {
      this.#endpoint = yield* openEndpoint(context);
      try {
        yield this.#meet(program);
        break;
      } catch (error) {
        if (!(error instanceof PartnerDied)) throw error;
        yield this.#partnerDied();
      }
    }
    yield* this.#meeting.flush(this.#endpoint, this.#waiting);
    yield* this.#endpoint.close();
  }

  *#meet(program: () => Process): Process {
    const { meter } = this.#context;
    const meeting = this.#meeting;
    if (!(yield* meeting.begin([this.#endpoint]))) return;
    if (meeting.isAgain) { for (const peer of this.#peers) meter.sequenceOf(peer).restart(); }
    const check = () => meeting.checkConnecting();
    for (const peer of this.#peers) {
      this.#addresses[peer] = yield* connectTo(this.#context, this.#endpoint, peer, { ...this.#waiting, check });
    }
    // Nobody pulls a large message before it has connected too, and nobody ends before others have begun.
    this.isMeasured = false;
    yield this.reduce(NOTHING);
    this.isMeasured = true;
    yield program();
    // Every message has been waited for: what is left has come twice.
    meter.sequence.duplicated += this.#endpoint.occupancy().unexpected;
  }

  /** The round that was under way is void. Everything begins anew, the numbers of messages too. */
  *#partnerDied(): Process {
    this.#countLost();
    this.#sent.fill(0);
    this.isLast = false;
    yield* this.#endpoint.close();
  }

  /** What was sent and has not arrived yet will not, whoever of the two has died. */
  #countLost(): void {
    for (const peer of this.#peers) {
      const sequence = this.#context.meterOf(peer).sequenceOf(this.rank);
      sequence.lost += Math.max(0, this.#sent[peer] - sequence.seen);
    }
  }

  // ---- messages

  /** Posts a receive. */
  post(
    from: number,
    address: number,
    length: number,
    step: number,
    context?: unknown,
  ): Iterable<Wait, MxRequest, void> {
    return this.#endpoint.irecv(address, length, stepAndSender(step, from), 0, OWN_BITS, 0, context);
  }

  send(to: number, address: number, length: number, step: number, context?: unknown): Iterable<Wait, MxRequest, void> {
    const own = stepAndSender(step, this.rank);
    const word = this.isLast ? markedLast(own) : own;
    return this.#endpoint.isend(address, length, this.#addresses[to], word, this.#sent[to]++, context);
  }

  /** Waits for a send, and gives it back. */
  *sent(request: MxRequest, to: number): Process {
    while (!this.#isDone(request)) if (yield* this.#endpoint.wait(request, this.#waiting)) break;
    this.#meeting.checkOutcome(request, "send", to);
    this.#endpoint.release(request);
  }

  /** Waits for a receive of `length` bytes, counts it, and gives it back. */
  *received(request: MxRequest, from: number, length: number): Process {
    while (!this.#isDone(request)) if (yield* this.#endpoint.wait(request, this.#waiting)) break;
    this.#accept(request, from, length, this.isMeasured);
  }

  /** The same for payload that was sent by {@link sendPattern}, which is checked. */
  *receivedPattern(request: MxRequest, from: number, buffer: number, length: number): Process {
    while (!this.#isDone(request)) if (yield* this.#endpoint.wait(request, this.#waiting)) break;
    this.acceptPattern(request, from, buffer, length);
  }

  /** The same without a count, for what a workload says beside its messages; returns its number. */
  *heard(request: MxRequest, from: number): Generator<Wait, number> {
    while (!this.#isDone(request)) if (yield* this.#endpoint.wait(request, this.#waiting)) break;
    return this.#accept(request, from, 0, false);
  }

  /** Waits for whatever is done next. */
  *next(): Generator<Wait, MxRequest> {
    for (;;) {
      this.#meeting.check();
      const request = yield* this.#endpoint.waitAny(0, 0, 0, 0, this.#waiting);
      if (request !== null) return request;
    }
  }

  /** Messages received from a rank, which numbers them from 0. */
  takenFrom(rank: number): number {
    return this.#context.meter.sequenceOf(rank).seen;
  }

  *cancel(request: MxRequest): Process {
    yield* this.#endpoint.cancel(request);
  }

  /** To one, and from one, at the same time. */
  *exchange(
    to: number,
    outgoing: number,
    sends: number,
    from: number,
    into: number,
    takes: number,
    step: number,
  ): Process {
    const receive = yield* this.post(from, into, takes, step);
    const send = yield* this.send(to, outgoing, sends, step);
    yield this.received(receive, from, takes);
    yield this.sent(send, to);
  }

  // ---- payload that is not computed

  /** Fills what {@link sendPattern} sends from: for receivers that go round one buffer less than `windows`. */
  usePattern(size: number, windows: number): void {
    const bytes = Pattern.bufferBytes(size, windows);
    this.#windows = windows;
    this.#outbox = this.#context.alloc(bytes);
    this.#context.pattern.fill(this.#outbox, bytes, this.rank);
  }

  sendPattern(to: number, size: number, step: number, context?: unknown): Iterable<Wait, MxRequest, void> {
    return this.send(to, Pattern.window(this.#outbox, this.#sent[to], this.#windows), size, step, context);
  }

  /** Counts a receive that is done, and checks its payload. */
  acceptPattern(request: MxRequest, from: number, buffer: number, length: number): void {
    const { meter, pattern } = this.#context;
    const n = this.#accept(request, from, length, this.isMeasured);
    if (!pattern.check(buffer, length, from, n, this.#windows)) meter.integrityErrors++;
  }

  // ---- rounds

  /** All ranks' numbers become one, the same everywhere. */
  reduce(reduction: Reduction): Process {
    return recursiveDoubling(this, reduction);
  }

  /** Rounds of an operation in which all ranks take part, over and over when somebody is watching. Rank 0 decides. */
  *rounds({ sizes, iterations, warmUps, bytesOf }: Rounds, round: (size: number) => Process): Process {
    const context = this.#context;
    do {
      for (const size of sizes) {
        for (let i = 0; i < warmUps + iterations; i++) {
          if (this.rank === 0) this.isLast = context.stopping();
          this.isMeasured = i >= warmUps;
          if (i === warmUps && this.rank === 0) context.rows.begin();
          const began = context.now();
          yield round(size);
          this.timed(began);
          if (this.isLast) return;
          yield 0;
        }
        if (this.rank === 0) context.rows.end(size, iterations * bytesOf(size));
      }
    } while (context.endless);
  }

  /** A round that began at this instant is over. */
  timed(began: number): void {
    const { meter, rows, now } = this.#context;
    if (!this.isMeasured) return;
    const ps = now() - began;
    meter.round(ps);
    if (this.rank === 0) rows.round(ps);
  }

  // ---- inside

  /** Whether a request is done; throws when somebody has died. Spelled out, as in `pingpong.ts`, for speed. */
  #isDone(request: MxRequest): boolean {
    this.#meeting.check();
    return this.#endpoint.consumeDone(request);
  }

  #accept(request: MxRequest, from: number, length: number, isCounted: boolean): number {
    const { meter, meterOf, rows } = this.#context;
    this.#meeting.checkOutcome(request, "receive", from);
    const { matchA, matchB, latencyPs, transferLength } = request;
    this.#endpoint.release(request);
    if (isMarkedLast(matchA)) this.isLast = true;
    meter.sequenceOf(from).saw(matchB);
    if (transferLength !== length) meter.integrityErrors++;
    if (!isCounted) return matchB;
    meter.received(length, latencyPs);
    meterOf(from).delivered(length, latencyPs);
    if (this.rank === 0 && latencyPs >= 0) rows.message(latencyPs);
    return matchB;
  }
}

/** All ranks but one. */
export function everyOther(rank: number, ranks: number): number[] {
  return Array.from({ length: ranks }, (_, other) => other).filter((other) => other !== rank);
}
