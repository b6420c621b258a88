import { assert } from "../../base/assert.ts";
import type { Costs } from "../../hw/machine_profile.ts";
import type { Processor } from "../../hw/processor.ts";
import * as journeys from "../../metrics/journey.ts";
import * as stages from "../../metrics/stage.ts";
import type { EndpointOwner, MxDriver, Segment } from "../driver/contract.ts";
import * as contract from "../driver/contract.ts";
import * as limits from "../limits.ts";
import * as status from "../status.ts";
import { cleanUp, type CleanupParts, endMessages } from "./cleanup.ts";
import { Commands } from "./commands.ts";
import { Connect } from "./connect.ts";
import { LibraryCore, type LibraryOptions } from "./core.ts";
import type { LibraryCounters, LibraryOccupancy } from "./counters.ts";
import { Delivery } from "./delivery.ts";
import { EarlyQueue } from "./early.ts";
import { EagerSend } from "./eager.ts";
import { Events } from "./event_reader.ts";
import { Large } from "./large.ts";
import type { Partner } from "./partner.ts";
import { Receive } from "./receive.ts";
import { Reliability } from "./reliability.ts";
import type { Request } from "./request.ts";
import * as requests from "./request.ts";
import * as segmentLists from "./segments.ts";
import { Submission } from "./submission.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { NO_JOURNEY } = journeys;
const { LIBRARY, POLL, QUEUEING, USER } = stages;
const { RESULT_OK } = contract;
const { ACK_DELAY_PS, RESEND_DELAY_PS, SMALL_MAX, TINY_MAX } = limits;
const {
  MX_BAD_ADDR_LIST,
  MX_BAD_MATCH_MASK,
  MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK,
  MX_SUCCESS,
  STATUS_BAD_SESSION,
  STATUS_REJECTED,
} = status;
const { CONNECT, RECV_EAGER, SEND_LARGE, SEND_MEDIUM, SEND_MEDIUM_VA, SEND_SELF, SEND_SMALL, SEND_TINY } = requests;
const { checkBuffer } = segmentLists;

/** Of acknowledgements, resends and connects. */
const SHORTEST_DELAY_PS = Math.min(ACK_DELAY_PS, RESEND_DELAY_PS);

/**
 * One endpoint of the Open-MX user library. It owns no thread and no clock: a program's calls execute in bursts of its
 * processor, which every method takes as `cpu`, and progress is made only inside calls. After a method has given
 * commands, the caller has to settle: call `driver.advance` (waiting WAIT_SPIN while it is false) and {@link resume},
 * until both have nothing left. `mx/api.ts` does this for guest programs.
 */
export class LibraryEndpoint implements EndpointOwner {
  readonly core: LibraryCore;
  /** Stage for the time that an event waited before the first look: POLL, or WAKEUP while a sleeper is woken. */
  pickupStage = POLL;
  /** The next event was found by a resumed poll, which costs a pick-up. */
  polled = false;
  /** What became of {@link open}, once it is settled: RESULT_OK, or why the driver has refused it. */
  openResult = RESULT_OK;

  /** Until then nothing is due that only the passing of time brings about, picoseconds. */
  #quietUntil = 0;
  readonly #onWake: () => void;
  readonly #eager: EagerSend;
  readonly #large: Large;
  readonly #submission: Submission;
  readonly #reliability: Reliability;
  readonly #connect: Connect;
  readonly #delivery: Delivery;
  readonly #early: EarlyQueue;
  readonly #commands: Commands;
  readonly #events: Events;
  readonly #contextA: number;
  readonly #contextB: number;

  constructor(
    driver: MxDriver,
    costs: Costs,
    index: number,
    key: number,
    session: number,
    onWake: () => void,
    options: LibraryOptions = {},
  ) {
    const core = new LibraryCore(driver, costs, index, key, session, options);
    this.core = core;
    this.#onWake = onWake;
    const giveUp = (cpu: Processor, partner: Partner) => this.giveUp(cpu, partner);
    this.#eager = new EagerSend(core);
    this.#large = new Large(core);
    this.#early = new EarlyQueue(core);
    this.#submission = new Submission(core, this.#eager, this.#large, (cpu) => this.#commands.goOn(cpu));
    this.#reliability = new Reliability(core, this.#eager, this.#large, giveUp);
    this.#delivery = new Delivery(core, this.#large);
    this.#connect = new Connect(core, {
      giveUp,
      restart: (cpu, partner) => endMessages(cpu, core, partner, this.#parts),
    });
    const receive = new Receive(core, this.#reliability, this.#delivery, this.#large, this.#early);
    this.#commands = new Commands(core, this.#eager, this.#large, this.#reliability);
    this.#events = new Events(core, {
      receive,
      connect: this.#connect,
      reliability: this.#reliability,
      eager: this.#eager,
      large: this.#large,
      commands: this.#commands,
    });
    [this.#contextA, this.#contextB] = contextMask(options.contextBits ?? 0, options.contextShift ?? 0);
  }

  get counters(): LibraryCounters {
    return this.core.counters;
  }

  get driver(): MxDriver {
    return this.core.driver;
  }

  /** What the endpoint holds right now. */
  occupancy(): LibraryOccupancy {
    const core = this.core;
    return {
      sendSlots: core.sendSlots.used,
      eventCredits: core.credits,
      regions: core.regions.used,
      unexpected: core.matcher.unexpected.size,
      posted: core.matcher.posted.size,
      unacked: core.resend.size,
      early: core.earlyPackets,
      zombies: core.zombies,
    };
  }

  // ---- opening and closing

  /** Opens the endpoint at the driver; false when the index is taken or out of range. Settle, then see {@link openResult}. */
  open(cpu: Processor): boolean {
    const queues = this.driver.open(cpu, this.core.index, this.core.session, this);
    if (queues === null) return false;
    this.core.opened(cpu, queues);
    this.#events.opened(queues);
    this.#eager.opened(queues.entries);
    return true;
  }

  /** Flushes the acks that are owed; everything else is dropped without waiting (omx_endpoint.c:667-669). */
  flush(cpu: Processor): void {
    this.#reliability.flushAcks(cpu, true);
  }

  /** Closes the endpoint at the driver, after {@link flush} and settling. Unfinished journeys end here. */
  close(cpu: Processor): void {
    const core = this.core;
    core.closing = true;
    this.driver.close(cpu);
    this.#commands.clear();
    for (const partner of core.partners.all) this.giveUp(cpu, partner);
    this.#events.dropAll(cpu);
  }

  // ---- calls of the program

  /**
   * A send; `synchronous` makes it complete only when it is received (mx_issend). Never null: see `returnCode`. A buffer
   * in segments has been checked by `fromSegments`.
   */
  send(
    cpu: Processor,
    synchronous: boolean,
    address: number,
    length: number,
    partner: Partner,
    matchA: number,
    matchB: number,
    context: unknown,
    segments: readonly Segment[] | null = null,
  ): Request {
    const core = this.core;
    const kind = partner.isSelf ? SEND_SELF : this.#classify(partner, length, synchronous);
    const request = core.requests.take(kind);
    request.context = context;
    request.matchA = matchA >>> 0;
    request.matchB = matchB >>> 0;
    const bad = segments === null ? checkBuffer(core.memory, address, length) : MX_SUCCESS;
    if (bad !== MX_SUCCESS) return this.#reject(request, bad);
    if (core.partners.find(partner.peer, partner.endpoint) !== partner) return this.#reject(request, MX_BAD_ADDR_LIST);
    const journey = cpu.journeys.begin(cpu.now);
    request.postedPs = cpu.now;
    cpu.carry(journey, QUEUEING);
    cpu.charge(LIBRARY, USER, core.costs.librarySend);
    request.journey = journey;
    request.partner = request.source = partner;
    request.address = address;
    request.segments = segments;
    request.length = request.messageLength = length;
    request.resendsMax = core.resendsMax;
    if (kind === SEND_SELF) this.#delivery.sendSelf(cpu, request);
    else if (!partner.isConnected) {
      // The partner was given up. The reference sends with an unknown session, which the other side refuses.
      core.dropJourney(cpu, request);
      core.complete(request, STATUS_BAD_SESSION);
    } else this.#submission.send(cpu, request);
    this.resume(cpu);
    return request;
  }

  /** A receive into [address, address + length) for messages whose match information, masked, equals `match`. */
  receive(
    cpu: Processor,
    address: number,
    length: number,
    matchA: number,
    matchB: number,
    maskA: number,
    maskB: number,
    context: unknown,
    segments: readonly Segment[] | null = null,
  ): Request {
    const core = this.core;
    const bad = (segments === null && checkBuffer(core.memory, address, length)) ||
      this.checkMatch(matchA, matchB, maskA, maskB);
    if (bad !== MX_SUCCESS) return this.#reject(core.requests.take(RECV_EAGER), bad);
    cpu.charge(LIBRARY, USER, core.costs.librarySend);
    const message = core.matcher.findUnexpected(matchA, matchB, maskA, maskB);
    if (message !== null) {
      message.context = context;
      message.postedPs = cpu.now;
      message.resendsMax = core.resendsMax;
      this.#delivery.adopt(cpu, message, address, length, segments);
      this.resume(cpu);
      return message;
    }
    const request = core.requests.take(RECV_EAGER);
    request.active = true;
    request.context = context;
    request.postedPs = cpu.now;
    request.resendsMax = core.resendsMax;
    request.address = address;
    request.length = length;
    request.segments = segments;
    request.wantA = matchA | 0;
    request.wantB = matchB | 0;
    request.maskA = maskA | 0;
    request.maskB = maskB | 0;
    core.matcher.post(request);
    return request;
  }

  /** Starts a connect to an endpoint of a peer, with at most `resendsMax` transmissions beyond the first. */
  connect(cpu: Processor, peer: number, endpoint: number, key: number, resendsMax: number): Request {
    return this.#connect.start(cpu, this.core.partners.findOrCreate(peer, endpoint), key, resendsMax);
  }

  /** Takes back a receive that nothing has matched, or a connect without an answer; false when it is too late. */
  cancel(request: Request): boolean {
    const core = this.core;
    const waiting = request.stateLink.list;
    const unmatched = request.kind === RECV_EAGER && waiting === core.matcher.posted;
    if (!unmatched && !(request.kind === CONNECT && waiting === core.connects)) return false;
    request.released = true;
    request.done = true;
    core.retire(request);
    return true;
  }

  /** Gives up a partner: everything with it ends unreachable. */
  giveUp(cpu: Processor, partner: Partner): void {
    cleanUp(cpu, this.core, partner, this.#parts);
  }

  get #parts(): CleanupParts {
    return {
      large: this.#large,
      submission: this.#submission,
      reliability: this.#reliability,
      early: this.#early,
    };
  }

  disconnect(cpu: Processor, partner: Partner): void {
    this.giveUp(cpu, partner);
    this.core.partners.remove(partner);
    this.resume(cpu);
  }

  /** The own endpoint's address; null when the driver does not know its own host. */
  self(): Partner | null {
    const peer = this.core.ownPeer;
    return peer < 0 ? null : this.core.partners.findOrCreate(peer, this.core.index);
  }

  // ---- progress

  /**
   * One round (omx_lib.c:212-291): events, resends, delayed requests, acks. Handles a limited number of events, so that
   * a burst stays short; true when more are there.
   */
  progress(cpu: Processor): boolean {
    if (this.core.inHandler) return false;
    this.core.tryAgain = false;
    this.resume(cpu);
    const more = this.#events.read(cpu, this.pickupStage, this.polled);
    this.polled = false;
    this.pickupStage = POLL;
    if (cpu.now >= this.#quietUntil || this.core.hasBacklog || this.#commands.hasAny) this.#lookAfterAll(cpu);
    return more;
  }

  /**
   * What a round does besides reading events: for most rounds nothing, which can be told without asking each part. What
   * begins to wait from now on is not due before the shortest of all delays is over.
   */
  #lookAfterAll(cpu: Processor): void {
    const { ackDelayed, connects, resend } = this.core;
    this.#reliability.resend(cpu);
    this.#connect.resend(cpu);
    this.#commands.retryRefused(cpu);
    this.#submission.retry(cpu);
    this.resume(cpu);
    this.#reliability.flushAcks(cpu);
    let until = cpu.now + SHORTEST_DELAY_PS;
    if (ackDelayed.first !== null) until = Math.min(until, ackDelayed.first.of.ackSince + ACK_DELAY_PS);
    if (resend.first !== null) until = Math.min(until, resend.first.of.lastSent + RESEND_DELAY_PS);
    if (connects.first !== null) until = Math.min(until, connects.first.of.lastSent + RESEND_DELAY_PS);
    this.#quietUntil = until;
  }

  /** Goes on with what commands that are done were in the way of. */
  resume(cpu: Processor): void {
    this.#commands.goOn(cpu);
  }

  /** Whether there is anything to do now without an event: results of commands. */
  get hasResults(): boolean {
    return this.#commands.pending;
  }

  get hasEvents(): boolean {
    return this.#events.any();
  }

  /** Registrations that nobody uses now, and messages that have found one. */
  get registrations(): { readonly idle: number; readonly hits: number; readonly evictions: number } {
    const { cache } = this.#large;
    return { idle: cache?.size ?? 0, hits: cache?.hits ?? 0, evictions: cache?.evictions ?? 0 };
  }

  /** When the library needs the next call although nothing arrives, picoseconds; Infinity for never. */
  nextDeadline(): number {
    const { ackDelayed, connects, resend } = this.core;
    let deadline = this.#commands.retryAt;
    if (ackDelayed.first !== null) deadline = Math.min(deadline, ackDelayed.first.of.ackSince + ACK_DELAY_PS);
    if (resend.first !== null) deadline = Math.min(deadline, this.#reliability.resendDue());
    if (connects.first !== null) deadline = Math.min(deadline, connects.first.of.lastSent + RESEND_DELAY_PS);
    return deadline;
  }

  // ---- the driver's side

  commandDone(kind: number, cookie: number, result: number): void {
    this.#commands.done(kind, cookie, result);
  }

  openFailed(result: number): void {
    this.openResult = result;
  }

  wake(): void {
    this.#onWake();
  }

  // ---- inside

  #classify(partner: Partner, length: number, synchronous: boolean): number {
    if (synchronous || length > partner.threshold) return SEND_LARGE;
    if (length <= SMALL_MAX) return length <= TINY_MAX ? SEND_TINY : SEND_SMALL;
    return this.core.mediumSendQueue ? SEND_MEDIUM : SEND_MEDIUM_VA;
  }

  /** Bits outside the mask, or a mask that leaves part of the context id open, are errors (omx_recv.c:1263-1276). */
  checkMatch(matchA: number, matchB: number, maskA: number, maskB: number): number {
    if ((matchA & ~maskA) !== 0 || (matchB & ~maskB) !== 0) return MX_BAD_MATCH_MASK;
    const open = (this.#contextA & ~maskA) | (this.#contextB & ~maskB);
    return open !== 0 ? MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK : MX_SUCCESS;
  }

  #reject(request: Request, returnCode: number): Request {
    assert(!request.active, "library: a request in use was rejected");
    request.journey = NO_JOURNEY;
    request.returnCode = returnCode;
    this.core.complete(request, STATUS_REJECTED);
    return request;
  }
}

/** The two words of a mask of `bits` bits from bit `shift` of the 64-bit match information. */
function contextMask(bits: number, shift: number): [number, number] {
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(shift);
  return [Number((mask >> 32n) & 0xffffffffn) | 0, Number(mask & 0xffffffffn) | 0];
}
