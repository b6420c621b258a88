import { arriving } from "../cluster/arriving.ts";
import { Baseline } from "../cluster/baseline.ts";
import type { Cluster, Guest } from "../cluster/cluster.ts";
import { libraryCount } from "../cluster/guest_counts.ts";
import type { Session } from "../cluster/session.ts";
import { HistogramLooks } from "../metrics/histogram_looks.ts";
import { guestCpu, meanCpu, offeredSince, solverFigures, stagesOf } from "./figures.ts";
import { hostCpu, linkSince, nicSince } from "./hardware_figures.ts";
import type { IntervalFigures, IntervalGuest, IntervalHost } from "./interval_figures.ts";
import { type RunIdentity, runIdentity, type SnapshotMeta } from "./take_snapshot.ts";
import { figuresOf, minus, NO_TALLY, sentFiguresOf, sumOf, type Tally, tallyOf } from "./tally.ts";

/** Figures of an interval, but for what the session alone knows. */
export type WindowFigures = Omit<IntervalFigures, "fingerprint" | "partial" | "cluster">;

/**
 * The measured time of one cluster, cut into intervals. Everything is a difference of what the cluster counts anyway, so
 * that intervals add up to the whole, and a run pays for none of this before an interval ends. It stays good when the
 * session has gone on to another cluster, if its accounts were settled then.
 */
export class ClusterWindow {
  /** Which run, and which cluster of it, the figures are of. */
  readonly run: RunIdentity;
  readonly #cluster: Cluster;
  /** At the end of the latest interval. */
  #before: Baseline;
  #fromPs: number;
  readonly #guests: GuestWindow[];
  readonly #latency: HistogramLooks;
  readonly #rtt: HistogramLooks;
  #stages: ArrayLike<number> = [];
  #journeys = 0;
  #offered = { requests: 0, replied: 0 };

  /** Measuring has begun at this instant: what was counted since belongs to the first interval. */
  constructor(session: Session, meta: Pick<SnapshotMeta, "command" | "version">) {
    const { guests, total } = session.cluster;
    this.run = runIdentity(session, meta);
    this.#cluster = session.cluster;
    this.#before = session.baseline;
    this.#fromPs = session.baseline.at;
    this.#guests = guests.map((guest, rank) => new GuestWindow(session, guest, rank));
    this.#latency = new HistogramLooks(total.latency);
    this.#rtt = new HistogramLooks(total.rtt);
  }

  /** Where the present interval begins, picoseconds. */
  get fromPs(): number {
    return this.#fromPs;
  }

  /** Ends the interval at `toPs`, the present instant of the cluster; its accounts are settled. */
  end(toPs: number): WindowFigures {
    const elapsed = toPs - this.#fromPs;
    const { hosts, links, guests } = this.#cluster;
    const before = this.#before;
    const { received, sent } = arriving(this.#cluster);
    const tallies = this.#guests.map((guest, i) => guest.passed(received[i], sent[i]));
    const figures = {
      from_ns: this.#fromPs / 1000,
      to_ns: toPs / 1000,
      measured_ns: elapsed / 1000,
      totals: {
        ...figuresOf(sumOf(tallies), this.#latency.look(), this.#rtt.look(), elapsed),
        cpu: meanCpu(guests, before.guests, elapsed),
      },
      guests: this.#guests.map((guest, i) => guest.figures(tallies[i], before.guests[i], elapsed)),
      hosts: hosts.map((host): IntervalHost => ({
        name: host.name,
        cpus: host.cpus.length,
        native: host.spec.native,
        cpu: hostCpu(host, before.cpus[host.index], elapsed),
        nic: nicSince(host, before.nics[host.index]),
      })),
      links: links.map((link, i) => linkSince(link, before.links[i], toPs, elapsed)),
      ...this.#messages(),
      ...this.#workload(toPs, elapsed),
    };
    this.#fromPs = toPs;
    return figures;
  }

  /** The next interval begins where this one has ended. */
  goOn(): void {
    this.#before = new Baseline(this.#cluster);
  }

  #messages(): Pick<IntervalFigures, "stages"> {
    const { sums, finished } = this.#cluster.world.journeys;
    const passed = sums.map((ps, stage) => ps - (this.#stages[stage] ?? 0));
    const stages = stagesOf(passed, finished - this.#journeys);
    this.#stages = sums;
    this.#journeys = finished;
    return { stages };
  }

  #workload(toPs: number, elapsed: number): Pick<IntervalFigures, "offered" | "solver"> {
    const offered = offeredSince(this.#cluster.guests, this.#offered, toPs, elapsed);
    const solver = solverFigures({ cluster: this.#cluster });
    if (offered !== undefined) {
      const { requests, replied } = this.#offered;
      this.#offered = { requests: requests + offered.requests, replied: replied + offered.replied };
    }
    return { ...(offered === undefined ? {} : { offered }), ...(solver === undefined ? {} : { solver }) };
  }
}

/** The same of one guest. */
class GuestWindow {
  readonly #guest: Guest;
  #before: Tally;
  readonly #latency: HistogramLooks;
  readonly #sentLatency: HistogramLooks;
  readonly #rtt: HistogramLooks;

  constructor(session: Session, guest: Guest, rank: number) {
    this.#guest = guest;
    // Meters began anew with measuring; libraries count on, and messages were under way.
    const { received, sent } = session.baseline.arriving;
    const { retransmits, badChecksums } = libraryCounts(guest);
    this.#before = {
      ...NO_TALLY,
      arrived: received[rank],
      sentArrived: sent[rank],
      retransmits: retransmits - session.retransmits(rank),
      badChecksums: badChecksums - session.badChecksums(rank),
    };
    const { latency, sentLatency, rtt } = guest.meter;
    this.#latency = new HistogramLooks(latency);
    this.#sentLatency = new HistogramLooks(sentLatency);
    this.#rtt = new HistogramLooks(rtt);
  }

  /** What it has counted since the last call; so much of messages under way is there now, to it and from it. */
  passed(arrived: number, sentArrived: number): Tally {
    const now = tallyOf(this.#guest, { ...libraryCounts(this.#guest), arrived, sentArrived });
    const passed = minus(now, this.#before);
    this.#before = now;
    return passed;
  }

  figures(tally: Tally, cpuBefore: Float64Array, elapsed: number): IntervalGuest {
    const { spec, host, path, meter } = this.#guest;
    const latency = meter.latency.count > 0 ? this.#latency : this.#sentLatency;
    return {
      name: spec.name,
      host: host.name,
      path: path.name,
      ...figuresOf(tally, latency.look(), this.#rtt.look(), elapsed),
      sent: sentFiguresOf(tally, elapsed),
      cpu: guestCpu(this.#guest, cpuBefore, elapsed),
    };
  }
}

function libraryCounts(guest: Guest): Pick<Tally, "retransmits" | "badChecksums"> {
  return {
    retransmits: libraryCount(guest, "retransmits"),
    badChecksums: libraryCount(guest, "badChecksums"),
  };
}
