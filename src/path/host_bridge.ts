import { assert } from "../base/assert.ts";
import { SoftwareBridge } from "../hw/bridge.ts";
import type { Nic } from "../hw/nic.ts";
import { NicDriver } from "../hw/nic_driver.ts";
import { IRQ } from "../metrics/stage.ts";
import { queueProcessors, routeInterrupts } from "./nic_interrupts.ts";
import type { HostSite } from "./path.ts";

/** Bridges by the NIC that they lead out by: a board has one, whatever paths its guests have. */
const bridges = new WeakMap<Nic, SoftwareBridge>();

/**
 * CPU of the thread that serves a guest's device: they go round the CPUs past those that take the NICs' interrupts for
 * endpoint 0, where all frames for guests go; a guest's devices are side by side.
 */
export function backendCpu({ processors, board, boards }: HostSite, guest: number): number {
  const rest = processors.length - boards;
  return rest <= 0 ? board % processors.length : boards + (guest * boards + board) % rest;
}

/** The software bridge of a Linux host, or of dom0, with a board's NIC at port 0. */
export function hostBridge(site: HostSite): SoftwareBridge {
  const { world, nic } = site;
  const known = bridges.get(nic);
  if (known !== undefined) return known;
  const bridge = new SoftwareBridge(world.frames, world.costs);
  const driver = new NicDriver(nic, world.frames, world.costs, queueProcessors(site), {
    keepsFrames: true,
    receive: (cpu, frame) => bridge.forward(cpu, IRQ, 0, frame),
    frameSent: () => assert(false, "bridge: nobody waits for the end of a frame that it forwards"),
  });
  if (site.hypervisor !== null) routeInterrupts(site, driver, site.hypervisor.domain(0)!);
  bridge.addPort({ name: nic.name, transmit: (cpu, frame) => driver.transmit(cpu, frame) });
  bridges.set(nic, bridge);
  return bridge;
}
