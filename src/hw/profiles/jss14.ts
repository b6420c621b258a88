import type { CostEntry, CostName, MachineProfile } from "../machine_profile.ts";
import { vhpc12 } from "./vhpc12.ts";

const ns = (value: number, source: string): CostEntry => ({ value, unit: "ns", source });

/** What differs from the testbed of 2012: no deep idle states, no hop to another thread, warm caches. */
const changes: Partial<Record<CostName, CostEntry>> = {
  idleExit: ns(0, "idle by polling (idle=poll, Open-MX FAQ 1610-1634): no idle state to leave"),
  netbackWake: ns(0, "netback's work is done where its event arrives: no hop to a thread on another CPU"),
  workQueueWake: ns(1000, "kernel thread wake on the CPU that queued it: low end of 1-4 us, derived"),
  coldCache: ns(0, "warm caches: the residual of the 2012 bridge is gone"),
  eventSend: ns(150, "EVTCHNOP_send, warm: low end of 150-450 ns, derived"),
  upcall: ns(400, "IPI, hypervisor and PV upcall, warm: low end of 400-1200 ns, derived"),
};

/**
 * The configuration of the 2014 results (Xen2MX project page, JSS 2014): the same hosts, with a faster bridge baseline.
 * Xen2MX to bridged RTT below 0.60, directly attached to Xen2MX 0.96, directly attached peak 1192 MB/s.
 */
export const jss14: MachineProfile = {
  name: "jss14",
  title: "the same hosts without deep idle states and thread hops (JSS 2014)",
  costs: { ...vhpc12.costs, ...changes },
  limits: vhpc12.limits,
};
