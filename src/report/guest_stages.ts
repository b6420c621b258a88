import type { Session } from "../cluster/session.ts";
import type { JourneyWatch } from "../metrics/journey.ts";
import { STAGES } from "../metrics/stage.ts";
import { partnerName } from "./peers.ts";
import { rounded } from "./round.ts";
import type { GuestStageFigures } from "./live_snapshot.ts";

/**
 * Where the messages of one guest spend their time, those that it receives and those that others receive from it, from
 * now on. It watches the journeys of a run until it is told to stop; one guest is watched at a time.
 */
export class GuestStages implements JourneyWatch {
  readonly guest: string;
  readonly #session: Session;
  readonly #journeys: Session["cluster"]["world"]["journeys"];
  readonly #sums = new Float64Array(STAGES.length);
  readonly #fromPs: number;
  #messages = 0;
  /** Libraries and partners that were met: whether they are this guest. */
  readonly #known = new Map<object, boolean>();

  constructor(session: Session, guest: string) {
    this.guest = guest;
    this.#session = session;
    this.#fromPs = session.now;
    this.#journeys = session.cluster.world.journeys;
    this.#journeys.watch = this;
  }

  stop(): void {
    if (this.#journeys.watch === this) this.#journeys.watch = null;
  }

  completed(by: object, from: object | null, stagePs: Float64Array): void {
    if (!this.#isOwn(by) && (from === null || !this.#isOwnPartner(from, by))) return;
    this.#messages++;
    for (let stage = 0; stage < stagePs.length; stage++) this.#sums[stage] += stagePs[stage];
  }

  figures(): GuestStageFigures {
    const us = (ps: number) => rounded(ps / this.#messages / 1e6);
    return {
      guest: this.guest,
      from_ns: this.#fromPs / 1000,
      messages: this.#messages,
      stages: STAGES.map((stage, i) => ({ stage, us: us(this.#sums[i]) })).filter(({ us }) => us > 0),
    };
  }

  /** Whether a library is this guest's. A process that is booted again has another one. */
  #isOwn(library: object): boolean {
    let own = this.#known.get(library);
    if (own === undefined) {
      const guest = this.#session.cluster.guests.find(({ spec }) => spec.name === this.guest);
      own = guest?.mx?.endpoints.some((endpoint) => endpoint.library.core === library) ?? false;
      this.#known.set(library, own);
    }
    return own;
  }

  /** Whether a partner of another guest's library is this guest. */
  #isOwnPartner(partner: object, library: object): boolean {
    let own = this.#known.get(partner);
    if (own === undefined) {
      own = partnerName(this.#session, library, partner) === this.guest;
      this.#known.set(partner, own);
    }
    return own;
  }
}
