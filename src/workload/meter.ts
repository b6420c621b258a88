import { Histogram } from "../metrics/histogram.ts";
import type { OfferedLoad } from "./arrivals.ts";
import type { SolverMeter } from "./solver_meter.ts";

/**
 * Messages kept apart while earlier ones are still missing. One that MX sends again comes half a second late, or twice
 * that, and others overtake it at whatever rate they are sent.
 */
const GAP_LIMIT = 1 << 18;

const NOTHING: readonly OfferedLoad[] = [];

/** Finds lost and repeated messages in a numbered stream whose messages may complete in another order. */
export class SequenceCheck {
  /** Everything below has been seen. */
  #next = 0;
  readonly #ahead = new Set<number>();
  lost = 0;
  duplicated = 0;

  saw(n: number): void {
    if (n === this.#next && this.#ahead.size === 0) {
      this.#next++;
      return;
    }
    if (n < this.#next || this.#ahead.has(n)) {
      this.duplicated++;
      return;
    }
    this.#ahead.add(n);
    while (this.#ahead.delete(this.#next)) this.#next++;
    if (this.#ahead.size <= GAP_LIMIT) return;
    // Nothing is ever this late: what is missing below the oldest one seen is lost.
    let oldest = Infinity;
    for (const ahead of this.#ahead) oldest = Math.min(oldest, ahead);
    this.lost += oldest - this.#next;
    this.#next = oldest;
  }

  /** Messages that have been seen, without those that came again. */
  get seen(): number {
    return this.#next + this.#ahead.size;
  }

  /** The stream begins anew. What is missing of it so far is the sender's to count. */
  restart(): void {
    this.#next = 0;
    this.#ahead.clear();
  }

  /** The stream is over after `count` messages. */
  ended(count: number): void {
    this.lost += count - this.#next - this.#ahead.size;
  }
}

/** Somebody who waits for messages to be complete. */
export interface MessageWatch {
  /** `by` has received `bytes`; `latencyPs` below 0 means that this call does not know it. */
  received(by: RankMeter, bytes: number, latencyPs: number): void;
  /** Of the message received last: who had sent it. */
  delivered(from: RankMeter, latencyPs: number): void;
}

/** Latencies of all ranks together. */
export class TotalMeter {
  /** Messages since the start of the run, warm-up included. */
  completed = 0;
  /** Null while nobody waits. */
  watch: MessageWatch | null = null;
  readonly latency: Histogram = new Histogram();
  readonly rtt: Histogram = new Histogram();
  /** Whether somebody looks again and again: only then recent latencies are kept, of all ranks and of each. */
  isWatched = false;
  /** Since the dashboard last looked. */
  readonly recent: Histogram = new Histogram(2);

  /** Measuring begins. What came since somebody looked is theirs all the same. */
  reset(): void {
    this.latency.reset();
    this.rtt.reset();
  }
}

/** What one rank has received, and how long it took. Reset when warm-up ends. */
export class RankMeter {
  readonly total: TotalMeter;
  messages = 0;
  bytes = 0;
  integrityErrors = 0;
  /** Lost and repeated messages, over the whole run. */
  readonly sequence: SequenceCheck = new SequenceCheck();
  /** The same of each rank that sends to this one, where several do. */
  readonly #sequences: SequenceCheck[] = [];
  /** Half round trips, or send call to receive completion. */
  readonly latency: Histogram = new Histogram();
  readonly rtt: Histogram = new Histogram();
  /** Since the dashboard last looked. */
  readonly recent: Histogram = new Histogram(2);
  recentMessages = 0;
  recentBytes = 0;
  /** Messages of this rank that others have received, and how long they took. */
  sentMessages = 0;
  sentBytes = 0;
  readonly sentLatency: Histogram = new Histogram();
  readonly recentSent: Histogram = new Histogram(2);
  recentSentMessages = 0;
  recentSentBytes = 0;
  /** What an open-loop client is asked for, in each of its lives; empty for everybody else. */
  offered: readonly OfferedLoad[] = NOTHING;
  #offeredBefore = 0;
  /** Of the rank that says for all how far a solve has got; null for everybody else. */
  solver: SolverMeter | null = null;

  constructor(total: TotalMeter) {
    this.total = total;
  }

  /** A message of `bytes` payload is complete; `latencyPs` below 0 means that its latency is not to be counted. */
  received(bytes: number, latencyPs: number): void {
    this.total.completed++;
    this.messages++;
    this.bytes += bytes;
    this.recentMessages++;
    this.recentBytes += bytes;
    this.total.watch?.received(this, bytes, latencyPs);
    if (latencyPs < 0) return;
    this.#latency(latencyPs);
  }

  /** A message of this rank has been received by another. */
  delivered(bytes: number, latencyPs: number): void {
    this.sentMessages++;
    this.sentBytes += bytes;
    this.recentSentMessages++;
    this.recentSentBytes += bytes;
    this.total.watch?.delivered(this, latencyPs);
    if (latencyPs < 0) return;
    this.sentLatency.record(latencyPs);
    if (this.total.isWatched) this.recentSent.record(latencyPs);
  }

  /** The numbered stream of one of several senders. */
  sequenceOf(sender: number): SequenceCheck {
    return this.#sequences[sender] ??= new SequenceCheck();
  }

  get lost(): number {
    return this.#sequences.reduce((sum, { lost }) => sum + lost, this.sequence.lost);
  }

  get duplicated(): number {
    return this.#sequences.reduce((sum, { duplicated }) => sum + duplicated, this.sequence.duplicated);
  }

  /** A round trip that took `ps` picoseconds; its half is the message latency. */
  roundTrip(ps: number): void {
    this.rtt.record(ps);
    this.total.rtt.record(ps);
    this.#latency(ps / 2);
  }

  /** A round of several messages took `ps` picoseconds; how long each of them took is counted by {@link received}. */
  round(ps: number): void {
    this.rtt.record(ps);
    this.total.rtt.record(ps);
  }

  #latency(ps: number): void {
    const { total } = this;
    this.latency.record(ps);
    total.latency.record(ps);
    if (!total.isWatched) return;
    this.recent.record(ps);
    total.recent.record(ps);
  }

  /** Requests that have become due since measuring began, whatever the client has made of them. */
  offeredBy(at: number): number {
    return this.offered.reduce((sum, load) => sum + load.dueBy(at), -this.#offeredBefore);
  }

  resetRecent(): void {
    this.recent.reset();
    this.recentMessages = 0;
    this.recentBytes = 0;
    this.recentSent.reset();
    this.recentSentMessages = 0;
    this.recentSentBytes = 0;
  }

  /** Measuring begins at this instant, picoseconds. */
  reset(at: number): void {
    this.#offeredBefore += this.offeredBy(at);
    this.messages = 0;
    this.bytes = 0;
    this.integrityErrors = 0;
    this.latency.reset();
    this.rtt.reset();
    this.sentMessages = 0;
    this.sentBytes = 0;
    this.sentLatency.reset();
  }
}

/** CPU seconds spent so far, to tell what a message size cost. */
export interface CpuReading {
  /** Picoseconds of virtual time. */
  at: number;
  /** Picoseconds of CPU time of all hosts (kernels, driver domains, hypervisors) and of all guests. */
  host: number;
  guest: number;
}

/** One message size of a sweep. */
export interface Row {
  size: number;
  /** Medians, microseconds; of rounds the mean. */
  latencyUs: number;
  rttUs: number;
  throughputMBps: number;
  /** Fractions of one CPU. */
  hostCpu: number;
  guestCpu: number;
}

/** Collects the rows of a workload that sweeps message sizes. */
export class RowMeter {
  readonly rows: Row[] = [];
  readonly #read: () => CpuReading;
  #start: CpuReading | null = null;
  #rtt = new Histogram();
  #latency = new Histogram();
  #rounds = 0;
  #roundsPs = 0;

  constructor(read: () => CpuReading) {
    this.#read = read;
  }

  begin(): void {
    this.#start = this.#read();
    this.#rtt = new Histogram();
    this.#latency = new Histogram();
    this.#rounds = this.#roundsPs = 0;
  }

  /** A round trip of the size that is being measured, or a round of several messages. */
  roundTrip(ps: number): void {
    this.#rtt.record(ps);
  }

  /**
   * A round of messages of that size, of which the mean counts: of two ranks one is late in one round, and the other in
   * the next, and a median would be that of one of them.
   */
  round(ps: number): void {
    this.#rounds++;
    this.#roundsPs += ps;
  }

  /** A message of such a round. */
  message(ps: number): void {
    this.#latency.record(ps);
  }

  /** Ends a size; `bytes` is the payload that was carried in all directions since {@link begin}. */
  end(size: number, bytes: number): void {
    const start = this.#start;
    if (start === null) return;
    const now = this.#read();
    const elapsed = now.at - start.at;
    const rtt = this.#rounds > 0 ? this.#roundsPs / this.#rounds / 1e6 : this.#rtt.percentileUs(50);
    const row = {
      size,
      latencyUs: this.#latency.count > 0 ? this.#latency.percentileUs(50) : rtt / 2,
      rttUs: rtt,
      throughputMBps: elapsed > 0 ? (bytes / elapsed) * 1e6 : 0,
      hostCpu: elapsed > 0 ? (now.host - start.host) / elapsed : 0,
      guestCpu: elapsed > 0 ? (now.guest - start.guest) / elapsed : 0,
    };
    const known = this.rows.findIndex((other) => other.size === size);
    if (known < 0) this.rows.push(row);
    else this.rows[known] = row; // an endless run goes round the sizes
    this.#start = null;
  }
}
