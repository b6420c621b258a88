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
}

/** A curve: how many entries of a ring are in use, how many grants are active. Its owner says nothing of the time. */
export interface TraceCounter {
  set(value: number): void;
  add(difference: number): void;
}

export type TraceArgs = Readonly<Record<string, string | number>>;
