import type { Field } from "../../mx/wire/mod.ts";
import type { SlotKind } from "../../sim/trace.ts";

/** Time that a processor was charged for, picoseconds: `stage` and `cls` are names (metrics/stage.ts). */
export interface Charge {
  readonly place: string;
  readonly stage: string;
  readonly cls: string;
  readonly from: number;
  readonly duration: number;
}

/** What all happenings have: the instant, picoseconds of virtual time, and the host, 0 for the first. */
interface At {
  readonly at: number;
  readonly host: number;
}

/** A frame on a wire or at a guest's interface. */
export interface FrameSeen extends At {
  readonly kind: "frame";
  readonly tap: string;
  readonly isWire: boolean;
  /** On a wire, the side that has sent it; at an interface 0 when it goes out, 1 when it comes in. */
  readonly way: 0 | 1;
  /** Of a wire: since when the frame has occupied it, and how long its last bit flies. */
  readonly from: number;
  readonly flightPs: number;
  readonly type: string;
  readonly bytes: number;
  /** As `decode` prints it. */
  readonly text: string;
  readonly fields: readonly Field[];
  lost: string;
}

/** Slots of a ring that one end publishes or the other takes. */
export interface SlotSeen extends At {
  readonly kind: "slot";
  /** Index into the recorder's rings. */
  readonly ring: number;
  readonly taken: boolean;
  readonly way: SlotKind;
  readonly from: number;
  readonly to: number;
  /** Whether the other end has asked to be told; null where a ring has no such thing, or nothing is published. */
  readonly notify: boolean | null;
  readonly what: string;
  readonly fields: readonly Field[];
  /** Slots in use after it. */
  readonly used: number;
}

/** Grants of a guest, one act on one or more references that follow one another in time. */
export interface GrantSeen extends At {
  readonly kind: "grant";
  readonly act: "grant" | "end" | "map" | "unmap" | "copy in" | "copy out";
  readonly refs: number[];
  /** When the last of them was done. */
  until: number;
  bytes: number;
  /** Grants of the guest after it: those that it has given, and those of them that are mapped. */
  active: number;
  mapped: number;
}

/** A copy by a CPU: `way` is from where to where. */
export interface CopySeen extends At {
  readonly kind: "copy";
  readonly place: string;
  readonly bytes: number;
  readonly way: string;
}

/** What is signalled at a processor or a NIC: a notification, a kick, an event, an interrupt. */
export interface SignalSeen extends At {
  readonly kind: "signal";
  readonly place: string;
  readonly what: string;
}

/** An access to a device's register, which the guest leaves for. */
export interface ExitSeen extends At {
  readonly kind: "exit";
  readonly place: string;
  readonly access: string;
  readonly register: string;
  readonly value: number;
}

/** A queue without slots to look into: how many entries it has in use now. */
export interface QueueSeen extends At {
  readonly kind: "queue";
  readonly name: string;
  /** Of the NIC, rather than of a guest's device. */
  readonly isNic: boolean;
  readonly used: number;
}

export type Happening = FrameSeen | SlotSeen | GrantSeen | CopySeen | SignalSeen | ExitSeen | QueueSeen;
