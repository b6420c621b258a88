import { SECOND } from "../base/units.ts";
import { type Arriving, arriving } from "../cluster/arriving.ts";
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
  GuestFigures,
  OfferedFigures,
  RingFigures,
  RowFigures,
  SolverFigures,
  StageFigures,
  TotalFigures,
} from "./snapshot.ts";
import { figuresOf, sentFiguresOf, sumOf, type Tally, tallyOf } from "./tally.ts";

/** Picoseconds by class, as fractions of `elapsed` picoseconds. */
export function fractions(time: ArrayLike<number>, elapsed: number): CpuFractions {
  const result = {} as CpuFractions;
  for (const [cls, name] of CPU_CLASSES.entries()) {
    result[name] = elapsed > 0 ? rounded((time[cls] ?? 0) / elapsed) : 0;
  }
  return result;
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
export function totalFigures(session: Session, arrived: Arriving = arrivedSince(session)): TotalFigures {
  const { guests, total } = session.cluster;
  const tally = sumOf(guests.map((guest, rank) => measuredTally(session, guest, rank, arrived)));
  return {
    ...figuresOf(tally, total.latency.distribution(), total.rtt.distribution(), session.measuredPs),
    cpu: meanCpu(guests, session.baseline.guests, session.measuredPs),
  };
}

function measuredTally(session: Session, guest: Guest, rank: number, { received, sent }: Arriving): Tally {
  return tallyOf(guest, {
    arrived: received[rank],
    sentArrived: sent[rank],
    retransmits: session.retransmits(rank),
    badChecksums: session.badChecksums(rank),
  });
}

/** The mean of the guests' CPU time since `before` (by guest), as fractions of one CPU. */
export function meanCpu(guests: readonly Guest[], before: readonly Float64Array[], elapsed: number): CpuFractions {
  const time = CPU_CLASSES.map((_, cls) =>
    guests.reduce((sum, { site }, i) => sum + site.processor.time[cls] - before[i][cls], 0)
  );
  return fractions(time, elapsed * guests.length);
}

/** A guest's CPU time since `before`, as fractions of one CPU. */
export function guestCpu({ site }: Guest, before: Float64Array, elapsed: number): CpuFractions {
  return fractions(site.processor.time.map((value, cls) => value - before[cls]), elapsed);
}

function latencyOf(meter: RankMeter): Histogram {
  return meter.latency.count > 0 ? meter.latency : meter.sentLatency;
}

/** `arrived` as {@link arrivedSince} gives it. */
export function guestFigures(session: Session, guest: Guest, index: number, arrived: Arriving): GuestFigures {
  const elapsed = session.measuredPs;
  const { meter } = guest;
  const tally = measuredTally(session, guest, index, arrived);
  const { ring, grants } = portFigures(guest);
  return {
    name: guest.spec.name,
    host: guest.host.name,
    path: guest.path.name,
    ...figuresOf(tally, latencyOf(meter).distribution(), meter.rtt.distribution(), elapsed),
    sent: sentFiguresOf(tally, elapsed),
    cpu: guestCpu(guest, session.baseline.guests[index], elapsed),
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
  /** Those of them during which no other message was under way. */
  readonly alone: number;
}

/** Of the messages that are complete since `before`: all that were measured, where that is no later than the measuring. */
export function stagesSince({ cluster, baseline }: Session, before: Baseline): StageSums {
  const { sums, finished: messages, finishedAlone: alone } = cluster.world.journeys;
  // Sums begin anew with the measuring.
  if (before.at <= baseline.at) return { sums, messages, alone };
  return {
    sums: sums.map((sum, stage) => sum - before.stages[stage]),
    messages: messages - before.journeys,
    alone: alone - before.journeysAlone,
  };
}

/** Mean microseconds of a message by cause; causes that no message met are left out. */
export function stageFigures(session: Session, before: Baseline = session.baseline): StageFigures[] {
  const { sums, messages } = stagesSince(session, before);
  return stagesOf(sums, messages);
}

/** The same of `messages` journeys, whose picoseconds by stage these are together. */
export function stagesOf(sums: ArrayLike<number>, messages: number): StageFigures[] {
  if (messages === 0) return [];
  return STAGES.map((stage, i) => ({ stage, us: rounded(sums[i] / messages / 1e6) })).filter(({ us }) => us > 0);
}

/** Undefined where nobody sends requests at an open-loop rate. */
export function offeredFigures({ cluster, now, measuredPs }: Session): OfferedFigures | undefined {
  return offeredSince(cluster.guests, { requests: 0, replied: 0 }, now, measuredPs);
}

/** The same from when so much had been asked for, and replied to, `elapsed` picoseconds ago. */
export function offeredSince(
  guests: readonly Guest[],
  before: Pick<OfferedFigures, "requests" | "replied">,
  now: number,
  elapsed: number,
): OfferedFigures | undefined {
  const clients = guests.map(({ meter }) => meter).filter(({ offered }) => offered.length > 0);
  if (clients.length === 0) return undefined;
  const sum = { requests: -before.requests, per_s: 0, replied: -before.replied, waiting: 0, under_way: 0 };
  for (const meter of clients) {
    const load = meter.offered[meter.offered.length - 1]; // of earlier lives nothing waits
    sum.requests += meter.offeredBy(now);
    sum.replied += meter.rtt.count;
    sum.waiting += load.waitingAt(now);
    sum.under_way += load.unansweredAt(now) - load.waitingAt(now);
  }
  const seconds = elapsed / SECOND;
  return { ...sum, per_s: seconds > 0 ? rounded(sum.requests / seconds) : 0 };
}

/** Undefined where nobody computes until it has converged. */
export function solverFigures({ cluster }: Pick<Session, "cluster">): SolverFigures | undefined {
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
