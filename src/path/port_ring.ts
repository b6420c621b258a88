import type { Memory } from "../hw/memory.ts";
import type { SlotKind } from "../sim/trace.ts";
import type { BackRing, FrontRing } from "../xen/shared_ring.ts";
import type { PortRing, SlotText } from "./path.ts";

/** Reads the slot at an address. */
export type SlotReader = (memory: Memory, at: number, kind: SlotKind) => SlotText;

/**
 * A shared ring for a trace: requests that were published and not answered, or in a reversed ring events whose slots
 * were not given back. Either end may change that; the back end may not be connected yet. `text` reads a slot.
 */
export function xenRing(
  name: string,
  front: FrontRing,
  back: BackRing | undefined,
  text: SlotReader,
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
    watch(watch) {
      front.watch = watch;
      if (back !== undefined) back.watch = watch;
    },
    read: (kind, index) => text(front.memory, front.slot(index), kind),
  };
}
