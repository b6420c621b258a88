import { HYP } from "../metrics/stage.ts";
import type { TraceTrack } from "../sim/trace.ts";

/** Who a physical CPU works for: the host's own kernel, the driver domain, or a guest. */
export const OWNERS = ["host", "dom0", "guest"] as const;
export const OWNER_HOST = 0;
export const OWNER_DOM0 = 1;
export const OWNER_GUEST = 2;

const CHARGED = 4; // user, kernel, irq, hypervisor

/** A CPU of a host. What runs on it is a `Processor`: a kernel's own view of one CPU. */
export class PhysicalCpu {
  readonly index: number;
  /** Picoseconds charged, by owner and class: `time[owner * 4 + class]`. */
  readonly time: Float64Array = new Float64Array(OWNERS.length * CHARGED);
  /** Picoseconds of {@link time} that threads spent looking again and again for something to do. */
  polled = 0;
  /** Since when nothing has run here, -1 while something does. */
  idleSince: number;
  /** Who has this CPU, where a scheduler gives it to processors in turn; null when nobody looks. */
  track: TraceTrack | null = null;

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

  /** Time in the hypervisor itself, on behalf of `owner`. */
  chargeHypervisor(owner: number, duration: number): void {
    this.time[owner * CHARGED + HYP] += duration;
  }
}
