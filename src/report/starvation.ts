import type { Baseline } from "../cluster/baseline.ts";
import type { Session } from "../cluster/session.ts";
import { STEAL } from "../metrics/stage.ts";

/**
 * Guests that wait for a physical CPU for more than this part of the time suffer from too few of them: what they do takes
 * more than a sixth longer than it would. With less, they share CPUs at a load that costs them little. `limit` and the
 * log go by the same number, or one would warn of what the other calls fine.
 */
export const STARVED = 0.15;

/** Who waits, as a sentence about it begins. */
export function whoWaits(count: number): string {
  return count === 1 ? "1 guest waits" : `${count} guests wait`;
}

/** CPUs that are used less than this, polling included, are not too few. */
const BUSY = 0.7;

/**
 * Guests that have been {@link STARVED} in the `elapsed` picoseconds since `before`, and for how much of the time the one
 * that waits most waits for a physical CPU.
 *
 * Steal time is not enough: a VCPU that wakes up is stolen from while its CPU leaves the idle loop and switches, and one
 * that wakes often loses a good part of its time like that, with nobody else there.
 */
export function starvedGuests(
  session: Session,
  before: Baseline,
  elapsed: number,
): { readonly count: number; readonly most: number } {
  let count = 0;
  let most = 0;
  for (const [i, { site, spec }] of session.cluster.guests.entries()) {
    const steal = (site.processor.timeIn(STEAL) - before.guests[i][STEAL]) / elapsed;
    if (steal <= STARVED) continue;
    const host = session.cluster.hosts[spec.host];
    const cpus = spec.pin ?? host.cpus.keys().toArray();
    const then = before.cpus[spec.host];
    const busy = cpus.reduce((sum, cpu) => sum + busyPs(host.cpus[cpu].time) - busyPs(then[cpu]), 0);
    if (busy < BUSY * elapsed * cpus.length) continue;
    count++;
    most = Math.max(most, steal);
  }
  return { count, most };
}

function busyPs(time: Float64Array): number {
  return time.reduce((sum, ps) => sum + ps, 0);
}
