import { HYP } from "../metrics/stage.ts";
import type { TraceTrack } from "../sim/trace.ts";
import { CHARGED } from "./charges.ts";

/** Who a physical CPU works for: the host's own kernel, the driver domain, or a guest. */
export const OWNERS = ["host", "dom0", "guest"] as const;
export const OWNER_HOST = 0;
export const OWNER_DOM0 = 1;
export const OWNER_GUEST = 2;

/** A CPU of a host. What runs on it is a `Processor`: a kernel's own view of one CPU. */
export class PhysicalCpu {
  readonly index: number;
  /** Picoseconds charged that have passed, by owner and class: `time[owner * 4 + class]`. */
  readonly time: Float64Array = new Float64Array(OWNERS.length * CHARGED);
  /** Picoseconds of {@link time} that threads spent looking again and again for something to do. */
  polled = 0;
  /** Since when nothing has run here, -1 while something does. */
  // A number from its declaration on, as every field that holds instants: one that was undefined first is a reference to
  // the compiler for good, and each instant that is written there is allocated.
  idleSince = 0;
  /** Who has this CPU, where a scheduler gives it to processors in turn; null when nobody looks. */
  track: TraceTrack | null = null;
  // The latest time in the hypervisor: what of it is not in the accounts yet.
  #switchAccount = HYP;
  #switchFrom = 0;
  #switchTo = 0;

  /** It has nothing to do at the instant `now` (picoseconds), the beginning of time unless somebody says otherwise. */
  constructor(index: number, now = 0) {
    this.index = index;
    this.idleSince = now;
  }

  /** Picoseconds charged for an owner in a class. */
  charged(owner: number, cls: number): number {
    return this.time[owner * CHARGED + cls];
  }

  /** All picoseconds charged here. */
  get busy(): number {
    let sum = 0;
    for (let i = 0; i < this.time.length; i++) sum += this.time[i];
    return sum;
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
    this.time[this.#switchAccount] += until - this.#switchFrom;
    this.#switchFrom = until;
  }
}
