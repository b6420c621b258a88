import type { AnatomyRing } from "../../report/anatomy.ts";
import type { Position } from "./state.ts";

/** What a message has done to a slot so far: who has written it last, and whether the other end has taken that. */
export type SlotMark = "request" | "request taken" | "response" | "response taken";

/** A ring at one instant of a message. */
export interface RingNow {
  readonly ring: AnatomyRing;
  /** Slots in use. */
  readonly used: number;
  /** By slot number. */
  readonly marks: ReadonlyMap<number, SlotMark>;
  /** The slot that something was done to last; -1 when nothing was yet. */
  readonly last: number;
  /** Whether it was the present step that did it. */
  readonly isPresent: boolean;
}

/** What guest and host of one side share, at one instant of a message. */
export interface SharedNow {
  readonly rings: readonly RingNow[];
  readonly grants: { readonly active: number; readonly mapped: number } | null;
  /** Notifications so far: those that were sent, and those that the other end had not asked for. */
  readonly sent: number;
  readonly suppressed: number;
}

/** Replays the steps up to the present one, for one side. */
export function sharedNow({ message, row, until }: Position, side: "from" | "to"): SharedNow {
  const rings = message.rings.map((ring) => ({
    ring,
    used: ring.used,
    marks: new Map<number, SlotMark>(),
    last: -1,
    isPresent: false,
  }));
  let grants = message.grants[side];
  let [sent, suppressed] = [0, 0];
  for (let index = 0; index <= until; index++) {
    const { slot, grants: after, notify, lane } = message.steps[index];
    if (slot !== undefined) {
      const now = rings[slot.ring];
      const { slots } = now.ring;
      for (let at = slot.from; at !== slot.to && at - slot.from < slots; at++) {
        now.marks.set(at % slots, slot.taken ? `${slot.way} taken` : slot.way);
      }
      Object.assign(now, { used: slot.used, last: (slot.to - 1) % slots, isPresent: row.members.includes(index) });
    }
    if (!lane.startsWith(side)) continue;
    if (after !== undefined) grants = after;
    if (notify === "sent") sent++;
    if (notify === "suppressed") suppressed++;
  }
  return { rings: rings.filter(({ ring }) => ring.side === side), grants, sent, suppressed };
}
