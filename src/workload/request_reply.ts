import { z } from "zod";
import { frequencyField, sizeField, timeField } from "../base/quantity.ts";
import { SECOND } from "../base/units.ts";
import type { Process, Wait } from "../hw/thread.ts";
import type { MxAddress, MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import { exponentialPs, OfferedLoad } from "./arrivals.ts";
import { connectTo, openEndpoint, tryConnect } from "./connect.ts";
import { isMarkedLast, markedLast, OWN_BITS } from "./last_mark.ts";
import { Meeting, PartnerDied } from "./meeting.ts";
import { Pattern } from "./payload.ts";
import { checkServices, type Service, serviceOf } from "./services.ts";
import type { ProcessContext, Workload } from "./workload.ts";

const params = z.object({
  rate: frequencyField({ min: 1, max: 1e8 }).prefault("10 k/s")
    .describe("requests that each client is asked for in a second, whatever the replies do"),
  arrivals: z.enum(["poisson", "uniform"]).default("poisson").describe("at random, or evenly spaced"),
  size: sizeField().prefault("64 B").describe("bytes of a request"),
  reply: sizeField().prefault("1 KiB").describe("bytes of a reply"),
  service: timeField({ max: SECOND }).prefault("0 us").describe("what a server computes for each request, the mean"),
  service_times: z.enum(["fixed", "exponential"]).default("fixed").describe("all the same, or at random"),
  servers: z.int().min(1).optional()
    .describe("the first so many guests serve all others; pairs of a client and a server when left out"),
  outstanding: z.int().min(1).max(256).default(16)
    .describe("requests of a client that are under way at most; more wait, and their waiting counts"),
  requests: z.int().min(1).optional().describe("requests of each client; endless when left out"),
  pairs: z.enum(["cross-host", "same-host"]).default("cross-host").describe("where client and server of a pair are"),
  wait: z.enum(["poll", "block"]).default("block").describe("how a process waits for what comes next"),
});
type Params = z.infer<typeof params>;

/** Receives that a server of many has ready; what comes beyond is unexpected, and waits in the library. */
const MOST_RECEIVES = 64;

/**
 * Requests at an open-loop rate, and replies. A request is late since the instant at which it was due
 * ({@link OfferedLoad}), whenever its client came to send it. `rtt_us` is from there to the receipt of the reply.
 * `latency_us` is a message's: a request's from when it was due until its server has it in hand, which may be busy with
 * others, a reply's from its send call to its receipt. Both and the time of service are the round trip.
 */
export const requestReply: Workload<Params> = {
  kind: "request-reply",
  title: "request-reply: requests at an open-loop rate; rtt from when a request was due to its reply",
  params: params as z.ZodType<Params>,
  memoryBytes({ size, reply, outstanding, servers }) {
    const receives = servers === undefined ? outstanding : Math.max(outstanding, MOST_RECEIVES);
    return receives * (Math.max(size, reply) + 8) + Math.max(size, reply) + (outstanding + 16) * 4096;
  },
  reports: ["offered"],
  check: ({ pairs, servers }, crew) => checkServices(crew, pairs, servers),
  program(params, crew, context) {
    const service = serviceOf(crew, params.pairs, params.servers, context.rank);
    const side = service.server === context.rank ? Server : Client;
    return new side(params, service, context).run();
  },
};

/** What clients and servers have in common: a life with all ranks of the service, and a new one when one has died. */
abstract class Side {
  protected readonly params: Params;
  protected readonly context: ProcessContext;
  protected readonly service: Service;
  protected readonly waiting: WaitOptions;
  protected readonly windows: number;
  protected readonly meeting: Meeting;
  protected endpoint!: MxEndpoint;
  /** What this side sends from. */
  protected buffer = 0;

  constructor(params: Params, service: Service, context: ProcessContext) {
    this.params = params;
    this.service = service;
    this.context = context;
    this.waiting = { mode: params.wait };
    this.windows = params.outstanding + 1;
    const partners = [service.server, ...service.clients].filter((rank) => rank !== context.rank);
    this.meeting = new Meeting(context, partners);
  }

  *run(): Process {
    this.prepare();
    for (;;) {
      this.endpoint = yield* openEndpoint(this.context);
      try {
        if (yield* this.meeting.begin([this.endpoint])) yield this.meet();
        break;
      } catch (error) {
        if (!(error instanceof PartnerDied)) throw error;
        this.forget();
        yield* this.endpoint.close();
      }
    }
    yield* this.meeting.flush(this.endpoint, this.waiting);
    yield* this.endpoint.close();
  }

  /** Before the first life. */
  protected abstract prepare(): void;
  /** From the first connect to the last word. */
  protected abstract meet(): Process;
  /** Somebody has died: what was under way is lost, and numbers begin anew. */
  protected abstract forget(): void;

  protected allocate(size: number): void {
    const bytes = Pattern.bufferBytes(size, this.windows);
    this.buffer = this.context.alloc(bytes);
    this.context.pattern.fill(this.buffer, bytes, this.context.rank);
  }

  /** The next request that is done; null when the time is up or somebody has been woken. */
  protected *next(options: WaitOptions): Generator<Wait, MxRequest | null> {
    this.meeting.check();
    const request = yield* this.endpoint.waitAny(0, 0, 0, 0, options);
    this.meeting.check();
    return request;
  }

  /** Counts a message of another rank, if it is what that one has sent. */
  protected take(message: MxRequest, size: number, from: number, buffer: number, latencyPs: number): void {
    const { meter, pattern } = this.context;
    const intact = message.transferLength === size &&
      pattern.check(buffer, size, from, message.matchB, this.windows);
    if (!intact) meter.integrityErrors++;
    meter.received(size, latencyPs);
    this.context.meterOf(from).delivered(size, latencyPs);
  }
}

/** Where a client keeps a request until its reply is there. */
interface Slot {
  readonly buffer: number;
  /** When the request was due, picoseconds. */
  due: number;
}

class Client extends Side {
  #address!: MxAddress;
  #load: OfferedLoad | null = null;
  #free: Slot[] = [];
  #slots: Slot[] = [];
  #sent = 0;

  protected prepare(): void {
    const { context } = this;
    const { size, reply, outstanding } = this.params;
    this.allocate(size);
    for (let i = 0; i < outstanding; i++) this.#slots.push({ buffer: Pattern.receiveBuffer(context, reply), due: 0 });
    this.#free = [...this.#slots];
    context.onDeath(() => {
      this.forget();
      this.#load?.abandon(context.mx.engine.now);
    });
  }

  protected *meet(): Process {
    const { context, service: { server }, meeting } = this;
    if (meeting.isAgain) context.meter.sequence.restart();
    const check = () => {
      meeting.check();
      if (context.announcedBy(server) === Infinity) throw new PartnerDied(); // others may have ended before
    };
    this.#address = yield* connectTo(context, this.endpoint, server, { ...this.waiting, check });
    const load = this.#load ??= this.#begin();
    for (;;) {
      yield* this.#sendDue(load);
      if (this.#underWay === 0 && (context.stopping() || load.nextPs === Infinity)) break;
      const request = yield* this.next(this.#patience(load));
      if (request !== null) this.#completed(request, load);
      yield 0;
    }
    yield* this.endpoint.isend(this.buffer, 0, this.#address, markedLast(context.rank), this.#sent);
  }

  protected forget(): void {
    const lost = this.#underWay;
    this.context.meter.sequence.lost += lost;
    this.#load?.close(lost);
    this.#load?.due.clear();
    this.#free = [...this.#slots];
    this.#sent = 0;
  }

  get #underWay(): number {
    return this.#slots.length - this.#free.length;
  }

  /** Requests become due from now on, and go on to whatever becomes of the server. */
  #begin(): OfferedLoad {
    const { arrivals: law, rate: perSecond, requests = Infinity } = this.params;
    const { random, meter, endless } = this.context;
    const limit = endless ? Infinity : requests;
    const load = new OfferedLoad({ law, perSecond, seed: random.u32(), startPs: this.context.now(), limit });
    meter.offered = [...meter.offered, load];
    return load;
  }

  /** Until a reply is there, or the next request is due and may be sent. */
  #patience(load: OfferedLoad): WaitOptions {
    if (this.#free.length === 0 || this.context.stopping() || load.nextPs === Infinity) return this.waiting;
    return { mode: this.params.wait, timeoutPs: Math.max(0, load.nextPs - this.context.now()) };
  }

  *#sendDue(load: OfferedLoad): Generator<Wait, void> {
    const { context, endpoint, service: { server } } = this;
    const { size, reply } = this.params;
    while (this.#free.length > 0 && !context.stopping() && load.nextPs <= context.now()) {
      const slot = this.#free.pop()!;
      slot.due = load.take();
      const n = this.#sent++;
      yield* endpoint.irecv(slot.buffer, reply, server, n, 0xffffffff, 0xffffffff, slot);
      load.due.set(n, slot.due);
      const address = Pattern.window(this.buffer, n, this.windows);
      yield* endpoint.isend(address, size, this.#address, context.rank, n);
      yield 0;
    }
  }

  #completed(request: MxRequest, load: OfferedLoad): void {
    const { context: { meter }, service: { server } } = this;
    const slot = request.context as Slot | undefined;
    this.meeting.checkOutcome(request, slot === undefined ? "send" : "receive", server);
    if (slot !== undefined) {
      meter.sequence.saw(request.matchB);
      this.take(request, this.params.reply, server, slot.buffer, request.latencyPs);
      meter.round(this.context.now() - slot.due);
      load.close();
      this.#free.push(slot);
    }
    this.endpoint.release(request);
  }
}

class Server extends Side {
  /** Of the receives. */
  readonly #buffers: number[] = [];
  readonly #posted = new Set<MxRequest>();
  readonly #addresses = new Map<number, MxAddress | null>();
  /** Clients that have said their last word. */
  #through = 0;

  protected prepare(): void {
    const { outstanding, size, reply, servers } = this.params;
    this.allocate(reply);
    const all = outstanding * this.service.clients.length;
    const receives = servers === undefined ? outstanding : Math.min(all, Math.max(outstanding, MOST_RECEIVES));
    for (let i = 0; i < receives; i++) this.#buffers.push(Pattern.receiveBuffer(this.context, size));
  }

  protected *meet(): Process {
    const { context, meeting, service: { clients } } = this;
    if (meeting.isAgain) { for (const client of clients) context.meter.sequenceOf(client).restart(); }
    for (const buffer of this.#buffers) yield* this.#post(buffer);
    const check = () => meeting.check();
    for (const client of clients) {
      // One that had nothing to ask has gone.
      const isGone = () => context.announcedBy(client) === Infinity;
      const options = { ...this.waiting, check, isGone };
      this.#addresses.set(client, yield* tryConnect(context, this.endpoint, client, options));
    }
    while (this.#through < clients.length) {
      const request = yield* this.next(this.waiting);
      if (request !== null) yield* this.#completed(request);
      yield 0;
    }
    for (const request of this.#posted) yield* this.endpoint.cancel(request);
  }

  protected forget(): void {
    this.#through = 0;
    this.#addresses.clear();
    this.#posted.clear();
  }

  *#post(buffer: number): Generator<Wait, void> {
    this.#posted.add(yield* this.endpoint.irecv(buffer, this.params.size, 0, 0, 0, 0, buffer));
  }

  *#completed(request: MxRequest): Generator<Wait, void> {
    const isReceive = request.context !== undefined;
    const client = request.matchA & OWN_BITS;
    this.meeting.checkOutcome(request, isReceive ? "receive" : "send", client);
    if (!isReceive) {
      this.endpoint.release(request);
      return;
    }
    this.#posted.delete(request);
    const buffer = request.context as number;
    const n = request.matchB;
    const sequence = this.context.meter.sequenceOf(client);
    if (isMarkedLast(request.matchA)) {
      this.#through++;
      sequence.ended(n);
    } else {
      sequence.saw(n);
      const { due } = this.context.meterOf(client).offered.at(-1)!;
      const dueAt = due.get(n) ?? this.context.now() - request.latencyPs; // one that comes twice has been asked for
      this.take(request, this.params.size, client, buffer, this.context.now() - dueAt);
      due.delete(n);
      yield this.#serviceTime();
      yield* this.#reply(client, n);
    }
    this.endpoint.release(request);
    if (this.#through < this.service.clients.length) yield* this.#post(buffer);
  }

  #serviceTime(): number {
    const { service, service_times } = this.params;
    return service_times === "fixed" ? service : exponentialPs(this.context.random, service);
  }

  #reply(client: number, n: number) {
    const { reply } = this.params;
    const address = Pattern.window(this.buffer, n, this.windows);
    return this.endpoint.isend(address, reply, this.#addresses.get(client)!, this.context.rank, n);
  }
}
