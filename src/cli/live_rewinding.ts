import { type EarlierInstant, type Instant, type Recording, type Replay } from "../cluster/recording.ts";
import { LiveView } from "../report/live.ts";
import { RateMemory } from "../report/rate_window.ts";
import { type Return, returnTo, type Seen } from "../report/seen.ts";
import type { DashboardRun, Rewinding } from "../tui/run.ts";
import { collectGarbage } from "./v8.ts";

function legsOf(rates: readonly Instant[], look: Instant | null, to: Instant): Instant[] {
  return [...rates, ...(look === null ? [] : [look]), to];
}

/** What a run that goes back needs besides the script of what was done to it. */
export interface RewindingParts {
  readonly replay: Replay;
  /** Where its view is to begin, and with what. */
  readonly back: Return;
  readonly to: Instant;
  /** All that was seen of the run. */
  readonly all: Seen;
  readonly meta: { readonly command: string; readonly version: string };
  /** The run that is there in the end. */
  made(recording: Recording, view: LiveView): DashboardRun;
}

/** First to where its view begins, then to where that has to look, then to the instant. */
export class LiveRewinding implements Rewinding {
  readonly #parts: RewindingParts;
  #to: Instant;
  /** What its view knows when it begins. */
  #seen: Seen;
  /** Instants still to go to, the next one first. */
  #legs: Instant[];
  #replay: Replay;
  /** Looks that are still to be made for the rates, before the view begins. */
  #rateLooks: number;
  #rates: RateMemory | null = null;
  #view: LiveView | null = null;

  constructor(parts: RewindingParts) {
    const { replay, back: { seen, rates, look }, to } = parts;
    this.#parts = parts;
    this.#replay = replay;
    this.#legs = legsOf(rates, look, to);
    this.#rateLooks = rates.length;
    this.#to = to;
    this.#seen = seen;
  }

  get progress(): number {
    return this.#to.atPs <= 0 ? 1 : Math.min(1, this.#replay.session.now / this.#to.atPs);
  }

  advance(maxEvents: number): DashboardRun | null {
    const there = this.#replay.advance(maxEvents);
    if (there === null) return null;
    if (this.#view !== null) this.#view.look();
    else {
      if (this.#rates === null) this.#rates = new RateMemory(there.session);
      else this.#rates.look();
      if (this.#rateLooks-- === 0) {
        this.#view = new LiveView(there.session, this.#parts.meta, this.#seen, this.#rates.window);
      }
    }
    const next = this.#legs.shift();
    if (next === undefined) return this.#parts.made(there, this.#view!);
    this.#replay = this.#replay.onwards(next);
    return null;
  }

  onTo(toPs: number, earlier: EarlierInstant = {}): void {
    this.#to = { ...earlier, atPs: toPs };
    const { session } = this.#replay;
    const { seen, start, rates, look } = returnTo(this.#parts.all, this.#to);
    const late = session.now > start.atPs;
    this.#seen = seen;
    this.#rates = this.#view = null;
    this.#rateLooks = late ? 0 : rates.length;
    this.#legs = late ? [this.#to] : legsOf(rates, look, this.#to);
    this.#replay = this.#replay.onwards(
      late ? { atPs: session.now, events: session.events, inputs: session.inputs } : start,
    );
  }

  release(): void {
    this.#replay.session.release();
    collectGarbage();
  }
}
