import { assert } from "../../base/assert.ts";
import type { Snapshot } from "../../report/snapshot.ts";
import type { StopSignals } from "../stop_signals.ts";
import { type Job, perform, STOPPED, type Tell } from "./job.ts";
import { type Answer, type Order, toError } from "./messages.ts";

/** What a pool wants to know of signals. */
export type PoolSignals = Pick<StopSignals, "exitCode" | "whenStopped">;

/** Does one job at a time, and says what came of it. */
interface Hand {
  do(job: Job, tell: Tell): Promise<Snapshot | null>;
  stop(): void;
  close(): void;
}

interface Waiting {
  readonly job: Job;
  readonly tell: Tell;
  readonly resolve: (snapshot: Snapshot | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Jobs over several cores: each is one run, on one Worker. What a job comes to does not depend on how many there are;
 * with one, jobs run in the main thread, and no Worker is started. When a signal asks to stop, jobs that run end with
 * what they have, and those that wait are not begun.
 */
export class JobPool {
  /** Jobs that may run at the same time. */
  readonly size: number;
  readonly #signals: PoolSignals;
  readonly #idle: Hand[];
  readonly #hands: readonly Hand[];
  #waiting: Waiting[] = [];
  #stopped = false;

  constructor(size: number, signals: PoolSignals) {
    assert(size >= 1, "a pool has room for one job at least");
    this.size = size;
    this.#signals = signals;
    this.#hands = Array.from({ length: size }, () => size === 1 ? new OwnHand(signals) : new WorkerHand());
    this.#idle = [...this.#hands];
    signals.whenStopped(() => this.stop());
  }

  /** A signal came, or {@link stop} did: nothing is begun any more. */
  get stopped(): boolean {
    return this.#stopped || this.#signals.exitCode !== null;
  }

  /** As a signal does it: what runs ends with what it has, and what waits is not begun. */
  stop(): void {
    this.#stopped = true;
    for (const hand of this.#hands) hand.stop();
    for (const { resolve } of this.#waiting.splice(0)) resolve(null);
  }

  /**
   * The result of a job, in its turn; partial when a signal came meanwhile, null when one came before anything of it was
   * done. Rejects with what the job threw.
   */
  run(job: Job, tell: Tell = () => {}): Promise<Snapshot | null> {
    if (this.stopped) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, tell, resolve, reject });
      this.#next();
    });
  }

  /** Ends all Workers, whatever they are doing. */
  close(): void {
    for (const hand of this.#hands) hand.close();
  }

  #next(): void {
    if (this.#idle.length === 0) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    const hand = this.#idle.shift()!;
    const over = () => {
      this.#idle.push(hand);
      this.#next();
    };
    hand.do(waiting.job, waiting.tell).finally(over).then(waiting.resolve, waiting.reject);
  }
}

/** The main thread. */
class OwnHand implements Hand {
  readonly #signals: PoolSignals;
  #stopped = false;

  constructor(signals: PoolSignals) {
    this.#signals = signals;
  }

  do(job: Job, tell: Tell): Promise<Snapshot | null> {
    return perform(job, this, tell);
  }

  /** What its job looks at, in place of a signal's. */
  get exitCode(): number | null {
    return this.#stopped ? STOPPED : this.#signals.exitCode;
  }

  stop(): void {
    this.#stopped = true;
  }

  close(): void {}
}

/** A Worker, started with its first job. */
class WorkerHand implements Hand {
  #worker: Worker | null = null;
  #stopped = false;

  do(job: Job, tell: Tell): Promise<Snapshot | null> {
    const worker = this.#worker ??= new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if (data.kind === "at") tell(data.nowPs, data.endPs);
        else if (data.kind === "done") resolve(data.snapshot);
        else reject(toError(data.failure));
      };
      // What no job has caught: the Worker did not load, or ran out of memory.
      worker.onerror = (event) => {
        event.preventDefault();
        this.close();
        reject(new Error(`a Worker failed: ${event.message}`));
      };
      this.#send({ kind: "do", job });
      if (this.#stopped) this.#send({ kind: "stop" });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#send({ kind: "stop" });
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #send(order: Order): void {
    this.#worker?.postMessage(order);
  }
}
