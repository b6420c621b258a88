import { SECOND } from "../base/units.ts";
import { directionCounts, nicCounts } from "../cluster/baseline.ts";
import type { Guest } from "../cluster/cluster.ts";
import type { Host } from "../cluster/host.ts";
import type { Session } from "../cluster/session.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST } from "../hw/cpu.ts";
import type { Link } from "../hw/link.ts";
import type { Histogram } from "../metrics/histogram.ts";
import { CPU_CLASSES, HYP, STAGES } from "../metrics/stage.ts";
import { macText } from "../mx/wire/mod.ts";
import type { PortFigures } from "../path/path.ts";
import type { RankMeter } from "../workload/meter.ts";
import { boardFigures } from "./boards.ts";
import type {
  CpuFractions,
  Figures,
  GuestFigures,
  HostFigures,
  LinkFigures,
  NicCounts,
  RowFigures,
  StageFigures,
} from "./snapshot.ts";

/** Significant digits of every figure that is not a count: what the clock and the histograms can tell apart. */
export function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : value;
}

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
export function totalFigures(session: Session): Figures {
  const { guests, total } = session.cluster;
  const library = { retransmits: 0, badChecksums: 0 };
  for (let rank = 0; rank < guests.length; rank++) {
    library.retransmits += session.retransmits(rank);
    library.badChecksums += session.badChecksums(rank);
  }
  const meters = guests.map((guest) => guest.meter);
  return meterFigures(meters, total.latency, total.rtt, library, session.measuredPs);
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
  };
}

/** Slots of the rings of all its connections; grants are the guest's, whatever connection they are for. */
function portFigures({ ports }: Guest): PortFigures {
  const [first, ...others] = ports.map((port) => port.figures());
  const { grants } = first;
  const ring = others.reduce(
    (sum, { ring }) =>
      sum === null || ring === null ? null : { used: sum.used + ring.used, size: sum.size + ring.size },
    first.ring,
  );
  return { ring, grants };
}

/** A host's CPU time since `before` (by CPU), as fractions of all its CPUs. */
export function hostCpu(host: Host, before: readonly Float64Array[], elapsed: number) {
  const all = elapsed * host.cpus.length;
  const sums = [0, 0, 0].map(() => new Float64Array(CPU_CLASSES.length));
  let busy = 0;
  for (const [i, cpu] of host.cpus.entries()) {
    for (let owner = 0; owner < sums.length; owner++) {
      for (let cls = 0; cls < 4; cls++) {
        const spent = cpu.time[owner * 4 + cls] - before[i][owner * 4 + cls];
        sums[owner][cls] += spent;
        busy += spent;
      }
    }
  }
  return {
    host: fractions(sums[OWNER_HOST], all),
    dom0: fractions(sums[OWNER_DOM0], all),
    guest: fractions(sums[OWNER_GUEST], all),
    idle: all > 0 ? rounded(1 - busy / all) : 0,
  };
}

/** Busy fractions of each CPU since `before`; time in the hypervisor is apart from its owner's. */
export function perCpu(host: Host, before: readonly Float64Array[], elapsed: number): HostFigures["per_cpu"] {
  return host.cpus.map((cpu, i) => {
    const own = (owner: number) => {
      let sum = 0;
      for (let cls = 0; cls < HYP; cls++) sum += cpu.time[owner * 4 + cls] - before[i][owner * 4 + cls];
      return elapsed > 0 ? sum / elapsed : 0;
    };
    let hypervisor = 0;
    for (let owner = 0; owner < 3; owner++) hypervisor += cpu.time[owner * 4 + HYP] - before[i][owner * 4 + HYP];
    const parts = {
      host: own(OWNER_HOST),
      dom0: own(OWNER_DOM0),
      guest: own(OWNER_GUEST),
      hypervisor: elapsed > 0 ? hypervisor / elapsed : 0,
    };
    const idle = 1 - parts.host - parts.dom0 - parts.guest - parts.hypervisor;
    return {
      host: rounded(parts.host),
      dom0: rounded(parts.dom0),
      guest: rounded(parts.guest),
      hypervisor: rounded(parts.hypervisor),
      idle: rounded(idle),
    };
  });
}

export function hostFigures(session: Session, host: Host): HostFigures {
  const before = session.baseline.cpus[host.index];
  const elapsed = session.measuredPs;
  const start = session.baseline.nics[host.index];
  const counts = host.boards.map(({ nic }, board) =>
    nicCounts(nic.counters).map((count, i) => count - start[board][i])
  );
  return {
    name: host.name,
    cpus: host.cpus.length,
    native: host.spec.native,
    cpu: hostCpu(host, before, elapsed),
    per_cpu: perCpu(host, before, elapsed),
    nic: named(counts[0].map((_, i) => counts.reduce((sum, board) => sum + board[i], 0))),
    nics: host.boards.map(({ nic, macHigh, macLow }, board) => ({
      name: nic.name,
      mac: macText(macHigh, macLow),
      ...named(counts[board]),
    })),
    boards: boardFigures(host),
  };
}

function named([tx_frames, rx_frames, tx_bytes, rx_bytes, drops, interrupts, crc_errors]: number[]): NicCounts {
  const counts = { tx_frames, rx_frames, tx_bytes, rx_bytes, drops, interrupts };
  return crc_errors > 0 ? { ...counts, crc_errors } : counts;
}

export function linkFigures(session: Session, link: Link, index: number): LinkFigures {
  const elapsed = session.measuredPs;
  return {
    name: link.name,
    rate_Gbps: link.rateBps / 1e9,
    directions: link.directions.map((direction, side) => {
      const before = session.baseline.links[index][side];
      const [frames, wireBytes, busy, lost, corrupted] = directionCounts(direction, session.now).map((count, i) =>
        count - before[i]
      );
      return {
        from: direction.from.name,
        to: direction.to.name,
        frames,
        wire_bytes: wireBytes,
        utilisation: elapsed > 0 ? rounded(busy / elapsed) : 0,
        lost,
        ...(corrupted > 0 ? { corrupted } : {}),
      };
    }),
  };
}

/** Mean microseconds of a message by cause; causes that no message met are left out. */
export function stageFigures(session: Session): StageFigures[] {
  const { journeys } = session.cluster.world;
  if (journeys.finished === 0) return [];
  return STAGES.map((stage, i) => ({ stage, us: rounded(journeys.sums[i] / journeys.finished / 1e6) }))
    .filter(({ us }) => us > 0);
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
