import type { Processor } from "../../hw/processor.ts";
import { NO_JOURNEY } from "../../metrics/journey.ts";
import { PIN, QUEUEING } from "../../metrics/stage.ts";
import { CMD_PULL, CMD_SEND_NOTIFY, CMD_SEND_RNDV, PULL_ABORTED, PULL_OK } from "../driver/contract.ts";
import { MAX_LARGE_SENDS } from "../limits.ts";
import {
  STATUS_ABORTED,
  STATUS_BAD_ENDPOINT,
  STATUS_BAD_RDMAWIN,
  STATUS_BAD_SESSION,
  STATUS_ENDPOINT_CLOSED,
  STATUS_ENDPOINT_UNREACHABLE,
  STATUS_SUCCESS,
  STATUS_TRUNCATED,
} from "../status.ts";
import type { LibraryCore } from "./core.ts";
import type { Packet } from "./packet.ts";
import { Regions } from "./regions.ts";
import type { RegistrationCache } from "./registration_cache.ts";
import { RECV_LARGE, type Request, SEND_LARGE } from "./request.ts";

/** Pull-done status to request status (omx_io.h:795-801). */
const PULL_STATUS = [
  STATUS_SUCCESS,
  STATUS_BAD_ENDPOINT,
  STATUS_ENDPOINT_CLOSED,
  STATUS_BAD_SESSION,
  STATUS_BAD_RDMAWIN,
  STATUS_ABORTED,
  STATUS_ENDPOINT_UNREACHABLE, // its time was over (omx_large.c:574-648)
];

/**
 * Large messages (omx_large.c, omx_send.c:750-953). Sender: region, RNDV, wait for ack and NOTIFY. Receiver: match,
 * region over the whole receive buffer, PULL, on PULL_DONE destroy the region and send NOTIFY. Each command after the
 * first is given when the one before is done, as the reference's system calls follow one another.
 */
export class Large {
  readonly #core: LibraryCore;
  /** Send whose notify may name the region. */
  readonly #regionSend: (Request | null)[] = [];
  readonly regions: Regions;

  constructor(core: LibraryCore) {
    this.#core = core;
    this.regions = new Regions(core);
  }

  /** Null without OMX_RCACHE. */
  get cache(): RegistrationCache | null {
    return this.regions.cache;
  }

  // ---- sender

  /** Takes region and sequence and registers the buffer; false when a region or a large-send credit is missing. */
  postSend(cpu: Processor, request: Request): boolean {
    const core = this.#core;
    if (core.largeSends >= MAX_LARGE_SENDS || !this.regions.take(cpu, request)) return false;
    core.largeSends++;
    // Only a rendezvous takes a number; a receive that uses the region names none on the wire (omx_send.c:807).
    core.regionSeq[request.region]++;
    request.announcedRegion = request.region;
    this.#regionSend[request.region] = request;
    request.active = true;
    request.needAck = true;
    request.needReply = true;
    request.resends = 0;
    request.seq = core.takeSeq(request.partner!);
    core.handles.take(request);
    request.partner!.unacked.append(request.partnerLink);
    // An empty message has nothing to register: its region only has a number, by which the notify finds it.
    if (request.regionCreated || request.length === 0) this.regionReady(cpu, request, true);
    else this.regions.create(cpu, request);
    return true;
  }

  /** RNDV, first or again. */
  transmitRndv(cpu: Processor, request: Request): void {
    const core = this.#core;
    const command = core.stamp(CMD_SEND_RNDV, request, request.partner!.trueSession);
    command.matchA = request.matchA;
    command.matchB = request.matchB;
    command.length = request.messageLength;
    command.region = request.announcedRegion;
    command.regionSeq = request.regionSeq;
    command.journey = core.takeJourney(cpu, request);
    core.driver.submit(cpu, command);
    cpu.putDown();
    if (request.needAck) core.transmitted(cpu, request);
  }

  /** A NOTIFY in sequence (omx_large.c:680-722). One that names no waiting send is an old duplicate. */
  notified(cpu: Processor, packet: Packet): void {
    const core = this.#core;
    const request = this.#regionSend[packet.small] ?? null;
    const fits = request !== null && request.needReply && request.partner!.peer === packet.peer &&
      request.partner!.endpoint === packet.endpoint && request.regionSeq === (packet.extra & 0xff);
    if (!fits) {
      core.counters.staleNotifies++;
      return;
    }
    request.transferLength = Math.min(packet.length, request.messageLength);
    this.releaseSend(cpu, request);
    if (!request.needAck) this.finishSend(request);
  }

  /** Gives back region and large-send credit. */
  releaseSend(cpu: Processor, request: Request): void {
    request.needReply = false;
    this.#regionSend[request.region] = null;
    this.#core.largeSends--;
    this.#releaseRegion(cpu, request, null);
  }

  /** Acknowledged and notified. */
  finishSend(request: Request): void {
    const short = request.transferLength < request.messageLength;
    const failed = request.result !== STATUS_SUCCESS;
    this.#core.complete(request, failed ? request.result : short ? STATUS_TRUNCATED : STATUS_SUCCESS);
    this.#core.retire(request);
  }

  // ---- receiver

  /** A receive with its rendezvous: `request` has both sides' lengths and the remote region. Carries the journey. */
  matched(cpu: Processor, request: Request): void {
    const core = this.#core;
    request.kind = RECV_LARGE;
    request.transferLength = Math.min(request.length, request.messageLength);
    request.partner!.pulls.append(request.partnerLink);
    if (request.transferLength === 0) {
      // Nothing to pull: the notify leaves at the end of this round, before whatever else waits (omx_send.c:956-970).
      request.result = request.messageLength > 0 ? STATUS_TRUNCATED : STATUS_SUCCESS;
      request.notifying = true;
      core.delayed.prepend(request.stateLink);
    } else if (core.delayed.size > 0 || !this.postPull(cpu, request)) {
      core.counters.delayed++;
      core.delayed.append(request.stateLink);
    }
    cpu.putDown();
  }

  /** Takes credit and region for a pull; false when one is missing. */
  postPull(cpu: Processor, request: Request): boolean {
    const core = this.#core;
    if (core.credits === 0 || !this.regions.take(cpu, request)) return false;
    core.credits--;
    core.handles.take(request);
    if (request.regionCreated) this.regionReady(cpu, request, true);
    else this.regions.create(cpu, request);
    return true;
  }

  submitPull(cpu: Processor, request: Request): void {
    const core = this.#core;
    const partner = request.partner!;
    const command = core.command;
    command.kind = CMD_PULL;
    command.peer = partner.peer;
    command.endpoint = partner.endpoint;
    command.session = partner.backSession;
    command.remoteOffset = request.remoteOffset;
    command.length = request.transferLength;
    command.region = request.region;
    command.regionSeq = request.regionSeq;
    command.remoteRegion = request.remoteRegion;
    command.remoteRegionSeq = request.remoteRegionSeq;
    command.timeoutPs = core.pullTimeoutPs;
    command.cookie = request.handle;
    // The fork stays until the driver has accepted the pull, since only the sender could begin another one.
    const journey = request.journey;
    request.journey = cpu.journeys.fork(journey);
    request.pulling = true;
    cpu.carry(journey, QUEUEING);
    command.journey = journey;
    core.driver.submit(cpu, command);
    cpu.putDown();
  }

  /** The driver has the pull, and the journey with it. */
  pullAccepted(cpu: Processor, request: Request): void {
    if (!request.notifying) this.#core.dropJourney(cpu, request);
  }

  /** The pull is over; the journey of the message is carried and stays with the request. */
  pullDone(cpu: Processor, request: Request, status: number, journey: number): void {
    const core = this.#core;
    core.credits++;
    if (request.journey >= 0) cpu.journeys.drop(request.journey);
    request.journey = journey;
    request.notifying = true;
    if (status !== PULL_OK) {
      request.result = PULL_STATUS[status] ?? STATUS_ABORTED;
      request.transferLength = 0;
    } else if (request.transferLength < request.messageLength) request.result = STATUS_TRUNCATED;
    this.#releaseRegion(cpu, request, request);
    cpu.putDown();
  }

  /** Sends the first NOTIFY if the window is open. It consumes a sequence as messages do. */
  postNotify(cpu: Processor, request: Request): boolean {
    const core = this.#core;
    const partner = request.partner!;
    if (partner.windowFull) return false;
    request.stateLink.unlink();
    request.partnerLink.unlink();
    partner.unacked.append(request.partnerLink);
    request.seq = core.takeSeq(partner);
    request.needAck = true;
    request.resends = 0;
    if (request.handle < 0) core.handles.take(request);
    this.transmitNotify(cpu, request);
    return true;
  }

  transmitNotify(cpu: Processor, request: Request): void {
    const core = this.#core;
    const command = core.stamp(CMD_SEND_NOTIFY, request, request.partner!.backSession);
    command.length = request.transferLength;
    command.remoteRegion = request.remoteRegion;
    command.remoteRegionSeq = request.remoteRegionSeq;
    command.journey = NO_JOURNEY;
    cpu.carry(request.journey, QUEUEING);
    core.driver.submit(cpu, command);
    cpu.putDown();
    core.transmitted(cpu, request);
  }

  /** The first NOTIFY has left: the receive is complete, and its message's journey over. */
  notifyPosted(cpu: Processor, request: Request): void {
    if (request.journey >= 0) {
      cpu.carry(request.journey, QUEUEING);
      request.latencyPs = cpu.journeys.finish(request.journey, cpu.now, this.#core, request.partner);
      request.journey = NO_JOURNEY;
      cpu.putDown();
    }
    this.#core.completeEarly(request, request.result);
  }

  /** Gives up a large receive that has not sent its notify. */
  abandonReceive(cpu: Processor, request: Request): void {
    this.#core.dropJourney(cpu, request);
    // A pull that the driver has will bring its credit back itself.
    if (request.region >= 0 && !request.pulling) this.#core.credits++;
    if (request.region >= 0) this.#releaseRegion(cpu, request, null);
    else this.regions.forget(request);
  }

  // ---- answers about regions

  /** The region is there (or will never be): sends what was waiting for it. Time since the command is registration. */
  regionReady(cpu: Processor, request: Request, valid: boolean): void {
    if (!valid) request.regionCreated = false;
    cpu.carry(request.journey, PIN);
    if (request.kind === SEND_LARGE) {
      // Its sequence is taken, so the RNDV must go; the other side's pull will be refused.
      if (!valid) request.result = STATUS_ABORTED;
      this.transmitRndv(cpu, request);
    } else if (valid) this.submitPull(cpu, request);
    else {
      const journey = request.journey;
      request.journey = NO_JOURNEY;
      this.pullDone(cpu, request, PULL_ABORTED, journey);
    }
  }

  /** Gives a region back; the receive `then` sends its notify when the driver has forgotten it. */
  #releaseRegion(cpu: Processor, request: Request, then: Request | null): void {
    if (this.regions.release(cpu, request, then)) this.#afterRegion(cpu, then);
  }

  regionDestroyed(cpu: Processor, region: number): void {
    this.#afterRegion(cpu, this.regions.destroyed(region));
  }

  /** A large receive is through with its region: its sender is told. */
  #afterRegion(cpu: Processor, request: Request | null): void {
    if (request === null) return;
    cpu.carry(request.journey, PIN);
    if (!this.postNotify(cpu, request)) {
      request.partnerLink.unlink();
      request.partner!.throttled.prepend(request.partnerLink);
    }
  }
}
