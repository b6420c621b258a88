import { HYP } from "../metrics/stage.ts";
import type { TraceTrack } from "../sim/trace.ts";
import type { Engine } from "../sim/engine.ts";
import { CHARGED, FOREIGN, IDLE_SINCE, PHYSICAL_RECORD, POLLED, SPENT } from "./cpu_records.ts";
import { type Records, recordsOf } from "./records.ts";

/** Who a physical CPU works for: the host's own kernel, the driver domain, or a guest. */
export const OWNERS = ["host", "dom0", "guest"] as const;
export const OWNER_HOST = 0;
export const OWNER_DOM0 = 1;
export const OWNER_GUEST = 2;

/** A CPU of a host. What runs on it is a `Processor`: a kernel's own view of one CPU. */
export class PhysicalCpu {
  readonly index: number;
  /** Where what is counted of it is in the records of all CPUs. */
  readonly record: number;
  readonly #records: Records;
  /** Who has this CPU, where a scheduler gives it to processors in turn; null when nobody looks. */
  track: TraceTrack | null = null;
  // The latest time in the hypervisor: what of it is not in the accounts yet.
  // Numbers from their declaration on, as every field that holds instants: one that was undefined first is a reference to
  // the compiler for good, and each instant that is written there is allocated.
  #switchAccount = HYP;
  #switchFrom = 0;
  #switchTo = 0;

  constructor(engine: Engine, index: number) {
    this.index = index;
    this.#records = recordsOf(engine);
    this.record = this.#records.take(PHYSICAL_RECORD);
    this.idleSince = engine.now; // it has nothing to do at first
  }

  /** Picoseconds charged that have passed, by owner and class: `time[owner * 4 + class]`. */
  get time(): Float64Array {
    const at = this.record + SPENT;
    return this.#records.words.subarray(at, at + OWNERS.length * CHARGED);
  }

  /** Picoseconds of {@link time} that threads spent looking again and again for something to do. */
  get polled(): number {
    return this.#records.words[this.record + POLLED];
  }

  set polled(picoseconds: number) {
    this.#records.words[this.record + POLLED] = picoseconds;
  }

  /** Picoseconds of {@link time} that threads of nobody in the run computed: hogs. */
  get foreign(): number {
    return this.#records.words[this.record + FOREIGN];
  }

  /** Since when nothing has run here, -1 while something does. */
  get idleSince(): number {
    return this.#records.words[this.record + IDLE_SINCE];
  }

  set idleSince(instant: number) {
    this.#records.words[this.record + IDLE_SINCE] = instant;
  }

  /** Picoseconds charged for an owner in a class. */
  charged(owner: number, cls: number): number {
    return this.#records.words[this.record + SPENT + owner * CHARGED + cls];
  }

  /** All picoseconds charged here. */
  get busy(): number {
    return this.time.reduce((sum, picoseconds) => sum + picoseconds, 0);
  }

  /** Time in the hypervisor itself from the instant `from` on, on behalf of `owner`: a stretch that begins or is to come. */
  chargeHypervisor(owner: number, from: number, duration: number): void {
    this.settle(this.#switchTo);
    this.#switchAccount = owner * CHARGED + HYP;
    this.#switchFrom = from;
    this.#switchTo = from + duration;
  }

  /** Books what of the latest time in the hypervisor has passed at the instant `now`. */
  settle(now: number): void {
    const until = Math.min(now, this.#switchTo);
    if (until <= this.#switchFrom) return;
    this.#records.words[this.record + SPENT + this.#switchAccount] += until - this.#switchFrom;
    this.#switchFrom = until;
  }
}
