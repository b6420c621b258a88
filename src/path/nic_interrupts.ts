import { assert } from "../base/assert.ts";
import type { NicDriver } from "../hw/nic_driver.ts";
import type { Processor } from "../hw/processor.ts";
import type { Domain } from "../xen/domain.ts";
import type { HostSite } from "./path.ts";

/*
 * Which CPU takes which interrupt of which NIC. The queues of all boards are dealt out in turn, so that the boards of a
 * host do not meet on one CPU when its guests use the same queue of each:
 *
 *   queue     0  0  1  1  2  2 ...      (two boards)
 *   board     0  1  0  1  0  1
 *   CPU       0  1  2  3  4  5
 */

/** The kernel's CPUs, or dom0's VCPUs, in the order of a board's queues. */
export function queueProcessors({ processors, board, boards }: HostSite): Processor[] {
  return processors.map((_, queue) => processors[(queue * boards + board) % processors.length]);
}

/** Dom0 has a NIC's interrupts through Xen, as event channels of its VCPUs. */
export function routeInterrupts(site: HostSite, driver: NicDriver, dom0: Domain): void {
  const { nic, board } = site;
  const processors = queueProcessors(site);
  // The vectors of one NIC follow those of the one before.
  const first = board * nic.queueCount;
  for (let queue = 0; queue < nic.queueCount; queue++) {
    const port = dom0.eventChannels.bindPirq(first + queue);
    assert(port > 0, "xen: no other path has taken the NIC");
    const { index } = processors[queue % processors.length];
    dom0.eventChannels.listen(port, (cpu) => driver.handle(cpu, queue), index);
  }
  nic.onInterrupt = (queue) => void dom0.eventChannels.raisePirq(first + queue);
}
