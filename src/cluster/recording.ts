import { assert } from "../base/assert.ts";
import type { Input, InputRecord } from "./input.ts";
import type { Session } from "./session.ts";

/** Builds the session of a recording anew, with nothing done to it. */
export type SessionMaker = () => Session | Promise<Session>;

/**
 * A run that remembers what was done to it. It can be made again up to any instant that it has passed: exactly, because
 * the same scenario, seed and inputs give the same events.
 */
export class Recording {
  readonly session: Session;
  readonly #inputs: InputRecord[];
  readonly #make: SessionMaker;

  constructor(session: Session, make: SessionMaker, inputs: readonly InputRecord[] = []) {
    this.session = session;
    this.#make = make;
    this.#inputs = [...inputs];
  }

  /** What was done so far, in order. */
  get inputs(): readonly InputRecord[] {
    return this.#inputs;
  }

  /** Does something to the world now, and notes it. Returns null, or why it cannot be done: then nothing has changed. */
  apply(input: Input): string | null {
    if (this.session.finished) return "the run is over";
    const record = { atPs: this.session.now, events: this.session.events, input };
    const problem = this.session.apply(input);
    if (problem === null) this.#inputs.push(record);
    return problem;
  }

  /** Begins to make the run again, up to `toPs`; this one stays as it is. */
  async rewind(toPs: number): Promise<Replay> {
    const inputs = this.#inputs.filter(({ atPs }) => atPs <= toPs);
    return new Replay(await this.#make(), inputs, toPs, this.#make);
  }
}

/** A run on its way to where another one has been. */
export class Replay {
  readonly session: Session;
  readonly #inputs: readonly InputRecord[];
  readonly #toPs: number;
  readonly #make: SessionMaker;
  #done = 0;

  constructor(session: Session, inputs: readonly InputRecord[], toPs: number, make: SessionMaker) {
    this.session = session;
    this.#inputs = inputs;
    this.#toPs = toPs;
    this.#make = make;
  }

  /** How much of the way is done, by virtual time, 0 to 1. */
  get progress(): number {
    return this.#toPs <= 0 ? 1 : Math.min(1, this.session.now / this.#toPs);
  }

  /** Runs at most `maxEvents` events; the recording when it is there, null before. */
  advance(maxEvents: number): Recording | null {
    const { session } = this;
    const before = session.events;
    for (;;) {
      const left = maxEvents - (session.events - before);
      const next = this.#inputs[this.#done];
      if (next === undefined) {
        const reached = session.advance(this.#toPs, left);
        return reached ? new Recording(session, this.#make, this.#inputs) : null;
      }
      session.advance(next.atPs, Math.min(left, next.events - session.events));
      if (session.events < next.events) return null;
      assert(
        session.events === next.events && session.now === next.atPs,
        "replay: an input finds the run where it was",
      );
      const problem = session.apply(next.input);
      assert(problem === null, `replay: an input does again what it did: ${problem}`);
      this.#done++;
    }
  }
}
