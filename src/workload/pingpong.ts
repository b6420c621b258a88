import { z } from "zod";
import { sizeListField } from "../base/quantity.ts";
import type { Process, Wait } from "../hw/thread.ts";
import type { MxAddress, MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import { PendingWait, WAIT_OVER } from "../mx/api.ts";
import { connectTo, openEndpoint } from "./connect.ts";
import { isMarkedLast, markedLast, OWN_BITS } from "./last_mark.ts";
import { Meeting, PartnerDied } from "./meeting.ts";
import { type Pairing, pairOf, pairRanks } from "./pairs.ts";
import { Pattern } from "./payload.ts";
import type { Crew, ProcessContext, Workload } from "./workload.ts";

const params = z.object({
  sizes: sizeListField().prefault(["0 B", "1 B", "2 B", "4 B", "8 B", "16 B", "32 B"])
    .describe("message sizes, one after another"),
  iterations: z.int().min(1).default(1000).describe("measured round trips of each size"),
  warmup_iterations: z.int().min(0).default(10).describe("round trips before the measured ones"),
  pairs: z.enum(["cross-host", "same-host"]).default("cross-host").describe("where the two ends are"),
  wait: z.enum(["poll", "block"]).default("poll").describe("how a process waits for a message"),
});
type Params = z.infer<typeof params>;

const OVER = WAIT_OVER; // its own, which V8 need not read each time

/** Buffers that a sender goes round: never the one that the receiver saw last. */
const WINDOWS = 3;

/** Round trips of one message size: how many are measured, and how many come before them. */
export interface Leg {
  readonly size: number;
  readonly iterations: number;
  readonly warmUps: number;
}

/** What a pair does. */
export interface PingPongPlan {
  /** One after another. */
  readonly legs: readonly Leg[];
  readonly pairs: Pairing;
  readonly wait: "poll" | "block";
  /** What comes back is an empty message that nobody counts: messages are measured one way. */
  readonly unidirectional: boolean;
  /** Sends are done when the receiver has matched them (mx_issend). */
  readonly synchronous: boolean;
  /** Between two legs, picoseconds. */
  readonly pausePs: number;
}

/** mx_pingpong (tests/mx/mx_pingpong.c): a message goes to and fro; its latency is half a round trip. */
export const pingpong: Workload<Params> = {
  kind: "pingpong",
  title: "ping-pong: round trips by message size, as mx_pingpong",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ sizes }) => pingPongBytes(Math.max(...sizes)),
  check(params, crew) {
    pairRanks(crew, params.pairs);
  },
  program: (params, crew, context) => new PingPong(planOf(params), crew, context).run(),
};

/** Memory that one side wants for messages of up to `size` bytes: a buffer to send from, and two to receive into. */
export function pingPongBytes(size: number): number {
  return 3 * (size + 64 * 1024);
}

function planOf({ sizes, iterations, warmup_iterations: warmUps, pairs, wait }: Params): PingPongPlan {
  const legs = sizes.map((size) => ({ size, iterations, warmUps }));
  return { legs, pairs, wait, unidirectional: false, synchronous: false, pausePs: 0 };
}

/** One rank of a pair. */
export class PingPong {
  readonly #plan: PingPongPlan;
  readonly #context: ProcessContext;
  readonly #waiting: WaitOptions;
  readonly #partner: number;
  readonly #isClient: boolean;
  readonly #hasRows: boolean;
  readonly #meeting: Meeting;
  readonly #wait = new PendingWait();
  #endpoint!: MxEndpoint;
  #address!: MxAddress;
  #sendBuffer = 0;
  #recvBuffers: number[] = [];
  #sent = 0;
  #received = 0;
  #posted = 0;
  /** The client has said that there will be no more. */
  #isOver = false;

  constructor(plan: PingPongPlan, crew: Crew, context: ProcessContext) {
    this.#plan = plan;
    this.#context = context;
    this.#waiting = { mode: plan.wait };
    const pair = pairOf(pairRanks(crew, plan.pairs), context.rank);
    this.#partner = pair.partner;
    this.#isClient = pair.isFirst;
    this.#hasRows = pair.number === 0;
    this.#meeting = new Meeting(context, [pair.partner]);
  }

  *run(): Process {
    const context = this.#context;
    const largest = Math.max(...this.#plan.legs.map(({ size }) => size));
    const bytes = Pattern.bufferBytes(largest, WINDOWS);
    this.#sendBuffer = context.alloc(bytes);
    context.pattern.fill(this.#sendBuffer, bytes, context.rank);
    this.#recvBuffers = [Pattern.receiveBuffer(context, largest), Pattern.receiveBuffer(context, largest)];
    context.onDeath(() => this.#countLost());
    for (;;) {
      this.#endpoint = yield* openEndpoint(context);
      try {
        yield this.#meet();
        break;
      } catch (error) {
        if (!(error instanceof PartnerDied)) throw error;
        yield this.#partnerDied();
      }
    }
    yield* this.#meeting.flush(this.#endpoint, this.#waiting);
    yield* this.#endpoint.close();
  }

  /** All that there is to do with a partner, from the first connect on. */
  *#meet(): Process {
    const context = this.#context;
    if (!(yield* this.#meeting.begin([this.#endpoint]))) return;
    if (this.#meeting.isAgain) context.meter.sequence.restart();
    const check = () => this.#meeting.checkConnecting();
    this.#address = yield* connectTo(context, this.#endpoint, this.#partner, { ...this.#waiting, check });
    do {
      for (const leg of this.#plan.legs) {
        if (this.#isOver) break;
        if (this.#isClient) yield this.#client(leg);
        else yield this.#server(leg);
      }
    } while (context.endless && !this.#isOver);
  }

  /** The answer that was waited for will not come. Everything begins anew, the numbers of messages too. */
  *#partnerDied(): Process {
    this.#countLost();
    this.#sent = this.#received = this.#posted = 0;
    this.#isOver = false; // whoever comes back has not heard the last word
    yield* this.#endpoint.close();
  }

  /** A client's message or its answer was under way: one of them is lost, whoever of the two has died. */
  #countLost(): void {
    if (this.#isClient && this.#sent > this.#received) this.#context.meter.sequence.lost++;
  }

  /**
   * Whether a request is done; if not, it is waited for until it is, or somebody has died. Spelled out where messages are
   * counted by the hundred thousand, and the wait for the other's message without a generator in between.
   */
  #isDone(request: MxRequest): boolean {
    this.#meeting.check();
    return this.#endpoint.consumeDone(request);
  }

  #waitFor(request: MxRequest): Process {
    return this.#meeting.wait(this.#endpoint, request, this.#waiting);
  }

  *#client({ size, iterations, warmUps }: Leg): Process {
    const context = this.#context;
    const { unidirectional } = this.#plan;
    const answer = unidirectional ? 0 : size;
    let next = yield* this.#post(answer);
    for (let i = 0; i < warmUps + iterations; i++) {
      if (context.stopping()) {
        yield* this.#endpoint.cancel(next);
        yield* this.#sayLast();
        return;
      }
      if (i === warmUps && this.#hasRows) context.rows.begin();
      const started = context.now();
      const sending = this.#send(size);
      const send = sending.done ? sending.value : yield* sending;
      const receive = next;
      if (i + 1 < warmUps + iterations) {
        const posting = this.#post(answer);
        next = posting.done ? posting.value : yield* posting;
      }
      while (!this.#isDone(receive)) {
        let how = this.#endpoint.beginWait(this.#wait, receive, this.#waiting);
        for (; how !== OVER; how = this.#endpoint.goOnWaiting(this.#wait)) yield how;
        if (this.#wait.hasFound) break;
      }
      this.#meeting.checkOutcome(receive, "receive");
      const rtt = context.now() - started;
      while (!this.#isDone(send)) if (yield* this.#endpoint.wait(send, this.#waiting)) break;
      this.#meeting.checkOutcome(send, "send");
      this.#endpoint.release(send);
      if (i >= warmUps) {
        if (unidirectional) context.meter.round(rtt);
        else context.meter.roundTrip(rtt);
        if (this.#hasRows) context.rows.roundTrip(rtt);
      }
      this.#take(receive, answer, i >= warmUps);
      yield 0;
    }
    if (this.#hasRows) context.rows.end(size, iterations * (size + answer));
    yield* this.#pause();
  }

  *#server({ size, iterations, warmUps }: Leg): Process {
    const rounds = warmUps + iterations;
    const answer = this.#plan.unidirectional ? 0 : size;
    let next = yield* this.#post(size);
    for (let i = 0; i < rounds; i++) {
      const receive = next;
      while (!this.#isDone(receive)) {
        let how = this.#endpoint.beginWait(this.#wait, receive, this.#waiting);
        for (; how !== OVER; how = this.#endpoint.goOnWaiting(this.#wait)) yield how;
        if (this.#wait.hasFound) break;
      }
      this.#meeting.checkOutcome(receive, "receive");
      if (isMarkedLast(receive.matchA)) {
        this.#isOver = true;
        this.#endpoint.release(receive);
        return;
      }
      const sending = this.#send(answer);
      const send = sending.done ? sending.value : yield* sending;
      if (i + 1 < rounds) {
        const posting = this.#post(size);
        next = posting.done ? posting.value : yield* posting;
      }
      while (!this.#isDone(send)) if (yield* this.#endpoint.wait(send, this.#waiting)) break;
      this.#meeting.checkOutcome(send, "send");
      this.#endpoint.release(send);
      this.#take(receive, size, i >= warmUps);
      yield 0;
    }
  }

  *#pause(): Generator<Wait, void> {
    const { pausePs } = this.#plan;
    const until = this.#context.now() + pausePs;
    for (let left = pausePs; left > 0 && !this.#context.stopping(); left = until - this.#context.now()) {
      this.#meeting.check();
      yield* this.#endpoint.waitAmong([this.#endpoint], null, { mode: "block", timeoutPs: left });
    }
  }

  /** Tells the server that there will be no more, and has no answer to this. */
  *#sayLast(): Process {
    this.#isOver = true;
    const matchA = markedLast(this.#context.rank);
    const send = yield* this.#endpoint.isend(this.#sendBuffer, 0, this.#address, matchA, 0);
    yield* this.#waitFor(send);
    this.#meeting.checkOutcome(send, "send");
    this.#endpoint.release(send);
  }

  #post(size: number) {
    const buffer = this.#recvBuffers[this.#posted++ % 2];
    return this.#endpoint.irecv(buffer, size, this.#partner, 0, OWN_BITS, 0, buffer);
  }

  #send(size: number) {
    const n = this.#sent++;
    const address = Pattern.window(this.#sendBuffer, n, WINDOWS);
    const { rank } = this.#context;
    return this.#plan.synchronous
      ? this.#endpoint.issend(address, size, this.#address, rank, n)
      : this.#endpoint.isend(address, size, this.#address, rank, n);
  }

  #take(receive: Parameters<MxEndpoint["release"]>[0], size: number, measured: boolean): void {
    const { meter, pattern } = this.#context;
    const n = this.#received++;
    meter.sequence.saw(receive.matchB);
    const intact = receive.transferLength === size &&
      pattern.check(receive.context as number, size, this.#partner, n, WINDOWS);
    if (!intact) meter.integrityErrors++;
    if (measured) this.#count(size, receive.latencyPs);
    this.#endpoint.release(receive);
  }

  /** Half a round trip is a message's latency, unless messages go one way: then the answers are no messages. */
  #count(size: number, latencyPs: number): void {
    const { meter, rows } = this.#context;
    const { unidirectional } = this.#plan;
    if (unidirectional && this.#isClient) return;
    meter.received(size, unidirectional ? latencyPs : -1);
    if (unidirectional && this.#hasRows) rows.message(latencyPs);
    this.#context.meterOf(this.#partner).delivered(size, latencyPs);
  }
}
