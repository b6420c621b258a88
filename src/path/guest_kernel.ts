import { PAGE_SIZE } from "../base/units.ts";
import type { MxDriver } from "../mx/driver/contract.ts";
import { type EtherPort, OmxDriver } from "../mx/driver/driver.ts";
import { NativeDriver } from "../mx/driver/native.ts";
import { NATIVE_ENTRIES } from "./native.ts";
import { boardName, type GuestSite, type HostSite } from "./path.ts";

/** Open-MX in a guest's own kernel: a board of its own. */
export interface GuestKernel {
  /** Name of the board. */
  readonly hostname: string;
  readonly driver: OmxDriver;
  /** The driver as a process of the guest has it, see `GuestPort.attach`. */
  attach(): MxDriver;
}

/** A guest's Open-MX over an interface that transmits; a system call takes it `syscallPs` picoseconds. */
export function guestKernel(
  guest: GuestSite,
  { engine, memory, frames, costs, mx, debug, peerMax, mechanisms }: HostSite["world"],
  transmit: EtherPort["transmit"],
  syscallPs: number,
): GuestKernel {
  const { domain, name, processor, macHigh, macLow } = guest;
  const { copyOffload, registrationCache } = mechanisms;
  const hostname = boardName(name, guest.board);
  const alloc = domain === null ? undefined : (bytes: number) => domain.allocPages(Math.ceil(bytes / PAGE_SIZE));
  const driver = new OmxDriver({
    engine,
    memory,
    frames,
    costs,
    limits: mx,
    debug,
    peerMax,
    port: { macHigh, macLow, transmit },
    hostname,
    processor,
    copyOffload,
    alloc,
  });
  const options = { registrationCache, alloc };
  return {
    hostname,
    driver,
    attach: () => new NativeDriver(driver, name, hostname, syscallPs, NATIVE_ENTRIES, options),
  };
}
