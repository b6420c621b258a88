import { assert } from "../../base/assert.ts";
import type { Processor } from "../../hw/processor.ts";
import type { LibraryCore } from "./core.ts";
import type { EagerSend } from "./eager.ts";
import type { Large } from "./large.ts";
import type { Partner } from "./partner.ts";
import type { Request } from "./request.ts";
import * as requests from "./request.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { RECV_LARGE, SEND_LARGE, SEND_MEDIUM, SEND_MEDIUM_VA, SEND_SMALL, SEND_TINY } = requests;

/**
 * When a request is posted: at once, when the partner's sequence window has room again (throttled, per partner), or
 * when resources are there (delayed, one queue for the endpoint, first in, first out, omx_send.c:184,323,693,852).
 *
 * Sequences are taken at posting, so a partner's sends must be posted in order: its throttled sends are older than its
 * delayed ones, and a new send goes behind whatever of the two exists.
 */
export class Submission {
  readonly #core: LibraryCore;
  readonly #eager: EagerSend;
  readonly #large: Large;
  /** Lets what a post has begun go as far as it can, so that the next post comes behind it on the wire too. */
  readonly #goOn: (cpu: Processor) => void;

  constructor(core: LibraryCore, eager: EagerSend, large: Large, goOn: (cpu: Processor) => void) {
    this.#core = core;
    this.#eager = eager;
    this.#large = large;
    this.#goOn = goOn;
  }

  /** Takes a new send: posts it or queues it. Carries its journey, which stays with it while it waits. */
  send(cpu: Processor, request: Request): void {
    const partner = request.partner!;
    const behindThrottled = partner.throttled.size > 0;
    if (partner.delayedSends > 0 || (!behindThrottled && this.#core.delayed.size > 0)) this.#delay(request);
    else if (behindThrottled || partner.windowFull) this.#throttle(request);
    else if (!this.#post(cpu, request)) this.#delay(request);
    cpu.putDown();
  }

  /** Tries again what waits, oldest first. */
  retry(cpu: Processor): void {
    const core = this.#core;
    for (let left = core.open.size; left > 0; left--) this.#release(cpu, core.open.shift()!);
    while (core.delayed.first !== null) {
      const request = core.delayed.first.of;
      const partner = request.partner!;
      if (request.isSend) {
        if (partner.throttled.size > 0 || partner.windowFull) {
          this.#leaveDelayed(request);
          this.#throttle(request);
          continue;
        }
        core.delayed.remove(request.stateLink);
        if (!this.#post(cpu, request)) {
          core.delayed.prepend(request.stateLink);
          return;
        }
        partner.delayedSends--;
      } else {
        core.delayed.remove(request.stateLink);
        if (request.notifying) {
          if (!this.#large.postNotify(cpu, request)) this.#throttleNotify(request);
        } else if (!this.#large.postPull(cpu, request)) {
          core.delayed.prepend(request.stateLink);
          return;
        }
      }
      this.#goOn(cpu);
    }
  }

  /** Takes a request that waits off its queue; false when it does not wait. For requests that are given up. */
  forget(request: Request): void {
    if (request.stateLink.list !== this.#core.delayed) return;
    if (request.isSend) this.#leaveDelayed(request);
    else request.stateLink.unlink();
  }

  /** Throttled sends of a partner whose window has opened. */
  #release(cpu: Processor, partner: Partner): void {
    while (partner.throttled.first !== null && !partner.windowFull) {
      const request = partner.throttled.first.of;
      partner.throttled.remove(request.partnerLink);
      const posted = request.kind === RECV_LARGE ? this.#large.postNotify(cpu, request) : this.#post(cpu, request);
      if (!posted) {
        // Short of resources: it stays the partner's oldest, and is tried in every round.
        partner.throttled.prepend(request.partnerLink);
        this.#core.open.append(partner.openLink);
        return;
      }
      this.#goOn(cpu);
    }
  }

  #post(cpu: Processor, request: Request): boolean {
    const counters = this.#core.counters;
    switch (request.kind) {
      case SEND_TINY:
      case SEND_SMALL:
      case SEND_MEDIUM:
      case SEND_MEDIUM_VA: {
        const kind = request.kind;
        if (!this.#eager.post(cpu, request)) return false;
        if (kind === SEND_TINY) counters.sentTiny++;
        else if (kind === SEND_SMALL) counters.sentSmall++;
        else counters.sentMedium++;
        return true;
      }
      case SEND_LARGE:
        if (!this.#large.postSend(cpu, request)) return false;
        counters.sentLarge++;
        return true;
    }
    assert(false, "submission: only sends are posted here");
  }

  #delay(request: Request): void {
    this.#core.counters.delayed++;
    request.partner!.delayedSends++;
    this.#core.delayed.append(request.stateLink);
  }

  #leaveDelayed(request: Request): void {
    request.stateLink.unlink();
    request.partner!.delayedSends--;
  }

  #throttle(request: Request): void {
    this.#core.counters.throttled++;
    request.partner!.throttled.append(request.partnerLink);
  }

  #throttleNotify(request: Request): void {
    request.partnerLink.unlink();
    request.partner!.throttled.prepend(request.partnerLink);
  }
}
