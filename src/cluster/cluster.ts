import { assert } from "../base/assert.ts";
import { MIB } from "../base/units.ts";
import { FramePool } from "../hw/frame.ts";
import { Link } from "../hw/link.ts";
import { type MachineProfile, resolveCosts, resolveLimits, withOverrides } from "../hw/machine_profile.ts";
import { Memory } from "../hw/memory.ts";
import { MACHINES } from "../hw/profiles/registry.ts";
import { Switch } from "../hw/switch.ts";
import type { FrameTap } from "../hw/tap.ts";
import type { Thread } from "../hw/thread.ts";
import { Journeys } from "../metrics/journey.ts";
import type { Mx } from "../mx/api.ts";
import { queueBytes } from "../mx/driver/event_queues.ts";
import { mxLimits } from "../mx/limits.ts";
import { NATIVE_ENTRIES } from "../path/native.ts";
import type { Board, GuestPort, GuestSite, HostKind, Path, World } from "../path/path.ts";
import { PATHS } from "../path/registry.ts";
import { Engine } from "../sim/engine.ts";
import { RankMeter, TotalMeter } from "../workload/meter.ts";
import type { Workload } from "../workload/workload.ts";
import { Host } from "./host.ts";
import type { GuestSpec, Scenario } from "./scenario.ts";

/** Bytes for frames, rings, grant tables and the payload pattern, beyond what guests allocate. */
const BASE_BYTES = 32 * MIB;

/** A guest of the cluster: its place, its connection, its figures, and the thread of its program. */
export interface Guest {
  readonly spec: GuestSpec;
  readonly host: Host;
  readonly path: Path;
  readonly site: GuestSite;
  readonly port: GuestPort;
  readonly meter: RankMeter;
  thread: Thread | null;
  /** The MX library of its program, once there is one. */
  mx: Mx | null;
}

/** Everything that a scenario names, built and wired. */
export class Cluster {
  readonly world: World;
  readonly profile: MachineProfile;
  readonly hosts: readonly Host[];
  readonly guests: readonly Guest[];
  /** Latencies of all guests. */
  readonly total: TotalMeter = new TotalMeter();
  readonly links: readonly Link[];
  readonly switch: Switch | null;

  constructor(scenario: Scenario, workload: Workload) {
    const profile = MACHINES.find(({ name }) => name === scenario.machine);
    assert(profile !== undefined, "cluster: the scenario names a machine that exists");
    this.profile = withOverrides(profile, scenario.costs);
    this.world = buildWorld(scenario, workload, this.profile);
    const boost = scenario.mechanisms.boost ?? true;
    this.hosts = scenario.hosts.map((spec, index) =>
      new Host(this.world, spec, index, { kind: kindOf(scenario, index), boost })
    );
    this.switch = this.hosts.length > 2 ? buildSwitch(this.world) : null;
    this.links = this.#wire(scenario);
    this.guests = scenario.guests.map((spec) => this.#place(spec));
    this.#introduce();
  }

  #place(spec: GuestSpec): Guest {
    const host = this.hosts[spec.host];
    const path = PATHS.find(({ name }) => name === spec.path);
    assert(path !== undefined, "cluster: the scenario names a path that exists");
    const attached = host.path(path);
    const site = host.site(spec);
    return {
      spec,
      host,
      path,
      site,
      port: attached.place(site),
      meter: new RankMeter(this.total),
      thread: null,
      mx: null,
    };
  }

  /** Two hosts share a cable; more meet at a switch. */
  #wire(scenario: Scenario): Link[] {
    const { engine, frames, costs } = this.world;
    const { rateBps, latencyPs, loss } = scenario.link;
    const latency = latencyPs ?? costs.phy + costs.fibre;
    const links: Link[] = [];
    const connect = (name: string, host: Host, other: Host | number) => {
      const far = typeof other === "number" ? this.switch!.ports[other] : other.nic;
      const link = new Link(engine, frames, name, rateBps, latency, host.nic, far);
      link.loss = loss;
      host.nic.connect(link, 0);
      if (typeof other === "number") this.switch!.connect(other, link, 1);
      else other.nic.connect(link, 1);
      links.push(link);
    };
    if (this.switch === null) {
      if (this.hosts.length === 2) {
        connect(`${this.hosts[0].name}-${this.hosts[1].name}`, this.hosts[0], this.hosts[1]);
      }
      return links;
    }
    for (const host of this.hosts) {
      this.switch.addPort(host.name);
      connect(`${host.name}-switch`, host, host.index);
    }
    return links;
  }

  /** Every board learns of every other, as omx_init_peers does from its file; its own entry is there already. */
  #introduce(): void {
    const boards: Board[] = [];
    for (const host of this.hosts) for (const path of host.paths.values()) boards.push(...path.boards);
    for (const board of boards) {
      for (const other of boards) {
        if (other === board) continue;
        const isNew = board.peers.byName(other.hostname) === undefined;
        if (isNew) board.peers.add(other.hostname, other.macHigh, other.macLow, false);
      }
    }
    for (const host of this.hosts) {
      for (const path of host.paths.values()) {
        for (const { macLow } of path.boards) this.switch?.learn(macLow, host.index);
      }
    }
  }

  /** Every place where frames can be looked at: wires, NICs, ports of the switch, interfaces of guests. */
  get taps(): FrameTap[] {
    const taps = [...this.links, ...this.hosts.map(({ nic }) => nic), ...this.switch?.ports ?? []].map(({ tap }) =>
      tap
    );
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
function kindOf(scenario: Scenario, host: number): HostKind {
  if (scenario.hosts[host].native) return "native";
  const guest = scenario.guests.find((spec) => spec.host === host);
  const path = PATHS.find(({ name }) => name === guest?.path);
  if (path === undefined || path.hypervisor === "none") return "xen";
  return path.hypervisorWith?.(scenario.mechanisms) ?? path.hypervisor;
}

function buildWorld(scenario: Scenario, workload: Workload, profile: MachineProfile): World {
  const engine = new Engine(scenario.seed);
  const mx = mxLimits(scenario.link.mtu);
  const perGuest = queueBytes(mx, NATIVE_ENTRIES) + workload.memoryBytes(scenario.workload.params) + MIB;
  const memory = new Memory(BASE_BYTES + perGuest * scenario.guests.length);
  const journeys = new Journeys();
  const frames = new FramePool(memory, journeys);
  const costs = resolveCosts(profile);
  const limits = resolveLimits(profile);
  return { engine, memory, frames, journeys, costs, limits, mx, mechanisms: scenario.mechanisms };
}

function buildSwitch(world: World): Switch {
  return new Switch(world.engine, world.frames, "switch", world.costs.switchForward);
}
