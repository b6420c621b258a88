import type { Processor } from "../../hw/processor.ts";
import * as contract from "../driver/contract.ts";
import * as journeys from "../../metrics/journey.ts";
import * as limits from "../limits.ts";
import type { LibraryCore } from "./core.ts";
import type { EagerSend } from "./eager.ts";
import type { Large } from "./large.ts";
import type { Reliability } from "./reliability.ts";
import type { Request } from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const {
  CMD_CREATE_REGION,
  CMD_DESTROY_REGION,
  CMD_PULL,
  CMD_SEND_LIBACK,
  CMD_SEND_MEDIUM_FRAG,
  CMD_SEND_MEDIUM_VA,
  CMD_SEND_NOTIFY,
  CMD_SEND_RNDV,
  CMD_SEND_SMALL,
  CMD_SEND_TINY,
  PULL_ABORTED,
  RESULT_INVALID,
  RESULT_NO_RESOURCES,
  RESULT_OK,
} = contract;
const { NO_JOURNEY } = journeys;
const { RESEND_DELAY_PS } = limits;

/**
 * Results of commands. A result may come in the middle of anything, `submit` included, so it is noted and handled at
 * the next {@link goOn}. What the driver refused for want of resources is given again, once in every round.
 *
 * Noted and refused commands are kept as numbers: kind, cookie and result, one after another.
 */
export class Commands {
  readonly #core: LibraryCore;
  readonly #eager: EagerSend;
  readonly #large: Large;
  readonly #reliability: Reliability;
  readonly #noted: number[] = [];
  #next = 0;
  #refused: number[] = [];
  #again: number[] = [];
  /** When refused commands are given again at the latest, picoseconds; Infinity when there are none. */
  retryAt = Infinity;

  constructor(core: LibraryCore, eager: EagerSend, large: Large, reliability: Reliability) {
    this.#core = core;
    this.#eager = eager;
    this.#large = large;
    this.#reliability = reliability;
  }

  get pending(): boolean {
    return this.#next < this.#noted.length;
  }

  /** Results to be handled, or commands to be given again. */
  get hasAny(): boolean {
    return this.#next < this.#noted.length || this.#refused.length > 0;
  }

  /** The driver's answer. Most commands need nothing after success. */
  done(kind: number, cookie: number, result: number): void {
    const followed = kind === CMD_CREATE_REGION || kind === CMD_DESTROY_REGION || kind === CMD_PULL ||
      kind === CMD_SEND_NOTIFY;
    if (result !== RESULT_OK || followed) this.#noted.push(kind, cookie, result);
  }

  goOn(cpu: Processor): void {
    if (!this.pending) return;
    while (this.#next < this.#noted.length) {
      const at = this.#next;
      this.#next += 3;
      this.#handle(cpu, this.#noted[at], this.#noted[at + 1], this.#noted[at + 2]);
    }
    while (this.#noted.length > 0) this.#noted.pop(); // setting the length would throw the array's room away
    this.#next = 0;
  }

  /** Gives every refused command once more. */
  retryRefused(cpu: Processor): void {
    if (this.#refused.length === 0) return;
    const again = this.#refused;
    this.#refused = this.#again;
    this.#again = again;
    this.retryAt = Infinity;
    for (let i = 0; i < again.length; i += 2) this.#repeat(cpu, again[i], again[i + 1]);
    again.length = 0;
  }

  /** Forgets everything: the endpoint is closed. */
  clear(): void {
    this.#noted.length = this.#next = 0;
    this.#refused.length = 0;
    this.retryAt = Infinity;
  }

  #handle(cpu: Processor, kind: number, cookie: number, result: number): void {
    if (result === RESULT_NO_RESOURCES) {
      this.#core.counters.refused++;
      this.#refused.push(kind, cookie);
      // Whatever makes room wakes the endpoint; this is for when nothing does.
      this.retryAt = Math.min(this.retryAt, cpu.now + RESEND_DELAY_PS);
      return;
    }
    if (result === RESULT_INVALID) this.#core.counters.invalid++;
    if (kind === CMD_DESTROY_REGION) {
      this.#large.regionDestroyed(cpu, cookie);
      return;
    }
    if (kind === CMD_SEND_MEDIUM_FRAG) {
      // Invalid: the driver will not complete it, and sending again is up to the resend timer.
      this.#eager.fragmentDone(cookie);
      return;
    }
    if (kind === CMD_SEND_MEDIUM_VA) {
      this.#eager.vectorialDone(cookie);
      return;
    }
    if (kind === CMD_SEND_LIBACK) return;
    const request = this.#core.handles.find(cookie);
    if (request !== null) this.#follow(cpu, kind, request, result === RESULT_OK);
    else if (kind === CMD_PULL && result !== RESULT_OK) this.#core.credits++; // no event will bring it back
  }

  #follow(cpu: Processor, kind: number, request: Request, valid: boolean): void {
    if (kind === CMD_CREATE_REGION) this.#large.regionReady(cpu, request, valid);
    else if (kind === CMD_SEND_NOTIFY) this.#large.notifyPosted(cpu, request);
    else if (kind === CMD_PULL) {
      this.#large.pullAccepted(cpu, request);
      if (!valid) this.#large.pullDone(cpu, request, PULL_ABORTED, NO_JOURNEY);
    }
  }

  #repeat(cpu: Processor, kind: number, cookie: number): void {
    if (kind === CMD_DESTROY_REGION) this.#large.regions.destroy(cpu, cookie);
    else if (kind === CMD_SEND_MEDIUM_FRAG) this.#eager.resubmitFragment(cpu, cookie);
    else if (kind === CMD_SEND_MEDIUM_VA) this.#eager.resubmitVectorial(cpu, cookie);
    else if (kind === CMD_SEND_LIBACK) this.#repeatAck(cookie);
    else {
      const request = this.#core.handles.find(cookie);
      if (request === null) {
        if (kind === CMD_PULL) this.#core.credits++;
        return;
      }
      if (kind === CMD_CREATE_REGION) this.#large.regions.create(cpu, request);
      else if (kind === CMD_PULL) this.#large.submitPull(cpu, request);
      else if (kind === CMD_SEND_NOTIFY && request.needAck) this.#large.transmitNotify(cpu, request);
      else if (kind === CMD_SEND_RNDV && request.needAck) this.#large.transmitRndv(cpu, request);
      else if ((kind === CMD_SEND_TINY || kind === CMD_SEND_SMALL) && request.needAck) {
        this.#eager.transmit(cpu, request, false);
      }
    }
  }

  #repeatAck(cookie: number): void {
    const partner = this.#core.partners.find(Math.floor(cookie / 256), cookie % 256);
    if (partner !== null && partner.isConnected) this.#reliability.oweNow(partner);
  }
}
