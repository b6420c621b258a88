import type { Process, Wait } from "../hw/thread.ts";
import type { MxAddress, MxRequest, WaitOptions } from "../mx/api.ts";
import { OfferedLoad } from "./arrivals.ts";
import { connectTo } from "./connect.ts";
import { markedLast } from "./last_mark.ts";
import { PartnerDied } from "./meeting.ts";
import { Pattern } from "./payload.ts";
import { RequestReplySide } from "./request_reply_side.ts";

/** Where a client keeps a request until its reply is there. */
interface Slot {
  readonly buffer: number;
  /** When the request was due, picoseconds. */
  due: number;
}

/** Sends a request when it is due, as far as it may, and meters its reply. */
export class RequestReplyClient extends RequestReplySide {
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
