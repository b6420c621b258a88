import type { Session } from "../cluster/session.ts";
import { ClusterWindow } from "./cluster_window.ts";
import type { IntervalFigures } from "./interval_figures.ts";
import type { RunIdentity, SnapshotMeta } from "./take_snapshot.ts";

/** Is told of each interval, and whose it is; answers whether the session is to be left where it has ended. */
export type IntervalListener = (interval: IntervalFigures, run: RunIdentity) => boolean;

/**
 * Cuts the measured time of a run into intervals of equal virtual time, and tells of each when it is over. They end at
 * exact multiples of their length after the instant at which measuring begins, however the run is sliced; the last one
 * ends with the run. A changed cluster ends the interval that is under way, and begins with its own as it is measured.
 * Looking changes nothing in the run.
 */
export class Series {
  readonly #session: Session;
  readonly #intervalPs: number;
  readonly #meta: Pick<SnapshotMeta, "command" | "version">;
  readonly #tell: IntervalListener;
  /** Null before measuring has begun. */
  #window: ClusterWindow | null = null;
  /** Intervals of this cluster that have ended. */
  #count = 0;
  #generation: number;

  constructor(
    session: Session,
    intervalPs: number,
    meta: Pick<SnapshotMeta, "command" | "version">,
    tell: IntervalListener,
  ) {
    this.#meta = meta;
    this.#session = session;
    this.#intervalPs = intervalPs;
    this.#tell = tell;
    this.#generation = session.generation;
    session.stopsAtChange = true;
  }

  /** As {@link Session.advance}; `driver` moves the session, where that is not its own affair. */
  advance(driver: Pick<Session, "advance">, until: number, maxEvents = Infinity): boolean {
    const session = this.#session;
    const limit = session.events + maxEvents;
    for (;;) {
      const end = this.#nextPs;
      const reached = driver.advance(Math.min(until, end), limit - session.events);
      let isHeld = false;
      if (session.generation !== this.#generation) isHeld = this.#changed();
      else if (reached && session.now === end) isHeld = this.#at(end);
      else return reached;
      if (session.finished || end === until) return reached;
      if (isHeld || session.events >= limit) return false;
    }
  }

  /**
   * The run is over, or was stopped: so is the interval that is under way. One that was stopped always ends with an
   * interval that says so, if need be with one of no length: a table has no other place for it.
   */
  finish(partial: boolean): void {
    const { baseline, measuredPs, generation } = this.#session;
    if (generation !== this.#generation) this.#changed();
    const toPs = baseline.at + measuredPs;
    if (this.#window === null || (toPs <= this.#window.fromPs && !partial)) return;
    this.#session.settle();
    this.#end(this.#window, toPs, partial);
  }

  /** Where the session has to be stopped next, picoseconds. */
  get #nextPs(): number {
    const { measuringPs } = this.#session;
    return this.#window === null ? measuringPs : measuringPs + (this.#count + 1) * this.#intervalPs;
  }

  #at(toPs: number): boolean {
    if (this.#window === null) {
      this.#window = new ClusterWindow(this.#session, this.#meta);
      return false;
    }
    this.#session.settle();
    this.#count++;
    const isHeld = this.#end(this.#window, toPs, false);
    this.#window.goOn();
    return isHeld;
  }

  /** Another cluster has begun at this instant: of the one before, the accounts are settled. */
  #changed(): boolean {
    const { startPs, generation } = this.#session;
    const window = this.#window;
    const isHeld = window !== null && startPs > window.fromPs && this.#end(window, startPs, false);
    this.#window = null;
    this.#count = 0;
    this.#generation = generation;
    return isHeld;
  }

  #end(window: ClusterWindow, toPs: number, partial: boolean): boolean {
    const { from_ns, to_ns, measured_ns, ...figures } = window.end(toPs);
    const { fingerprint } = this.#session;
    const cluster = this.#generation === 0 ? {} : { cluster: this.#generation };
    return this.#tell({ from_ns, to_ns, measured_ns, fingerprint, partial, ...cluster, ...figures }, window.run);
  }
}
