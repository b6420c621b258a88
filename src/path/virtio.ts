import { assert } from "../base/assert.ts";
import type { SoftwareBridge } from "../hw/bridge.ts";
import type { FrameTap } from "../hw/tap.ts";
import type { DeviceQueue } from "../kvm/device_queue.ts";
import type { DriverQueue } from "../kvm/driver_queue.ts";
import type { NetBackend, NetBackendParts } from "../kvm/net_backend.ts";
import { QemuNet } from "../kvm/qemu.ts";
import { EXIT_REASONS, exitsOf, Vcpu } from "../kvm/vcpu.ts";
import { VhostNet } from "../kvm/vhost.ts";
import { VirtioNet } from "../kvm/virtio_net.ts";
import { WholeMemory } from "../kvm/virtqueue.ts";
import { splitOfMx } from "./bridged.ts";
import { type GuestKernel, guestKernel } from "./guest_kernel.ts";
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
import { chainText } from "./ring_text.ts";

/** Open-MX in a KVM guest over virtio-net, its back end a thread of the host's kernel. */
export const virtio: Path = {
  name: "virtio",
  title: "KVM, virtio-net with vhost: tap and software bridge",
  hypervisor: "kvm",
  attach: (site) => new KvmHost(site, "vhost", (parts) => new VhostNet(parts)),
};

/** The same with the back end in QEMU. */
export const virtioUser: Path = {
  name: "virtio-user",
  title: "KVM, virtio-net in QEMU: exits to user space, tap and software bridge",
  hypervisor: "kvm",
  attach: (site) => new KvmHost(site, "qemu", (parts) => new QemuNet(parts)),
};

interface Guest extends GuestKernel {
  readonly vcpu: Vcpu;
  readonly net: VirtioNet;
  readonly backend: NetBackend;
}

function ringOf(
  name: string,
  { queue, pushes }: DriverQueue,
  device: DeviceQueue,
  holds: PortRing["holds"],
): PortRing {
  return {
    name,
    holds,
    toBackend: pushes,
    toGuest: device.pushes,
    size: queue.size,
    get used() {
      return queue.published;
    },
    observe: (counter) => queue.trace = counter,
    watch: (watch) => queue.watch = watch,
    read: (kind, index) => chainText(queue, kind, index),
  };
}

/** A Linux host with KVM: each guest is a board of its own, with a virtio-net interface on the host's bridge. */
class KvmHost implements PathHost {
  readonly boards: Board[] = [];
  readonly #site: HostSite;
  readonly #kind: string;
  readonly #makeBackend: (parts: NetBackendParts) => NetBackend;
  readonly #bridge: SoftwareBridge;
  readonly #guests: Guest[] = [];

  constructor(site: HostSite, kind: string, makeBackend: (parts: NetBackendParts) => NetBackend) {
    assert(site.kind === "kvm", "virtio: the host runs Linux with KVM");
    this.#site = site;
    this.#kind = kind;
    this.#makeBackend = makeBackend;
    this.#bridge = hostBridge(site);
  }

  place(site: GuestSite): GuestPort {
    const guest = this.#build(site);
    const { hostname, net, driver, attach, vcpu, backend } = guest;
    this.#guests.push(guest);
    this.#bridge.learn(site.macLow, guest.backend.bridgePort);
    this.boards.push({ hostname, macHigh: site.macHigh, macLow: site.macLow, peers: driver.peers, driver });
    return {
      attach,
      hostname,
      endpoint: 0,
      figures: () => ({
        ring: { used: net.tx.outstanding + net.rx.waiting, size: net.tx.queue.size + net.rx.queue.size },
        grants: null,
      }),
      interface: () => ({
        txFrames: net.counters.txFrames,
        rxFrames: net.counters.rxFrames,
        txDrops: net.counters.txDrops + backend.counters.txBad + backend.counters.txNoFrame,
        rxDrops: backend.tap.counters.drops + backend.counters.rxTooLong + net.buffers.counters.rxBroken +
          net.buffers.counters.rxNoFrame,
        interrupts: vcpu.injected,
      }),
      rings: () => [
        ringOf("virtio tx queue", net.tx, backend.tx, "work"),
        ringOf("virtio rx queue", net.rx, backend.rx, "buffers"),
      ],
    };
  }

  #build(site: GuestSite): Guest {
    const { world, processors } = this.#site;
    const { engine, frames, costs, memory, mx } = world;
    const { macHigh, macLow } = site;
    const name = boardName(site.name, site.board);
    const vcpu = new Vcpu(site.processor, costs);
    const net = new VirtioNet({
      engine,
      frames,
      costs,
      name: `${name} virtio`,
      vcpu,
      macHigh,
      macLow,
      mtu: mx.mtu,
      txQueueLength: world.limits.txQueueLength,
      tap: interfaceTap(site, "virtio-net"),
    });
    const kernel = guestKernel(site, world, (cpu, frame) => net.transmit(cpu, frame), costs.syscall);
    net.receiver = kernel.driver;
    const cpu = backendCpu(this.#site, site.index);
    const backend = this.#makeBackend({
      engine,
      frames,
      costs,
      name: `${this.#site.name} ${this.#kind}-${name}`,
      processor: processors[cpu],
      bridge: this.#bridge,
      net,
      vcpu,
      table: new WholeMemory(memory),
      mtu: mx.mtu,
      split: splitOfMx,
    });
    return { ...kernel, vcpu, net, backend };
  }

  taps(): FrameTap[] {
    return this.#guests.map(({ net }) => net.tap);
  }

  exits(): number[] {
    return exitsOf(this.#guests.map(({ vcpu }) => vcpu), this.#site.board);
  }

  /** Sums over the guests, by name: VM exits by reason, and every way in which a packet can be lost. */
  counters(): Record<string, number> {
    const sums: Record<string, number> = {};
    const add = (name: string, value: number) => sums[name] = (sums[name] ?? 0) + value;
    for (const [i, exits] of this.exits().entries()) add(`exits, ${EXIT_REASONS[i]}`, exits);
    for (const { vcpu, net, backend } of this.#guests) {
      add("interrupts injected", vcpu.injected);
      for (const [name, value] of Object.entries(net.counters)) add(`driver ${name}`, value);
      for (const [name, value] of Object.entries(net.buffers.counters)) add(`driver ${name}`, value);
      for (const [name, value] of Object.entries(backend.counters)) add(`back end ${name}`, value);
      for (const [name, value] of Object.entries(backend.tap.counters)) add(`tap ${name}`, value);
      add("bad chains", backend.tx.errors + backend.rx.errors);
      add("broken used rings", net.tx.broken + net.rx.broken);
    }
    for (const [name, value] of Object.entries(this.#bridge.counters)) add(`bridge ${name}`, value);
    return sums;
  }

  /** With all endpoints closed every transmitted chain has come back, and the device has every receive buffer. */
  leaks(): string[] {
    const leaks: string[] = [];
    for (const { hostname: name, net, backend, driver } of this.#guests) {
      leaks.push(...driverLeaks(name, driver));
      const held = net.close();
      if (held > 0) leaks.push(`${name}: ${held} frames were not transmitted`);
      if (net.tx.freeDescriptors !== net.tx.queue.size) leaks.push(`${name}: transmit descriptors are missing`);
      if (net.rx.waiting > 0) leaks.push(`${name}: ${net.rx.waiting} received buffers were not taken`);
      if (net.rx.outstanding !== net.buffers.count) leaks.push(`${name}: receive buffers are missing`);
      if (backend.tap.waiting > 0) leaks.push(`${name}: ${backend.tap.waiting} frames wait in its tap`);
    }
    return leaks;
  }
}
