import { psPerByte, SECOND } from "../base/units.ts";
import { Baseline } from "../cluster/baseline.ts";
import type { Cluster, Guest } from "../cluster/cluster.ts";
import { guestCounts } from "../cluster/guest_counts.ts";
import type { Session } from "../cluster/session.ts";
import type { Link } from "../hw/link.ts";
import { activityOf } from "./activity.ts";
import { bottleneckSince } from "./bottleneck.ts";
import type { Histogram } from "../metrics/histogram.ts";
import { fractions, portFigures, stageFigures } from "./figures.ts";
import { GuestStages } from "./guest_stages.ts";
import { hostCpu } from "./hardware_figures.ts";
import type { Interval } from "./interval.ts";
import { cpuTime, type Machines, machinesOf, type MachineSums, machineSums } from "./machine_sums.ts";
import { type Carried, RateWindow } from "./rate_window.ts";
import { recentHosts, recentLinks } from "./recent.ts";
import { RingWatch } from "./ring_watch.ts";
import { rounded } from "./round.ts";
import { RunLog } from "./run_log.ts";
import { type Seen, SHORTEST_PS } from "./seen.ts";
import {
  type GuestHistory,
  type LatencyHistogram,
  type LiveSnapshot,
  MAX_BUCKETS,
  type RecentDirection,
  type RecentGuest,
  type RecentHost,
  type Sample,
} from "./live_snapshot.ts";
import type { Bottleneck, StageFigures } from "./snapshot.ts";
import { publishedFor } from "./study/published.ts";
import { takeSnapshot } from "./take_snapshot.ts";

/** Samples kept for the charts. */
const SAMPLES = 600;
/** Samples kept of every guest. */
const HISTORY = 60;

/**
 * A run as the dashboard sees it: each call of {@link live} ends an interval of virtual time, adds a sample of it to the
 * charts, and notes what has happened in the log. Looking changes nothing in the run.
 */
export class LiveView {
  readonly #session: Session;
  readonly #meta: { readonly command: string; readonly version: string };
  readonly #samples: Sample[] = [];
  readonly #intervals: Interval[] = [];
  readonly #log: RunLog;
  #recent: RecentGuest[] = [];
  #recentHosts: RecentHost[] = [];
  #recentLinks: RecentDirection[][] = [];
  readonly #history: GuestHistory[] = [];
  #rings = new RingWatch();
  #guestStages: GuestStages | null = null;
  /** Accounts at the end of the previous sample. */
  #before: Baseline;
  readonly #rates: RateWindow;
  /** The session's cluster that is looked at. */
  #generation: number;
  #machines: Machines;
  /** In the latest interval, for panes that show it. The snapshot's is of the whole run: two questions, two answers. */
  #bottleneck: Bottleneck | undefined;
  /** Of the messages that are complete in as many intervals as rates are of. */
  #stages: StageFigures[] = [];
  /** Messages sent again until the previous sample. */
  #resent = 0;

  /** `earlier` is what another view has seen of the same run up to the present instant, `rates` that of its latest rates. */
  constructor(
    session: Session,
    meta: { command: string; version: string },
    earlier?: Seen,
    rates: RateWindow = new RateWindow(),
  ) {
    this.#session = session;
    this.#rates = rates;
    this.#meta = meta;
    session.cluster.total.isWatched = true;
    session.settle();
    this.#before = new Baseline(session.cluster);
    for (const [i, guest] of session.cluster.guests.entries()) this.#rings.look(guest, i);
    this.#generation = session.generation;
    this.#machines = machinesOf(session.cluster);
    this.#log = new RunLog(session);
    if (earlier !== undefined) this.#resume(earlier);
  }

  /** What was seen so far; lists that go on growing. */
  get seen(): Seen {
    const { lines: log, said } = this.#log;
    return { samples: this.#samples, intervals: this.#intervals, log, said, history: this.#history };
  }

  /** Goes on from where another view was: nothing is said a second time. */
  #resume({ samples, intervals, log, said, history }: Seen): void {
    const { cluster, generation } = this.#session;
    this.#generation = generation;
    this.#log.look();
    this.#resent = this.#resentSoFar();
    for (const [index, guest] of cluster.guests.entries()) {
      guest.meter.resetRecent();
      this.#rings.look(guest, index);
    }
    cluster.total.recent.reset();
    this.#samples.push(...samples);
    this.#intervals.push(...intervals);
    this.#history.push(...history);
    this.#log.resume(log, said);
  }

  /** Ends an interval here, if it is not too short. */
  look(): void {
    this.#session.settle();
    if (this.#session.generation !== this.#generation) this.#startAnew();
    const isNew = this.#session.now - this.#before.at >= SHORTEST_PS;
    if (isNew) this.#sample();
    this.#log.look();
    if (isNew) this.#intervals.push({ ...this.#intervals.pop()!, said: this.#log.said });
  }

  /** From now on keeps the stages of one guest's messages; null: of none. */
  follow(guest: string | null): void {
    if (guest === (this.#guestStages?.guest ?? null)) return;
    this.#guestStages?.stop();
    this.#guestStages = guest === null ? null : new GuestStages(this.#session, guest);
  }

  live(): LiveSnapshot {
    const session = this.#session;
    this.look();
    const limits = railSums(session.cluster, (link) => SECOND / psPerByte(link.rateBps) / 1e6);
    return {
      snapshot: takeSnapshot(session, { ...this.#meta, wallMs: 0, partial: !session.finished }),
      bottleneck: this.#bottleneck,
      recent_stages: this.#stages,
      recent: this.#recent,
      recent_hosts: this.#recentHosts,
      recent_links: this.#recentLinks,
      history: this.#history,
      samples: this.#samples,
      link_limit_MBps: limits[0] ?? 0,
      latency_histogram: latencyHistogram(session.cluster.total.latency),
      published: publishedFor(session.scenario),
      log: this.#log.lines,
      finished: session.finished,
      ...(this.#guestStages === null ? {} : { guest_stages: this.#guestStages.figures() }),
    };
  }

  /** The cluster was changed: its accounts are new ones. Charts and log go on. */
  #startAnew(): void {
    const { cluster, generation, startPs } = this.#session;
    this.#generation = generation;
    if (this.#guestStages !== null) this.#guestStages = new GuestStages(this.#session, this.#guestStages.guest);
    this.#machines = machinesOf(cluster);
    this.#before = new Baseline(cluster, startPs);
    this.#rates.clear();
    this.#recent = [];
    this.#history.length = 0;
    this.#rings = new RingWatch();
    this.#bottleneck = undefined;
    this.#stages = [];
    this.#log.startAnew();
    this.#resent = 0;
  }

  #sample(): void {
    const { cluster, now } = this.#session;
    const after = new Baseline(cluster);
    this.#rates.add(this.#before, after, cluster.guests);
    const carried = cluster.guests.map((_, i) => this.#rates.carried(i));
    this.#bottleneck = bottleneckSince(this.#session, this.#before, this.#rates.before);
    this.#stages = stageFigures(this.#session, this.#rates.before);
    this.#recent = cluster.guests.map((guest, i) => this.#guestFigures(guest, i, carried[i]));
    this.#recentHosts = recentHosts(cluster, this.#before, this.#rates.before);
    this.#recentLinks = recentLinks(cluster, this.#before, this.#rates.before);
    const sums = machineSums(cluster, this.#machines, this.#before);
    append(this.#history, { at_ns: now / 1000, guests: this.#recent }, HISTORY);
    append(this.#intervals, this.#interval(after, sums), SAMPLES);
    append(this.#samples, this.#figures(carried.reduce((sum, { bytes }) => sum + bytes, 0), sums), SAMPLES);
    for (const { meter } of cluster.guests) meter.resetRecent();
    cluster.total.recent.reset();
    this.#before = after;
  }

  /** Shares are of the latest interval, rates of as many as make one: `carried` is what the guest's meter had in these. */
  #guestFigures(guest: Guest, index: number, carried: Carried): RecentGuest {
    const { meter, site } = guest;
    const { now } = this.#session;
    const before = this.#before;
    const from = this.#rates.before;
    const ratePs = now - from.at;
    const latencies = meter.recent.count > 0 ? meter.recent : meter.recentSent;
    const spent = site.processor.time.map((value, cls) => value - before.guests[index][cls]);
    return {
      p50_us: percentile(latencies.percentileUs(50)),
      p99_us: percentile(latencies.percentileUs(99)),
      sent_MBps: megabytesPerSecond(carried.sentBytes, ratePs),
      sent_per_s: rounded((carried.sentMessages / ratePs) * SECOND),
      throughput_MBps: megabytesPerSecond(carried.bytes, ratePs),
      messages_per_s: rounded((carried.messages / ratePs) * SECOND),
      cpu: fractions(spent, now - before.at),
      ring: portFigures(guest).ring,
      rings: this.#rings.look(guest, index),
      activity: activityOf(guest, guestCounts(guest), from.counts[index], ratePs / SECOND),
    };
  }

  /** A point of the charts; `bytes` is what all guests have received in the time that rates are of. */
  #figures(bytes: number, sums: MachineSums): Sample {
    const { cluster, now } = this.#session;
    const { recent } = cluster.total;
    const before = this.#before;
    const from = this.#rates.before;
    const ratePs = now - from.at;
    const wire = railSums(cluster, (link, i, side) => link.directions[side].wireBytes - from.links[i][side][1]);
    return {
      at_ns: now / 1000,
      p50_us: percentile(recent.percentileUs(50)),
      p99_us: percentile(recent.percentileUs(99)),
      p999_us: percentile(recent.percentileUs(99.9)),
      throughput_MBps: megabytesPerSecond(bytes, ratePs),
      link_MBps: megabytesPerSecond(Math.max(0, ...wire), ratePs),
      hosts: cluster.hosts.map((host) => {
        const { host: own, dom0, guest, idle } = hostCpu(host, before.cpus[host.index], now - before.at);
        const running = (cpu: typeof own) => rounded(cpu.user + cpu.kernel + cpu.irq);
        return {
          host: running(own),
          dom0: running(dom0),
          guest: running(guest),
          hypervisor: rounded(own.hypervisor + dom0.hypervisor + guest.hypervisor),
          idle,
        };
      }),
      sums,
    };
  }

  #interval({ arriving: { received } }: Baseline, sums: MachineSums): Interval {
    const session = this.#session;
    const { guests, total } = session.cluster;
    const resent = this.#resentSoFar();
    const before = this.#before.arriving;
    const interval = {
      fromPs: this.#before.at,
      toPs: session.now,
      events: session.events,
      completed: session.messages,
      inputs: session.inputs,
      said: this.#log.said,
      messages: guests.reduce((sum, { meter }) => sum + meter.recentMessages, 0),
      bytes: guests.reduce((sum, { meter }) => sum + meter.recentBytes, 0),
      arrived: received.reduce((sum, bytes, rank) => sum + bytes - before.received[rank], 0),
      // The count begins anew when warm-up ends.
      retransmits: Math.max(0, resent - this.#resent),
      ...cpuTime(sums),
      latencies: total.recent.counts(),
    };
    this.#resent = resent;
    return interval;
  }

  #resentSoFar(): number {
    const { guests } = this.#session.cluster;
    return guests.reduce((sum, _, rank) => sum + this.#session.retransmits(rank), 0);
  }
}

/** Both directions of every link of the first rail, each with those of the same place on the other rails. */
function railSums(cluster: Cluster, of: (link: Link, index: number, side: number) => number): number[] {
  const { links, hosts } = cluster;
  const sums = new Array<number>(2 * links.length / hosts[0].boards.length).fill(0);
  for (const [i, link] of links.entries()) {
    for (const side of [0, 1]) sums[(2 * i + side) % sums.length] += of(link, i, side);
  }
  return sums;
}

function latencyHistogram(latency: Histogram): LatencyHistogram | null {
  const buckets = latency.logBuckets(MAX_BUCKETS);
  if (buckets === null) return null;
  return { per_octave: buckets.perOctave, first: buckets.first, counts: [...buckets.counts] };
}

/** Adds to the end of a list of `most` at most: the oldest makes room. */
function append<T>(list: T[], one: T, most: number): void {
  list.push(one);
  if (list.length > most) list.shift();
}

function megabytesPerSecond(bytes: number, ps: number): number {
  return rounded((bytes / ps) * 1e6);
}

function percentile(us: number): number | null {
  return Number.isNaN(us) ? null : rounded(us);
}
