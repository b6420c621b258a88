import { SECOND } from "../base/units.ts";
import type { Guest } from "../cluster/cluster.ts";
import type { DistributionUs } from "../metrics/histogram.ts";
import { rounded } from "./round.ts";
import type { Figures, SentFigures } from "./snapshot.ts";

/** What a guest's meter and library have counted, or several. The difference of two is what came in between. */
export interface Tally {
  readonly messages: number;
  readonly bytes: number;
  readonly integrityErrors: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
  /** Payload that is there of messages under way, to the guest and from it: see `arriving`. */
  readonly arrived: number;
  readonly sentArrived: number;
  readonly retransmits: number;
  readonly badChecksums: number;
}

const FIELDS = [
  "messages",
  "bytes",
  "integrityErrors",
  "lost",
  "duplicated",
  "sentMessages",
  "sentBytes",
  "arrived",
  "sentArrived",
  "retransmits",
  "badChecksums",
] as const;

export const NO_TALLY = Object.fromEntries(FIELDS.map((field) => [field, 0])) as unknown as Tally;

/** What a guest's meter does not count. */
export type Unmetered = Pick<Tally, "retransmits" | "badChecksums" | "arrived" | "sentArrived">;

/** What is not the meter's is as its owner wants it: since the start, or since measuring began. */
export function tallyOf({ meter }: Guest, unmetered: Unmetered): Tally {
  const { messages, bytes, integrityErrors, lost, duplicated, sentMessages, sentBytes } = meter;
  const { retransmits, badChecksums, arrived, sentArrived } = unmetered;
  return {
    messages,
    bytes,
    integrityErrors,
    lost,
    duplicated,
    sentMessages,
    sentBytes,
    arrived,
    sentArrived,
    retransmits,
    badChecksums,
  };
}

export function sumOf(tallies: readonly Tally[]): Tally {
  const sum: Record<string, number> = { ...NO_TALLY };
  for (const tally of tallies) for (const field of FIELDS) sum[field] += tally[field];
  return sum as unknown as Tally;
}

export function minus(now: Tally, before: Tally): Tally {
  return Object.fromEntries(FIELDS.map((field) => [field, now[field] - before[field]])) as unknown as Tally;
}

/** As results write what was counted in `elapsed` picoseconds. */
export function figuresOf(
  tally: Tally,
  latency: DistributionUs | null,
  rtt: DistributionUs | null,
  elapsed: number,
): Figures {
  return {
    messages: tally.messages,
    bytes: tally.bytes,
    latency_us: roundedAll(latency),
    rtt_us: roundedAll(rtt),
    ...ratesOf(tally.bytes + tally.arrived, tally.messages, elapsed),
    integrity_errors: tally.integrityErrors + tally.badChecksums,
    lost: tally.lost,
    duplicated: tally.duplicated,
    retransmits: tally.retransmits,
  };
}

/** What others have received of it in `elapsed` picoseconds. */
export function sentFiguresOf({ sentMessages, sentBytes, sentArrived }: Tally, elapsed: number): SentFigures {
  return { messages: sentMessages, bytes: sentBytes, ...ratesOf(sentBytes + sentArrived, sentMessages, elapsed) };
}

/**
 * Payload and messages of `elapsed` picoseconds as rates. Payload below 0 is what had come of a message that its receiver
 * has lost since.
 */
export function ratesOf(bytes: number, messages: number, elapsed: number) {
  const seconds = elapsed / SECOND;
  return {
    throughput_MBps: seconds > 0 ? rounded(Math.max(0, bytes) / 1e6 / seconds) : 0,
    messages_per_s: seconds > 0 ? rounded(messages / seconds) : 0,
  };
}

export function roundedAll<T extends object>(distribution: T | null): T | null {
  if (distribution === null) return null;
  return Object.fromEntries(Object.entries(distribution).map(([key, value]) => [key, rounded(value)])) as T;
}
