import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import type { Domain } from "../../src/xen/domain.ts";
import { EVTCHN_PORTS } from "../../src/xen/shared_info.ts";
import { Host } from "./support.ts";

/** Dom0 and a guest, with a CPU for each VCPU. */
export function pair(vcpus = 1): { host: Host; dom0: Domain; guest: Domain } {
  const host = new Host(1 + vcpus);
  return { host, dom0: host.domain("dom0"), guest: host.domain("guest", vcpus) };
}

/** An interdomain channel whose first, unfounded event of the guest's end is over. */
export function channel(host: Host, dom0: Domain, guest: Domain): { back: number; front: number } {
  const back = dom0.eventChannels.allocUnbound(guest.id);
  const front = guest.eventChannels.bindInterdomain(dom0.id, back);
  assert.ok(back > 0 && front > 0);
  host.engine.run(host.engine.now);
  return { back, front };
}

/** Lets the event that binding leaves pending pass, and counts from there. */
export function listen(host: Host, domain: Domain, port: number, handler: () => void, vcpu = 0): void {
  domain.eventChannels.listen(port, handler, vcpu);
  host.engine.run(host.engine.now + 100 * US);
}

/** Every event that has come to a domain is somewhere. */
export function conserves(domain: Domain): void {
  const { arrived, merged, discarded } = domain.eventChannels.counters;
  const { delivered, unhandled } = domain.eventChannels.upcallCounters;
  let pending = 0;
  for (let port = 1; port < EVTCHN_PORTS; port++) if (domain.eventChannels.isPending(port)) pending++;
  assert.equal(arrived, merged + discarded + delivered + unhandled + pending);
}
