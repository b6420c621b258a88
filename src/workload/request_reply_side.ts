import { z } from "zod";
import { frequencyField, sizeField, timeField } from "../base/quantity.ts";
import { SECOND } from "../base/units.ts";
import type { Process, Wait } from "../hw/thread.ts";
import type { MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import { openEndpoint } from "./connect.ts";
import { Meeting, PartnerDied } from "./meeting.ts";
import { Pattern } from "./payload.ts";
import type { Service } from "./services.ts";
import type { ProcessContext } from "./workload.ts";

export const requestReplyParams = z.object({
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
export type RequestReplyParams = z.infer<typeof requestReplyParams>;

/** Receives that a server of many has ready; what comes beyond is unexpected, and waits in the library. */
export const MOST_RECEIVES = 64;

/** What clients and servers have in common: a life with all ranks of the service, and a new one when one has died. */
export abstract class RequestReplySide {
  protected readonly params: RequestReplyParams;
  protected readonly context: ProcessContext;
  protected readonly service: Service;
  protected readonly waiting: WaitOptions;
  protected readonly windows: number;
  protected readonly meeting: Meeting;
  protected endpoint!: MxEndpoint;
  /** What this side sends from. */
  protected buffer = 0;

  constructor(params: RequestReplyParams, service: Service, context: ProcessContext) {
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
