import { assert } from "../base/assert.ts";
import { MIB, US } from "../base/units.ts";
import { FramePool, PAYLOAD_BUFFER_BYTES } from "../hw/frame.ts";
import { Link, type WirePort } from "../hw/link.ts";
import {
  type CostRead,
  type MachineProfile,
  resolveCosts,
  resolveLimits,
  watchedCosts,
  withOverrides,
} from "../hw/machine_profile.ts";
import { Memory } from "../hw/memory.ts";
import type { Nic } from "../hw/nic.ts";
import { MACHINES } from "../hw/profiles/registry.ts";
import { Switch } from "../hw/switch.ts";
import type { FrameTap } from "../hw/tap.ts";
import type { Thread } from "../hw/thread.ts";
import { Journeys } from "../metrics/journey.ts";
import type { Mx } from "../mx/api.ts";
import { queueBytes } from "../mx/driver/event_queues.ts";
import { Omxoed } from "../mx/driver/omxoed.ts";
import { LibraryCounters } from "../mx/lib/counters.ts";
import { PEERS_DEFAULT, PEERS_MAX, PeersFile } from "../mx/driver/peer_table.ts";
import { mxLimits } from "../mx/limits.ts";
import { isOnByDefault, NET_QUEUE_BYTES } from "../path/mechanisms.ts";
import { NATIVE_ENTRIES } from "../path/native.ts";
import type { Board, GuestPort, GuestSite, HostKind, Path, World } from "../path/path.ts";
import { PATHS } from "../path/registry.ts";
import { Engine } from "../sim/engine.ts";
import { RankMeter, TotalMeter } from "../workload/meter.ts";
import type { Workload } from "../workload/workload.ts";
import { Host } from "./host.ts";
import type { GuestSpec, Scenario } from "./scenario.ts";
import { onRail, railLinks } from "./scenario_faults.ts";

/**
 * Bytes for frames, rings, grant tables, the payload pattern, and queues of processes that begin anew, beyond what guests
 * allocate. Too much costs nothing; a byte too little, and all of the memory is copied.
 */
const BASE_BYTES = 64 * MIB;

/** Frames that there can be at a time: so many, and in a large cluster some for each guest. */
const FRAMES = 65536;
const FRAMES_PER_GUEST = 64;

/** Discovery daemons start within this time of each other, picoseconds. */
const DAEMON_SPREAD = 20 * US;

/** A guest of the cluster: its place, its connections, its figures, and the thread of its program. */
export interface Guest {
  readonly spec: GuestSpec;
  readonly host: Host;
  readonly path: Path;
  readonly site: GuestSite;
  /** Its connection by the first board of its host, and by each of them. */
  readonly port: GuestPort;
  readonly ports: readonly GuestPort[];
  readonly meter: RankMeter;
  thread: Thread | null;
  /** The MX library of its program, once there is one. */
  mx: Mx | null;
  /** What the libraries of its processes that have died had counted. */
  readonly past: LibraryCounters;
}

/** How a cluster is built, beside what it is. */
export interface ClusterOptions {
  /** Carries on the time of another cluster; a new one begins at 0. */
  readonly engine?: Engine | null;
  /** Several clusters are there at the same time: see Memory. */
  readonly oneOfMany?: boolean;
  /** Told of each cost that something of the cluster reads, once. */
  readonly costRead?: CostRead;
}

/** Everything that a scenario names, built and wired. */
export class Cluster {
  readonly world: World;
  readonly profile: MachineProfile;
  readonly hosts: readonly Host[];
  readonly guests: readonly Guest[];
  /** Latencies of all guests. */
  readonly total: TotalMeter = new TotalMeter();
  /** Of the first rail, then of the second, and so on; each rail's in the order of the hosts. */
  readonly links: readonly Link[];
  /** One for each rail; none where two hosts share cables. */
  readonly switches: readonly Switch[];
  readonly #daemons: readonly Omxoed[];

  constructor(scenario: Scenario, workload: Workload, options: ClusterOptions = {}) {
    const profile = MACHINES.find(({ name }) => name === scenario.machine);
    assert(profile !== undefined, "cluster: the scenario names a machine that exists");
    this.profile = withOverrides(profile, scenario.costs);
    this.world = buildWorld(scenario, workload, this.profile, options);
    const boost = scenario.mechanisms.boost ?? isOnByDefault("boost", scenario.path);
    this.hosts = scenario.hosts.map((spec, index) =>
      new Host(this.world, spec, index, { kind: kindOf(scenario, index), boards: scenario.boards, boost })
    );
    const rails = Array.from({ length: scenario.boards }, (_, rail) => rail);
    this.switches = this.hosts.length > 2 ? rails.map((rail) => buildSwitch(this.world, rail)) : [];
    this.links = rails.flatMap((rail) => this.#wire(scenario, rail));
    this.guests = scenario.guests.map((spec) => this.#place(spec));
    this.#daemons = scenario.discovery === "omxoed" ? this.#startDaemons() : [];
    if (scenario.discovery === undefined) { for (const rail of rails) this.#introduce(rail); }
  }

  #place(spec: GuestSpec): Guest {
    const host = this.hosts[spec.host];
    const path = PATHS.find(({ name }) => name === spec.path);
    assert(path !== undefined, "cluster: the scenario names a path that exists");
    const attached = host.boards.map(({ index }) => host.path(path, index));
    const site = host.site(spec);
    const ports = attached.map((path, board) => path.place(host.onBoard(site, board)));
    return {
      spec,
      host,
      path,
      site,
      port: ports[0],
      ports,
      meter: new RankMeter(this.total),
      thread: null,
      mx: null,
      past: new LibraryCounters(),
    };
  }

  /** A rail: the boards of one number, joined by a cable between two hosts, by a switch between more. */
  #wire(scenario: Scenario, rail: number): Link[] {
    const { engine, frames, costs } = this.world;
    const { rateBps, latencyPs, loss } = scenario.link;
    const latency = latencyPs ?? costs.phy + costs.fibre;
    const names = railLinks(this.hosts, rail);
    const nics = this.hosts.map(({ boards }) => boards[rail].nic);
    const connect = (name: string, near: Nic, far: Nic | WirePort) => {
      const link = new Link(engine, frames, name, rateBps, latency, near, far);
      link.loss = loss;
      near.connect(link, 0);
      return link;
    };
    if (this.switches.length === 0) {
      return names.map((name) => {
        const link = connect(name, nics[0], nics[1]);
        nics[1].connect(link, 1);
        return link;
      });
    }
    const hub = this.switches[rail];
    return names.map((name, host) => {
      const link = connect(name, nics[host], hub.addPort(this.hosts[host].name));
      hub.connect(host, link, 1);
      return link;
    });
  }

  get #boards(): Board[] {
    return this.hosts.flatMap((host) => [...host.paths.values()].flatMap((path) => [...path.boards]));
  }

  /** Each board has a daemon on the kernel that drives it; they start as programs do, about the same time. */
  #startDaemons(): Omxoed[] {
    const { engine } = this.world;
    const random = engine.random("omxoed");
    const daemons = this.#boards.map(({ driver }) => new Omxoed(driver, random.below(2 ** 31)));
    const start = engine.handler("omxoed starts", (index) => daemons[index].thread.notify());
    for (const index of daemons.keys()) engine.after(random.below(DAEMON_SPREAD), start, index);
    return daemons;
  }

  /** Ends what goes on without end: nothing of it is on its way when a run is looked over. */
  stopDaemons(): void {
    for (const daemon of this.#daemons) daemon.stop();
  }

  /** Every board learns of every other on its rail, as omx_init_peers does from its file; its own entry is there already. */
  #introduce(rail: number): void {
    const boards: Board[] = [];
    for (const host of this.hosts) for (const path of host.boards[rail].paths) boards.push(...path.boards);
    const file = this.#fileOf(boards);
    for (const board of boards) {
      if (file !== null) board.peers.addFile(file);
      else {for (const other of boards) {
          if (other === board) continue;
          const isNew = board.peers.byName(other.hostname) === undefined;
          if (isNew) board.peers.tryAdd(other.hostname, other.macHigh, other.macLow);
        }}
    }
    if (this.switches.length === 0) return;
    for (const host of this.hosts) {
      for (const path of host.boards[rail].paths) {
        for (const { macLow } of path.boards) this.switches[rail].learn(macLow, host.index);
      }
    }
  }

  /** What each board is told, where all can be told the same: with a name for each, and nobody known before. */
  #fileOf(boards: readonly Board[]): PeersFile | null {
    const areNew = boards.every(({ peers }) => peers.size === 1 && boards.length <= peers.max);
    return areNew && new Set(boards.map(({ hostname }) => hostname)).size === boards.length
      ? new PeersFile(boards)
      : null;
  }

  /** Every place where frames can be looked at: wires, NICs, ports of the switch, interfaces of guests. */
  get taps(): FrameTap[] {
    const nics = this.hosts.flatMap(({ boards }) => boards.map(({ nic }) => nic));
    const ports = this.switches.flatMap((hub) => hub.ports);
    const taps = [...this.links, ...nics, ...ports].map(({ tap }) => tap);
    for (const host of this.hosts) for (const path of host.paths.values()) taps.push(...path.taps?.() ?? []);
    return taps;
  }

  /** What must be conserved when every program has ended, and is not. */
  leaks(): string[] {
    const { frames, journeys } = this.world;
    const leaks: string[] = [];
    for (const host of this.hosts) for (const path of host.paths.values()) leaks.push(...path.leaks());
    if (frames.used > 0) leaks.push(`${frames.used} frames were never freed`);
    if (journeys.live > 0) leaks.push(`${journeys.live} messages are still being followed`);
    return leaks;
  }
}

/** What a host has to be for the paths of its guests; one that nothing says otherwise of runs Xen. */
export function kindOf(scenario: Scenario, host: number): HostKind {
  if (scenario.hosts[host].native) return "native";
  const guest = scenario.guests.find((spec) => spec.host === host);
  const path = PATHS.find(({ name }) => name === guest?.path);
  if (path === undefined || path.hypervisor === "none") return "xen";
  return path.hypervisorWith?.(scenario.mechanisms) ?? path.hypervisor;
}

function buildWorld(
  scenario: Scenario,
  workload: Workload,
  profile: MachineProfile,
  { engine: successor = null, oneOfMany = false, costRead }: ClusterOptions,
): World {
  const engine = successor ?? new Engine(scenario.seed);
  const mx = mxLimits(scenario.link.mtu, scenario.link.wire === "mx");
  const perBoard = queueBytes(mx, NATIVE_ENTRIES) + (scenario.mechanisms.netQueues ?? 1) * NET_QUEUE_BYTES;
  const perGuest = scenario.boards * perBoard + workload.memoryBytes(scenario.workload.params, scenario.guests.length);
  // What was sent eagerly and stands in queues has payload of its own, and keeps its slot of the send queue.
  const eagerFrames = Math.min(FRAMES, scenario.guests.length * scenario.boards * NATIVE_ENTRIES);
  const payload = eagerFrames * PAYLOAD_BUFFER_BYTES;
  const memory = new Memory(BASE_BYTES + payload + perGuest * scenario.guests.length, oneOfMany);
  const journeys = new Journeys();
  const frames = new FramePool(memory, journeys, Math.max(FRAMES, scenario.guests.length * FRAMES_PER_GUEST));
  const plain = resolveCosts(profile);
  const costs = costRead === undefined ? plain : watchedCosts(plain, costRead);
  // A port has the rate of its cable, whatever the NIC could do: what is inside the NIC goes by it too.
  const limits = { ...resolveLimits(profile), nicRateGbps: scenario.link.rateBps / 1e9 };
  const { mechanisms, packetLoss } = scenario;
  const debug = { packetLoss, checksum: mechanisms.debugChecksum };
  return { engine, memory, frames, journeys, costs, limits, mx, mechanisms, debug, peerMax: peersOf(scenario) };
}

/** Module parameter `peers` of every driver: as many as a rail may have boards, where that is more than the default. */
function peersOf({ hosts, guests }: Scenario): number {
  return Math.min(PEERS_MAX, Math.max(PEERS_DEFAULT, hosts.length + guests.length));
}

function buildSwitch(world: World, rail: number): Switch {
  return new Switch(world.engine, world.frames, onRail("switch", rail), world.costs.switchForward);
}
