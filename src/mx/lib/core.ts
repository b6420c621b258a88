import { IndexPool } from "../../base/pool.ts";
import * as wrap from "../../base/wrap.ts";
import type { Costs } from "../../hw/machine_profile.ts";
import * as profile from "../../hw/machine_profile.ts";
import type { Memory } from "../../hw/memory.ts";
import type { Processor } from "../../hw/processor.ts";
import type { Journeys } from "../../metrics/journey.ts";
import * as journeys from "../../metrics/journey.ts";
import * as stages from "../../metrics/stage.ts";
import { type EndpointQueues, MxCommand, type MxDriver } from "../driver/contract.ts";
import * as limits from "../limits.ts";
import * as status from "../status.ts";
import { Buffers } from "./buffers.ts";
import { LibraryCounters } from "./counters.ts";
import { List } from "./list.ts";
import { Matcher } from "./matching.ts";
import { type Partner, PartnerTable } from "./partner.ts";
import * as partners from "./partner.ts";
import type { ProgramBuffer } from "./segments.ts";
import * as segmentLists from "./segments.ts";
import { HandleTable, type Request, type RequestKind, RequestPool } from "./request.ts";
import * as requests from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { seqAdd } = wrap;
const { copyTime } = profile;
const { NO_JOURNEY } = journeys;
const { QUEUEING, USER } = stages;
const {
  MAX_REGIONS,
  NOT_ACKED_MAX,
  RESEND_DELAY_PS,
  RESENDS_MAX,
  RNDV_THRESHOLD,
  SHARED_RNDV_THRESHOLD,
} = limits;
const { STATUS_REJECTED, STATUS_SUCCESS, STATUS_TRUNCATED } = status;
const { ACK_NONE } = partners;
const { gather, scatter } = segmentLists;
const { kindOf } = requests;

/** Sends reported done before they are acknowledged (omx_init.c:30, 412). */
const ZOMBIE_MAX = 512;
/** First sequence of each region slot (omx_large.c:50-54). */
const FIRST_REGION_SEQ = 23;

/** The unexpected handler's answers. */
export const UNEXP_CONTINUE = 0;
export const UNEXP_FINISHED = 1;
/**
 * Called for a message that no posted receive matches. `address` is that of the payload when the message came whole in
 * one packet, else 0. It may not call the library. {@link UNEXP_FINISHED} discards the message.
 */
export type UnexpectedHandler = (
  source: Partner,
  matchA: number,
  matchB: number,
  length: number,
  address: number,
) => number;

/** What Open-MX reads from its environment. */
export interface LibraryOptions {
  /** Longest eager message, bytes; clamped to [128, medium maximum] (OMX_RNDV_THRESHOLD). */
  readonly rndvThreshold?: number;
  /** The same to a partner on this host (OMX_SHARED_RNDV_THRESHOLD). */
  readonly sharedRndvThreshold?: number;
  /** Transmissions before a partner counts as unreachable (OMX_RESENDS_MAX). */
  readonly resendsMax?: number;
  /** Whether messages to the own endpoint stay in the library (OMX_DISABLE_SELF). Default true. */
  readonly selfComms?: boolean;
  /** Eager messages are stamped with a checksum, and checked against theirs (OMX_DEBUG_CHECKSUM). Default false. */
  readonly debugChecksum?: boolean;
  /** Bits of the match information that hold a context id, and their place (MX_PARAM_CONTEXT_ID). */
  readonly contextBits?: number;
  readonly contextShift?: number;
  /** Whether medium messages go through the send queue (OMX_MEDIUM_SENDQ). Default true. */
  readonly mediumSendQueue?: boolean;
  /** Whether large buffers stay registered for the next message (OMX_RCACHE). Default: as the driver says. */
  readonly registrationCache?: boolean;
  /** Messages received and not acknowledged that make an ack leave at once (OMX_NOTACKED_MAX). Default 4. */
  readonly notAckedMax?: number;
  /** Sends that are reported done before they are acknowledged (OMX_ZOMBIE_SEND). Default 512. */
  readonly zombieSends?: number;
}

/** A request that has ended without success; null when the program has forgotten it. */
export interface Failure {
  readonly kind: RequestKind;
  readonly code: number;
  readonly request: Request | null;
}

/** What the parts of one library endpoint share: resources, queues, and the life of requests. */
export class LibraryCore {
  readonly driver: MxDriver;
  readonly memory: Memory;
  readonly costs: Costs;
  readonly key: number;
  readonly session: number;
  readonly index: number;
  /** The own board in the driver's peer table; -1 when it is not there. */
  readonly ownPeer: number;
  readonly mediumSendQueue: boolean;
  readonly registrationCache: boolean;
  readonly rndvThreshold: number;
  readonly sharedRndvThreshold: number;
  resendsMax: number;
  readonly notAckedMax: number;
  readonly zombieMax: number;
  /** How long a pull may take in all, picoseconds (omx_endpoint.c:513). */
  pullTimeoutPs: number;
  readonly debugChecksum: boolean;
  readonly counters: LibraryCounters = new LibraryCounters();
  readonly partners: PartnerTable;
  readonly requests: RequestPool = new RequestPool();
  readonly handles: HandleTable = new HandleTable();
  readonly buffers: Buffers;
  readonly matcher: Matcher = new Matcher();
  /** Every command is filled here; the driver takes what it needs before `submit` returns. */
  readonly command: MxCommand = new MxCommand();
  queues!: EndpointQueues;
  journeys!: Journeys;

  /** Done and not reported, in order of completion. */
  readonly done: List<Request> = new List<Request>();
  /** Unacknowledged, by last transmission. */
  readonly resend: List<Request> = new List<Request>();
  /** Waiting for slots, credits or regions, first in, first out. */
  readonly delayed: List<Request> = new List<Request>();
  /** Unanswered connects, by last transmission. */
  readonly connects: List<Request> = new List<Request>();
  /** Partners that are owed an ack: by age, and at once. */
  readonly ackDelayed: List<Partner> = new List<Partner>();
  readonly ackNow: List<Partner> = new List<Partner>();
  /** Partners whose window has opened again. */
  readonly open: List<Partner> = new List<Partner>();
  earlyPackets = 0;
  zombies = 0;

  /** Send-queue slots; expected events the library may still provoke; region ids and their sequences. */
  sendSlots!: IndexPool;
  credits = 0;
  readonly regions: IndexPool = new IndexPool(MAX_REGIONS);
  readonly regionSeq: Uint8Array = new Uint8Array(MAX_REGIONS).fill(FIRST_REGION_SEQ);
  largeSends = 0;
  /** Bytes of all pulls of which it has read that they ended well. */
  pulled = 0;
  /** What was short of resources may have them in the next round, though no event comes. */
  tryAgain = false;

  handler: UnexpectedHandler | null = null;
  /** Requests of the program that have ended without success, for its error handler; null when nobody asks. */
  failures: Failure[] | null = null;
  /** The unexpected handler runs: nothing else may. */
  inHandler = false;
  /** The driver has closed the endpoint: no command may follow. */
  closing = false;

  constructor(driver: MxDriver, costs: Costs, index: number, key: number, session: number, options: LibraryOptions) {
    this.driver = driver;
    this.memory = driver.memory;
    this.costs = costs;
    this.index = index;
    this.key = key;
    this.session = session;
    const threshold = (bytes: number) => limits.rndvThreshold(bytes, driver.info.limits);
    this.rndvThreshold = threshold(options.rndvThreshold ?? RNDV_THRESHOLD);
    this.sharedRndvThreshold = threshold(options.sharedRndvThreshold ?? SHARED_RNDV_THRESHOLD);
    this.registrationCache = options.registrationCache ?? driver.info.registrationCache ?? false;
    this.mediumSendQueue = driver.info.sendQueueOnly === true || (options.mediumSendQueue ?? true);
    this.resendsMax = options.resendsMax ?? RESENDS_MAX;
    this.notAckedMax = options.notAckedMax ?? NOT_ACKED_MAX;
    this.zombieMax = options.zombieSends ?? ZOMBIE_MAX;
    this.pullTimeoutPs = RESEND_DELAY_PS * this.resendsMax;
    this.debugChecksum = options.debugChecksum ?? false;
    this.buffers = new Buffers(driver.memory);
    const selfComms = options.selfComms ?? true;
    // The board, not the host: the same endpoint number on another board of it is somebody else.
    this.ownPeer = driver.peerByMac(parseInt(driver.info.mac, 16));
    this.partners = new PartnerTable((peer, endpoint) => selfComms && endpoint === index && peer === this.ownPeer);
  }

  opened(cpu: Processor, queues: EndpointQueues): void {
    this.queues = queues;
    this.journeys = cpu.journeys;
    this.sendSlots = new IndexPool(queues.entries);
    // Slots come back a quarter at a time, so a quarter less one may be consumed and not yet reusable
    // (omx_endpoint.c:508).
    this.credits = queues.entries - (queues.entries / 4 - 1);
  }

  /** Something of the program's is still to be sent, or to be acknowledged. */
  get hasUnsent(): boolean {
    return this.resend.size > 0 || this.delayed.size > 0 ||
      this.partners.all.some(({ throttled }) => throttled.size > 0);
  }

  /** Whether anything waits that a round of progress has to try, whatever the time. */
  get hasBacklog(): boolean {
    return this.open.first !== null || this.delayed.first !== null || this.ackNow.first !== null;
  }

  /** Copies payload and charges for it. */
  copy(cpu: Processor, destination: number, source: number, length: number): void {
    if (length === 0) return;
    this.memory.copy(destination, source, length);
    cpu.copy(USER, copyTime(this.costs.copyCachedByte, length), length, "library's buffer > library's buffer");
  }

  /** The same out of a program's buffer, from its byte `offset` on, and into one. */
  gather(cpu: Processor, buffer: ProgramBuffer, offset: number, destination: number, length: number): void {
    if (length === 0) return;
    gather(this.memory, buffer, offset, destination, length);
    cpu.copy(USER, copyTime(this.costs.copyCachedByte, length), length, "user's buffer > library's buffer");
  }

  scatter(cpu: Processor, buffer: ProgramBuffer, offset: number, source: number, length: number): void {
    if (length === 0) return;
    scatter(this.memory, buffer, offset, source, length);
    cpu.copy(USER, copyTime(this.costs.copyCachedByte, length), length, "library's buffer > user's buffer");
  }

  takeSeq(partner: Partner): number {
    const seq = partner.nextSend;
    partner.nextSend = seqAdd(seq, 1);
    return seq;
  }

  /** Fills the command's address, and the acknowledgement that every message carries (omx_send.c:83-104). */
  stamp(kind: number, request: Request, session: number): MxCommand {
    const partner = request.partner!;
    const command = this.command;
    command.kind = kind;
    command.peer = partner.peer;
    command.endpoint = partner.endpoint;
    command.session = session;
    command.seq = request.seq;
    command.piggyack = partner.nextFrag;
    command.cookie = request.handle;
    command.checksum = request.checksum;
    if (partner.ackState !== ACK_NONE) this.counters.acksPiggy++;
    this.acknowledged(partner);
    return command;
  }

  /** An acknowledgement of everything received so far has left. */
  acknowledged(partner: Partner): void {
    partner.ackLink.unlink();
    partner.ackState = ACK_NONE;
    partner.lastAckedRecv = partner.nextFrag;
  }

  /** Puts a just transmitted request at the end of the resend queue. */
  transmitted(cpu: Processor, request: Request): void {
    request.resends++;
    this.postpone(cpu, request);
  }

  /** Lets a request wait for another resend period. */
  postpone(cpu: Processor, request: Request): void {
    request.stateLink.unlink();
    request.lastSent = cpu.now;
    this.resend.append(request.stateLink);
  }

  /**
   * Takes up a message that is to be transmitted, and hands over its journey. A retransmission begins a new one: the
   * first may be lost, or be finished by the other side.
   */
  takeJourney(cpu: Processor, request: Request): number {
    const journey = request.journey >= 0 ? request.journey : cpu.journeys.begin(request.postedPs);
    request.journey = NO_JOURNEY;
    cpu.carry(journey, QUEUEING);
    return journey;
  }

  dropJourney(cpu: Processor, request: Request): void {
    if (request.journey < 0) return;
    cpu.journeys.drop(request.journey);
    request.journey = NO_JOURNEY;
    cpu.putDown();
  }

  // ---- the life of a request

  /** Makes the outcome visible to the program. Anything after the first outcome is ignored. */
  complete(request: Request, code: number): void {
    if (request.done) return;
    request.done = true;
    request.code = code;
    if (code !== STATUS_SUCCESS && this.failures !== null) this.#noteFailure(request, code);
    if (code === STATUS_TRUNCATED && !request.isSend && !request.released) this.counters.truncated++;
    if (!request.released) this.done.append(request.doneLink);
  }

  #noteFailure(request: Request, code: number): void {
    if (code === STATUS_REJECTED || this.closing || request.context === undefined) return;
    this.failures!.push({ kind: kindOf(request), code, request: request.released ? null : request });
  }

  /** "Buffered" counts as done, unless too many such requests wait for their ack (omx_request.h:174-199). */
  completeEarly(request: Request, code: number): void {
    if (this.zombies < this.zombieMax) this.complete(request, code);
  }

  /** The protocol is through with a request: frees what it held, and the request if the program has let go. */
  retire(request: Request): void {
    request.active = false;
    request.stateLink.unlink();
    request.partnerLink.unlink();
    if (request.handle >= 0) this.handles.give(request);
    if (request.journey >= 0) {
      // A peer acknowledged or notified what was never sent.
      this.journeys.drop(request.journey);
      request.journey = NO_JOURNEY;
    }
    this.freeBuffer(request);
    if (request.zombie) {
      request.zombie = false;
      this.zombies--;
    }
    this.#recycle(request);
  }

  freeBuffer(request: Request): void {
    if (request.buffer === 0) return;
    this.buffers.give(request.buffer, request.bufferBytes);
    request.buffer = 0;
  }

  /** The program has been told. */
  consume(request: Request): void {
    request.doneLink.unlink();
    this.#becomeZombie(request);
  }

  /**
   * The program lets go of a request (mx_forget): done or not, it will not be reported, and what the protocol still needs
   * of it counts against the limit of zombies (omx_test.c:227-261).
   */
  release(request: Request): void {
    request.released = true;
    request.doneLink.unlink();
    this.#becomeZombie(request);
    this.#recycle(request);
  }

  #becomeZombie(request: Request): void {
    if (!request.active || request.zombie) return;
    request.zombie = true;
    this.zombies++;
  }

  #recycle(request: Request): void {
    if (request.released && request.done && !request.active) this.requests.give(request);
  }
}
