import { nextSesnum, sesnum } from "../../base/wrap.ts";
import type { Processor } from "../../hw/processor.ts";
import { NO_JOURNEY } from "../../metrics/journey.ts";
import { LIBRARY, USER } from "../../metrics/stage.ts";
import { CMD_CONNECT_REPLY, CMD_CONNECT_REQUEST, type MxCommand } from "../driver/contract.ts";
import { RESEND_DELAY_PS } from "../limits.ts";
import { STATUS_BAD_KEY, STATUS_SUCCESS } from "../status.ts";
import type { LibraryCore } from "./core.ts";
import type { Packet } from "./packet.ts";
import { NO_SESSION, type Partner } from "./partner.ts";
import { CONNECT, type Request } from "./request.ts";

/** Status in a connect reply (omx_wire.h:298-345). */
const REPLY_OK = 0;
const REPLY_BAD_KEY = 11;

/** What a new incarnation of a partner sets off in the other parts. */
export interface ConnectHooks {
  /** Gives up everything with the old incarnation. */
  giveUp(cpu: Processor, partner: Partner): void;
  /** Its sequence starts anew: ends what there is with an old one that had never asked, or has given up; not connects. */
  restart(cpu: Processor, partner: Partner): void;
}

/** The connect handshake, both sides (omx_partner.c:297-717). */
export class Connect {
  readonly #core: LibraryCore;
  readonly #hooks: ConnectHooks;

  constructor(core: LibraryCore, hooks: ConnectHooks) {
    this.#core = core;
    this.#hooks = hooks;
  }

  /** Starts a connect; to the own endpoint it is done at once (:352-365). */
  start(cpu: Processor, partner: Partner, key: number, resendsMax: number): Request {
    const core = this.#core;
    cpu.charge(LIBRARY, USER, core.costs.librarySend);
    const request = core.requests.take(CONNECT);
    request.partner = partner;
    request.source = partner;
    request.key = key;
    request.connectSeq = partner.connectSeq;
    request.resendsMax = resendsMax;
    request.postedPs = cpu.now;
    partner.connectSeq = (partner.connectSeq + 1) & 0xff;
    if (partner.isSelf) {
      core.complete(request, STATUS_SUCCESS);
      return request;
    }
    request.active = true;
    partner.connects.append(request.partnerLink);
    this.#transmit(cpu, request);
    return request;
  }

  /** Sends unanswered requests again, and gives up partners that do not answer (:438-439). */
  resend(cpu: Processor): void {
    const queue = this.#core.connects;
    while (queue.first !== null) {
      const request = queue.first.of;
      if (cpu.now - request.lastSent < RESEND_DELAY_PS) return;
      if (request.resends > request.resendsMax) this.#hooks.giveUp(cpu, request.partner!);
      else {
        this.#core.counters.connectRetransmits++;
        this.#transmit(cpu, request);
      }
    }
  }

  /**
   * The other side asks (:641-717). A new session of a partner that had asked before is a new incarnation. Sessions are
   * stored even when the key is wrong.
   */
  requested(cpu: Processor, packet: Packet): void {
    const core = this.#core;
    const partner = core.partners.findOrCreate(packet.peer, packet.endpoint);
    if (partner.isSelf) {
      core.counters.stray++;
      return;
    }
    this.#learnLocality(partner, packet);
    const session = packet.session;
    // One departure from Open-MX: a session that a reply has taught already is not new, nor is one that was given up.
    // Counting from 1 again would wait for ever for messages that were received, acknowledged and forgotten before this
    // request came through, or for those that the other side has counted from where it was told.
    if (!partner.isOf(session)) {
      if (partner.backSession !== NO_SESSION) this.#hooks.giveUp(cpu, partner);
      this.#hooks.restart(cpu, partner);
      partner.resetReceive();
      core.acknowledged(partner);
    }
    this.#learnTrue(cpu, partner, session, packet.seq);
    partner.backSession = session;
    this.#reply(cpu, partner, packet, packet.extra === core.key ? REPLY_OK : REPLY_BAD_KEY);
  }

  /**
   * An answer to one of our requests (:545-635). It teaches only the true session, and the other one of a partner that
   * had asked before it was given up and need not ask again; in Open-MX that stays half-connected. One of a new
   * incarnation, which has not asked itself, ends everything with the old one too.
   */
  replied(cpu: Processor, partner: Partner, packet: Packet): boolean {
    const core = this.#core;
    if (packet.session !== core.session) return false;
    let link = partner.connects.first;
    while (link !== null && link.of.connectSeq !== packet.small) link = link.next;
    if (link === null) return false;
    if (packet.status !== REPLY_OK && packet.status !== REPLY_BAD_KEY) return false;
    this.#learnLocality(partner, packet);
    const isNew = partner.isConnected && partner.trueSession !== packet.extra;
    const announced = link.of.seq;
    // The request first: giving the partner up ends all that are left.
    this.#end(link.of, packet.status === REPLY_OK ? STATUS_SUCCESS : STATUS_BAD_KEY);
    if (packet.status !== REPLY_OK) return true;
    if (isNew) {
      this.#hooks.giveUp(cpu, partner);
      // It begins where the request said; Open-MX begins at 1 again, and waits for messages that never come.
      partner.expect(announced);
    }
    this.#learnTrue(cpu, partner, packet.extra, packet.seq);
    if (partner.formerBack === packet.extra) partner.backSession = packet.extra;
    return true;
  }

  /** A refusal that belongs to no message ends the oldest connect of the partner (omx_ack.c:201-212). */
  refused(partner: Partner, code: number): boolean {
    const oldest = partner.connects.first;
    if (oldest === null) return false;
    this.#end(oldest.of, code);
    return true;
  }

  #end(request: Request, code: number): void {
    this.#core.complete(request, code);
    this.#core.retire(request);
  }

  #learnTrue(cpu: Processor, partner: Partner, session: number, firstSeq: number): void {
    if (partner.trueSession === session) {
      // Another departure: who has given this side up, or taken it for a new incarnation because a request of an older
      // one was late, expects the next session number. Open-MX goes on with the one that it has learned first, which is
      // obsolete for ever.
      if (sesnum(firstSeq) !== nextSesnum(partner.nextSend)) return;
      // What was under way has ended over there. Here it would wait for ever, and what has come of it hold acks back.
      this.#hooks.restart(cpu, partner);
      partner.expect(partner.nextMatch);
      this.#core.acknowledged(partner);
    }
    partner.trueSession = session;
    partner.nextSend = partner.nextAcked = firstSeq;
  }

  #learnLocality(partner: Partner, packet: Packet): void {
    if (partner.localityKnown) return;
    partner.localityKnown = true;
    partner.threshold = packet.shared ? this.#core.sharedRndvThreshold : this.#core.rndvThreshold;
  }

  #transmit(cpu: Processor, request: Request): void {
    const core = this.#core;
    const partner = request.partner!;
    const command = this.#command(CMD_CONNECT_REQUEST, partner);
    command.session = core.session;
    command.key = request.key;
    command.connectSeq = request.connectSeq;
    request.seq = command.recvSeqStart;
    core.driver.submit(cpu, command);
    request.stateLink.unlink();
    request.lastSent = cpu.now;
    request.resends++;
    core.connects.append(request.stateLink);
  }

  #reply(cpu: Processor, partner: Partner, packet: Packet, status: number): void {
    const command = this.#command(CMD_CONNECT_REPLY, partner);
    command.session = packet.session;
    command.connectSeq = packet.small;
    command.connectStatus = status;
    this.#core.driver.submit(cpu, command);
  }

  #command(kind: number, partner: Partner): MxCommand {
    const command = this.#core.command;
    command.kind = kind;
    command.peer = partner.peer;
    command.endpoint = partner.endpoint;
    command.ownSession = this.#core.session;
    command.seq = 0;
    command.recvSeqStart = partner.nextMatch;
    command.cookie = 0;
    command.journey = NO_JOURNEY;
    return command;
  }
}
