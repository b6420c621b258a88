import { assert } from "../../base/assert.ts";
import type { Processor } from "../../hw/processor.ts";
import * as stages from "../../metrics/stage.ts";
import * as contract from "../driver/contract.ts";
import * as status from "../status.ts";
import { bufferChecksum } from "./checksum.ts";
import type { LibraryCore } from "./core.ts";
import type { Request } from "./request.ts";
import * as requests from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { QUEUEING } = stages;
const { CMD_SEND_MEDIUM_FRAG, CMD_SEND_MEDIUM_VA, CMD_SEND_SMALL, CMD_SEND_TINY } = contract;
const { STATUS_SUCCESS } = status;
const { SEND_MEDIUM, SEND_MEDIUM_VA, SEND_TINY } = requests;

/**
 * Tiny, small and medium sends (omx_send.c:120-596). They are buffered: the payload is copied to the library's memory or
 * to the send queue, kept until it is acknowledged, and the program's request is done as soon as it is posted. Only
 * "mediumva" sends are read where the program has them, and done when they are acknowledged (:342-394).
 */
export class EagerSend {
  readonly #core: LibraryCore;
  /** By send-queue slot: next slot of the same message, its request, fragment number, completion outstanding. */
  #slotNext = new Int32Array(0);
  #slotRequest: (Request | null)[] = [];
  #slotFragment = new Uint8Array(0);
  #slotPending = new Uint8Array(0);
  #entries = 0;

  constructor(core: LibraryCore) {
    this.#core = core;
  }

  opened(entries: number): void {
    this.#entries = entries;
  }

  /** With the first medium message: a program that sends none needs no room for them. */
  #prepare(): void {
    const entries = this.#entries;
    this.#slotNext = new Int32Array(entries).fill(-1);
    this.#slotRequest = new Array<Request | null>(entries).fill(null);
    this.#slotFragment = new Uint8Array(entries);
    this.#slotPending = new Uint8Array(entries);
  }

  /** First transmission; false when slots or credits are missing. The sequence window is open. */
  post(cpu: Processor, request: Request): boolean {
    const core = this.#core;
    if (request.kind === SEND_MEDIUM) {
      if (!this.#takeSlots(request)) return false;
    } else if (request.kind === SEND_MEDIUM_VA) {
      if (core.credits === 0) return false;
      request.fragments = 1; // one completion for all of them
    } else if (request.length > 0) {
      request.bufferBytes = request.length;
      request.buffer = core.buffers.take(request.length);
      cpu.carry(request.journey, QUEUEING);
      core.gather(cpu, request, 0, request.buffer, request.length);
    }
    if (core.debugChecksum) request.checksum = bufferChecksum(core.memory, request, request.length);
    request.seq = core.takeSeq(request.partner!);
    request.active = true;
    request.needAck = true;
    request.resends = 0;
    core.handles.take(request);
    request.partner!.unacked.append(request.partnerLink);
    this.transmit(cpu, request, true);
    request.transferLength = request.messageLength;
    if (request.kind !== SEND_MEDIUM_VA) core.completeEarly(request, STATUS_SUCCESS);
    return true;
  }

  /** Whether the driver still has fragments of the last transmission. */
  isInHand(request: Request): boolean {
    return isMedium(request) && request.pendingFragments > 0;
  }

  /** Whether sending it again waits for event credits, of which every fragment needs one (omx_send.c:1461-1474). */
  lacksCredits(request: Request): boolean {
    return isMedium(request) && request.pendingFragments === 0 && this.#core.credits < request.fragments;
  }

  /** All of a message, the first time or again; then there are credits for its fragments. */
  transmit(cpu: Processor, request: Request, first: boolean): void {
    if (request.kind === SEND_MEDIUM) this.#transmitFragments(cpu, request, first);
    else if (request.kind === SEND_MEDIUM_VA) this.#transmitVectorial(cpu, request);
    else this.#transmitInline(cpu, request);
    cpu.putDown();
    this.#core.transmitted(cpu, request);
  }

  #transmitInline(cpu: Processor, request: Request): void {
    const core = this.#core;
    const kind = request.kind === SEND_TINY ? CMD_SEND_TINY : CMD_SEND_SMALL;
    const command = core.stamp(kind, request, request.partner!.trueSession);
    command.matchA = request.matchA;
    command.matchB = request.matchB;
    command.length = request.length;
    command.address = request.buffer;
    command.journey = core.takeJourney(cpu, request);
    core.driver.submit(cpu, command);
  }

  // ---- medium

  #takeSlots(request: Request): boolean {
    const core = this.#core;
    const fragments = Math.ceil(request.length / core.driver.info.limits.mediumFragmentBytes);
    const slots = core.sendSlots;
    if (core.credits < fragments || slots.capacity - slots.used < fragments) return false;
    if (this.#slotNext.length === 0) this.#prepare();
    let last = -1;
    for (let fragment = 0; fragment < fragments; fragment++) {
      const slot = slots.take();
      this.#slotRequest[slot] = request;
      this.#slotFragment[slot] = fragment;
      this.#slotNext[slot] = -1;
      if (last < 0) request.firstSlot = slot;
      else this.#slotNext[last] = slot;
      last = slot;
    }
    request.fragments = fragments;
    return true;
  }

  /** One command per fragment; each forks the message's journey, which waits behind the fragments before it. */
  #transmitFragments(cpu: Processor, request: Request, first: boolean): void {
    const core = this.#core;
    const { mediumFragmentBytes } = core.driver.info.limits;
    const journey = core.takeJourney(cpu, request);
    for (let slot = request.firstSlot; slot >= 0; slot = this.#slotNext[slot]) {
      cpu.carry(journey, QUEUEING);
      if (first) {
        const offset = this.#slotFragment[slot] * mediumFragmentBytes;
        const bytes = Math.min(mediumFragmentBytes, request.length - offset);
        core.gather(cpu, request, offset, core.queues.sendQueue.at(slot), bytes);
      }
      core.credits--;
      request.pendingFragments++;
      this.#slotPending[slot] = 1;
      const isLast = this.#slotNext[slot] < 0;
      this.#submitFragment(cpu, request, slot, isLast ? journey : cpu.journeys.fork(journey));
    }
  }

  #submitFragment(cpu: Processor, request: Request, slot: number, journey: number): void {
    const core = this.#core;
    const { slotBytes, mediumFragmentBytes } = core.driver.info.limits;
    const fragment = this.#slotFragment[slot];
    const command = core.stamp(CMD_SEND_MEDIUM_FRAG, request, request.partner!.trueSession);
    command.matchA = request.matchA;
    command.matchB = request.matchB;
    command.length = request.length;
    command.queueOffset = slot * slotBytes;
    command.fragment = fragment;
    command.fragmentLength = Math.min(mediumFragmentBytes, request.length - fragment * mediumFragmentBytes);
    command.cookie = slot;
    cpu.carry(journey, QUEUEING);
    command.journey = journey;
    core.driver.submit(cpu, command);
  }

  /** One command for all fragments, which the driver reads from the program's memory. */
  #transmitVectorial(cpu: Processor, request: Request): void {
    const core = this.#core;
    const command = core.stamp(CMD_SEND_MEDIUM_VA, request, request.partner!.trueSession);
    command.matchA = request.matchA;
    command.matchB = request.matchB;
    command.length = request.length;
    command.address = request.address;
    command.segments = request.segments;
    command.journey = core.takeJourney(cpu, request);
    core.credits--;
    request.pendingFragments++;
    core.driver.submit(cpu, command);
  }

  /** The driver could not take such a command: gives it once more, unless nobody needs it. */
  resubmitVectorial(cpu: Processor, cookie: number): void {
    const request = this.#core.handles.find(cookie);
    if (request === null || request.pendingFragments === 0) return;
    this.vectorialDone(cookie);
    if (request.needAck) {
      this.#transmitVectorial(cpu, request);
      cpu.putDown();
    }
  }

  /** The driver has sent, or will not send, all fragments. False when that was not waited for. */
  vectorialDone(cookie: number): boolean {
    const request = this.#core.handles.find(cookie);
    if (request === null || request.kind !== SEND_MEDIUM_VA || request.pendingFragments === 0) return false;
    this.#core.credits++;
    request.pendingFragments--;
    this.settle(request);
    return true;
  }

  /** The driver could not take a fragment: gives it once more, unless nobody needs it. */
  resubmitFragment(cpu: Processor, slot: number): void {
    const request = slot < this.#slotRequest.length ? this.#slotRequest[slot] : null;
    if (request === null || this.#slotPending[slot] === 0) return;
    if (!request.needAck) {
      this.fragmentDone(slot);
      return;
    }
    this.#submitFragment(cpu, request, slot, cpu.journeys.begin(request.postedPs));
    cpu.putDown();
  }

  /** The driver is through with a slot (MEDIUM_DONE): its event credit is back. False when it was not waited for. */
  fragmentDone(slot: number): boolean {
    const request = slot < this.#slotRequest.length ? this.#slotRequest[slot] : null;
    if (request === null || this.#slotPending[slot] === 0) return false;
    this.#slotPending[slot] = 0;
    this.#core.credits++;
    request.pendingFragments--;
    this.settle(request);
    return true;
  }

  /** An eager send that is acknowledged: ends and frees it, a medium one when no fragment is in the driver's hands. */
  settle(request: Request): void {
    if (request.needAck || request.pendingFragments > 0) return;
    this.#core.complete(request, request.result);
    for (let slot = request.firstSlot; slot >= 0;) {
      assert(this.#slotPending[slot] === 0, "send queue: a slot is freed while the driver reads it");
      const next = this.#slotNext[slot];
      this.#slotRequest[slot] = null;
      this.#core.sendSlots.give(slot);
      slot = next;
    }
    request.firstSlot = -1;
    this.#core.retire(request);
  }
}

function isMedium(request: Request): boolean {
  return request.kind === SEND_MEDIUM || request.kind === SEND_MEDIUM_VA;
}
