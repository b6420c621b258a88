import { SECOND } from "../base/units.ts";
import type { Guest } from "../cluster/cluster.ts";
import type { Baseline } from "../cluster/baseline.ts";
import type { Session } from "../cluster/session.ts";
import type { Histogram } from "../metrics/histogram.ts";
import { CPU_CLASSES, STAGES } from "../metrics/stage.ts";
import { guestCounts } from "../cluster/guest_counts.ts";
import type { PortFigures } from "../path/path.ts";
import type { RankMeter } from "../workload/meter.ts";
import { activityOf } from "./activity.ts";
import { peersOf } from "./peers.ts";
import { rounded } from "./round.ts";
import type {
  CpuFractions,
  Figures,
  GuestFigures,
  OfferedFigures,
  RingFigures,
  RowFigures,
  SolverFigures,
  StageFigures,
  TotalFigures,
} from "./snapshot.ts";

/** Picoseconds by class, as fractions of `elapsed` picoseconds. */
export function fractions(time: ArrayLike<number>, elapsed: number): CpuFractions {
  const result = {} as CpuFractions;
  for (const [cls, name] of CPU_CLASSES.entries()) {
    result[name] = elapsed > 0 ? rounded((time[cls] ?? 0) / elapsed) : 0;
  }
  return result;
}

/** What the libraries of some guests have seen go wrong. */
interface LibraryFaults {
  readonly retransmits: number;
  readonly badChecksums: number;
}

/** Figures of some meters; `latency` and `rtt` are those of all of them together. */
function meterFigures(
  meters: readonly RankMeter[],
  latency: Histogram,
  rtt: Histogram,
  library: LibraryFaults,
  elapsed: number,
): Figures {
  const sum = { messages: 0, bytes: 0, integrity_errors: library.badChecksums, lost: 0, duplicated: 0 };
  for (const meter of meters) {
    sum.messages += meter.messages;
    sum.bytes += meter.bytes;
    sum.integrity_errors += meter.integrityErrors;
    sum.lost += meter.lost;
    sum.duplicated += meter.duplicated;
  }
  const seconds = elapsed / SECOND;
  return {
    messages: sum.messages,
    bytes: sum.bytes,
    latency_us: roundedAll(latency.distribution()),
    rtt_us: roundedAll(rtt.distribution()),
    throughput_MBps: seconds > 0 ? rounded(sum.bytes / 1e6 / seconds) : 0,
    messages_per_s: seconds > 0 ? rounded(sum.messages / seconds) : 0,
    integrity_errors: sum.integrity_errors,
    lost: sum.lost,
    duplicated: sum.duplicated,
    retransmits: library.retransmits,
  };
}

/** All guests together. */
export function totalFigures(session: Session): TotalFigures {
  const { guests, total } = session.cluster;
  const library = { retransmits: 0, badChecksums: 0 };
  for (let rank = 0; rank < guests.length; rank++) {
    library.retransmits += session.retransmits(rank);
    library.badChecksums += session.badChecksums(rank);
  }
  const meters = guests.map((guest) => guest.meter);
  const time = CPU_CLASSES.map((_, cls) =>
    guests.reduce((sum, { site }, i) => sum + site.processor.time[cls] - session.baseline.guests[i][cls], 0)
  );
  return {
    ...meterFigures(meters, total.latency, total.rtt, library, session.measuredPs),
    cpu: fractions(time, session.measuredPs * guests.length),
  };
}

function roundedAll<T extends object>(distribution: T | null): T | null {
  if (distribution === null) return null;
  return Object.fromEntries(Object.entries(distribution).map(([key, value]) => [key, rounded(value)])) as T;
}

function latencyOf(meter: RankMeter): Histogram {
  return meter.latency.count > 0 ? meter.latency : meter.sentLatency;
}

export function guestFigures(session: Session, guest: Guest, index: number): GuestFigures {
  const elapsed = session.measuredPs;
  const before = session.baseline.guests[index];
  const time = guest.site.processor.time.map((value, cls) => value - before[cls]);
  const { meter } = guest;
  const library = { retransmits: session.retransmits(index), badChecksums: session.badChecksums(index) };
  const seconds = elapsed / SECOND;
  const { ring, grants } = portFigures(guest);
  return {
    name: guest.spec.name,
    host: guest.host.name,
    path: guest.path.name,
    ...meterFigures([meter], latencyOf(meter), meter.rtt, library, elapsed),
    sent: {
      messages: meter.sentMessages,
      bytes: meter.sentBytes,
      throughput_MBps: seconds > 0 ? rounded(meter.sentBytes / 1e6 / seconds) : 0,
      messages_per_s: seconds > 0 ? rounded(meter.sentMessages / seconds) : 0,
    },
    cpu: fractions(time, elapsed),
    ring,
    grants,
    rings: ringFigures(guest),
    event_ports: guest.site.domain?.eventChannels.portsInUse ?? null,
    ...peersOf(session, guest),
    ...activityOf(guest, guestCounts(guest), session.baseline.counts[index]),
  };
}

function ringFigures({ ports }: Guest): RingFigures[] {
  return ports.flatMap((port, board) =>
    (port.rings?.() ?? []).map(({ name, holds, size, used }) => ({
      name: board === 0 ? name : `${name}, board ${board}`,
      holds,
      size,
      used,
    }))
  );
}

/** Slots of the rings of all its connections; grants are the guest's, whatever connection they are for. */
export function portFigures({ ports }: Guest): PortFigures {
  const [first, ...others] = ports.map((port) => port.figures());
  const { grants } = first;
  const ring = others.reduce(
    (sum, { ring }) =>
      sum === null || ring === null ? null : { used: sum.used + ring.used, size: sum.size + ring.size },
    first.ring,
  );
  return { ring, grants };
}

/** What messages have spent on each stage, picoseconds in the order of STAGES, and how many these are. */
export interface StageSums {
  readonly sums: Float64Array;
  readonly messages: number;
}

/** Of the messages that are complete since `before`: all that were measured, where that is no later than the measuring. */
export function stagesSince({ cluster, baseline }: Session, before: Baseline): StageSums {
  const { sums, finished: messages } = cluster.world.journeys;
  // Sums begin anew with the measuring.
  if (before.at <= baseline.at) return { sums, messages };
  return { sums: sums.map((sum, stage) => sum - before.stages[stage]), messages: messages - before.journeys };
}

/** Mean microseconds of a message by cause; causes that no message met are left out. */
export function stageFigures(session: Session, before: Baseline = session.baseline): StageFigures[] {
  const { sums, messages } = stagesSince(session, before);
  if (messages === 0) return [];
  return STAGES.map((stage, i) => ({ stage, us: rounded(sums[i] / messages / 1e6) })).filter(({ us }) => us > 0);
}

/** Undefined where nobody sends requests at an open-loop rate. */
export function offeredFigures({ cluster, now, measuredPs }: Session): OfferedFigures | undefined {
  const clients = cluster.guests.map(({ meter }) => meter).filter(({ offered }) => offered.length > 0);
  if (clients.length === 0) return undefined;
  const sum = { requests: 0, per_s: 0, replied: 0, waiting: 0, under_way: 0 };
  for (const meter of clients) {
    const load = meter.offered[meter.offered.length - 1]; // of earlier lives nothing waits
    sum.requests += meter.offeredBy(now);
    sum.replied += meter.rtt.count;
    sum.waiting += load.waitingAt(now);
    sum.under_way += load.unansweredAt(now) - load.waitingAt(now);
  }
  const seconds = measuredPs / SECOND;
  return { ...sum, per_s: seconds > 0 ? rounded(sum.requests / seconds) : 0 };
}

/** Undefined where nobody computes until it has converged. */
export function solverFigures({ cluster }: Session): SolverFigures | undefined {
  const solver = cluster.guests.find(({ meter }) => meter.solver !== null)?.meter.solver;
  if (solver === null || solver === undefined) return undefined;
  const { iterations, residual, solves, converged } = solver;
  return { iterations, residual: residual && rounded(residual), solves, converged };
}

export function rowFigures(session: Session): RowFigures[] {
  return session.rows.rows.map((row) => ({
    size: row.size,
    latency_us: rounded(row.latencyUs),
    rtt_us: rounded(row.rttUs),
    throughput_MBps: rounded(row.throughputMBps),
    host_cpu: rounded(row.hostCpu),
    guest_cpu: rounded(row.guestCpu),
  }));
}
