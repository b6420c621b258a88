import { MAX_ENDPOINTS } from "../mx/limits.ts";
import { NicDriver } from "../hw/nic_driver.ts";
import { type EtherPort, OmxDriver } from "../mx/driver/driver.ts";
import { NativeDriver } from "../mx/driver/native.ts";
import { queueProcessors } from "./nic_interrupts.ts";
import {
  type Board,
  boardName,
  type GuestPort,
  type GuestSite,
  type HostSite,
  type Path,
  type PathHost,
} from "./path.ts";

/** Slots of each endpoint queue in a native build (omx_io.h:54-72). */
export const NATIVE_ENTRIES = 1024;

/** Processes on a native kernel: library, driver and NIC on one machine, nothing in between. */
export const native: Path = {
  name: "native",
  title: "native Open-MX, no virtualisation",
  hypervisor: "none",
  hasBackEnd: false,
  guestsPerHost: MAX_ENDPOINTS,
  attach: (site) => new NativeHost(site),
};

class NativeHost implements PathHost {
  readonly boards: readonly Board[];
  readonly #site: HostSite;
  readonly #hostname: string;
  readonly #driver: OmxDriver;

  constructor(site: HostSite) {
    this.#site = site;
    this.#driver = hostDriver(site).driver;
    this.#hostname = boardName(site.name, site.board);
    this.boards = [{
      hostname: this.#hostname,
      macHigh: site.macHigh,
      macLow: site.macLow,
      peers: this.#driver.peers,
      driver: this.#driver,
    }];
  }

  place(guest: GuestSite): GuestPort {
    const { costs, mechanisms } = this.#site.world;
    const hostname = this.#hostname;
    return {
      attach: () => new NativeDriver(this.#driver, guest.name, hostname, costs.syscall, NATIVE_ENTRIES, mechanisms),
      hostname,
      endpoint: guest.index,
      figures: () => ({ ring: null, grants: null }),
    };
  }

  leaks(): string[] {
    return driverLeaks(this.#hostname, this.#driver);
  }
}

/**
 * An Open-MX driver on the kernel that owns the NIC, with its NIC driver. Dom0 of Xen2MX has the same. `sharedComms` as
 * in `DriverParts`.
 */
export function hostDriver(site: HostSite, sharedComms = true): { driver: OmxDriver; nicDriver: NicDriver } {
  const { world, nic, macHigh, macLow } = site;
  const port: EtherPort = {
    macHigh,
    macLow,
    transmit: (cpu, frame) => nicDriver.transmit(cpu, frame),
  };
  const driver = new OmxDriver({
    engine: world.engine,
    memory: world.memory,
    frames: world.frames,
    costs: world.costs,
    limits: world.mx,
    debug: world.debug,
    peerMax: world.peerMax,
    port,
    hostname: boardName(site.name, site.board),
    processor: queueProcessors(site)[0],
    copyOffload: world.mechanisms.copyOffload,
    sharedComms,
  });
  nic.setStation(macHigh, macLow);
  const nicDriver = new NicDriver(nic, world.frames, world.costs, queueProcessors(site), driver);
  return { driver, nicDriver };
}

/** What a driver must not be left with when all its endpoints are closed. */
export function driverLeaks(name: string, driver: OmxDriver): string[] {
  const leaks: string[] = [];
  if (driver.pulls.active > 0) leaks.push(`${name}: ${driver.pulls.active} pulls are still under way`);
  const open = driver.endpoints.filter((endpoint) => endpoint !== null).length;
  if (open > 0) leaks.push(`${name}: ${open} endpoints are still open`);
  return leaks;
}
