import * as units from "../base/units.ts";
import type { Wait } from "../hw/thread.ts";
import type { MxEndpoint, MxRequest, WaitOptions } from "../mx/api.ts";
import * as status from "../mx/status.ts";
import { type ProcessContext, RankFailed } from "./workload.ts";

// Taken here because of the compiler: it knows the constants of this file, but reads and checks another's each time.
const { MS } = units;
const { mxStrStatus, STATUS_SUCCESS } = status;

/**
 * Between the last of both being ready and the first connect, picoseconds: what the dead have left on the way, and
 * refusals of what was sent to them, has arrived by then. A refusal names endpoint and sequence number, not a session
 * (reference, NACK_LIB), so that one for the dead can hit who comes after them.
 */
const QUIET = 20 * MS;

/** How often who waits for its partner to come back looks whether the run is over, picoseconds. */
const LOOK = MS;

/** A partner's process has died: what was agreed with it is void. */
export class PartnerDied extends Error {
  override name = "PartnerDied";
}

/**
 * Ranks that work together though their processes may die: a pair, or a group whose members each name all others. MX
 * tells nobody of a death by itself: sends to the dead are refused or stay unanswered, and who waits for a message waits
 * for ever. So whoever has started the ranks tells them. Then all begin anew, with endpoints and sessions of their own
 * that are fresh, and none connects before the others have them: otherwise one would give up what another has just set
 * up.
 */
export class Meeting {
  readonly #context: ProcessContext;
  readonly #partners: readonly number[];
  /** Deaths of all members that this meeting is later than. */
  #known: number;
  /** Deaths of everybody when those were last counted, and no member's was among the new ones. */
  #looked: number;
  /** A partner has ended before this rank could connect to it. */
  #isGone = false;

  constructor(context: ProcessContext, partners: readonly number[]) {
    this.#context = context;
    this.#partners = partners;
    this.#known = this.#deaths();
    this.#looked = context.deaths();
  }

  #deaths(): number {
    const context = this.#context;
    let deaths = context.deathsOf(context.rank);
    for (let i = 0; i < this.#partners.length; i++) deaths += context.deathsOf(this.#partners[i]);
    return deaths;
  }

  get #hasLost(): boolean {
    return this.#partners.some((partner) => this.#context.announcedBy(partner) === Infinity);
  }

  get #isComplete(): boolean {
    return this.#partners.every((partner) => this.#context.announcedBy(partner) === this.#known);
  }

  /** Somebody has died: this is not the first meeting. */
  get isAgain(): boolean {
    return this.#known > 0;
  }

  /** Throws {@link PartnerDied} when that has happened since the meeting has begun. */
  check(): void {
    if (this.#hasChanged()) throw new PartnerDied();
  }

  /** Looked at several times for each message: with hundreds of partners only after a death, of whomever. */
  #hasChanged(): boolean {
    const all = this.#context.deaths();
    if (all === this.#looked) return false;
    if (this.#deaths() !== this.#known) return true;
    this.#looked = all;
    return false;
  }

  /** The same while connecting, when a partner that has ended will not come any more either. */
  checkConnecting(): void {
    this.check();
    if (!this.#hasLost) return;
    this.#isGone = true;
    throw new PartnerDied();
  }

  /**
   * With fresh endpoints: waits until all partners have them too. False when one will not come any more. The end of the
   * run changes nothing: a partner that lives has to be told that there will be no more messages.
   */
  *begin(endpoints: readonly MxEndpoint[]): Generator<Wait, boolean> {
    const context = this.#context;
    this.#known = this.#deaths();
    if (this.#isGone) return false;
    if (this.#known === 0) return true;
    context.announce(this.#known);
    while (!this.#isComplete) {
      this.check();
      if (this.#hasLost) return false;
      yield* endpoints[0].waitAmong(endpoints, null, { mode: "block", timeoutPs: LOOK });
    }
    for (const until = context.now() + QUIET; context.now() < until;) {
      this.check();
      yield* endpoints[0].waitAmong(endpoints, null, { mode: "block", timeoutPs: LOOK });
    }
    return true;
  }

  /**
   * To be asked of every message that is done, to or from the only partner unless said otherwise. Throws
   * {@link PartnerDied}, or {@link RankFailed} when MX has given it up: after so many resends (OMX_RESENDS_MAX) or
   * requests for a part of it without an answer.
   */
  checkOutcome(request: MxRequest, what: "send" | "receive", partner: number = this.#partners[0]): void {
    if (request.code === STATUS_SUCCESS) return;
    this.check();
    const direction = what === "send" ? "to" : "from";
    throw new RankFailed(`MX has given up a message ${direction} rank ${partner}: ${mxStrStatus(request.code)}`);
  }

  /** Waits for a request; throws {@link PartnerDied}. */
  *wait(endpoint: MxEndpoint, request: MxRequest, options: WaitOptions): Generator<Wait, void> {
    do this.check(); while (!(yield* endpoint.wait(request, options)));
  }

  /** Flushes an endpoint, unless nobody is there to answer. */
  *flush(endpoint: MxEndpoint, options: WaitOptions): Generator<Wait, void> {
    while (!this.#hasChanged()) {
      yield* endpoint.flush(options);
      if (endpoint.occupancy().unacked === 0) return;
    }
  }
}
