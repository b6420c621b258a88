import { assert } from "../base/assert.ts";
import { Iommu } from "../hw/iommu.ts";
import { NicDriver } from "../hw/nic_driver.ts";
import { MAX_VIRTUAL_FUNCTIONS, SriovPort } from "../hw/sriov.ts";
import type { FrameTap } from "../hw/tap.ts";
import type { VirtualFunction } from "../hw/virtual_function.ts";
import { HYP, HYPERVISOR } from "../metrics/stage.ts";
import type { Domain } from "../xen/domain.ts";
import { type GuestKernel, guestKernel } from "./guest_kernel.ts";
import { driverLeaks } from "./native.ts";
import {
  type Board,
  type GuestPort,
  type GuestSite,
  type HostSite,
  interfaceTap,
  type Path,
  type PathHost,
  type PortRing,
} from "./path.ts";

/** A virtual function of each NIC for each guest, attached through the IOMMU: no software of the host in between. */
export const iov: Path = {
  name: "iov",
  title: "directly attached virtual function (PCI passthrough, SR-IOV)",
  hypervisor: "xen",
  hasBackEnd: false,
  guestsPerHost: MAX_VIRTUAL_FUNCTIONS,
  attach: (site) => new IovHost(site),
};

/** Physical interrupt numbers of virtual functions begin here: past the NICs' own queues and the legacy interrupts. */
const FIRST_PIRQ = 256;
/** What a NIC's functions take of them. */
const PIRQS_PER_BOARD = MAX_VIRTUAL_FUNCTIONS + 1;

/** What a guest has: a function, and a kernel with an Open-MX driver that drives it. */
interface Attached extends GuestKernel {
  readonly vf: VirtualFunction;
}

function ringsOf(vf: VirtualFunction): PortRing[] {
  return [{
    name: "vf tx queue",
    holds: "work",
    size: vf.queue.limit,
    get used() {
      return vf.queue.count;
    },
    observe: (counter) => vf.traceTx = counter,
  }, {
    name: "vf rx ring",
    holds: "work",
    size: vf.receiveEntries,
    get used() {
      return vf.waiting;
    },
    observe: (counter) => vf.traceRx = counter,
  }];
}

/**
 * A host whose NIC has virtual functions. Dom0 hands them out and is not seen again: rings are in guest memory, DMA
 * goes through the IOMMU, and Xen passes a function's interrupt on as an event, unless interrupts are posted: then the
 * IOMMU delivers it to the VCPU.
 */
class IovHost implements PathHost {
  readonly boards: Board[] = [];
  readonly #site: HostSite;
  readonly #iommu: Iommu;
  readonly #port: SriovPort;
  readonly #attached: Attached[] = [];

  constructor(site: HostSite) {
    assert(site.hypervisor !== null, "iov: the host runs Xen");
    const { engine, frames, costs, limits } = site.world;
    const { nic, macLow } = site;
    this.#site = site;
    this.#iommu = new Iommu(costs);
    this.#port = new SriovPort({ engine, frames, nic, macLow, iommu: this.#iommu, costs, limits });
  }

  place(guest: GuestSite): GuestPort {
    const { domain } = guest;
    assert(domain !== null, "iov: a guest is a domain");
    const vf = this.#attachFunction(guest, domain);
    const kernel = this.#startKernel(guest, domain, vf);
    const { hostname, driver, attach } = kernel;
    this.#attached.push({ ...kernel, vf });
    this.boards.push({ hostname, macHigh: guest.macHigh, macLow: guest.macLow, peers: driver.peers, driver });
    return {
      attach,
      hostname,
      endpoint: 0,
      figures: () => ({
        ring: { used: vf.queue.count + vf.waiting, size: vf.queue.limit + vf.receiveEntries },
        grants: null,
      }),
      interface: () => ({
        txFrames: vf.counters.txFrames,
        rxFrames: vf.counters.rxFrames,
        txDrops: vf.counters.txDrops + vf.counters.spoofed + vf.counters.txDmaFaults,
        rxDrops: vf.counters.rxDrops + vf.counters.dmaFaults - vf.counters.txDmaFaults,
        interrupts: vf.counters.interrupts,
      }),
      rings: () => ringsOf(vf),
    };
  }

  taps(): FrameTap[] {
    return this.#attached.map(({ vf }) => vf.tap);
  }

  leaks(): string[] {
    const leaks: string[] = [];
    for (const { hostname: name, vf, driver } of this.#attached) {
      leaks.push(...driverLeaks(name, driver));
      if (vf.queue.count > 0) leaks.push(`${name}: ${vf.queue.count} frames were never fetched`);
      if (vf.waiting > 0) leaks.push(`${name}: ${vf.waiting} received frames were never taken`);
      if (vf.counters.dmaFaults > 0) leaks.push(`${name}: ${vf.counters.dmaFaults} DMA accesses were blocked`);
    }
    return leaks;
  }

  /** The guest's pages, and the kernel's socket buffers, are what its function may reach. */
  #attachFunction(guest: GuestSite, domain: Domain): VirtualFunction {
    const { slab } = this.#site.world.frames;
    const pages = this.#iommu.domain((page) => domain.owns(page));
    pages.map(slab.address, slab.bytes);
    return this.#port.addFunction(guest, pages, interfaceTap(guest, "virtual function"));
  }

  /** The guest's kernel: Open-MX over the function's driver, and the function's interrupt, posted or through Xen. */
  #startKernel(guest: GuestSite, domain: Domain, vf: VirtualFunction): GuestKernel {
    const { world } = this.#site;
    const { costs } = world;
    // A paravirtual guest's system calls go through Xen; a fully virtualised one's do not leave it.
    const syscall = costs.syscall + (world.mechanisms.hvm === true ? 0 : costs.pvSyscall);
    const kernel = guestKernel(guest, world, (cpu, frame) => nicDriver.transmit(cpu, frame), syscall);
    const nicDriver = new NicDriver(vf, world.frames, costs, [guest.processor], kernel.driver, costs.vfCompletion);
    // The NIC driver's own handler, raised on the VCPU: awake it takes the interrupt at once, halted it is woken.
    if (world.mechanisms.postedInterrupts === true) return kernel;
    const pirq = FIRST_PIRQ + guest.board * PIRQS_PER_BOARD + guest.index;
    const event = domain.eventChannels.bindPirq(pirq);
    // The physical interrupt takes a fully virtualised guest out to Xen and in again.
    const exitPs = world.mechanisms.hvm === true ? costs.vmExit : 0;
    domain.eventChannels.listen(event, (cpu) => {
      cpu.charge(HYPERVISOR, HYP, exitPs);
      nicDriver.handle(cpu, 0);
    });
    vf.onInterrupt = () => void domain.eventChannels.raisePirq(pirq);
    return kernel;
  }
}
