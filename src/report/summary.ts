import { SECOND } from "../base/units.ts";
import { arriving } from "../cluster/arriving.ts";
import { directionCounts, nicCounts } from "../cluster/baseline.ts";
import type { Session } from "../cluster/session.ts";
import type { WirePort } from "../hw/link.ts";
import { bottleneckSince } from "./bottleneck.ts";
import { rowFigures, stageFigures, totalFigures } from "./figures.ts";
import { hostCpu } from "./hardware_figures.ts";
import { rounded } from "./round.ts";
import type { Bottleneck, RowFigures, StageFigures, TotalFigures } from "./snapshot.ts";

/**
 * A whole run in a few figures, as a comparison of runs needs them: of the snapshot what is not by guest, host or link.
 * All are of the measured time, but for {@link latest}.
 */
export interface Summary {
  virtual_ns: number;
  measured_ns: number;
  totals: TotalFigures;
  /** Busy CPUs of all hosts together, by whom they work for; time in the hypervisor is apart from that. */
  cpus: { dom0: number; host: number; guest: number; hypervisor: number };
  /** Frames lost on links or dropped by NICs. */
  drops: number;
  stages: StageFigures[];
  /** Sizes that are through, where the workload goes through message sizes. */
  rows: RowFigures[];
  /** Absent before anything was measured. */
  bottleneck?: Bottleneck;
  /** The latest interval, and the virtual time at which it ended; null before the first one has. */
  latest: { at_ns: number; p50_us: number | null; throughput_MBps: number } | null;
}

/** Places in the lists of {@link nicCounts} and {@link directionCounts}. */
const RX_DROPS = 4;
const TX_DROPS = 5;
const LOST = 3;
const PORT_DROPS = 4;

/** An interval ends with a look after so many messages, or after such a part of the virtual time of the run. */
const ENOUGH_MESSAGES = 32;
const ENOUGH_TIME = 1 / 20;

/**
 * Looks at a run again and again, at a small part of what a snapshot costs: that has the percentiles of every guest. It
 * takes the figures of the latest interval for itself, as LiveView does: look at a run with one or the other.
 */
export class SummaryView {
  readonly #session: Session;
  #at: number;
  #completed = 0;
  /** Of messages under way at the end of the interval before: see {@link arriving}. */
  #arrived = 0;
  #generation = 0;
  #latest: Summary["latest"] = null;

  constructor(session: Session) {
    this.#session = session;
    this.#at = session.now;
    session.cluster.total.isWatched = true;
  }

  look(): Summary {
    const session = this.#session;
    session.settle();
    if (session.generation !== this.#generation) {
      // The cluster was changed: its accounts are new ones, from then on.
      this.#generation = session.generation;
      this.#at = session.baseline.at;
      this.#arrived = this.#completed = 0;
    }
    this.#interval();
    return {
      virtual_ns: session.now / 1000,
      measured_ns: session.measuredPs / 1000,
      totals: totalFigures(session),
      cpus: busyCpus(session),
      drops: lostFrames(session),
      stages: stageFigures(session),
      rows: rowFigures(session),
      bottleneck: bottleneckSince(session, session.baseline),
      latest: this.#latest,
    };
  }

  /**
   * Ends the interval when it says something: where messages are few, the throughput of a short one is either nothing or
   * far too much.
   */
  #interval(): void {
    const { now, cluster } = this.#session;
    const { recent, completed } = cluster.total;
    const enough = completed - this.#completed >= ENOUGH_MESSAGES || now - this.#at > now * ENOUGH_TIME;
    if (now === this.#at || !enough) return;
    const p50 = recent.percentileUs(50);
    const arrived = arriving(cluster).received.reduce((sum, bytes) => sum + bytes, 0);
    let bytes = arrived - this.#arrived;
    for (const { meter } of cluster.guests) {
      bytes += meter.recentBytes;
      meter.resetRecent();
    }
    recent.reset();
    this.#latest = {
      at_ns: now / 1000,
      p50_us: Number.isNaN(p50) ? null : rounded(p50),
      throughput_MBps: rounded(Math.max(0, bytes) / 1e6 / ((now - this.#at) / SECOND)),
    };
    this.#at = now;
    this.#arrived = arrived;
    this.#completed = completed;
  }
}

function busyCpus({ cluster, baseline, measuredPs }: Session): Summary["cpus"] {
  const sum = { dom0: 0, host: 0, guest: 0, hypervisor: 0 };
  for (const host of cluster.hosts) {
    const cpu = hostCpu(host, baseline.cpus[host.index], measuredPs);
    const cpus = host.cpus.length;
    for (const owner of ["dom0", "host", "guest"] as const) {
      sum[owner] += (cpu[owner].user + cpu[owner].kernel + cpu[owner].irq) * cpus;
      sum.hypervisor += cpu[owner].hypervisor * cpus;
    }
  }
  return sum;
}

function lostFrames({ cluster, baseline, now }: Session): number {
  let sum = 0;
  for (const { boards, index } of cluster.hosts) {
    for (const [board, { nic }] of boards.entries()) {
      sum += dropsOf(nicCounts(nic)) - dropsOf(baseline.nics[index][board]);
    }
  }
  const ofSwitches = new Set<WirePort>(cluster.switches.flatMap(({ ports }) => ports));
  for (const [i, { directions }] of cluster.links.entries()) {
    for (const [side, direction] of directions.entries()) {
      const counts = directionCounts(direction, now);
      sum += counts[LOST] - baseline.links[i][side][LOST];
      // A NIC has counted its own.
      if (ofSwitches.has(direction.from)) sum += counts[PORT_DROPS] - baseline.links[i][side][PORT_DROPS];
    }
  }
  return sum;
}

function dropsOf(counts: ArrayLike<number>): number {
  return counts[RX_DROPS] + counts[TX_DROPS];
}
