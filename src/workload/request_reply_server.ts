import type { Process, Wait } from "../hw/thread.ts";
import type { MxAddress, MxRequest } from "../mx/api.ts";
import { exponentialPs } from "./arrivals.ts";
import { tryConnect } from "./connect.ts";
import { isMarkedLast, OWN_BITS } from "./last_mark.ts";
import { Pattern } from "./payload.ts";
import { MOST_RECEIVES, RequestReplySide } from "./request_reply_side.ts";

/** Computes for each request as long as the service takes, and replies. */
export class RequestReplyServer extends RequestReplySide {
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
