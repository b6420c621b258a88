import type { Cluster } from "./cluster.ts";
import { PULL_TIMEOUT_FIRST, UNEXP_QUEUE_FULL } from "../mx/driver/counters.ts";
import { type Arriving, arriving } from "./arriving.ts";
import { guestCounts } from "./guest_counts.ts";

const NOTHING: Arriving = { received: new Float64Array(), sent: new Float64Array() };

/** Copies of every account at one instant, so that figures can be taken from then on. */
export class Baseline {
  /** Virtual time, picoseconds. */
  at = 0;
  /** By host and CPU, as in PhysicalCpu.time. */
  cpus: Float64Array[][] = [];
  /** By host and CPU: picoseconds of busy polling. */
  polled: number[][] = [];
  /** By host and CPU: picoseconds of somebody else's computation. */
  foreign: number[][] = [];
  /** By guest, as in Processor.time. */
  guests: Float64Array[] = [];
  /** By guest, as in {@link guestCounts}. */
  counts: Float64Array[] = [];
  /** Of messages under way. */
  arriving: Arriving = NOTHING;
  /** By host and processor of the kernel that drives the NICs, as in Processor.time. */
  kernels: Float64Array[][] = [];
  /** By host and board: see {@link nicCounts}. */
  nics: number[][][] = [];
  /** By host: VM exits by reason, see {@link hostExits}. */
  exits: number[][] = [];
  /** Packets that found an event queue full, of all boards. */
  overruns = 0;
  /** Times that no frame was free for who wanted one. */
  exhausted = 0;
  /** Large messages of which a part was asked for again after a second without any of it, of all boards. */
  pullTimeouts = 0;
  /** By link and direction: frames, wire bytes, busy picoseconds, lost, dropped at the sender's port, corrupted. */
  links: number[][][] = [];
  /** Messages that were followed to their end, those that were alone, and their picoseconds by stage, see `Journeys`. */
  journeys = 0;
  journeysAlone = 0;
  stages: Float64Array = new Float64Array(0);
  /** Requests that have become due since measuring began, of all open-loop clients. */
  offered = 0;
  readonly #cluster: Cluster;

  /** Takes the accounts of now; of a cluster that has just begun at `startedAt` (picoseconds), those of then. */
  constructor(cluster: Cluster, startedAt?: number) {
    this.#cluster = cluster;
    this.take();
    if (startedAt === undefined) return;
    this.at = startedAt;
    this.overruns =
      this.exhausted =
      this.pullTimeouts =
      this.journeys =
      this.journeysAlone =
      this.offered =
        0;
    const { cpus, guests, polled, foreign, counts, kernels, nics, exits, links, stages } = this;
    const one = [stages, this.arriving.received, this.arriving.sent];
    const all = [cpus.flat(), guests, polled, foreign, counts, kernels.flat(), nics.flat(), exits, links.flat(), one];
    for (const accounts of all.flat()) accounts.fill(0);
  }

  take(): void {
    const { hosts, guests, links, world } = this.#cluster;
    this.at = world.engine.now;
    this.cpus = copiesByHost(hosts.map((host) => host.cpus.map((cpu) => cpu.time)));
    this.polled = hosts.map((host) => host.cpus.map((cpu) => cpu.polled));
    this.foreign = hosts.map((host) => host.cpus.map((cpu) => cpu.foreign));
    this.guests = copies(guests.map((guest) => guest.site.processor.time));
    this.counts = copies(guests.map((guest) => guestCounts(guest)));
    this.kernels = copiesByHost(hosts.map(({ kernel }) => kernel.map(({ time }) => time)));
    this.nics = hosts.map(({ boards }) => boards.map(({ nic }) => nicCounts(nic)));
    this.exits = hosts.map((host) => hostExits(host) ?? []);
    this.arriving = arriving(this.#cluster);
    this.overruns = overruns(this.#cluster);
    this.exhausted = world.frames.exhausted;
    this.pullTimeouts = pullTimeouts(this.#cluster);
    this.links = links.map((link) => link.directions.map((direction) => directionCounts(direction, this.at)));
    this.journeys = world.journeys.finished;
    this.journeysAlone = world.journeys.finishedAlone;
    this.stages = world.journeys.sums;
    this.offered = offeredRequests(this.#cluster, this.at);
  }
}

/** Copies that lie together: memory of its own for each of some thousand accounts takes ten times what they say. */
function copies(accounts: readonly Float64Array[]): Float64Array[] {
  const all = new Float64Array(accounts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  return accounts.map((account) => {
    all.set(account, at);
    return all.subarray(at, at += account.length);
  });
}

function copiesByHost(accounts: readonly Float64Array[][]): Float64Array[][] {
  const all = copies(accounts.flat());
  let at = 0;
  return accounts.map(({ length }) => all.slice(at, at += length));
}

/** VM exits of a host's guests, in the order of `EXIT_REASONS`; null where no path of it has any. */
export function hostExits({ paths }: Cluster["hosts"][number]): number[] | null {
  const all = [...paths.values()].flatMap((path) => path.exits === undefined ? [] : [path.exits()]);
  return all.length === 0 ? null : all[0].map((_, i) => all.reduce((sum, exits) => sum + exits[i], 0));
}

/** Packets that have found an event queue full since the start, of all boards. */
export function overruns(cluster: Cluster): number {
  return countedByDrivers(cluster, UNEXP_QUEUE_FULL);
}

/** Pulls that were silent for too long since the start, of all boards: see {@link Baseline.pullTimeouts}. */
export function pullTimeouts(cluster: Cluster): number {
  return countedByDrivers(cluster, PULL_TIMEOUT_FIRST);
}

/** Requests that have become due until now, picoseconds: see {@link Baseline.offered}. */
function offeredRequests({ guests }: Cluster, now: number): number {
  return guests.reduce((sum, { meter }) => sum + (meter.offered.length > 0 ? meter.offeredBy(now) : 0), 0);
}

function countedByDrivers({ hosts }: Cluster, counter: number): number {
  let sum = 0;
  for (const { paths } of hosts) {
    for (const { boards } of paths.values()) for (const { driver } of boards) sum += driver.counters[counter];
  }
  return sum;
}

/** Counts of a NIC in all, and of each receive queue behind them. */
export const NIC_COUNTS = 9;
export const QUEUE_COUNTS = 4;

/** A NIC's counters as a list, in the order of {@link Baseline.nics}: of all of it, then of each receive queue. */
export function nicCounts(nic: Cluster["hosts"][number]["nic"]): number[] {
  const { txFrames, rxFrames, txBytes, rxBytes, rxDrops, txDrops, interrupts, coalesced, rxCrcErrors } = nic.counters;
  const counts = [txFrames, rxFrames, txBytes, rxBytes, rxDrops, txDrops, interrupts, coalesced, rxCrcErrors];
  for (let queue = 0; queue < nic.queueCount; queue++) {
    const { frames, drops, interrupts, coalesced } = nic.queueCounters(queue);
    counts.push(frames, drops, interrupts, coalesced);
  }
  return counts;
}

/** A link direction's counters as a list, in the order of {@link Baseline.links}. */
export function directionCounts(direction: Cluster["links"][number]["directions"][number], now: number): number[] {
  const { frames, wireBytes, lost, corrupted, from } = direction;
  return [frames, wireBytes, direction.busyUntil(now), lost, from.queue?.drops ?? 0, corrupted];
}
