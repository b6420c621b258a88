/** What one library endpoint has counted since it was opened. */
export class LibraryCounters {
  /** Messages posted for the first time, by class. */
  sentTiny = 0;
  sentSmall = 0;
  sentMedium = 0;
  sentLarge = 0;
  sentSelf = 0;
  /** Messages accepted in sequence, by class; a medium with its first fragment. */
  receivedTiny = 0;
  receivedSmall = 0;
  receivedMedium = 0;
  receivedLarge = 0;
  receivedSelf = 0;
  /** Messages (not fragments), rendezvous and notifies that were sent again. */
  retransmits = 0;
  /** Connect requests sent again. */
  connectRetransmits = 0;
  /** Packets of a message, or fragments of it, that had come before. */
  duplicates = 0;
  /** Packets kept because an earlier one is missing. */
  early = 0;
  /** Packets behind the receive window or of an old partner session. */
  obsolete = 0;
  /** Packets, acks and replies from an endpoint that is no partner, or that answer nothing. */
  stray = 0;
  /** Packets whose lengths or numbers contradict themselves. */
  malformed = 0;
  /** Messages that carried a due acknowledgement; libacks sent because 4 were due, and because 16 ms had passed. */
  acksPiggy = 0;
  acksImmediate = 0;
  acksDelayed = 0;
  /** Refusals received from the other side's driver. */
  nacks = 0;
  /** Receives that were too small for their message. */
  truncated = 0;
  /** Eager messages whose bytes were not those that their sender had summed up. */
  badChecksums = 0;
  /** Notifies that named no waiting send. */
  staleNotifies = 0;
  /** Messages that found no posted receive. */
  unexpected = 0;
  /** Sends that waited for the sequence window, and requests that waited for slots, credits or regions. */
  throttled = 0;
  delayed = 0;
  /** Commands that the driver refused for now, and commands that it called invalid. */
  refused = 0;
  invalid = 0;
  /** Partners given up because they did not answer, or because a new incarnation showed up. */
  cleanups = 0;
}

/** Adds what another endpoint has counted. */
export function addCounters(sum: LibraryCounters, other: LibraryCounters): void {
  for (const name of Object.keys(sum) as (keyof LibraryCounters)[]) sum[name] += other[name];
}

/** What an endpoint holds right now. */
export interface LibraryOccupancy {
  readonly sendSlots: number;
  readonly eventCredits: number;
  readonly regions: number;
  readonly unexpected: number;
  readonly posted: number;
  readonly unacked: number;
  readonly early: number;
  readonly zombies: number;
}
