import { directionCounts, hostExits, NIC_COUNTS, nicCounts, QUEUE_COUNTS } from "../cluster/baseline.ts";
import type { Host, HostBoard } from "../cluster/host.ts";
import type { Session } from "../cluster/session.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST } from "../hw/cpu.ts";
import type { Link, WirePort } from "../hw/link.ts";
import { EXIT_REASONS } from "../kvm/vcpu.ts";
import { CPU_CLASSES, HYP, IRQ, KERNEL, USER } from "../metrics/stage.ts";
import { macText } from "../mx/wire/mod.ts";
import { boardFigures } from "./boards.ts";
import { fractions } from "./figures.ts";
import { rounded } from "./round.ts";
import type { CpuFigures, CpuFractions, HostFigures, LinkFigures, NicCounts, NicFigures } from "./snapshot.ts";

/* Figures of the machines, whatever their guests do: hosts with their CPUs and NICs, and links. */

/** Names of `EXIT_REASONS` in results. */
export const EXIT_NAMES = EXIT_REASONS.map((reason) => reason.replaceAll(" ", "_"));

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

/** How many of a host's CPUs were busy on average: with its guests; with its kernel and driver domain. */
export function busyCpus(
  { host, dom0, guest }: Omit<HostFigures["cpu"], "idle">,
  cpus: number,
): { host: number; guest: number } {
  const busy = ({ user, kernel, irq, hypervisor }: CpuFractions) => (user + kernel + irq + hypervisor) * cpus;
  return { host: busy(host) + busy(dom0), guest: busy(guest) };
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
  const counts = countsOfNics(host, session.baseline.nics[host.index]);
  return {
    name: host.name,
    cpus: host.cpus.length,
    native: host.spec.native,
    cpu: hostCpu(host, before, elapsed),
    per_cpu: perCpu(host, before, session.baseline.polled[host.index], elapsed),
    dom0_vcpus: dom0Vcpus(host, session.baseline.kernels[host.index], elapsed),
    vm_exits: vmExits(host, session.baseline.exits[host.index]),
    nic: nicOf(counts),
    nics: host.boards.map((board, i) => nicFigures(board, counts[i])),
    boards: boardFigures(host),
  };
}

/** What all NICs of a host have counted since `before` (by board), together. */
export function nicSince(host: Host, before: readonly number[][]): NicCounts {
  return nicOf(countsOfNics(host, before));
}

function countsOfNics({ boards }: Host, before: readonly number[][]): number[][] {
  return boards.map(({ nic }, board) => nicCounts(nic).map((count, i) => count - before[board][i]));
}

function nicOf(counts: readonly number[][]): NicCounts {
  return namedNic(counts[0].map((_, i) => counts.reduce((sum, board) => sum + board[i], 0)));
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
  return linkSince(link, session.baseline.links[index], session.now, session.measuredPs);
}

/** What a link has carried since `before` (by direction), `elapsed` picoseconds ago. */
export function linkSince(link: Link, before: readonly number[][], now: number, elapsed: number): LinkFigures {
  return {
    name: link.name,
    rate_Gbps: link.rateBps / 1e9,
    directions: link.directions.map((direction, side) => {
      const counts = directionCounts(direction, now);
      const [frames, wireBytes, busy, lost, drops, corrupted] = counts.map((count, i) => count - before[side][i]);
      return {
        from: direction.from.name,
        to: direction.to.name,
        frames,
        wire_bytes: wireBytes,
        utilisation: usedPart(wireBytes * link.psPerByte, elapsed),
        port_busy: usedPart(busy, elapsed),
        lost,
        queue: { ...queueOf(direction.from), drops },
        ...(corrupted > 0 ? { corrupted } : {}),
      };
    }),
  };
}

/**
 * The part of some time for which something was in use. A frame's bytes count when its last bit has left: those of the
 * one that was under way before would make it a little more than all.
 */
export function usedPart(usedPs: number, elapsedPs: number): number {
  return elapsedPs > 0 ? rounded(Math.min(1, usedPs / elapsedPs)) : 0;
}

/** Frames that wait at a port, and how many it holds. */
function queueOf({ queue }: WirePort): { used: number; size: number } {
  return { used: queue?.used ?? 0, size: queue?.size ?? 0 };
}
