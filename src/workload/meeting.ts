import { MS } from "../base/units.ts";
import type { Wait } from "../hw/thread.ts";
import type { MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import type { ProcessContext } from "./workload.ts";

/** How often who waits for its partner to come back looks whether the run is over, picoseconds. */
const LOOK = MS;

/** The partner's process has died: what was agreed with it is void. */
export class PartnerDied extends Error {
  override name = "PartnerDied";
}

/**
 * Two ranks that work together though their processes may die. MX tells nobody of a death by itself: sends to the dead
 * are refused or stay unanswered, and who waits for a message waits for ever. So whoever has started the ranks tells
 * them. Then both begin anew, with endpoints and sessions of their own that are fresh, and neither connects before the
 * other has them: otherwise one would give up what the other has just set up.
 */
export class Meeting {
  readonly #context: ProcessContext;
  readonly #partner: number;
  /** Deaths of both that this meeting is later than. */
  #known: number;

  constructor(context: ProcessContext, partner: number) {
    this.#context = context;
    this.#partner = partner;
    this.#known = this.#deaths;
  }

  get #deaths(): number {
    return this.#context.deathsOf(this.#context.rank) + this.#context.deathsOf(this.#partner);
  }

  /** Somebody has died: this is not the first meeting. */
  get isAgain(): boolean {
    return this.#known > 0;
  }

  /** Throws {@link PartnerDied} when that has happened since the meeting has begun. */
  check(): void {
    if (this.#deaths !== this.#known) throw new PartnerDied();
  }

  /** With fresh endpoints: waits until the partner has them too. False when it will not come any more. */
  *begin(endpoints: readonly MxEndpoint[]): Generator<Wait, boolean> {
    const context = this.#context;
    this.#known = this.#deaths;
    if (this.#known === 0) return true;
    context.announce(this.#known);
    while (context.announcedBy(this.#partner) !== this.#known) {
      this.check();
      if (context.stopping() || context.announcedBy(this.#partner) === Infinity) return false;
      yield* endpoints[0].waitAmong(endpoints, null, { mode: "block", timeoutPs: LOOK });
    }
    return true;
  }

  /** Waits for a request; throws {@link PartnerDied}. */
  *wait(endpoint: MxEndpoint, request: MxRequest, options: WaitOptions): Generator<Wait, void> {
    do this.check(); while (!(yield* endpoint.wait(request, options)));
  }

  /** Flushes an endpoint, unless nobody is there to answer. */
  *flush(endpoint: MxEndpoint, options: WaitOptions): Generator<Wait, void> {
    while (this.#deaths === this.#known) {
      yield* endpoint.flush(options);
      if (endpoint.occupancy().unacked === 0) return;
    }
  }
}
