import * as faults from "../../base/assert.ts";
import { Stack } from "../../base/stack.ts";
import * as journeys from "../../metrics/journey.ts";
import type { Segment } from "../driver/contract.ts";
import * as status from "../status.ts";
import { Link } from "./list.ts";
import type { Partner } from "./partner.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const assert: typeof faults.assert = faults.assert;
const { NO_JOURNEY } = journeys;
const { STATUS_PENDING } = status;

/** What a request is, and so how it is posted, sent again and taken apart. */
const KIND_NONE = 0;
export const SEND_TINY = 1;
export const SEND_SMALL = 2;
export const SEND_MEDIUM = 3;
/** All fragments in one command, from where the program has them (OMX_MEDIUM_SENDQ=0). */
export const SEND_MEDIUM_VA = 4;
export const SEND_LARGE = 5;
export const SEND_SELF = 6;
/** A receive that has no message yet, or an eager one; also an eager message that waits unexpected. */
export const RECV_EAGER = 7;
export const RECV_LARGE = 8;
/** An unexpected message from the own endpoint. */
export const RECV_SELF = 9;
export const CONNECT = 10;

/**
 * One send, receive or connect. The upper part is what a program may read once `done`; the rest is the library's. A
 * request has two holders, the program (until it is released) and the protocol (until it is acknowledged and its slots
 * and regions are free); it goes back to the pool when neither is left.
 */
export class Request {
  done = false;
  code = STATUS_PENDING;
  returnCode = 0;
  source: Partner | null = null;
  matchA = 0;
  matchB = 0;
  messageLength = 0;
  transferLength = 0;
  latencyPs = -1;
  context: unknown = undefined;

  kind = KIND_NONE;
  partner: Partner | null = null;
  /** The program's buffer (see ProgramBuffer). */
  address = 0;
  length = 0;
  segments: readonly Segment[] | null = null;
  /** What a receive asks for, as signed words: posted.info == (posted.mask & incoming). */
  wantA = 0;
  wantB = 0;
  maskA = 0;
  maskB = 0;

  /** On the free list, or never given out. */
  pooled = true;
  /** The program wants no report (mx_forget), or has given the request back. */
  released = false;
  /** The protocol still needs it. */
  active = false;
  /** Counted against the zombie limit. */
  zombie = false;

  /** Name of this request in commands, -1 while it has none. */
  handle = -1;
  /** 16-bit sequence of the message or notify, once posted; of a connect, the one that it asks the other side for. */
  seq = 0;
  needAck = false;
  /** Large send: the notify is still to come. */
  needReply = false;
  journey = NO_JOURNEY;
  postedPs = 0;
  lastSent = 0;
  /** Transmissions so far, and how many there may be. */
  resends = 0;
  resendsMax = 0;
  /** Library buffer: payload of a tiny or small send, or of an unexpected message. 0 when there is none. */
  buffer = 0;
  bufferBytes = 0;

  /** Medium send: head of the chain of send-queue slots, fragments, and completions still to come. */
  firstSlot = -1;
  fragments = 0;
  pendingFragments = 0;
  /** Medium receive: one bit per fragment that is there, and the bytes they add up to. */
  fragmentMask = 0;
  received = 0;
  /** A receive of an eager message that no posted receive has matched yet. */
  unexpected = false;

  /** Own region, -1 for none; whether the driver has created it; the other side's region. */
  region = -1;
  regionSeq = 0;
  regionCreated = false;
  /** Large send: the region that its RNDV names, also when it is sent again after the notify has freed it. */
  announcedRegion = -1;
  remoteOffset = 0;
  remoteRegion = 0;
  remoteRegionSeq = 0;
  /** Of an eager message's bytes, in a debug build. */
  checksum = 0;
  /** Large receive: what the notify will report, and whether it is time for it. */
  result = 0;
  notifying = false;
  /** The driver has been given the pull. */
  pulling = false;
  /** Connect: number and key. */
  connectSeq = 0;
  key = 0;
  /** Unexpected message from the own endpoint: its send. */
  selfSend: Request | null = null;

  /** By what it waits for: posted, unexpected, delayed, resend or connect queue of the endpoint. */
  readonly stateLink: Link<Request> = new Link<Request>(this);
  /** By partner: throttled, unacknowledged, awaiting notify, partial, pulling or connecting. */
  readonly partnerLink: Link<Request> = new Link<Request>(this);
  /** Done and not yet reported to the program. */
  readonly doneLink: Link<Request> = new Link<Request>(this);

  get isSend(): boolean {
    return this.kind >= SEND_TINY && this.kind <= SEND_SELF;
  }
}

export type RequestKind = "send" | "receive" | "connect";

export function kindOf(request: Request): RequestKind {
  return request.kind === CONNECT ? "connect" : request.isSend ? "send" : "receive";
}

/** Free requests. A program that never releases only leaves garbage. */
export class RequestPool {
  readonly #free = new Stack<Request>();

  take(kind: number): Request {
    const request = this.#free.isEmpty ? new Request() : this.#free.pop();
    request.pooled = false;
    request.kind = kind;
    return request;
  }

  give(request: Request): void {
    assert(!request.pooled, "request: it was given back twice");
    assert(request.handle < 0 && request.journey < 0, "request: given back with a handle or a journey");
    assert(request.buffer === 0 && request.region < 0 && request.firstSlot < 0, "request: given back with resources");
    assert(request.stateLink.list === null && request.partnerLink.list === null, "request: given back while queued");
    request.doneLink.unlink();
    reset(request);
    this.#free.push(request);
  }
}

function reset(request: Request): void {
  request.pooled = true;
  request.done =
    request.released =
    request.active =
    request.zombie =
      false;
  request.code = STATUS_PENDING;
  request.returnCode = 0;
  request.source = request.partner = null;
  request.address = request.length = 0;
  request.segments = null;
  request.matchA = request.matchB = 0;
  request.messageLength = request.transferLength = 0;
  request.latencyPs = -1;
  request.context = undefined;
  request.needAck = request.needReply = false;
  request.resends = request.resendsMax = 0;
  request.fragments = request.pendingFragments = 0;
  request.fragmentMask = request.received = 0;
  request.unexpected =
    request.notifying =
    request.pulling =
    request.regionCreated =
      false;
  request.checksum = 0;
  request.result = 0;
  request.selfSend = null;
}

const INDEX_RANGE = 1 << 20;
const GENERATIONS = 1 << 12;

/**
 * Names requests by number in commands. A number carries a generation, so that the answer to a command of a request
 * that is gone meanwhile (its partner was given up) finds nobody.
 */
export class HandleTable {
  readonly #requests: (Request | null)[] = [];
  readonly #generation: number[] = [];
  readonly #free = new Stack<number>();

  take(request: Request): void {
    assert(request.handle < 0, "handle: the request has one");
    let index = this.#requests.length;
    if (!this.#free.isEmpty) index = this.#free.pop();
    else {
      assert(index < INDEX_RANGE, "handle: a million requests are under way");
      this.#requests.push(null);
      this.#generation.push(0);
    }
    this.#requests[index] = request;
    request.handle = this.#generation[index] * INDEX_RANGE + index;
  }

  give(request: Request): void {
    const index = request.handle % INDEX_RANGE;
    this.#requests[index] = null;
    this.#generation[index] = (this.#generation[index] + 1) % GENERATIONS;
    this.#free.push(index);
    request.handle = -1;
  }

  /** The requests that have one, with gaps. */
  get all(): readonly (Request | null)[] {
    return this.#requests;
  }

  /** The request of a handle, null when it is gone. */
  find(handle: number): Request | null {
    const request = this.#requests[handle % INDEX_RANGE] ?? null;
    return request !== null && request.handle === handle ? request : null;
  }
}
