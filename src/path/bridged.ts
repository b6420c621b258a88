import { assert } from "../base/assert.ts";
import { PAGE_SIZE } from "../base/units.ts";
import { type BridgePort, SoftwareBridge } from "../hw/bridge.ts";
import { type FrameReceiver, NicDriver } from "../hw/nic_driver.ts";
import type { Processor } from "../hw/processor.ts";
import type { FrameTap } from "../hw/tap.ts";
import { IRQ } from "../metrics/stage.ts";
import { type EtherPort, OmxDriver } from "../mx/driver/driver.ts";
import { NativeDriver } from "../mx/driver/native.ts";
import { MEDIUM_HEADER, PACKET_MEDIUM, PACKET_PULL_REPLY, PULL_REPLY_HEADER } from "../mx/wire/mod.ts";
import type { Domain } from "../xen/domain.ts";
import type { Netback } from "../xen/netback.ts";
import { connectVif, isVifConnected } from "../xen/netback_connect.ts";
import { RX_SLOTS } from "../xen/net_layout.ts";
import { NetfrontQueues } from "../xen/net_queues.ts";
import { Netfront } from "../xen/netfront.ts";
import { driverLeaks, NATIVE_ENTRIES } from "./native.ts";
import {
  type Board,
  type GuestPort,
  type GuestSite,
  type HostSite,
  interfaceTap,
  type Path,
  type PathHost,
} from "./path.ts";

/** Open-MX in the guest, over Xen's split network device and a software bridge in dom0. */
export const bridged: Path = {
  name: "bridged",
  title: "Open-MX in the guest over netfront, netback and a bridge in dom0",
  hypervisor: "xen",
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

interface Device {
  readonly domain: Domain;
  readonly driver: OmxDriver;
  readonly front: NetfrontQueues;
  readonly tap: FrameTap;
  backs: readonly Netback[];
}

/** Dom0 of one host: its NIC, a bridge, and a netback for each guest. Every guest is an MX board of its own. */
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
    uplink.bindInterrupts(this.#dom0);
  }

  place(guest: GuestSite): GuestPort {
    const { domain, name } = guest;
    assert(domain !== null, "bridged: a guest is a domain");
    const { costs, mechanisms } = this.#site.world;
    const device = this.#buildDevice(guest, domain);
    this.#devices.push(device);
    this.boards.push({
      hostname: name,
      macHigh: guest.macHigh,
      macLow: guest.macLow,
      peers: device.driver.peers,
    });
    connectVif(device.front.queues, {
      dom0: this.#dom0,
      frames: this.#site.world.frames,
      bridge: this.#bridge,
      split: splitOfMx,
      mapsTransmit: mechanisms.netbackMap ?? false,
      // Beside the VCPU that takes the NIC's first interrupt: all guests' frames are for endpoint 0, and hash there.
      vcpu: (guest.index + 1) % this.#dom0.processors.length,
      connected: (...backs) => device.backs = backs,
    });
    const alloc = (bytes: number) => domain.allocPages(Math.ceil(bytes / PAGE_SIZE));
    const syscallPs = costs.syscall + costs.pvSyscall;
    const { registrationCache } = mechanisms;
    return {
      attach: () =>
        new NativeDriver(device.driver, name, name, syscallPs, NATIVE_ENTRIES, { registrationCache, alloc }),
      hostname: name,
      endpoint: 0,
      figures: () => ({
        ring: { used: device.front.slotsUsed, size: device.front.slots },
        grants: { active: domain.grantTable.activeGrants, mapped: domain.grantTable.mappedGrants },
      }),
    };
  }

  /** The guest's kernel: its Open-MX driver, on netfront instead of a NIC. */
  #buildDevice(guest: GuestSite, domain: Domain): Device {
    const { world } = this.#site;
    const port: EtherPort = {
      macHigh: guest.macHigh,
      macLow: guest.macLow,
      transmit: (cpu, frame) => front.transmit(cpu, frame),
    };
    const driver = new OmxDriver({
      engine: world.engine,
      memory: world.memory,
      frames: world.frames,
      costs: world.costs,
      limits: world.mx,
      port,
      hostname: guest.name,
      processor: guest.processor,
      copyOffload: world.mechanisms.copyOffload,
    });
    const tap = interfaceTap(guest, "netfront");
    const queues = Array.from({ length: world.mechanisms.netQueues ?? 1 }, () =>
      new Netfront({
        domain,
        frames: world.frames,
        receiver: driver,
        macHigh: guest.macHigh,
        macLow: guest.macLow,
        split: splitOfMx,
        queueLimit: world.limits.txQueueLength,
        tap,
      }));
    const front = new NetfrontQueues(world.frames, queues);
    return { domain, driver, front, tap, backs: [] };
  }

  taps(): FrameTap[] {
    return this.#devices.map(({ tap }) => tap);
  }

  /** With all endpoints closed only the rings and the posted receive buffers are granted, and no frame is held. */
  leaks(): string[] {
    return this.#devices.flatMap((device) => this.#leaksOf(device));
  }

  #leaksOf({ domain, driver, front, backs }: Device): string[] {
    const leaks = driverLeaks(domain.name, driver);
    const { activeGrants, mappedGrants } = domain.grantTable;
    const mapped = this.#dom0.mappings.mappingsOf(domain.id);
    const { posted } = front;
    const rings = 2 * front.queues.length;
    const buffers = RX_SLOTS * front.queues.length;
    if (!isVifConnected(this.#dom0, domain)) leaks.push(`${domain.name}: its network device is not connected`);
    if (mappedGrants !== rings || mapped !== rings) {
      leaks.push(`${domain.name}: dom0 still maps ${mapped - rings} of its pages`);
    }
    if (posted !== buffers) leaks.push(`${domain.name}: ${buffers - posted} receive buffers are not posted`);
    if (activeGrants !== rings + posted) {
      leaks.push(`${domain.name}: ${activeGrants - rings - posted} grants are still active`);
    }
    if (front.slotsInUse > 0) leaks.push(`${domain.name}: ${front.slotsInUse} transmit slots were never answered`);
    const held = backs.reduce((sum, back) => sum + back.rx.queue.count, front.waiting);
    if (held > 0) leaks.push(`${domain.name}: ${held} frames still wait in its interface's queues`);
    return leaks;
  }
}

/** The NIC as a port of the bridge, and what dom0's kernel does with the frames that come in by it. */
class Uplink implements BridgePort, FrameReceiver {
  readonly name: string;
  readonly keepsFrames = true;
  readonly #site: HostSite;
  readonly #bridge: SoftwareBridge;
  readonly #nicDriver: NicDriver;
  readonly #port: number;

  constructor(site: HostSite, bridge: SoftwareBridge) {
    const { world, nic, processors } = site;
    this.name = nic.name;
    this.#site = site;
    this.#bridge = bridge;
    this.#port = bridge.addPort(this);
    this.#nicDriver = new NicDriver(nic, world.frames, world.costs, processors, this);
  }

  /** Interrupts come through Xen, as event channels of dom0's VCPUs. */
  bindInterrupts(dom0: Domain): void {
    const { nic, processors } = this.#site;
    for (let queue = 0; queue < nic.queueCount; queue++) {
      const port = dom0.eventChannels.bindPirq(queue);
      assert(port > 0, "bridged: no other path has taken the NIC");
      dom0.eventChannels.listen(port, (cpu) => this.#nicDriver.handle(cpu, queue), queue % processors.length);
    }
    nic.onInterrupt = (queue) => void dom0.eventChannels.raisePirq(queue);
  }

  transmit(cpu: Processor, frame: number): boolean {
    return this.#nicDriver.transmit(cpu, frame);
  }

  receive(cpu: Processor, frame: number): void {
    this.#bridge.forward(cpu, IRQ, this.#port, frame);
  }

  /** Only frames of pages that a netback has mapped are marked: it may unmap them. */
  frameSent(cpu: Processor, cookie: number): void {
    this.#site.world.frames.giveBack(cookie, cpu);
  }
}
