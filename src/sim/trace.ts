/*
 * What a trace is told of. Components hold one of these, or null when nobody looks: they ask for null and go on. An
 * observer never schedules, never draws random numbers and never charges, so that a run with one is the same run.
 *
 * Times are picoseconds of virtual time, and may be ahead of the engine's clock by what is left of a burst.
 */

/** A row of the picture: what a processor, a physical CPU or a wire did, one thing after another. */
export interface TraceTrack {
  readonly name: string;
  /** `from` is not before the end of the slice before it. `args` is for what differs from slice to slice. */
  slice(name: string, category: string, from: number, duration: number, args?: TraceArgs): void;
  /** Something that takes no time: a notification, a kick, an interrupt. */
  instant(name: string, at: number): void;
  /** More of what is done, for who follows a single message: the bytes of a copy, the register of an access. */
  note?(what: string, at: number, args: TraceArgs): void;
}

/** A curve: how many entries of a ring are in use, how many grants are active. Its owner says nothing of the time. */
export interface TraceCounter {
  set(value: number): void;
  add(difference: number): void;
}

/**
 * Told of each slot of a ring, for who follows a single message. A `request` is what the guest's end publishes, a
 * `response` what the other end does. Indexes are the ring's own, most of them free-running.
 */
export interface SlotWatch {
  /**
   * Slots from `from` up to but not `to` can be seen from now on. `notify`: the other end has asked to be told of them;
   * null where it has no way to ask.
   */
  published(kind: SlotKind, from: number, to: number, notify: boolean | null): void;
  /** The other end has taken the slot. */
  taken(kind: SlotKind, index: number): void;
}

export type SlotKind = "request" | "response";

/** Told of single grants, for who follows a single message. */
export interface GrantWatch {
  granted(ref: number): void;
  /** The grant has been taken back. */
  ended(ref: number): void;
  /** Another domain has done it with a reference of domain `granter`. */
  mapped(granter: number, ref: number): void;
  unmapped(granter: number, ref: number): void;
  copied(granter: number, ref: number, bytes: number, inwards: boolean): void;
}

export type TraceArgs = Readonly<Record<string, string | number>>;
