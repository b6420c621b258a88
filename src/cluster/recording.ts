import { assert } from "../base/assert.ts";
import type { Input, InputRecord } from "./input.ts";
import type { Session } from "./session.ts";

/** What comes earlier in a run than some virtual time. */
export interface EarlierInstant {
  /** So many events of the run have come. */
  readonly events?: number;
  /** So many messages are complete. */
  readonly messages?: number;
  /** So many inputs were done: of those that came at one instant, no more. */
  readonly inputs?: number;
}

/** A place in a run: the first of these that it comes to. */
export interface Instant extends EarlierInstant {
  /** Virtual time, picoseconds: all events up to it have come. */
  readonly atPs: number;
}

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

  /**
   * Begins to make the run again, up to `toPs` or to what comes `earlier` in the run; this one stays as it is. What was
   * done at that very instant is done again.
   */
  rewind(toPs: number, earlier: EarlierInstant = {}): Promise<Replay> {
    return replay(this.script, { ...earlier, atPs: toPs });
  }

  /** Enough to make the run again: it holds on to nothing of the session. */
  get script(): Script {
    return { make: this.#make, inputs: this.#inputs };
  }
}

/** How a run is made: the same script gives the same run. */
export interface Script {
  readonly make: SessionMaker;
  readonly inputs: readonly InputRecord[];
}

/** Begins to run a script, up to an instant. */
export async function replay({ make, inputs }: Script, to: Instant): Promise<Replay> {
  return new Replay(await make(), inputs, to, make);
}

/** A run on its way to where another one has been. */
export class Replay {
  readonly session: Session;
  /** Everything that was done to the other one, also later. */
  readonly #all: readonly InputRecord[];
  readonly #inputs: readonly InputRecord[];
  readonly #to: Instant;
  readonly #make: SessionMaker;
  /** Inputs done so far. */
  #done: number;

  constructor(session: Session, inputs: readonly InputRecord[], to: Instant, make: SessionMaker, done = 0) {
    const { atPs, events = Infinity } = to;
    this.session = session;
    this.#all = inputs;
    this.#inputs = inputs.filter((input, i) =>
      input.atPs <= atPs && input.events <= events && i < (to.inputs ?? Infinity)
    );
    this.#to = to;
    this.#make = make;
    this.#done = done;
  }

  /** The same run on its way to a later instant; it has to be where it was going to first. */
  onwards(to: Instant): Replay {
    return new Replay(this.session, this.#all, to, this.#make, this.#done);
  }

  /** Runs at most `maxEvents` events; the recording when it is there, null before. */
  advance(maxEvents: number): Recording | null {
    const { session } = this;
    const { messages = Infinity } = this.#to;
    const limit = session.events + maxEvents;
    for (;;) {
      const next: InputRecord | undefined = this.#inputs[this.#done];
      const { atPs, events = Infinity } = next ?? this.#to;
      const left = Math.min(events, limit) - session.events;
      const reached = session.advanceToMessage(messages, atPs, left);
      if (session.messages >= messages) return this.#there();
      if (next === undefined) return reached || session.events >= events ? this.#there() : null;
      if (session.events < events) return null;
      assert(session.events === events && session.now === atPs, "replay: an input finds the run where it was");
      const problem = session.apply(next.input);
      assert(problem === null, `replay: an input does again what it did: ${problem}`);
      this.#done++;
    }
  }

  #there(): Recording {
    return new Recording(this.session, this.#make, this.#inputs.slice(0, this.#done));
  }
}
