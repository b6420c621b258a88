import { SECOND } from "../base/units.ts";
import { directionCounts, hostExits, NIC_COUNTS, nicCounts, QUEUE_COUNTS } from "../cluster/baseline.ts";
import type { Guest } from "../cluster/cluster.ts";
import type { Host, HostBoard } from "../cluster/host.ts";
import type { Session } from "../cluster/session.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST } from "../hw/cpu.ts";
import type { Link, WirePort } from "../hw/link.ts";
import type { Histogram } from "../metrics/histogram.ts";
import { CPU_CLASSES, HYP, IRQ, KERNEL, STAGES, USER } from "../metrics/stage.ts";
import { EXIT_REASONS } from "../kvm/vcpu.ts";
import { macText } from "../mx/wire/mod.ts";
import { guestCounts } from "../cluster/guest_counts.ts";
import type { PortFigures } from "../path/path.ts";
import type { RankMeter } from "../workload/meter.ts";
import { activityOf } from "./activity.ts";
import { boardFigures } from "./boards.ts";
import { peersOf } from "./peers.ts";
import { rounded } from "./round.ts";
import type {
  CpuFigures,
  CpuFractions,
  Figures,
  GuestFigures,
  HostFigures,
  LinkFigures,
  NicCounts,
  NicFigures,
  OfferedFigures,
  RingFigures,
  RowFigures,
  StageFigures,
  TotalFigures,
} from "./snapshot.ts";

/** Names of `EXIT_REASONS` in results. */
export const EXIT_NAMES = EXIT_REASONS.map((reason) => reason.replaceAll(" ", "_"));

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
export function perCpu(
  host: Host,
  before: readonly Float64Array[],
  polledBefore: readonly number[],
  elapsed: number,
): CpuFigures[] {
  const owners = [0, 0, 0];
  const classes = [0, 0, 0, 0];
  const part = (ps: number) => elapsed > 0 ? rounded(ps / elapsed) : 0;
  return host.cpus.map((cpu, i) => {
    owners.fill(0);
    classes.fill(0);
    let busy = 0;
    for (let owner = 0; owner < 3; owner++) {
      for (let cls = 0; cls < 4; cls++) {
        const spent = cpu.time[owner * 4 + cls] - before[i][owner * 4 + cls];
        if (cls !== HYP) owners[owner] += spent;
        classes[cls] += spent;
        busy += spent;
      }
    }
    return {
      host: part(owners[OWNER_HOST]),
      dom0: part(owners[OWNER_DOM0]),
      guest: part(owners[OWNER_GUEST]),
      hypervisor: part(classes[HYP]),
      idle: elapsed > 0 ? rounded(1 - busy / elapsed) : 1,
      user: part(classes[USER]),
      kernel: part(classes[KERNEL]),
      irq: part(classes[IRQ]),
      polling: part(cpu.polled - polledBefore[i]),
    };
  });
}

/** What each VCPU of the driver domain did since `before`; nothing where the kernel has CPUs of its own. */
export function dom0Vcpus(host: Host, before: readonly Float64Array[], elapsed: number): CpuFractions[] {
  if (host.kind !== "xen") return [];
  return host.kernel.map(({ time }, i) => fractions(time.map((value, cls) => value - before[i][cls]), elapsed));
}

export function hostFigures(session: Session, host: Host): HostFigures {
  const before = session.baseline.cpus[host.index];
  const elapsed = session.measuredPs;
  const start = session.baseline.nics[host.index];
  const counts = host.boards.map(({ nic }, board) => nicCounts(nic).map((count, i) => count - start[board][i]));
  return {
    name: host.name,
    cpus: host.cpus.length,
    native: host.spec.native,
    cpu: hostCpu(host, before, elapsed),
    per_cpu: perCpu(host, before, session.baseline.polled[host.index], elapsed),
    dom0_vcpus: dom0Vcpus(host, session.baseline.kernels[host.index], elapsed),
    vm_exits: vmExits(host, session.baseline.exits[host.index]),
    nic: namedNic(counts[0].map((_, i) => counts.reduce((sum, board) => sum + board[i], 0))),
    nics: host.boards.map((board, i) => nicFigures(board, counts[i])),
    boards: boardFigures(host),
  };
}

function vmExits(host: Host, before: readonly number[]): Record<string, number> | null {
  const exits = hostExits(host);
  return exits && Object.fromEntries(exits.map((count, i) => [EXIT_NAMES[i], count - before[i]]));
}

/** One NIC: its counts, as in {@link nicCounts}, and what its rings hold now. */
function nicFigures({ nic, macHigh, macLow }: HostBoard, counts: readonly number[]): NicFigures {
  return {
    name: nic.name,
    mac: macText(macHigh, macLow),
    ...namedNic(counts),
    tx_ring: { used: nic.backlog, size: nic.transmitEntries },
    rx_ring_size: nic.receiveEntries,
    rx_queues: Array.from({ length: nic.queueCount }, (_, queue) => {
      const [frames, drops, interrupts, coalesced] = counts.slice(NIC_COUNTS + queue * QUEUE_COUNTS);
      return { used: nic.waiting(queue), frames, drops, interrupts, coalesced };
    }),
  };
}

/** The first counts of {@link nicCounts} by name. */
export function namedNic(counts: readonly number[]): NicCounts {
  const [tx_frames, rx_frames, tx_bytes, rx_bytes, rx_drops, tx_drops, interrupts, coalesced, crc_errors] = counts;
  const drops = rx_drops + tx_drops;
  const named = { tx_frames, rx_frames, tx_bytes, rx_bytes, drops, interrupts, rx_drops, tx_drops, coalesced };
  return crc_errors > 0 ? { ...named, crc_errors } : named;
}

export function linkFigures(session: Session, link: Link, index: number): LinkFigures {
  const elapsed = session.measuredPs;
  return {
    name: link.name,
    rate_Gbps: link.rateBps / 1e9,
    directions: link.directions.map((direction, side) => {
      const before = session.baseline.links[index][side];
      const counts = directionCounts(direction, session.now);
      const [frames, wireBytes, busy, lost, drops, corrupted] = counts.map((count, i) => count - before[i]);
      return {
        from: direction.from.name,
        to: direction.to.name,
        frames,
        wire_bytes: wireBytes,
        utilisation: elapsed > 0 ? rounded(busy / elapsed) : 0,
        lost,
        queue: { ...queueOf(direction.from), drops },
        ...(corrupted > 0 ? { corrupted } : {}),
      };
    }),
  };
}

/** Frames that wait at a port, and how many it holds. */
function queueOf({ queue }: WirePort): { used: number; size: number } {
  return { used: queue?.used ?? 0, size: queue?.size ?? 0 };
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
