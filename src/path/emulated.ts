import { assert } from "../base/assert.ts";
import type { SoftwareBridge } from "../hw/bridge.ts";
import type { FrameTap } from "../hw/tap.ts";
import { E1000Driver, RING_SIZE } from "../kvm/e1000_driver.ts";
import { REGISTER_NAMES } from "../kvm/e1000_registers.ts";
import type { RegisterFile } from "../kvm/e1000_state.ts";
import { EmulatedNic } from "../kvm/emulated_nic.ts";
import { EXIT_REASONS, exitsOf, Vcpu } from "../kvm/vcpu.ts";
import { type GuestKernel, guestKernel } from "./guest_kernel.ts";
import { HvmVcpu } from "../xen/hvm_vcpu.ts";
import { splitOfMx } from "./bridged.ts";
import { backendCpu, hostBridge } from "./host_bridge.ts";
import { driverLeaks } from "./native.ts";
import {
  type Board,
  boardName,
  type GuestPort,
  type GuestSite,
  type HostSite,
  interfaceTap,
  type Path,
  type PathHost,
  type PortRing,
} from "./path.ts";
import { descriptorText } from "./ring_text.ts";

/** Open-MX in a guest over a NIC that QEMU emulates register by register: a guest of KVM's, or of Xen's (HVM). */
export const emulated: Path = {
  name: "emulated",
  title: "KVM, fully emulated NIC (e1000 in QEMU): every register access an exit",
  hypervisor: "kvm",
  hypervisorWith: ({ xenDeviceModel }) => xenDeviceModel === true ? "xen" : "kvm",
  // With Xen each device sends its requests by an event channel; KVM has no dom0.
  dom0Share: ({ boards, mechanisms: { xenDeviceModel = false } }) => (
    { ports: xenDeviceModel ? boards : 0, mappings: 0, endpointMappings: 0 }
  ),
  attach: (site) => new EmulatedHost(site),
};

interface Guest extends GuestKernel {
  readonly vcpu: Vcpu | HvmVcpu;
  readonly device: EmulatedNic;
  readonly nicDriver: E1000Driver;
}

function ringsOf(registers: RegisterFile): PortRing[] {
  const size = RING_SIZE - 1;
  return [{
    name: "e1000 tx ring",
    holds: "work",
    size,
    get used() {
      return registers.txDescriptors;
    },
    observe: (counter) => registers.traceTx = counter,
    slots: RING_SIZE,
    watch: (watch) => registers.watchTx = watch,
    read: (kind, index) => descriptorText(registers, "tx", kind, index),
  }, {
    name: "e1000 rx ring",
    holds: "buffers",
    size,
    get used() {
      return registers.rxDescriptors;
    },
    observe: (counter) => registers.traceRx = counter,
    slots: RING_SIZE,
    watch: (watch) => registers.watchRx = watch,
    read: (kind, index) => descriptorText(registers, "rx", kind, index),
  }];
}

/**
 * A Linux host with KVM, or Xen with dom0: each guest is a board of its own, with an emulated NIC whose tap is on the
 * bridge of the host, or of dom0. The guest's kernel and the device are the same; who takes a register access to the
 * device, and an interrupt from it, is not.
 */
class EmulatedHost implements PathHost {
  readonly boards: Board[] = [];
  readonly #site: HostSite;
  readonly #bridge: SoftwareBridge;
  readonly #guests: Guest[] = [];

  constructor(site: HostSite) {
    const wanted = emulated.hypervisorWith!(site.world.mechanisms);
    assert(site.kind === wanted, "emulated: the host runs the hypervisor that the mechanisms ask for");
    this.#site = site;
    this.#bridge = hostBridge(site);
  }

  place(site: GuestSite): GuestPort {
    const guest = this.#build(site);
    const { hostname, nicDriver, driver, attach } = guest;
    this.#guests.push(guest);
    this.#bridge.learn(site.macLow, guest.device.bridgePort);
    this.boards.push({ hostname, macHigh: site.macHigh, macLow: site.macLow, peers: driver.peers, driver });
    return {
      attach,
      hostname,
      endpoint: 0,
      figures: () => ({ ring: { used: nicDriver.used, size: 2 * (RING_SIZE - 1) }, grants: null }),
      interface: () => ({
        txFrames: nicDriver.counters.txFrames,
        rxFrames: nicDriver.counters.rxFrames,
        txDrops: nicDriver.counters.txDrops + guest.device.tx.counters.txBad + guest.device.tx.counters.txNoFrame,
        rxDrops: nicDriver.counters.rxNoFrame + guest.device.tap.counters.drops + guest.device.rx.counters.rxBad,
        interrupts: guest.vcpu.injected,
      }),
      rings: () => ringsOf(guest.device.registers),
    };
  }

  #build(site: GuestSite): Guest {
    const { world, processors } = this.#site;
    const { engine, frames, costs } = world;
    const { macHigh, macLow } = site;
    const name = boardName(site.name, site.board);
    const cpu = backendCpu(this.#site, site.index);
    const hvm = site.domain === null ? null : new HvmVcpu(site.domain, site.domain.hypervisor.domain(0)!, cpu);
    const vcpu = hvm ?? new Vcpu(site.processor, costs);
    const device = new EmulatedNic({
      engine,
      frames,
      costs,
      name: `${this.#site.name} qemu-${name}`,
      vcpu,
      requests: hvm ?? undefined,
      processor: processors[cpu],
      bridge: this.#bridge,
      descriptors: RING_SIZE,
      split: splitOfMx,
    });
    const nicDriver = new E1000Driver({
      frames,
      costs,
      name: `${name} e1000`,
      vcpu,
      device,
      macHigh,
      macLow,
      txQueueLength: world.limits.txQueueLength,
      split: splitOfMx,
      tap: interfaceTap(site, "emulated e1000"),
    });
    const kernel = guestKernel(site, world, (cpu, frame) => nicDriver.transmit(cpu, frame), costs.syscall);
    nicDriver.receiver = kernel.driver;
    return { ...kernel, vcpu, device, nicDriver };
  }

  taps(): FrameTap[] {
    return this.#guests.map(({ nicDriver }) => nicDriver.tap);
  }

  exits(): number[] {
    const vcpus = this.#guests.flatMap(({ vcpu }) => vcpu instanceof HvmVcpu ? [] : [vcpu]);
    return exitsOf(vcpus, this.#site.board);
  }

  /** Sums over the guests, by name: exits by reason and by register, and every way in which a packet can be lost. */
  counters(): Record<string, number> {
    const sums: Record<string, number> = {};
    const add = (name: string, value: number) => sums[name] = (sums[name] ?? 0) + value;
    if (this.#site.kind === "kvm") {
      for (const [i, exits] of this.exits().entries()) add(`exits, ${EXIT_REASONS[i]}`, exits);
    }
    for (const { vcpu, device, nicDriver } of this.#guests) {
      if (vcpu instanceof HvmVcpu) add("requests to dom0", vcpu.requests);
      for (const [offset, name] of Object.entries(REGISTER_NAMES)) {
        add(`register ${name}`, device.accesses[Number(offset) >> 2]);
      }
      add("interrupts injected", vcpu.injected);
      for (const [name, value] of Object.entries(nicDriver.counters)) add(`driver ${name}`, value);
      for (const [name, value] of Object.entries(device.counters)) add(`device ${name}`, value);
      for (const [name, value] of Object.entries(device.tap.counters)) add(`tap ${name}`, value);
    }
    for (const [name, value] of Object.entries(this.#bridge.counters)) add(`bridge ${name}`, value);
    return sums;
  }

  /** With all endpoints closed every packet was sent or taken, and the device has every receive buffer. */
  leaks(): string[] {
    const leaks: string[] = [];
    for (const { hostname: name, device, nicDriver, driver } of this.#guests) {
      leaks.push(...driverLeaks(name, driver));
      if (nicDriver.pending > 0) leaks.push(`${name}: ${nicDriver.pending} packets are still in its rings`);
      const missing = RING_SIZE - 1 - nicDriver.rxBuffers;
      if (missing !== 0) leaks.push(`${name}: ${missing} receive buffers are missing`);
      if (device.unanswered > 0) leaks.push(`${name}: ${device.unanswered} register accesses were not answered`);
      if (device.tap.waiting > 0) leaks.push(`${name}: ${device.tap.waiting} frames wait in its tap`);
    }
    return leaks;
  }
}
