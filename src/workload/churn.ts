import { z } from "zod";
import { sizeField, timeField } from "../base/quantity.ts";
import { SECOND } from "../base/units.ts";
import type { Process, Wait } from "../hw/thread.ts";
import type { MxAddress, MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import { connectTo, openEndpoint, tryConnect } from "./connect.ts";
import { Meeting, PartnerDied } from "./meeting.ts";
import { pairOf, pairRanks } from "./pairs.ts";
import { Pattern } from "./payload.ts";
import { Sleeper } from "./sleep.ts";
import type { Crew, ProcessContext, Workload } from "./workload.ts";

const params = z.object({
  size: sizeField().prefault("1 KiB").describe("bytes of a message, and of its echo"),
  messages: z.int().min(1).default(4).describe("messages of a session, one after another, each echoed"),
  pause: timeField({ max: 10 * SECOND }).prefault("1 ms").describe("from the end of a session to the next"),
  both: z.boolean().default(false).describe("whether the server too opens its endpoint anew for each session"),
  sessions: z.int().min(1).optional().describe("sessions of each pair; endless when left out"),
  pairs: z.enum(["cross-host", "same-host"]).default("cross-host").describe("where the two ends are"),
  wait: z.enum(["poll", "block"]).default("poll").describe("how a process waits for a message"),
});
type Params = z.infer<typeof params>;

/*
 * Upper match word: what a message is, and its sender's rank. A client begins a session with HELLO, and the server has
 * connected back when it says WELCOME: before, neither could acknowledge or pull what the other sends. The server says
 * END when its last echo has been received: with it comes the acknowledgement that the client has to wait for before it
 * closes, and which after a large message would be 16 ms late otherwise. The lower word of these is the number of the
 * session. BYE is the HELLO of a session in which nothing will be asked: the last one.
 */
const HELLO = 0x80000000;
const BYE = 0x40000000;
const WELCOME = 0x20000000;
const END = 0x10000000;
const RANK = 0x0fffffff;

/**
 * How long a client waits for WELCOME before it begins the session anew. With `both`, a server can have accepted a
 * connection in the moment in which it closes; frames that are lost are sent again after half a second.
 */
const PATIENCE = 2 * SECOND;
/** Buffers that a sender goes round. */
const WINDOWS = 3;

/**
 * Sessions one after another: open an endpoint, connect, exchange a few messages, close. What it shows is what opening,
 * connecting and closing cost on each path. `rtt_us` is a whole session, from the call that opens the endpoint to the
 * return of the one that closes it; `latency_us` is a message's, from its send call to its receipt.
 */
export const churn: Workload<Params> = {
  kind: "churn",
  title: "churn: open, connect, exchange a few messages, close, again and again; rtt of a whole session",
  params: params as z.ZodType<Params>,
  memoryBytes: ({ size }) => (WINDOWS + 1) * (size + 64 * 1024),
  check(params, crew) {
    pairRanks(crew, params.pairs);
  },
  program(params, crew, context) {
    const side = pairOf(pairRanks(crew, params.pairs), context.rank).isFirst ? Client : Server;
    return new side(params, crew, context).run();
  },
};

/** What both ends have in common: a life with the partner, and a new one when one of the two has died. */
abstract class Side {
  protected readonly params: Params;
  protected readonly context: ProcessContext;
  protected readonly waiting: WaitOptions;
  protected readonly partner: number;
  protected readonly meeting: Meeting;
  protected readonly buffers: number[] = [];
  /** Null between two sessions. */
  protected endpoint: MxEndpoint | null = null;
  /** How long the latest open took, picoseconds: that of a first session is over before the two have met. */
  protected opening = 0;
  #outbox = 0;

  constructor(params: Params, crew: Crew, context: ProcessContext) {
    this.params = params;
    this.context = context;
    this.waiting = { mode: params.wait };
    this.partner = pairOf(pairRanks(crew, params.pairs), context.rank).partner;
    this.meeting = new Meeting(context, [this.partner]);
  }

  *run(): Process {
    const { context, params: { size } } = this;
    const bytes = Pattern.bufferBytes(size, WINDOWS);
    this.#outbox = context.alloc(bytes);
    context.pattern.fill(this.#outbox, bytes, context.rank);
    for (let i = 0; i < WINDOWS - 1; i++) this.buffers.push(Pattern.receiveBuffer(context, size));
    context.onDeath(() => this.forget());
    for (;;) {
      const endpoint = yield* this.open();
      try {
        if (yield* this.meeting.begin([endpoint])) {
          if (this.meeting.isAgain) context.meter.sequence.restart();
          yield this.meet();
        }
        break;
      } catch (error) {
        if (!(error instanceof PartnerDied)) throw error;
        this.forget();
        if (this.endpoint !== null) yield* this.close();
      }
    }
    if (this.endpoint !== null) yield* this.close();
  }

  /** All sessions. */
  protected abstract meet(): Process;
  /** One of the two has died: what was under way is lost, and numbers begin anew. */
  protected abstract forget(): void;

  protected *open(): Generator<Wait, MxEndpoint> {
    const began = this.context.now();
    this.endpoint = yield* openEndpoint(this.context);
    this.opening = this.context.now() - began;
    return this.endpoint;
  }

  protected *close(): Generator<Wait, void> {
    const endpoint = this.endpoint!;
    this.endpoint = null;
    yield* this.meeting.flush(endpoint, this.waiting);
    yield* endpoint.close();
  }

  protected *send(address: MxAddress, kind: number, n: number): Generator<Wait, void> {
    const { context: { rank }, params: { size } } = this;
    const from = Pattern.window(this.#outbox, n, WINDOWS);
    const length = kind === 0 ? size : 0;
    const request = yield* this.endpoint!.isend(from, length, address, (rank | kind) >>> 0, n);
    yield* this.meeting.wait(this.endpoint!, request, this.waiting);
    this.meeting.checkOutcome(request, "send");
    this.endpoint!.release(request);
  }

  protected take(message: MxRequest): void {
    const { context: { meter, meterOf, pattern }, params: { size }, partner } = this;
    const n = message.matchB;
    const intact = message.transferLength === size &&
      pattern.check(message.context as number, size, partner, n, WINDOWS);
    if (!intact) meter.integrityErrors++;
    meter.sequence.saw(n);
    meter.received(size, message.latencyPs);
    meterOf(partner).delivered(size, message.latencyPs);
  }
}

class Client extends Side {
  readonly #sleeper: Sleeper;
  #session = 0;
  #sent = 0;
  /** A message or its echo is under way. */
  #isWaiting = false;

  constructor(params: Params, crew: Crew, context: ProcessContext) {
    super(params, crew, context);
    this.#sleeper = new Sleeper(context);
  }

  protected *meet(): Process {
    const { context, params: { pause, sessions = Infinity, messages } } = this;
    // One that has to be begun anew goes on to take its time.
    for (let done = 0, began = context.now() - this.opening;;) {
      const isLast = context.stopping() || (done >= sessions && !context.endless);
      const endpoint = this.endpoint ?? (yield* this.open());
      const address = yield* this.#begin(endpoint, isLast ? BYE : HELLO);
      if (address === null) {
        yield* this.close();
        continue;
      }
      if (isLast) return;
      const end = yield* this.#expect(endpoint, END);
      for (let i = 0; i < messages; i++) yield* this.#exchange(endpoint, address);
      yield* this.meeting.wait(endpoint, end, this.waiting);
      this.meeting.checkOutcome(end, "receive");
      endpoint.release(end);
      yield* this.close();
      context.meter.round(context.now() - began);
      done++;
      yield* this.#sleeper.sleep(pause);
      this.meeting.check();
      began = context.now();
    }
  }

  protected forget(): void {
    if (this.#isWaiting) this.context.meter.sequence.lost++;
    this.#isWaiting = false;
    this.#sent = 0;
  }

  /** Connects, and is connected to; null when the server has been there and has not understood. */
  *#begin(endpoint: MxEndpoint, kind: number): Generator<Wait, MxAddress | null> {
    const { context, partner, meeting, params: { wait } } = this;
    const check = () => meeting.checkConnecting();
    const address = yield* connectTo(context, endpoint, partner, { ...this.waiting, check });
    this.#session++;
    const welcome = yield* this.#expect(endpoint, WELCOME);
    yield* this.send(address, kind, this.#session);
    const until = context.now() + PATIENCE;
    while (!(yield* endpoint.wait(welcome, { mode: wait, timeoutPs: Math.max(0, until - context.now()) }))) {
      meeting.check();
      if (context.now() < until) continue;
      if (yield* endpoint.cancel(welcome)) return null;
    }
    endpoint.release(welcome);
    return address;
  }

  /** A receive for a word of the server in this session. */
  #expect(endpoint: MxEndpoint, kind: number) {
    return endpoint.irecv(0, 0, this.partner | kind, this.#session, 0xffffffff, 0xffffffff);
  }

  *#exchange(endpoint: MxEndpoint, address: MxAddress): Generator<Wait, void> {
    const n = this.#sent++;
    const buffer = this.buffers[n % this.buffers.length];
    const { partner, params: { size } } = this;
    const echo = yield* endpoint.irecv(buffer, size, partner, n, 0xffffffff, 0xffffffff, buffer);
    this.#isWaiting = true;
    yield* this.send(address, 0, n);
    yield* this.meeting.wait(endpoint, echo, this.waiting);
    this.meeting.checkOutcome(echo, "receive");
    this.#isWaiting = false;
    this.take(echo);
    endpoint.release(echo);
    yield 0;
  }
}

/** Answers what comes, whatever session it belongs to: a client may have given one up. */
class Server extends Side {
  #address: MxAddress | null = null;
  #session = 0;
  /** Messages of the session so far. */
  #answered = 0;

  protected *meet(): Process {
    const { params: { both, messages } } = this;
    for (;;) {
      const endpoint = this.endpoint ?? (yield* this.open());
      const posted: MxRequest[] = [];
      for (const buffer of this.buffers) posted.push(yield* this.#post(endpoint, buffer));
      this.#answered = 0;
      let isBye = false;
      do {
        const message = posted.shift()!;
        yield* this.meeting.wait(endpoint, message, this.waiting);
        this.meeting.checkOutcome(message, "receive");
        isBye = yield* this.#answer(endpoint, message);
        posted.push(yield* this.#post(endpoint, message.context as number));
        endpoint.release(message);
        yield 0;
      } while (!isBye && (!both || this.#answered < messages));
      for (const receive of posted) yield* endpoint.cancel(receive);
      if (isBye) return;
      yield* this.close();
    }
  }

  protected forget(): void {
    this.#address = null;
  }

  #post(endpoint: MxEndpoint, buffer: number) {
    return endpoint.irecv(buffer, this.params.size, 0, 0, 0, 0, buffer);
  }

  /** Whether it was the last message of all. */
  *#answer(endpoint: MxEndpoint, message: MxRequest): Generator<Wait, boolean> {
    const { context, partner, meeting } = this;
    const kind = message.matchA & ~RANK;
    const n = message.matchB;
    if (kind === 0) {
      this.take(message);
      this.#answered++;
      yield* this.send(this.#address!, 0, n);
      if (this.#answered === this.params.messages) yield* this.send(this.#address!, END, this.#session);
      return false;
    }
    const options = {
      ...this.waiting,
      check: () => meeting.check(),
      isGone: () => context.announcedBy(partner) === Infinity,
    };
    this.#address = yield* tryConnect(context, endpoint, partner, options);
    this.#answered = 0;
    this.#session = n;
    if (this.#address === null) return false;
    yield* this.send(this.#address, WELCOME, n);
    return kind === BYE;
  }
}
