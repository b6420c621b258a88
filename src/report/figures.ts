import { SECOND } from "../base/units.ts";
import type { Guest } from "../cluster/cluster.ts";
import type { Session } from "../cluster/session.ts";
import type { Histogram } from "../metrics/histogram.ts";
import { CPU_CLASSES, STAGES } from "../metrics/stage.ts";
import { type Arriving, arriving } from "../cluster/arriving.ts";
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

/**
 * Figures of some meters; `latency` and `rtt` are those of all of them together. `arrived` is what has come of messages
 * under way beyond what had come of those that were under way when measuring began, bytes.
 */
function meterFigures(
  meters: readonly RankMeter[],
  arrived: number,
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
    throughput_MBps: throughput(sum.bytes + arrived, seconds),
    messages_per_s: seconds > 0 ? rounded(sum.messages / seconds) : 0,
    integrity_errors: sum.integrity_errors,
    lost: sum.lost,
    duplicated: sum.duplicated,
    retransmits: library.retransmits,
  };
}

/** MB/s; what had arrived of a message that its receiver then lost is not taken off others. */
function throughput(bytes: number, seconds: number): number {
  return seconds > 0 ? rounded(Math.max(0, bytes) / 1e6 / seconds) : 0;
}

/** Payload of messages under way that has arrived since measuring began, bytes by rank; below 0 where more was before. */
export function arrivedSince({ cluster, baseline }: Session): Arriving {
  const { received, sent } = arriving(cluster);
  const before = baseline.arriving;
  return {
    received: received.map((bytes, rank) => bytes - before.received[rank]),
    sent: sent.map((bytes, rank) => bytes - before.sent[rank]),
  };
}

/** All guests together. */
export function totalFigures(session: Session, { received }: Arriving = arrivedSince(session)): TotalFigures {
  const { guests, total } = session.cluster;
  const library = { retransmits: 0, badChecksums: 0 };
  for (let rank = 0; rank < guests.length; rank++) {
    library.retransmits += session.retransmits(rank);
    library.badChecksums += session.badChecksums(rank);
  }
  const meters = guests.map((guest) => guest.meter);
  const arrived = received.reduce((sum, bytes) => sum + bytes, 0);
  const time = CPU_CLASSES.map((_, cls) =>
    guests.reduce((sum, { site }, i) => sum + site.processor.time[cls] - session.baseline.guests[i][cls], 0)
  );
  return {
    ...meterFigures(meters, arrived, total.latency, total.rtt, library, session.measuredPs),
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

/** `arrived` as {@link arrivedSince} gives it. */
export function guestFigures(session: Session, guest: Guest, index: number, arrived: Arriving): GuestFigures {
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
    ...meterFigures([meter], arrived.received[index], latencyOf(meter), meter.rtt, library, elapsed),
    sent: {
      messages: meter.sentMessages,
      bytes: meter.sentBytes,
      throughput_MBps: throughput(meter.sentBytes + arrived.sent[index], seconds),
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

/** Mean microseconds of a message by cause; causes that no message met are left out. */
export function stageFigures(session: Session): StageFigures[] {
  const { journeys } = session.cluster.world;
  if (journeys.finished === 0) return [];
  const { sums } = journeys;
  return STAGES.map((stage, i) => ({ stage, us: rounded(sums[i] / journeys.finished / 1e6) }))
    .filter(({ us }) => us > 0);
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
