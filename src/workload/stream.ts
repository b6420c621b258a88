import { z } from "zod";
import { sizeField } from "../base/quantity.ts";
import type { Process, Wait } from "../hw/thread.ts";
import type { MxAddress, MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import { connectTo, openEndpoint, tryConnect } from "./connect.ts";
import { pairOf, pairRanks } from "./pairs.ts";
import { Pattern } from "./payload.ts";
import type { Crew, ProcessContext, Workload } from "./workload.ts";

const params = z.object({
  size: sizeField().prefault("512 KiB").describe("bytes of each message"),
  outstanding: z.int().min(1).max(64).default(8).describe("sends, and receives, that are under way at a time"),
  direction: z.enum(["one-way", "both-ways"]).default("one-way").describe("whether the second of a pair sends too"),
  pairs: z.enum(["cross-host", "same-host"]).default("cross-host").describe("where the two ends are"),
  wait: z.enum(["poll", "block"]).default("block").describe("how a process waits for a completion"),
  messages: z.int().min(1).optional().describe("messages that each sender sends; endless when left out"),
});
type Params = z.infer<typeof params>;

/** Set in the upper match word of a sender's last message, which is empty. */
const LAST = 0x80000000;

/** mx_stream (tests/mx/mx_stream.c): senders keep a number of messages under way, receivers as many receives. */
export const stream: Workload<Params> = {
  kind: "stream",
  title: "stream: several messages under way, one way or both, as mx_stream",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ size, outstanding }) => (size + 64 * 1024) * (outstanding + 1) + size,
  check(params, crew) {
    pairRanks(crew, params.pairs);
  },
  *program(params, crew, context) {
    yield* new Stream(params, crew, context).run();
  },
};

class Stream {
  readonly #params: Params;
  readonly #context: ProcessContext;
  readonly #waiting: WaitOptions;
  readonly #partner: number;
  readonly #sends: boolean;
  readonly #receives: boolean;
  readonly #windows: number;
  #endpoint!: MxEndpoint;
  #address!: MxAddress;
  #buffer = 0;
  #sent = 0;
  #sending = 0;
  #saidLast = false;
  #received = 0;
  /** Messages that the partner will have sent in all, once it has said so. */
  #announced = Infinity;
  #posted: MxRequest[] = [];

  constructor(params: Params, crew: Crew, context: ProcessContext) {
    this.#params = params;
    this.#context = context;
    this.#waiting = { mode: params.wait };
    this.#windows = params.outstanding + 1;
    const pair = pairOf(pairRanks(crew, params.pairs), context.rank);
    this.#partner = pair.partner;
    this.#sends = pair.isFirst || params.direction === "both-ways";
    this.#receives = !pair.isFirst || params.direction === "both-ways";
  }

  *run(): Process {
    const context = this.#context;
    const { size, outstanding } = this.#params;
    if (this.#sends) {
      const bytes = Pattern.bufferBytes(size, this.#windows);
      this.#buffer = context.alloc(bytes);
      context.pattern.fill(this.#buffer, bytes, context.rank);
    }
    const endpoint = yield* openEndpoint(context);
    this.#endpoint = endpoint;
    if (this.#receives) {
      for (let i = 0; i < outstanding; i++) yield* this.#post(context.alloc(size + 8));
    }
    if (this.#sends) this.#address = yield* connectTo(context, endpoint, this.#partner, this.#waiting);
    else yield* tryConnect(context, endpoint, this.#partner, this.#waiting); // a sender may be through before this has succeeded
    for (;;) {
      if (this.#sends) yield* this.#fillWindow();
      if (this.#isOver()) break;
      const request = yield* endpoint.waitAny(0, 0, 0, 0, this.#waiting);
      if (request !== null) yield* this.#completed(request);
      yield 0;
    }
    if (this.#receives) context.meter.sequence.ended(this.#announced);
    for (const receive of this.#posted) yield* endpoint.cancel(receive);
    yield* endpoint.flush(this.#waiting);
    yield* endpoint.close();
  }

  #isOver(): boolean {
    const sentAll = !this.#sends || (this.#saidLast && this.#sending === 0);
    return sentAll && (!this.#receives || this.#received >= this.#announced);
  }

  *#fillWindow(): Generator<Wait, void> {
    const { size, outstanding, messages } = this.#params;
    const { rank } = this.#context;
    while (this.#sending < outstanding && !this.#saidLast) {
      const isLast = this.#context.stopping() || this.#sent === messages;
      const n = this.#sent++;
      this.#sending++;
      if (isLast) {
        this.#saidLast = true;
        yield* this.#endpoint.isend(this.#buffer, 0, this.#address, (rank | LAST) >>> 0, n);
      } else {
        const address = Pattern.window(this.#buffer, n, this.#windows);
        yield* this.#endpoint.isend(address, size, this.#address, rank, n);
      }
      yield 0;
    }
  }

  *#post(buffer: number): Generator<Wait, void> {
    const { size } = this.#params;
    const receive = yield* this.#endpoint.irecv(buffer, size, this.#partner, 0, 0x7fffffff, 0, buffer);
    this.#posted.push(receive);
  }

  *#completed(request: MxRequest): Generator<Wait, void> {
    const at = this.#posted.indexOf(request);
    if (at < 0) {
      this.#sending--;
      this.#endpoint.release(request);
      return;
    }
    this.#posted.splice(at, 1);
    const buffer = request.context as number;
    this.#take(request, buffer);
    if (this.#announced === Infinity) yield* this.#post(buffer);
  }

  #take(request: MxRequest, buffer: number): void {
    const { meter, pattern } = this.#context;
    const { size } = this.#params;
    const n = request.matchB;
    if ((request.matchA & LAST) !== 0) {
      this.#announced = n;
      // Messages match in order: those before the last one have matched, if not completed.
    } else {
      this.#received++;
      const intact = request.transferLength === size && pattern.check(buffer, size, this.#partner, n, this.#windows);
      if (!intact) meter.integrityErrors++;
      meter.sequence.saw(n);
      meter.received(size, request.latencyPs);
      this.#context.meterOf(this.#partner).delivered(size, request.latencyPs);
    }
    this.#endpoint.release(request);
  }
}
