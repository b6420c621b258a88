import type { Cluster } from "./cluster.ts";

/** Copies of every account at one instant, so that figures can be taken from then on. */
export class Baseline {
  /** Virtual time, picoseconds. */
  at = 0;
  /** By host and CPU, as in PhysicalCpu.time. */
  cpus: Float64Array[][] = [];
  /** By host and CPU: picoseconds of busy polling. */
  polled: number[][] = [];
  /** By guest, as in Processor.time. */
  guests: Float64Array[] = [];
  /** By host and board: frames and bytes sent and received, drops, interrupts, frames with a wrong check sequence. */
  nics: number[][][] = [];
  /** By link and direction: frames, wire bytes, busy picoseconds, lost, corrupted. */
  links: number[][][] = [];
  readonly #cluster: Cluster;

  /** Takes the accounts of now; of a cluster that has just begun at `startedAt` (picoseconds), those of then. */
  constructor(cluster: Cluster, startedAt?: number) {
    this.#cluster = cluster;
    this.take();
    if (startedAt === undefined) return;
    this.at = startedAt;
    for (const accounts of [...this.cpus.flat(), ...this.guests, ...this.polled, ...this.nics.flat()]) accounts.fill(0);
    for (const counts of this.links.flat()) counts.fill(0);
  }

  take(): void {
    const { hosts, guests, links, world } = this.#cluster;
    this.at = world.engine.now;
    this.cpus = hosts.map((host) => host.cpus.map((cpu) => cpu.time.slice()));
    this.polled = hosts.map((host) => host.cpus.map((cpu) => cpu.polled));
    this.guests = guests.map((guest) => guest.site.processor.time.slice());
    this.nics = hosts.map(({ boards }) => boards.map(({ nic }) => nicCounts(nic.counters)));
    this.links = links.map((link) => link.directions.map((direction) => directionCounts(direction, this.at)));
  }
}

/** A NIC's counters as a list, in the order of {@link Baseline.nics}. */
export function nicCounts(counters: Cluster["hosts"][number]["nic"]["counters"]): number[] {
  const { txFrames, rxFrames, txBytes, rxBytes, rxDrops, txDrops, interrupts, rxCrcErrors } = counters;
  return [txFrames, rxFrames, txBytes, rxBytes, rxDrops + txDrops, interrupts, rxCrcErrors];
}

/** A link direction's counters as a list, in the order of {@link Baseline.links}. */
export function directionCounts(direction: Cluster["links"][number]["directions"][number], now: number): number[] {
  return [direction.frames, direction.wireBytes, direction.busyUntil(now), direction.lost, direction.corrupted];
}
