import * as wrap from "../../base/wrap.ts";
import type { Processor } from "../../hw/processor.ts";
import * as journeys from "../../metrics/journey.ts";
import * as contract from "../driver/contract.ts";
import * as limits from "../limits.ts";
import * as status from "../status.ts";
import type { LibraryCore } from "./core.ts";
import type { EagerSend } from "./eager.ts";
import type { Large } from "./large.ts";
import type { Packet } from "./packet.ts";
import type { Partner } from "./partner.ts";
import * as partners from "./partner.ts";
import type { Request } from "./request.ts";
import * as requests from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { seqAdd, seqOffset, sesnum } = wrap;
const { NO_JOURNEY } = journeys;
const { CMD_SEND_LIBACK, NACK_BAD_ENDPOINT, NACK_BAD_SESSION, NACK_ENDPOINT_CLOSED } = contract;
const { ACK_DELAY_PS, RESEND_DELAY_PS } = limits;
const {
  STATUS_ABORTED,
  STATUS_BAD_ENDPOINT,
  STATUS_BAD_SESSION,
  STATUS_ENDPOINT_CLOSED,
  STATUS_ENDPOINT_UNREACHABLE,
  STATUS_SUCCESS,
} = status;
const { ACK_DELAYED, ACK_NONE, ACK_NOW } = partners;
const { RECV_LARGE, SEND_LARGE, SEND_MEDIUM_VA } = requests;

/** Acknowledgements in both directions, retransmission and refusals (omx_ack.c, omx_send.c:1417-1506). */
export class Reliability {
  readonly #core: LibraryCore;
  readonly #eager: EagerSend;
  readonly #large: Large;
  /** Gives up a partner that did not answer. */
  readonly #giveUp: (cpu: Processor, partner: Partner) => void;

  constructor(
    core: LibraryCore,
    eager: EagerSend,
    large: Large,
    giveUp: (cpu: Processor, partner: Partner) => void,
  ) {
    this.#core = core;
    this.#eager = eager;
    this.#large = large;
    this.#giveUp = giveUp;
  }

  // ---- what the other side has received

  /** Everything before `ack` has arrived there (omx_ack.c:90-135). An ack of nothing new, or too much, is ignored. */
  acked(partner: Partner, ack: number): void {
    const fresh = seqOffset(ack, partner.nextAcked);
    if (fresh === 0 || fresh > seqOffset(partner.nextSend, partner.nextAcked)) return;
    const base = partner.nextAcked;
    partner.nextAcked = seqAdd(base, fresh);
    while (partner.unacked.first !== null) {
      const request = partner.unacked.first.of;
      if (seqOffset(request.seq, base) >= fresh) break;
      this.#delivered(request);
    }
    this.#windowMoved(partner);
  }

  /** There may be room for what the window has held back. */
  #windowMoved(partner: Partner): void {
    if (partner.throttled.size > 0 && partner.openLink.list === null) this.#core.open.append(partner.openLink);
  }

  /** A liback counts when it is of this partner session and newer than the last one (:138-165). */
  liback(partner: Partner, packet: Packet): void {
    const newer = ((packet.extra - partner.ackNumberSeen) | 0) > 0;
    if (sesnum(packet.seq) !== sesnum(partner.nextSend) || !newer) {
      this.#core.counters.obsolete++;
      return;
    }
    partner.ackNumberSeen = packet.extra;
    this.acked(partner, packet.seq);
  }

  #delivered(request: Request): void {
    request.needAck = false;
    request.stateLink.unlink();
    request.partnerLink.unlink();
    if (request.kind === SEND_LARGE) {
      if (request.needReply) request.partner!.awaiting.append(request.partnerLink);
      else this.#large.finishSend(request);
    } else this.#finish(request, STATUS_SUCCESS);
  }

  /** An eager send, or a large receive whose notify was outstanding. */
  #finish(request: Request, code: number): void {
    request.needAck = false;
    if (request.kind === RECV_LARGE) {
      this.#core.complete(request, request.result);
      this.#core.retire(request);
    } else {
      // Buffered sends are done already, or now; others when the driver has let go of the buffer too.
      request.result = code;
      if (request.kind !== SEND_MEDIUM_VA) this.#core.complete(request, code);
      this.#eager.settle(request);
    }
  }

  // ---- what this side has received

  /** `nextFrag` has moved: an ack is owed, at once when four messages are (omx_recv.c:653-662). */
  received(cpu: Processor, partner: Partner): void {
    if (seqOffset(partner.nextFrag, partner.lastAckedRecv) >= this.#core.notAckedMax) this.oweNow(partner);
    else if (partner.ackState === ACK_NONE) {
      partner.ackState = ACK_DELAYED;
      partner.ackSince = cpu.now;
      this.#core.ackDelayed.append(partner.ackLink);
    }
  }

  /** An ack must leave in this round. */
  oweNow(partner: Partner): void {
    if (partner.ackState === ACK_NOW) return;
    partner.ackLink.unlink();
    partner.ackState = ACK_NOW;
    this.#core.ackNow.append(partner.ackLink);
  }

  /** Sends the explicit acks that are due (omx_ack.c:287-309); all that are owed when `all` is set. */
  flushAcks(cpu: Processor, all = false): void {
    const core = this.#core;
    while (core.ackNow.first !== null) {
      core.counters.acksImmediate++;
      this.#sendLiback(cpu, core.ackNow.first.of);
    }
    while (core.ackDelayed.first !== null) {
      const partner = core.ackDelayed.first.of;
      if (!all && cpu.now - partner.ackSince < ACK_DELAY_PS) break;
      core.counters.acksDelayed++;
      this.#sendLiback(cpu, partner);
    }
  }

  #sendLiback(cpu: Processor, partner: Partner): void {
    const core = this.#core;
    core.acknowledged(partner);
    partner.ackNumber = (partner.ackNumber + 1) >>> 0;
    const command = core.command;
    command.kind = CMD_SEND_LIBACK;
    command.peer = partner.peer;
    command.endpoint = partner.endpoint;
    command.session = partner.backSession;
    command.seq = partner.nextFrag;
    command.ackNumber = partner.ackNumber;
    command.cookie = partner.peer * 256 + partner.endpoint;
    command.journey = NO_JOURNEY;
    core.driver.submit(cpu, command);
  }

  // ---- sending again

  /**
   * Sends again what was last sent half a second ago; a partner that never answers is given up. A medium message for
   * which the event credits do not suffice stays first, and the round ends (omx_send.c:1461-1474): were those behind it
   * served before it, they would take the credits in each round, and the message that the other side waits for might
   * never go.
   */
  resend(cpu: Processor): void {
    const queue = this.#core.resend;
    while (queue.first !== null) {
      const request = queue.first.of;
      if (cpu.now - request.lastSent < RESEND_DELAY_PS || this.#eager.lacksCredits(request)) return;
      if (request.resends > request.resendsMax) this.#giveUp(cpu, request.partner!);
      else if (this.#eager.isInHand(request)) this.#core.postpone(cpu, request);
      else {
        this.#retransmit(cpu, request);
        this.#core.counters.retransmits++;
      }
    }
  }

  /** When the next call of `resend` will find something to do, picoseconds; Infinity while only credits can tell. */
  resendDue(): number {
    const first = this.#core.resend.first;
    return first === null || this.#eager.lacksCredits(first.of) ? Infinity : first.of.lastSent + RESEND_DELAY_PS;
  }

  #retransmit(cpu: Processor, request: Request): void {
    if (request.kind === SEND_LARGE) this.#large.transmitRndv(cpu, request);
    else if (request.kind === RECV_LARGE) this.#large.transmitNotify(cpu, request);
    else this.#eager.transmit(cpu, request, false);
  }

  // ---- refusals

  /**
   * The other side's driver refused a packet. False when it answers none of the messages: then it may be a connect
   * request's, which has no number (omx_ack.c:171-212).
   */
  refused(cpu: Processor, partner: Partner, packet: Packet): boolean {
    for (let link = partner.unacked.first; link !== null; link = link.next) {
      if (link.of.seq !== packet.seq) continue;
      this.fail(cpu, link.of, nackStatus(packet.small));
      this.#skipRefused(partner);
      return true;
    }
    return false;
  }

  /**
   * No ack will come for what was refused: without this the window would be full for good after 8191 refusals, and the
   * next send wait for ever, as it does in Open-MX (omx_ack.c:171-199).
   */
  #skipRefused(partner: Partner): void {
    const oldest = partner.unacked.first;
    partner.nextAcked = oldest === null ? partner.nextSend : oldest.of.seq;
    this.#windowMoved(partner);
  }

  /** Ends an unacknowledged request without success, or after success that was reported early. */
  fail(cpu: Processor, request: Request, code: number): void {
    this.#core.dropJourney(cpu, request);
    request.needAck = false;
    request.stateLink.unlink();
    request.partnerLink.unlink();
    if (request.kind === SEND_LARGE) {
      if (request.needReply) this.#large.releaseSend(cpu, request);
      request.result = code;
      this.#large.finishSend(request);
    } else if (request.kind === RECV_LARGE && code === STATUS_ENDPOINT_UNREACHABLE) {
      this.#core.complete(request, code);
      this.#core.retire(request);
    } else this.#finish(request, code);
  }
}

/** Status of a request whose packet was refused (omx_recv.c:1070-1087). */
export function nackStatus(type: number): number {
  if (type === NACK_BAD_ENDPOINT) return STATUS_BAD_ENDPOINT;
  if (type === NACK_ENDPOINT_CLOSED) return STATUS_ENDPOINT_CLOSED;
  if (type === NACK_BAD_SESSION) return STATUS_BAD_SESSION;
  return STATUS_ABORTED;
}
