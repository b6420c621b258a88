import * as profile from "../../hw/machine_profile.ts";
import type { Processor } from "../../hw/processor.ts";
import * as journeys from "../../metrics/journey.ts";
import * as stages from "../../metrics/stage.ts";
import type { Segment } from "../driver/contract.ts";
import * as contract from "../driver/contract.ts";
import * as limits from "../limits.ts";
import * as status from "../status.ts";
import { bufferChecksum } from "./checksum.ts";
import type { LibraryCore } from "./core.ts";
import * as cores from "./core.ts";
import type { Large } from "./large.ts";
import type { Packet } from "./packet.ts";
import type { Partner } from "./partner.ts";
import type { Request } from "./request.ts";
import * as requests from "./request.ts";
import * as segmentLists from "./segments.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { copyTime } = profile;
const { NO_JOURNEY } = journeys;
const { APPLICATION, LIBRARY, USER } = stages;
const { EVENT_MEDIUM_FRAG, EVENT_NOTIFY, EVENT_RNDV, EVENT_SMALL, EVENT_TINY } = contract;
const { SMALL_MAX, TINY_MAX } = limits;
const { STATUS_SUCCESS, STATUS_TRUNCATED } = status;
const { UNEXP_FINISHED } = cores;
const { RECV_EAGER, RECV_LARGE, RECV_SELF } = requests;
const { copyBuffer } = segmentLists;

/** Fragments that the 32-bit mask of a reassembly can tell apart (omx_recv.c:376-426). */
const MASK_FRAGMENTS = 32;

/** Brings messages to receives: matching, reassembly, unexpected messages, and the own endpoint's messages. */
export class Delivery {
  readonly #core: LibraryCore;
  readonly #large: Large;

  constructor(core: LibraryCore, large: Large) {
    this.#core = core;
    this.#large = large;
  }

  /** Whether lengths and fragment number of a packet fit together (and into the reassembly's mask). */
  isSound(packet: Packet): boolean {
    switch (packet.type) {
      case EVENT_TINY:
        return packet.length <= TINY_MAX;
      case EVENT_SMALL:
        return packet.length <= SMALL_MAX;
      case EVENT_RNDV:
      case EVENT_NOTIFY:
        return true;
    }
    const size = this.#core.driver.info.limits.mediumFragmentBytes;
    const offset = packet.small * size;
    return packet.length <= MASK_FRAGMENTS * size && offset < packet.length &&
      packet.dataLength === Math.min(size, packet.length - offset);
  }

  /** The first packet of the next message. */
  start(cpu: Processor, partner: Partner, packet: Packet): void {
    this.#count(packet.type);
    const message = this.#findReceive(cpu, partner, packet);
    if (message === null) return;
    message.seq = packet.seq;
    if (packet.type === EVENT_RNDV) this.#startLarge(cpu, message, packet);
    else {
      message.fragmentMask = 0;
      message.received = 0;
      message.checksum = packet.checksum;
      this.#addFragment(cpu, message, packet);
    }
  }

  /** Another fragment of a message that has begun; false when it has come before. */
  continuePartial(cpu: Processor, partner: Partner, packet: Packet): boolean {
    for (let link = partner.partials.first; link !== null; link = link.next) {
      const message = link.of;
      if (message.seq !== packet.seq) continue;
      if (packet.length === message.messageLength) return this.#addFragment(cpu, message, packet);
      this.#core.counters.malformed++;
      return true;
    }
    return false;
  }

  /** A new receive takes an unexpected message (omx_recv.c:1158-1191). The message becomes the program's request. */
  adopt(
    cpu: Processor,
    message: Request,
    address: number,
    length: number,
    segments: readonly Segment[] | null,
  ): void {
    const core = this.#core;
    message.stateLink.unlink();
    message.unexpected = false;
    message.address = address;
    message.length = length;
    message.segments = segments;
    message.transferLength = Math.min(length, message.messageLength);
    if (message.kind === RECV_SELF) {
      this.matchSelf(cpu, message, message.selfSend!);
      return;
    }
    cpu.carry(message.journey, APPLICATION);
    if (message.kind === RECV_LARGE) {
      this.#large.matched(cpu, message);
      return;
    }
    // What is there moves; fragments still to come go straight to the program's buffer.
    const size = core.driver.info.limits.mediumFragmentBytes;
    for (let offset = 0, bit = 1; offset < message.transferLength; offset += size, bit <<= 1) {
      if ((message.fragmentMask & bit) === 0) continue;
      const bytes = Math.min(size, message.transferLength - offset);
      core.scatter(cpu, message, offset, message.buffer + offset, bytes);
    }
    core.freeBuffer(message);
    if (message.received === message.messageLength) this.#finish(cpu, message);
  }

  // ---- the own endpoint

  /** A message to the own endpoint: stays in the library, and is done on both sides when matched (:844-1022). */
  sendSelf(cpu: Processor, send: Request): void {
    const core = this.#core;
    core.counters.sentSelf++;
    send.active = true;
    // The handler sees the program's buffer, if it is in one piece.
    const data = send.segments === null && send.length > 0 ? send.address : 0;
    const posted = this.#matchOrAsk(send.partner!, send.matchA, send.matchB, send.length, data);
    if (posted === undefined) {
      core.dropJourney(cpu, send);
      send.transferLength = send.messageLength;
      core.complete(send, STATUS_SUCCESS);
      core.retire(send);
      return;
    }
    const message = posted ?? core.requests.take(RECV_SELF);
    this.#describe(message, send.partner!, send.matchA, send.matchB, send.length);
    message.journey = send.journey;
    send.journey = NO_JOURNEY;
    if (posted !== null) {
      this.matchSelf(cpu, message, send);
    } else {
      message.selfSend = send;
      this.#keepUnexpected(message);
      cpu.putDown();
    }
  }

  matchSelf(cpu: Processor, message: Request, send: Request): void {
    const core = this.#core;
    message.kind = RECV_SELF; // a posted receive may have been for anybody
    core.counters.receivedSelf++;
    cpu.carry(message.journey, APPLICATION);
    cpu.charge(LIBRARY, USER, core.costs.libraryReceive);
    if (message.transferLength > 0) {
      copyBuffer(core.memory, message, send, message.transferLength);
      const { transferLength } = message;
      cpu.copy(
        USER,
        copyTime(core.costs.copyCachedByte, transferLength),
        transferLength,
        "user's buffer > user's buffer",
      );
    }
    send.transferLength = message.transferLength;
    message.selfSend = null;
    core.complete(send, send.transferLength < send.messageLength ? STATUS_TRUNCATED : STATUS_SUCCESS);
    core.retire(send);
    this.#finish(cpu, message);
  }

  // ---- matching

  /**
   * The receive for an incoming message: posted, or one of the library's own that keeps it unexpected. Null when the
   * unexpected handler has taken the whole message.
   */
  #findReceive(cpu: Processor, partner: Partner, packet: Packet): Request | null {
    const core = this.#core;
    const whole = packet.type !== EVENT_RNDV && packet.dataLength === packet.length;
    const data = whole ? packet.data : 0;
    const posted = this.#matchOrAsk(partner, packet.matchA, packet.matchB, packet.length, data);
    if (posted === undefined) {
      // Discarded: of a medium message the fragments to come are obsolete, and acknowledged (omx_recv.c:507-561).
      if (packet.type !== EVENT_RNDV) return null;
      // A rendezvous has to be answered: a receive of no bytes that nobody will ask for.
      const sink = core.requests.take(RECV_EAGER);
      sink.active = sink.released = true; // its length is 0
      sink.resendsMax = core.resendsMax; // of its notification
      this.#describe(sink, partner, packet.matchA, packet.matchB, packet.length);
      cpu.putDown();
      return sink;
    }
    const message = posted ?? core.requests.take(RECV_EAGER);
    this.#describe(message, partner, packet.matchA, packet.matchB, packet.length);
    if (posted === null) {
      if (packet.type !== EVENT_RNDV && packet.length > 0) {
        message.bufferBytes = packet.length;
        message.buffer = core.buffers.take(packet.length);
      }
      this.#keepUnexpected(message);
    }
    return message;
  }

  /** A posted receive, null for none, undefined when the unexpected handler has finished the message (:507-561). */
  #matchOrAsk(
    partner: Partner,
    matchA: number,
    matchB: number,
    length: number,
    data: number,
  ): Request | null | undefined {
    const core = this.#core;
    const posted = core.matcher.takePosted(matchA, matchB);
    if (posted !== null || core.handler === null) return posted;
    core.inHandler = true;
    try {
      return core.handler(partner, matchA, matchB, length, data) === UNEXP_FINISHED ? undefined : null;
    } finally {
      core.inHandler = false;
    }
  }

  #describe(message: Request, partner: Partner, matchA: number, matchB: number, length: number): void {
    message.partner = partner;
    message.source = partner;
    message.matchA = matchA;
    message.matchB = matchB;
    message.messageLength = length;
    message.transferLength = Math.min(message.length, length);
  }

  #keepUnexpected(message: Request): void {
    this.#core.counters.unexpected++;
    message.active = true;
    message.unexpected = true;
    message.length = 0;
    this.#core.matcher.keepUnexpected(message);
  }

  #startLarge(cpu: Processor, message: Request, packet: Packet): void {
    message.kind = RECV_LARGE;
    message.remoteRegion = packet.small;
    message.remoteRegionSeq = packet.extra & 0xff;
    message.remoteOffset = packet.extra >>> 16;
    message.journey = packet.journey;
    packet.journey = NO_JOURNEY;
    if (message.unexpected) cpu.putDown();
    else this.#large.matched(cpu, message);
  }

  // ---- eager payload

  /** A tiny or small message is one fragment. Carries the packet's journey; false when the fragment is there already. */
  #addFragment(cpu: Processor, message: Request, packet: Packet): boolean {
    const core = this.#core;
    const fragment = packet.type === EVENT_MEDIUM_FRAG ? packet.small : 0;
    const bit = 1 << fragment;
    if ((message.fragmentMask & bit) !== 0) return false;
    message.fragmentMask |= bit;
    const offset = fragment * core.driver.info.limits.mediumFragmentBytes;
    if (message.unexpected) core.copy(cpu, message.buffer + offset, packet.data, packet.dataLength);
    else {
      const room = Math.max(0, message.transferLength - offset);
      core.scatter(cpu, message, offset, packet.data, Math.min(packet.dataLength, room));
    }
    message.received += packet.dataLength;
    if (message.received < message.messageLength) {
      if (message.partnerLink.list === null) message.partner!.partials.append(message.partnerLink);
      return true;
    }
    // The journey of the fragment that completes a message is the message's.
    message.partnerLink.unlink();
    message.journey = packet.journey;
    packet.journey = NO_JOURNEY;
    if (message.unexpected) cpu.putDown();
    else this.#finish(cpu, message);
    return true;
  }

  #finish(cpu: Processor, message: Request): void {
    message.latencyPs = cpu.journeys.finish(message.journey, cpu.now, this.#core, message.partner);
    message.journey = NO_JOURNEY;
    cpu.putDown();
    const truncated = message.transferLength < message.messageLength;
    // What was cut short cannot be checked, and what has not left the library need not be.
    if (this.#core.debugChecksum && !truncated && message.kind === RECV_EAGER) this.#verify(message);
    this.#core.complete(message, truncated ? STATUS_TRUNCATED : STATUS_SUCCESS);
    this.#core.retire(message);
  }

  /** The real library ends the program here (omx_recv.c:247-257); this one counts. */
  #verify(message: Request): void {
    const found = bufferChecksum(this.#core.memory, message, message.messageLength);
    if (found !== message.checksum) this.#core.counters.badChecksums++;
  }

  #count(type: number): void {
    const counters = this.#core.counters;
    if (type === EVENT_TINY) counters.receivedTiny++;
    else if (type === EVENT_SMALL) counters.receivedSmall++;
    else if (type === EVENT_RNDV) counters.receivedLarge++;
    else counters.receivedMedium++;
  }
}
