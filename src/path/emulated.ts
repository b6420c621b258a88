import { assert } from "../base/assert.ts";
import type { SoftwareBridge } from "../hw/bridge.ts";
import { E1000Driver, RING_SIZE } from "../kvm/e1000_driver.ts";
import { REGISTER_NAMES } from "../kvm/e1000_registers.ts";
import { EmulatedNic } from "../kvm/emulated_nic.ts";
import { EXIT_REASONS, Vcpu } from "../kvm/vcpu.ts";
import { OmxDriver } from "../mx/driver/driver.ts";
import { NativeDriver } from "../mx/driver/native.ts";
import { splitOfMx } from "./bridged.ts";
import { driverLeaks, NATIVE_ENTRIES } from "./native.ts";
import type { Board, GuestPort, GuestSite, HostSite, Path, PathHost } from "./path.ts";
import { hostBridge } from "./virtio.ts";

/** Open-MX in a KVM guest over a NIC that QEMU emulates register by register. */
export const emulated: Path = {
  name: "emulated",
  title: "KVM, fully emulated NIC (e1000 in QEMU): every register access an exit",
  hypervisor: "kvm",
  attach: (site) => new EmulatedHost(site),
};

interface Guest {
  readonly name: string;
  readonly vcpu: Vcpu;
  readonly device: EmulatedNic;
  readonly nicDriver: E1000Driver;
  readonly driver: OmxDriver;
}

/** A Linux host with KVM: each guest is a board of its own, with an emulated NIC whose tap is on the host's bridge. */
class EmulatedHost implements PathHost {
  readonly boards: Board[] = [];
  readonly #site: HostSite;
  readonly #bridge: SoftwareBridge;
  readonly #guests: Guest[] = [];

  constructor(site: HostSite) {
    assert(site.kind === "kvm", "emulated: the host runs Linux with KVM");
    this.#site = site;
    this.#bridge = hostBridge(site);
  }

  place(site: GuestSite): GuestPort {
    const { costs, mechanisms } = this.#site.world;
    const guest = this.#build(site);
    const { name, nicDriver, driver } = guest;
    this.#guests.push(guest);
    this.#bridge.learn(site.macLow, guest.device.bridgePort);
    this.boards.push({ hostname: name, macHigh: site.macHigh, macLow: site.macLow, peers: driver.peers });
    const { registrationCache } = mechanisms;
    return {
      driver: new NativeDriver(driver, name, name, costs.syscall, NATIVE_ENTRIES, { registrationCache }),
      hostname: name,
      endpoint: 0,
      figures: () => ({ ring: { used: nicDriver.used, size: 2 * (RING_SIZE - 1) }, grants: null }),
    };
  }

  #build(site: GuestSite): Guest {
    const { world, processors } = this.#site;
    const { engine, frames, costs } = world;
    const { name, macHigh, macLow } = site;
    const vcpu = new Vcpu(site.processor, costs);
    // I/O threads go round the CPUs from the second one: the first takes the NIC's interrupts.
    const cpu = processors.length === 1 ? 0 : 1 + (site.index % (processors.length - 1));
    const device = new EmulatedNic({
      engine,
      frames,
      costs,
      name: `${this.#site.name} qemu-${name}`,
      vcpu,
      processor: processors[cpu],
      bridge: this.#bridge,
      descriptors: RING_SIZE,
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
    });
    const driver = new OmxDriver({
      engine,
      memory: world.memory,
      frames,
      costs,
      limits: world.mx,
      port: { macHigh, macLow, transmit: (cpu, frame) => nicDriver.transmit(cpu, frame) },
      hostname: name,
      processor: site.processor,
      copyOffload: world.mechanisms.copyOffload,
    });
    nicDriver.receiver = driver;
    return { name, vcpu, device, nicDriver, driver };
  }

  /** Sums over the guests, by name: exits by reason and by register, and every way in which a packet can be lost. */
  counters(): Record<string, number> {
    const sums: Record<string, number> = {};
    const add = (name: string, value: number) => sums[name] = (sums[name] ?? 0) + value;
    for (const { vcpu, device, nicDriver } of this.#guests) {
      for (const reason of EXIT_REASONS) add(`exits, ${reason}`, vcpu.exits(reason));
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
    for (const { name, device, nicDriver, driver } of this.#guests) {
      leaks.push(...driverLeaks(name, driver));
      if (nicDriver.pending > 0) leaks.push(`${name}: ${nicDriver.pending} packets are still in its rings`);
      const missing = RING_SIZE - 1 - nicDriver.rxBuffers;
      if (missing !== 0) leaks.push(`${name}: ${missing} receive buffers are missing`);
      if (device.tap.waiting > 0) leaks.push(`${name}: ${device.tap.waiting} frames wait in its tap`);
    }
    return leaks;
  }
}
