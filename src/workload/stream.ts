import { z } from "zod";
import { sizeField } from "../base/quantity.ts";
import type { Process, Wait } from "../hw/thread.ts";
import {
  type MxAddress,
  MxEndpoint,
  type MxRequest,
  PendingAny,
  type QuickCall,
  WAIT_OVER,
  type WaitOptions,
} from "../mx/api.ts";
import { connectTo, openEndpoint, tryConnect } from "./connect.ts";
import { isMarkedLast, markedLast, OWN_BITS } from "./last_mark.ts";
import { Meeting, PartnerDied } from "./meeting.ts";
import { pairOf, pairRanks } from "./pairs.ts";
import { Pattern } from "./payload.ts";
import { type Crew, type ProcessContext, type Workload, WorkloadError } from "./workload.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const OVER = WAIT_OVER;

const params = z.object({
  size: sizeField().prefault("512 KiB").describe("bytes of each message"),
  outstanding: z.int().min(1).max(64).default(8).describe("sends, and receives, that are under way at a time"),
  direction: z.enum(["one-way", "both-ways"]).default("one-way").describe("whether the second of a pair sends too"),
  pairs: z.enum(["cross-host", "same-host"]).default("cross-host").describe("where the two ends are"),
  wait: z.enum(["poll", "block"]).default("block").describe("how a process waits for a completion"),
  boards: z.int().min(1).max(4).optional()
    .describe("boards that each pair spreads its messages over in turn, an endpoint on each; 1 when left out"),
  messages: z.int().min(1).optional().describe("messages that each sender sends; endless when left out"),
});
type Params = z.infer<typeof params>;

/**
 * mx_stream (tests/mx/mx_stream.c): senders keep a number of messages under way, receivers as many receives. Over several
 * boards message n goes by board n modulo their number.
 */
export const stream: Workload<Params> = {
  kind: "stream",
  title: "stream: several messages under way, one way or both, as mx_stream",
  params: params as z.ZodType<Params>,
  endpoints: ({ boards = 1 }) => boards,
  memoryBytes: ({ size, outstanding }) => (size + 64 * 1024) * (outstanding + 1) + size,
  check(params, crew) {
    const { boards = 1, outstanding, pairs } = params;
    if (boards > crew.boards) {
      throw new WorkloadError(`boards: found ${boards}, wanted at most ${crew.boards}, the boards of each host`);
    }
    if (boards > outstanding) {
      throw new WorkloadError(`boards: found ${boards}, wanted at most ${outstanding}, the messages outstanding`);
    }
    pairRanks(crew, pairs);
  },
  program: (params, crew, context) => new Stream(params, crew, context).run(),
};

/** A receive that waits for a message. */
interface Posted {
  readonly request: MxRequest;
  readonly board: number;
}

class Stream {
  readonly #params: Params;
  readonly #context: ProcessContext;
  readonly #waiting: WaitOptions;
  readonly #partner: number;
  readonly #sends: boolean;
  readonly #receives: boolean;
  readonly #windows: number;
  readonly #boards: number;
  /** By board. */
  readonly #endpoints: MxEndpoint[] = [];
  readonly #addresses: MxAddress[] = [];
  readonly #meeting: Meeting;
  #buffer = 0;
  /** Of the receives. */
  readonly #buffers: number[] = [];
  #sent = 0;
  #sending = 0;
  #saidLast = false;
  #received = 0;
  /** Messages that the partner will have sent in all, once it has said so. */
  #announced = Infinity;
  readonly #posted: Posted[] = [];
  /** The buffer that a message has left, and the board that the next receive into it is on. */
  readonly #free = { buffer: 0, board: 0 };
  readonly #wait = new PendingAny();

  constructor(params: Params, crew: Crew, context: ProcessContext) {
    this.#params = params;
    this.#context = context;
    this.#waiting = { mode: params.wait };
    this.#windows = params.outstanding + 1;
    this.#boards = params.boards ?? 1;
    const pair = pairOf(pairRanks(crew, params.pairs), context.rank);
    this.#partner = pair.partner;
    this.#meeting = new Meeting(context, [pair.partner]);
    this.#sends = pair.isFirst || params.direction === "both-ways";
    this.#receives = !pair.isFirst || params.direction === "both-ways";
  }

  *run(): Process {
    const context = this.#context;
    const { size } = this.#params;
    const boards = this.#boards;
    if (this.#sends) {
      const bytes = Pattern.bufferBytes(size, this.#windows);
      this.#buffer = context.alloc(bytes);
      context.pattern.fill(this.#buffer, bytes, context.rank);
    }
    context.onDeath(() => this.#countLost());
    const endpoints = this.#endpoints;
    for (;;) {
      for (let board = 0; board < boards; board++) endpoints.push(yield* openEndpoint(context, board));
      try {
        yield this.#meet();
        break;
      } catch (error) {
        if (!(error instanceof PartnerDied)) throw error;
        yield this.#partnerDied();
      }
    }
    for (const { request, board } of this.#posted) yield* endpoints[board].cancel(request);
    for (const endpoint of endpoints) {
      yield* this.#meeting.flush(endpoint, this.#waiting);
      yield* endpoint.close();
    }
  }

  /** All that there is to do with a partner, from the first connect on. */
  *#meet(): Process {
    const { sequence } = this.#context.meter;
    const { outstanding } = this.#params;
    const boards = this.#boards;
    const endpoints = this.#endpoints;
    const meeting = this.#meeting;
    const wait = this.#wait;
    if (!(yield* meeting.begin(endpoints))) return;
    if (meeting.isAgain) sequence.restart();
    if (this.#receives) {
      for (let i = 0; i < outstanding; i++) yield* this.#post(this.#bufferFor(i), i % boards);
    }
    for (const board of endpoints.keys()) yield* this.#connect(board);
    for (;;) {
      // What nearly always waits for nothing has no generator of its own: each costs, at every resumption.
      if (this.#sends && this.hasRoom) yield* this.#fillWindow();
      if (this.#isOver()) break;
      meeting.check();
      let how = MxEndpoint.beginWaitAny(wait, endpoints, this.#waiting);
      for (; how !== OVER; how = MxEndpoint.goOnWaitingAny(wait)) yield how;
      meeting.check();
      if (wait.request !== null && this.#completed(wait.request)) {
        const { board, buffer } = this.#free;
        const call = this.#receive(buffer, board);
        this.#posted.push({ request: call.done ? call.value : yield* call, board });
      }
      yield 0;
    }
    if (this.#receives) sequence.ended(this.#announced);
  }

  /** What was under way is lost. Everything begins anew, the numbers of messages too. */
  *#partnerDied(): Process {
    this.#countLost();
    this.#sent = this.#sending = this.#received = 0;
    this.#saidLast = false;
    this.#announced = Infinity;
    this.#posted.length = this.#addresses.length = 0;
    for (const endpoint of this.#endpoints) yield* endpoint.close();
    this.#endpoints.length = 0;
  }

  /** What was sent and not heard of is counted as lost, whoever of the two has died. */
  #countLost(): void {
    this.#context.meterOf(this.#partner).sequence.lost += this.#sending;
  }

  #bufferFor(i: number): number {
    return this.#buffers[i] ??= Pattern.receiveBuffer(this.#context, this.#params.size);
  }

  *#connect(board: number): Generator<Wait, void> {
    const endpoints = this.#endpoints;
    const options = { ...this.#waiting, board, endpoints };
    if (this.#sends) {
      const check = () => this.#meeting.checkConnecting();
      this.#addresses.push(yield* connectTo(this.#context, endpoints[board], this.#partner, { ...options, check }));
    } else {
      // A sender may be through before this has succeeded: then all its messages are here.
      const check = () => this.#meeting.check();
      const isGone = () => this.#posted.some(({ request }) => request.done);
      yield* tryConnect(this.#context, endpoints[board], this.#partner, { ...options, check, isGone });
    }
  }

  #isOver(): boolean {
    const sentAll = !this.#sends || (this.#saidLast && this.#sending === 0);
    return sentAll && (!this.#receives || this.#received >= this.#announced);
  }

  /** Another message may be under way. */
  get hasRoom(): boolean {
    return this.#sending < this.#params.outstanding && !this.#saidLast;
  }

  *#fillWindow(): Generator<Wait, void> {
    const { size, messages } = this.#params;
    const { rank } = this.#context;
    while (this.hasRoom) {
      const isLast = this.#context.stopping() || this.#sent === messages;
      const n = this.#sent++;
      const board = n % this.#boards;
      const endpoint = this.#endpoints[board];
      const destination = this.#addresses[board];
      this.#sending++;
      if (isLast) {
        this.#saidLast = true;
        yield* endpoint.isend(this.#buffer, 0, destination, markedLast(rank), n, board);
      } else {
        const address = Pattern.window(this.#buffer, n, this.#windows);
        const call = endpoint.isend(address, size, destination, rank, n, board);
        if (!call.done) yield* call;
      }
      yield 0;
    }
  }

  *#post(buffer: number, board: number): Generator<Wait, void> {
    this.#posted.push({ request: yield* this.#receive(buffer, board), board });
  }

  #receive(buffer: number, board: number): QuickCall<MxRequest> {
    const { size } = this.#params;
    return this.#endpoints[board].irecv(buffer, size, this.#partner, 0, OWN_BITS, 0, buffer);
  }

  /** A message is done; true when a buffer is free for another one, named by `#free`. */
  #completed(request: MxRequest): boolean {
    const at = this.#posted.findIndex((posted) => posted.request === request);
    this.#meeting.checkOutcome(request, at < 0 ? "send" : "receive");
    if (at < 0) {
      this.#sending--;
      this.#endpoints[request.context as number].release(request);
      return false;
    }
    const [{ board }] = this.#posted.splice(at, 1);
    const buffer = request.context as number;
    this.#take(request, buffer);
    this.#endpoints[board].release(request);
    if (this.#isLastOf(board)) return false;
    this.#free.buffer = buffer;
    this.#free.board = board;
    return true;
  }

  /** Messages match in order, on each board: before the last one's all of its board have matched, if not completed. */
  #isLastOf(board: number): boolean {
    if (this.#announced === Infinity) return false;
    return this.#announced % this.#boards === board || this.#received >= this.#announced;
  }

  #take(request: MxRequest, buffer: number): void {
    const { meter, pattern } = this.#context;
    const { size } = this.#params;
    const n = request.matchB;
    if (isMarkedLast(request.matchA)) {
      this.#announced = n;
    } else {
      this.#received++;
      const intact = request.transferLength === size && pattern.check(buffer, size, this.#partner, n, this.#windows);
      if (!intact) meter.integrityErrors++;
      meter.sequence.saw(n);
      meter.received(size, request.latencyPs);
      this.#context.meterOf(this.#partner).delivered(size, request.latencyPs);
    }
  }
}
