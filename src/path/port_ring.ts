import type { Memory } from "../hw/memory.ts";
import type { RingCounts } from "../metrics/ring_counts.ts";
import type { SlotKind, SlotWatch, TraceCounter } from "../sim/trace.ts";
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
  return new XenRing(name, front, back, text, holds);
}

/** Thousands of guests have two each: a class, as an object with functions of its own is ten times as large. */
class XenRing implements PortRing {
  readonly name: string;
  readonly holds: PortRing["holds"];
  readonly toBackend: RingCounts;
  readonly toGuest: RingCounts | undefined;
  readonly #front: FrontRing;
  readonly #back: BackRing | undefined;
  readonly #text: SlotReader;

  constructor(
    name: string,
    front: FrontRing,
    back: BackRing | undefined,
    text: SlotReader,
    holds: PortRing["holds"],
  ) {
    this.name = name;
    this.holds = holds;
    this.toBackend = front.pushes;
    this.toGuest = back?.pushes;
    this.#front = front;
    this.#back = back;
    this.#text = text;
  }

  get size(): number {
    return this.#front.size;
  }

  get used(): number {
    return this.#front.published;
  }

  observe(counter: TraceCounter | null): void {
    this.#front.trace = counter;
    if (this.#back !== undefined) this.#back.trace = counter;
  }

  watch(watch: SlotWatch | null): void {
    this.#front.watch = watch;
    if (this.#back !== undefined) this.#back.watch = watch;
  }

  read(kind: SlotKind, index: number): SlotText {
    return this.#text(this.#front.memory, this.#front.slot(index), kind);
  }
}
