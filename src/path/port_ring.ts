import type { BackRing, FrontRing } from "../xen/shared_ring.ts";
import type { PortRing } from "./path.ts";

/**
 * A shared ring for a trace: requests that were published and not answered, or in a reversed ring events whose slots
 * were not given back. Either end may change that; the back end may not be connected yet.
 */
export function xenRing(
  name: string,
  front: FrontRing,
  back: BackRing | undefined,
  holds: PortRing["holds"] = "work",
): PortRing {
  return {
    name,
    holds,
    toBackend: front.pushes,
    toGuest: back?.pushes,
    size: front.size,
    get used() {
      return front.published;
    },
    observe(counter) {
      front.trace = counter;
      if (back !== undefined) back.trace = counter;
    },
  };
}
