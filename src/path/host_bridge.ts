import { assert } from "../base/assert.ts";
import { SoftwareBridge } from "../hw/bridge.ts";
import type { Nic } from "../hw/nic.ts";
import { NicDriver } from "../hw/nic_driver.ts";
import { IRQ } from "../metrics/stage.ts";
import type { Domain } from "../xen/domain.ts";
import type { HostSite } from "./path.ts";

/** Bridges by the NIC that they lead out by: a host has one, whatever paths its guests have. */
const bridges = new WeakMap<Nic, SoftwareBridge>();

/** The software bridge of a Linux host, or of dom0, with the NIC at port 0. */
export function hostBridge(site: HostSite): SoftwareBridge {
  const { world, nic, processors } = site;
  const known = bridges.get(nic);
  if (known !== undefined) return known;
  const bridge = new SoftwareBridge(world.frames, world.costs);
  const driver = new NicDriver(nic, world.frames, world.costs, processors, {
    keepsFrames: true,
    receive: (cpu, frame) => bridge.forward(cpu, IRQ, 0, frame),
    frameSent: () => assert(false, "bridge: nobody waits for the end of a frame that it forwards"),
  });
  if (site.hypervisor !== null) routeInterrupts(site, driver, site.hypervisor.domain(0)!);
  bridge.addPort({ name: nic.name, transmit: (cpu, frame) => driver.transmit(cpu, frame) });
  bridges.set(nic, bridge);
  return bridge;
}

/** Dom0 has the NIC's interrupts through Xen, as event channels of its VCPUs. */
function routeInterrupts({ nic, processors }: HostSite, driver: NicDriver, dom0: Domain): void {
  for (let queue = 0; queue < nic.queueCount; queue++) {
    const port = dom0.eventChannels.bindPirq(queue);
    assert(port > 0, "bridge: no other path has taken the NIC");
    dom0.eventChannels.listen(port, (cpu) => driver.handle(cpu, queue), queue % processors.length);
  }
  nic.onInterrupt = (queue) => void dom0.eventChannels.raisePirq(queue);
}
