import { MS, psPerByte, SECOND, US } from "../base/units.ts";
import { Baseline } from "../cluster/baseline.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Session } from "../cluster/session.ts";
import type { Link } from "../hw/link.ts";
import { bottleneckSince } from "./bottleneck.ts";
import { STEAL } from "../metrics/stage.ts";
import { fractions, hostCpu, rounded } from "./figures.ts";
import type { Bottleneck, LiveSnapshot, LogLine, RecentGuest, Sample } from "./snapshot.ts";
import { takeSnapshot } from "./take_snapshot.ts";

/** Samples kept for the charts. */
const SAMPLES = 600;
const LOG_LINES = 500;
/** Shorter stretches of virtual time than this do not make a sample worth drawing. */
const SHORTEST_PS = 10_000;

/**
 * A run as the dashboard sees it: each call of {@link live} ends an interval of virtual time, adds a sample of it to the
 * charts, and notes what has happened in the log. Looking changes nothing in the run.
 */
export class LiveView {
  readonly #session: Session;
  readonly #meta: { readonly command: string; readonly version: string };
  readonly #samples: Sample[] = [];
  readonly #log: LogLine[] = [];
  #recent: RecentGuest[] = [];
  /** Accounts at the end of the previous sample. */
  #before: Baseline;
  /** The session's cluster that is looked at, and its notes that are in the log already. */
  #generation: number;
  #noted: number;
  #bottleneck: Bottleneck | undefined;
  #drops = 0;
  #corrupted = 0;
  #errors = 0;
  #retransmits = 0;
  #measuring = false;
  #saidEnd = false;
  /** Lines of guest programs that are in the log already. */
  #printed = 0;

  constructor(session: Session, meta: { command: string; version: string }) {
    this.#session = session;
    this.#meta = meta;
    this.#before = new Baseline(session.cluster);
    this.#generation = session.generations;
    this.#noted = session.noted;
    const { scenario } = session;
    this.#say("info", `${scenario.name} starts: ${scenario.guests.length} guests on ${scenario.path}`);
  }

  live(): LiveSnapshot {
    const session = this.#session;
    session.settle();
    this.#followGeneration();
    if (session.now - this.#before.at >= SHORTEST_PS) this.#sample();
    this.#watch();
    const limits = railSums(session.cluster, (link) => SECOND / psPerByte(link.rateBps) / 1e6);
    return {
      snapshot: takeSnapshot(session, {
        ...this.#meta,
        wallMs: 0,
        partial: !session.finished,
        bottleneck: this.#bottleneck,
      }),
      recent: this.#recent,
      samples: this.#samples,
      link_limit_MBps: limits[0] ?? 0,
      log: this.#log,
      finished: session.finished,
    };
  }

  /** The cluster was changed: the charts go on, the accounts begin anew with it. */
  #followGeneration(): void {
    const session = this.#session;
    if (session.generations === this.#generation) return;
    this.#generation = session.generations;
    this.#before = new Baseline(session.cluster, session.startPs);
    this.#recent = [];
    this.#bottleneck = undefined;
    this.#measuring = this.#starved = false;
    this.#drops =
      this.#corrupted =
      this.#errors =
      this.#retransmits =
        0;
  }

  #sample(): void {
    const { cluster } = this.#session;
    const before = this.#before;
    const elapsed = this.#session.now - before.at;
    this.#bottleneck = bottleneckSince(this.#session, before);
    const perSecond = (bytes: number) => rounded((bytes / elapsed) * 1e6);
    let bytes = 0;
    this.#recent = cluster.guests.map((guest, i) => {
      const { meter } = guest;
      const latencies = meter.recent.count > 0 ? meter.recent : meter.recentSent;
      bytes += meter.recentBytes;
      const spent = guest.site.processor.time.map((value, cls) => value - before.guests[i][cls]);
      const figures = {
        p50_us: percentile(latencies.percentileUs(50)),
        p99_us: percentile(latencies.percentileUs(99)),
        sent_MBps: perSecond(meter.recentSentBytes),
        sent_per_s: rounded((meter.recentSentMessages / elapsed) * SECOND),
        throughput_MBps: perSecond(meter.recentBytes),
        messages_per_s: rounded((meter.recentMessages / elapsed) * SECOND),
        cpu: fractions(spent, elapsed),
      };
      meter.resetRecent();
      return figures;
    });
    const { recent } = cluster.total;
    const wire = railSums(cluster, (link, i, side) => link.directions[side].wireBytes - before.links[i][side][1]);
    this.#samples.push({
      at_ns: this.#session.now / 1000,
      p50_us: percentile(recent.percentileUs(50)),
      p99_us: percentile(recent.percentileUs(99)),
      throughput_MBps: perSecond(bytes),
      link_MBps: perSecond(Math.max(0, ...wire)),
      hosts: cluster.hosts.map((host) => {
        const { host: own, dom0, guest, idle } = hostCpu(host, before.cpus[host.index], elapsed);
        const running = (cpu: typeof own) => rounded(cpu.user + cpu.kernel + cpu.irq);
        return {
          host: running(own),
          dom0: running(dom0),
          guest: running(guest),
          hypervisor: rounded(own.hypervisor + dom0.hypervisor + guest.hypervisor),
          idle,
        };
      }),
    });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    recent.reset();
    before.take();
  }

  /** Notes what a user would want to know of: warm-up, faults of the network, errors, starved guests, the end. */
  #watch(): void {
    const session = this.#session;
    const { cluster, scenario } = session;
    this.#watchNotes();
    const warmAt = session.startPs + scenario.warmupPs;
    if (!this.#measuring && scenario.warmupPs > 0 && session.now >= warmAt) {
      this.#measuring = true;
      this.#say("info", "warm-up is over: measuring", warmAt);
    }
    let drops = cluster.world.frames.exhausted;
    for (const { boards } of cluster.hosts) {
      for (const { nic } of boards) drops += nic.counters.rxDrops + nic.counters.txDrops;
    }
    let corrupted = 0;
    for (const { directions } of cluster.links) {
      for (const direction of directions) {
        drops += direction.lost;
        corrupted += direction.corrupted;
      }
    }
    if (drops > this.#drops) this.#say("warn", `${drops - this.#drops} frames were lost or dropped`);
    this.#drops = drops;
    if (corrupted > this.#corrupted) {
      this.#say("warn", `${corrupted - this.#corrupted} frames were corrupted on the wire`);
    }
    this.#corrupted = corrupted;
    let retransmits = 0;
    let errors = 0;
    for (const [rank, { meter }] of cluster.guests.entries()) {
      retransmits += session.retransmits(rank);
      errors += meter.integrityErrors;
    }
    if (retransmits > this.#retransmits) {
      this.#say("warn", `${retransmits - this.#retransmits} messages were sent again`);
    }
    this.#retransmits = retransmits;
    const wrong = session.output === null ? "messages arrived with a wrong payload" : "checks failed";
    if (errors > this.#errors) this.#say("error", `${errors - this.#errors} ${wrong}`);
    this.#errors = errors;
    this.#watchSteal();
    this.#watchPrograms();
    if (session.finished && !this.#saidEnd) {
      this.#saidEnd = true;
      if (session.failure === null) this.#say("info", "the run is over");
      else this.#say("error", session.failure);
    }
  }

  /** What users have done, and what has come of it, since the last look. */
  #watchNotes(): void {
    const { notes, noted } = this.#session;
    const fresh = Math.min(noted - this.#noted, notes.length);
    this.#noted = noted;
    for (const { atPs, text } of notes.slice(notes.length - fresh)) this.#say("info", text, atPs);
  }

  /** What guest programs have printed since the last look. */
  #watchPrograms(): void {
    const lines = this.#session.output?.lines ?? [];
    this.#printed = Math.max(this.#printed, lines.length - LOG_LINES);
    for (; this.#printed < lines.length; this.#printed++) {
      const { at_us, guest, text } = lines[this.#printed];
      this.#say("info", `${guest}: ${text}`, at_us * US);
    }
  }

  #starved = false;

  #watchSteal(): void {
    const { guests } = this.#session.cluster;
    const elapsed = this.#session.now - this.#session.startPs;
    if (elapsed < MS) return;
    const starved = guests.filter(({ site }) => site.processor.time[STEAL] > elapsed / 10).length;
    if (starved > 0 && !this.#starved) {
      this.#starved = true;
      this.#say("warn", `${starved} guests wait for a physical CPU more than 10 % of their time`);
    }
  }

  /** `atPs` is when it happened, if that is known better than by this look. */
  #say(level: LogLine["level"], text: string, atPs: number = this.#session.now): void {
    this.#log.push({ at_ns: atPs / 1000, level, text });
    if (this.#log.length > LOG_LINES) this.#log.shift();
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

function percentile(us: number): number | null {
  return Number.isNaN(us) ? null : rounded(us);
}
