import { SparseList } from "../../base/sparse_list.ts";
import * as wrap from "../../base/wrap.ts";
import * as limits from "../limits.ts";
import { Link, List } from "./list.ts";
import type { Packet } from "./packet.ts";
import type { Request } from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { nextSesnum, SEQ_WINDOW, seqOffset } = wrap;
const { MAX_ENDPOINTS, RNDV_THRESHOLD } = limits;

/** "This side's session is not known": what real frames carry in that case too. */
export const NO_SESSION = 0xffffffff;

/** Whether a partner is owed an acknowledgement, and how urgently. */
export const ACK_NONE = 0;
export const ACK_DELAYED = 1;
export const ACK_NOW = 2;

const FIRST_SEQ = 1;

/**
 * The other endpoint of a conversation. A program sees it as an address.
 *
 * Two session ids (omx_partner.c:545-717): `trueSession` stamps messages and is learned from a request or a reply;
 * `backSession` stamps libacks, pulls and notifies and is learned from a request only. An endpoint that connects and is
 * never connected back is "half-connected": its libacks and pulls are refused by the other side's driver.
 */
export class Partner {
  readonly peer: number;
  readonly endpoint: number;
  readonly isSelf: boolean;

  trueSession = NO_SESSION;
  backSession = NO_SESSION;
  /** Next sequence to send, and first one not acknowledged. */
  nextSend = 0xffff;
  nextAcked = 0xffff;
  /** Next message to match; first sequence not completely received: what acknowledgements say (omx_lib.h:195-200). */
  nextMatch = FIRST_SEQ;
  nextFrag = FIRST_SEQ;
  /** The `nextFrag` that the last acknowledgement said. */
  lastAckedRecv = FIRST_SEQ;
  connectSeq = 0;
  /** Number of the last liback sent, and of the last one seen. */
  ackNumber = 0;
  ackNumberSeen = 0;
  /** Both sessions until it was given up or disconnected: whoever comes with them may know nothing of that. */
  formerTrue = NO_SESSION;
  formerBack = NO_SESSION;

  /** Whether it is on this host, which fixes the threshold with the first connect request or reply (:175-190). */
  localityKnown = false;
  /** Longest message that goes eager, bytes. */
  threshold = RNDV_THRESHOLD;
  /** Taken out of the table by disconnect: addresses that name it are refused. */
  freed = false;
  context: unknown = undefined;

  /** In order of sequence: posted and not acknowledged. */
  readonly unacked: List<Request> = new List<Request>();
  /** Waiting for the sequence window; older than any of the partner's delayed sends. */
  readonly throttled: List<Request> = new List<Request>();
  /** Large sends that are acknowledged and wait for their notify. */
  readonly awaiting: List<Request> = new List<Request>();
  /** Medium messages with fragments missing, in order of sequence. */
  readonly partials: List<Request> = new List<Request>();
  /** Large receives before their notify. */
  readonly pulls: List<Request> = new List<Request>();
  readonly connects: List<Request> = new List<Request>();
  /** Packets ahead of `nextMatch`, by sequence and fragment. */
  readonly early: List<Packet> = new List<Packet>();
  /** How many of the endpoint's delayed sends go to this partner. */
  delayedSends = 0;

  ackState = ACK_NONE;
  /** When the oldest message that is not acknowledged was complete. */
  ackSince = 0;
  readonly ackLink: Link<Partner> = new Link<Partner>(this);
  /** On the endpoint's list of partners whose throttled sends may go on. */
  readonly openLink: Link<Partner> = new Link<Partner>(this);

  constructor(peer: number, endpoint: number, isSelf: boolean) {
    this.peer = peer;
    this.endpoint = endpoint;
    this.isSelf = isSelf;
  }

  get isConnected(): boolean {
    return this.isSelf || this.trueSession !== NO_SESSION;
  }

  /** Whether as many messages are unacknowledged as the window allows (omx_types.h:112). */
  get windowFull(): boolean {
    return seqOffset(this.nextSend, this.nextAcked) >= SEQ_WINDOW;
  }

  /**
   * First contact with this incarnation: its messages start at 1 again, and so do the numbers of its acks; the session
   * number stays (:673-685).
   */
  resetReceive(): void {
    this.ackNumberSeen = 0;
    this.expect((this.nextMatch & 0xc000) | FIRST_SEQ);
  }

  /** Its next message bears this sequence, and nothing before it is owed an acknowledgement. */
  expect(seq: number): void {
    this.nextMatch = this.nextFrag = this.lastAckedRecv = seq;
  }

  /**
   * Takes the place of one that was disconnected. The other side may know nothing of that, and would take this one for
   * the one before: new numbers tell it that it is not.
   */
  follow(former: Partner): void {
    this.expect(former.nextMatch);
    this.connectSeq = former.connectSeq;
    this.ackNumber = former.ackNumber;
    this.formerTrue = former.formerTrue;
    this.formerBack = former.formerBack;
  }

  /**
   * Given up: a new session number makes what is still under way obsolete (omx_partner.c:758-952), once until the other
   * side has answered: it tells a number from the next one, and not from the fourth. The libacks go on to be counted,
   * as it takes none that is not newer than the last; Open-MX begins again, and is not heard.
   */
  resetAll(): void {
    if (this.trueSession !== NO_SESSION) {
      this.expect(nextSesnum(this.nextMatch) | ((this.nextMatch ^ 0x30f0) & 0x3fff));
      this.formerTrue = this.trueSession;
      this.formerBack = this.backSession;
    }
    this.trueSession = this.backSession = NO_SESSION;
    this.nextSend = this.nextAcked = 0xffff;
    this.ackNumberSeen = 0;
  }

  /** Whether this is the session that it has, or has had until it was given up. */
  isOf(session: number): boolean {
    if (!this.isConnected) return session === this.formerTrue;
    return session === this.backSession || session === this.trueSession;
  }
}

/** Partners by peer and endpoint (the reference's index is endpoint + peer * endpoints, omx_lib.h:155-162). */
export class PartnerTable {
  readonly #byPeer = new SparseList<(Partner | null)[]>();
  readonly #isSelf: (peer: number, endpoint: number) => boolean;
  /** Those that were disconnected last, by endpoint + peer * endpoints. */
  readonly #former = new Map<number, Partner>();
  /** All of them, in order of creation. */
  readonly all: Partner[] = [];

  constructor(isSelf: (peer: number, endpoint: number) => boolean) {
    this.#isSelf = isSelf;
  }

  find(peer: number, endpoint: number): Partner | null {
    const row = this.#byPeer.at(peer);
    return row === undefined ? null : row[endpoint] ?? null;
  }

  findOrCreate(peer: number, endpoint: number): Partner {
    const found = this.find(peer, endpoint);
    if (found !== null) return found;
    const row = this.#byPeer.at(peer) ?? [];
    if (row.length === 0) this.#byPeer.set(peer, row);
    while (row.length <= endpoint && row.length < MAX_ENDPOINTS) row.push(null);
    const partner = new Partner(peer, endpoint, this.#isSelf(peer, endpoint));
    const former = this.#former.get(endpoint + peer * MAX_ENDPOINTS);
    if (former !== undefined) partner.follow(former);
    row[endpoint] = partner;
    this.all.push(partner);
    return partner;
  }

  /**
   * Takes a partner out that was given up. Open-MX forgets it (omx_partner.c:956), so that the next one in its place
   * waits for messages that have long come, or takes them again.
   */
  remove(partner: Partner): void {
    this.#byPeer.at(partner.peer)![partner.endpoint] = null;
    this.#former.set(partner.endpoint + partner.peer * MAX_ENDPOINTS, partner);
    this.all.splice(this.all.indexOf(partner), 1);
    partner.freed = true;
  }
}
