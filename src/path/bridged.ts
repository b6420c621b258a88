import { assert } from "../base/assert.ts";
import { type BridgePort, SoftwareBridge } from "../hw/bridge.ts";
import { type FrameReceiver, NicDriver } from "../hw/nic_driver.ts";
import type { Processor } from "../hw/processor.ts";
import type { FrameTap } from "../hw/tap.ts";
import { IRQ } from "../metrics/stage.ts";
import { MEDIUM_HEADER, PACKET_MEDIUM, PACKET_PULL_REPLY, PULL_REPLY_HEADER } from "../mx/wire/mod.ts";
import type { Domain } from "../xen/domain.ts";
import type { Netback } from "../xen/netback.ts";
import { connectVif, isVifConnected } from "../xen/netback_connect.ts";
import { RX_SLOTS } from "../xen/net_layout.ts";
import { NetfrontQueues } from "../xen/net_queues.ts";
import { Netfront } from "../xen/netfront.ts";
import { type GuestKernel, guestKernel } from "./guest_kernel.ts";
import { driverLeaks } from "./native.ts";
import { queueProcessors, routeInterrupts } from "./nic_interrupts.ts";
import {
  type Board,
  type GuestPort,
  type GuestSite,
  type HostSite,
  type InterfaceCounts,
  interfaceTap,
  type Path,
  type PathHost,
  type PortRing,
} from "./path.ts";
import { xenRing } from "./port_ring.ts";
import { netRxText, netTxText } from "./ring_text.ts";

/** Open-MX in the guest, over Xen's split network device and a software bridge in dom0. */
export const bridged: Path = {
  name: "bridged",
  title: "Open-MX in the guest over netfront, netback and a bridge in dom0",
  hypervisor: "xen",
  // A queue has one event channel, and two rings that dom0 maps.
  dom0Share({ boards, mechanisms: { netQueues = 1 } }) {
    return { ports: netQueues * boards, mappings: 2 * netQueues * boards, endpointMappings: 0 };
  },
  attach: (site) => new BridgedHost(site),
};

/** A frame of this size has everything in its linear part, as Open-MX's own frames do. */
const LINEAR_MAX = 192;
const OFF_TYPE = 16;

/** Where the payload of an MX frame begins; what is no MX frame with payload is divided where there is room. */
export function splitOfMx(view: DataView, at: number, length: number): number {
  if (length <= LINEAR_MAX) return length;
  const type = view.getUint8(at + OFF_TYPE);
  if (type === PACKET_PULL_REPLY) return PULL_REPLY_HEADER;
  return type === PACKET_MEDIUM ? MEDIUM_HEADER : LINEAR_MAX;
}

interface Device extends GuestKernel {
  readonly domain: Domain;
  readonly front: NetfrontQueues;
  readonly tap: FrameTap;
  backs: readonly Netback[];
}

/** Dom0 of one host: a NIC, a bridge, and a netback for each guest. Every guest has an MX board of its own on it. */
class BridgedHost implements PathHost {
  readonly boards: Board[] = [];
  readonly #site: HostSite;
  readonly #dom0: Domain;
  readonly #bridge: SoftwareBridge;
  readonly #devices: Device[] = [];

  constructor(site: HostSite) {
    assert(site.hypervisor !== null, "bridged: the host runs Xen");
    this.#site = site;
    this.#dom0 = site.hypervisor.domain(0)!;
    const { world } = site;
    this.#bridge = new SoftwareBridge(world.frames, world.costs);
    const uplink = new Uplink(site, this.#bridge);
    routeInterrupts(site, uplink.nicDriver, this.#dom0);
  }

  place(guest: GuestSite): GuestPort {
    const { domain } = guest;
    assert(domain !== null, "bridged: a guest is a domain");
    const { world, board, boards } = this.#site;
    const { mechanisms } = world;
    const device = this.#buildDevice(guest, domain);
    const { hostname } = device;
    this.#devices.push(device);
    this.boards.push({
      hostname,
      macHigh: guest.macHigh,
      macLow: guest.macLow,
      peers: device.driver.peers,
      driver: device.driver,
    });
    connectVif(device.front.queues, {
      dom0: this.#dom0,
      frames: world.frames,
      device: board,
      bridge: this.#bridge,
      split: splitOfMx,
      mapsTransmit: mechanisms.netbackMap ?? false,
      // Beside the VCPUs that take the NICs' first interrupts: all guests' frames are for endpoint 0, and hash there.
      vcpu: ((guest.index + 1) * boards + board) % this.#dom0.processors.length,
      connected: (...backs) => device.backs = backs,
    });
    return {
      attach: device.attach,
      hostname,
      endpoint: 0,
      figures: () => ({
        ring: { used: device.front.slotsUsed, size: device.front.slots },
        grants: { active: domain.grantTable.activeGrants, mapped: domain.grantTable.mappedGrants },
      }),
      interface: () => interfaceCounts(device),
      rings: () => ringsOf(device),
    };
  }

  /** The guest's kernel: its Open-MX driver, on netfront instead of a NIC. */
  #buildDevice(guest: GuestSite, domain: Domain): Device {
    const { world } = this.#site;
    const { costs } = world;
    const syscall = costs.syscall + costs.pvSyscall;
    const kernel = guestKernel(guest, world, (cpu, frame, cls) => front.transmit(cpu, frame, cls), syscall);
    const tap = interfaceTap(guest, "netfront");
    const queues = Array.from({ length: world.mechanisms.netQueues ?? 1 }, () =>
      new Netfront({
        domain,
        frames: world.frames,
        receiver: kernel.driver,
        macHigh: guest.macHigh,
        macLow: guest.macLow,
        split: splitOfMx,
        queueLimit: world.limits.txQueueLength,
        tap,
      }));
    const front = new NetfrontQueues(world.frames, queues);
    return { ...kernel, domain, front, tap, backs: [] };
  }

  taps(): FrameTap[] {
    return this.#devices.map(({ tap }) => tap);
  }

  /** With all endpoints closed only the rings and the posted receive buffers are granted, and no frame is held. */
  leaks(): string[] {
    return this.#devices.flatMap((device) => this.#leaksOf(device));
  }

  #leaksOf(device: Device): string[] {
    const { hostname: name, domain, driver, front, backs } = device;
    const { board, boards } = this.#site;
    const leaks = driverLeaks(name, driver);
    const { posted } = front;
    const buffers = RX_SLOTS * front.queues.length;
    if (!isVifConnected(this.#dom0, domain, board)) leaks.push(`${name}: its network device is not connected`);
    if (posted !== buffers) leaks.push(`${name}: ${buffers - posted} receive buffers are not posted`);
    if (front.slotsInUse > 0) leaks.push(`${name}: ${front.slotsInUse} transmit slots were never answered`);
    const held = backs.reduce((sum, back) => sum + back.rx.queue.count, front.waiting);
    if (held > 0) leaks.push(`${name}: ${held} frames still wait in its interface's queues`);
    // The domain's grants are those of all its devices, which are alike: looked at once.
    if (board > 0) return leaks;
    const { activeGrants, mappedGrants } = domain.grantTable;
    const mapped = this.#dom0.mappings.mappingsOf(domain.id);
    const rings = 2 * front.queues.length * boards;
    if (mappedGrants !== rings || mapped !== rings) {
      leaks.push(`${name}: dom0 still maps ${mapped - rings} of its pages`);
    }
    const granted = activeGrants - rings - buffers * boards;
    if (granted !== 0) leaks.push(`${name}: ${granted} grants are still active, beyond rings and receive buffers`);
    return leaks;
  }
}

/** Two rings for each queue. The receive ring counts the buffers that dom0 may fill. */
function ringsOf({ front, backs }: Device): PortRing[] {
  return front.queues.flatMap(({ tx, rx }, i) => {
    const queue = front.queues.length === 1 ? "" : ` ${i}`;
    return [
      xenRing(`netfront tx ring${queue}`, tx.ring, backs[i]?.tx.ring, netTxText),
      xenRing(`netfront rx ring${queue}`, rx.ring, backs[i]?.rx.ring, netRxText, "buffers"),
    ];
  });
}

/** What netfront has handed on, and what found no room in its queues or in netback's. */
function interfaceCounts({ front, backs }: Device): InterfaceCounts {
  const counts = { txFrames: 0, rxFrames: 0, txDrops: 0, rxDrops: 0, interrupts: 0 };
  for (const { tx, rx, interrupts } of front.queues) {
    counts.txFrames += tx.counters.frames;
    counts.txDrops += tx.counters.dropped + tx.counters.errors;
    counts.rxFrames += rx.counters.frames;
    counts.rxDrops += rx.counters.errors + rx.counters.noFrame;
    counts.interrupts += interrupts;
  }
  for (const { rx } of backs) counts.rxDrops += rx.counters.dropped + rx.counters.tooLong;
  return counts;
}

/** The NIC as a port of the bridge, and what dom0's kernel does with the frames that come in by it. */
class Uplink implements BridgePort, FrameReceiver {
  readonly name: string;
  readonly keepsFrames = true;
  readonly #site: HostSite;
  readonly #bridge: SoftwareBridge;
  readonly nicDriver: NicDriver;
  readonly #port: number;

  constructor(site: HostSite, bridge: SoftwareBridge) {
    const { world, nic } = site;
    this.name = nic.name;
    this.#site = site;
    this.#bridge = bridge;
    this.#port = bridge.addPort(this);
    this.nicDriver = new NicDriver(nic, world.frames, world.costs, queueProcessors(site), this);
  }

  transmit(cpu: Processor, frame: number): boolean {
    return this.nicDriver.transmit(cpu, frame);
  }

  receive(cpu: Processor, frame: number): void {
    this.#bridge.forward(cpu, IRQ, this.#port, frame);
  }

  /** Only frames of pages that a netback has mapped are marked: it may unmap them. */
  frameSent(cpu: Processor, cookie: number): void {
    this.#site.world.frames.giveBack(cookie, cpu);
  }
}
