import { COST_NAMES, type CostEntry, type CostName, type MachineProfile } from "../machine_profile.ts";
import { vhpc12 } from "./vhpc12.ts";

const ns = (value: number, source: string): CostEntry => ({ value, unit: "ns", source });
const perByte = (value: number, source: string): CostEntry => ({ value, unit: "ns/B", source });
const count = (value: number, source: string): CostEntry => ({ value, unit: "count", source });

/**
 * Software that nobody has measured for us on a current server is taken as half of its time on the testbed of 2012: 3.5
 * GHz against 2.4, and about 1.4 times the work in a cycle.
 */
const SPEED_UP = 2;

function scaled(name: CostName): CostEntry {
  const { value, unit } = vhpc12.costs[name];
  return { value: value / SPEED_UP, unit, source: `half of the 2012 testbed's: clock and work per cycle, derived` };
}

/** What is known of current hardware by itself. */
const known: Partial<Record<CostName, CostEntry>> = {
  syscall: ns(100, "with mitigations for speculation, about 100 ns on Ice Lake; derived from 60 ns without"),
  idleExit: ns(1000, "C1 on Ice Lake servers: 1 us (Linux intel_idle.c, Xen mwait-idle.c)"),
  threadSlice: { value: 2800, unit: "us", source: "Linux 6.12 EEVDF base slice, 0.70 ms x (1 + log2 8)" },
  contextSwitch: ns(1200, "1.2 us with mitigations; tsuna 2010 measured 1300-1600 ns without"),
  copyCachedByte: perByte(0.05, "20 GB/s, cached, one core with AVX2; derived from vendor stream figures"),
  copyUncachedByte: perByte(0.1, "10 GB/s: data placed in the last-level cache by DDIO, read from there; derived"),
  offloadSubmit: ns(150, "DSA work descriptor by ENQCMD, derived"),
  offloadByte: perByte(0.033, "Intel DSA, about 30 GB/s; vendor figure"),
  nicTransmit: ns(350, "half of the 0.82 us that ib_send_lat gives for 32 B between 100G NICs, less the wire"),
  nicReceive: ns(300, "the other half of 0.82 us by ib_send_lat, less the wire"),
  nicFragment: ns(0, "descriptor prefetch hides scatter-gather at line rate; derived"),
  doorbell: ns(80, "write-combining posted write, PCIe 4; derived"),
  phy: ns(100, "100GBASE-R PHY with RS-FEC, about 100 ns; derived"),
  fibre: ns(30, "6.5 ns per metre (myricom.com), 5 m"),
  switchForward: ns(300, "100 to 300 ns in a current switch ASIC (vendor sheets)"),
  // Posting (VT-d PI) is for virtualised guests, and a mechanism of `iov`; what Xen takes for dom0 and others it routes.
  xenInterrupt: ns(275, "physical interrupt through Xen to an upcall: half of the 2012 testbed's, derived"),
  vfCompletion: ns(0, "completions are polled with receives; no interrupt of their own"),
  iommuHit: ns(0, "IOTLB hit (Neugebauer, SIGCOMM 2018: about 0)"),
  iommuMiss: ns(330, "IOTLB miss (Neugebauer, SIGCOMM 2018)"),
  hypercall: ns(120, "PV hypercall without an exit, with mitigations; derived"),
  vmExit: ns(400, "1300 cycles round trip (Dall, ISCA 2016) at 3.3 GHz"),
  kvmInterruptIn: ns(100, "posted interrupts to a halted VCPU: 1.5 us in all, less idleExit and vmExit; derived"),
  kvmInterruptDone: ns(0, "APICv: end of interrupt without an exit (Intel SDM 29.1)"),
  coldCache: ns(0, "fitted to the bridge of 2012 only"),
};

const costs = Object.fromEntries(COST_NAMES.map((name) => [name, known[name] ?? scaled(name)])) as Record<
  CostName,
  CostEntry
>;

/** A current server: does what the study found still hold? */
export const modern: MachineProfile = {
  name: "modern",
  title: "current server: 100GbE, fast exits, APICv, DDIO",
  costs,
  limits: {
    cpusPerHost: count(64, "one socket of 32 cores, 2 threads each"),
    nicRateGbps: { value: 100, unit: "Gb/s", source: "100GbE" },
    nicTxRing: count(1024, "mlx5 default transmit ring"),
    nicRxRing: count(1024, "mlx5 default receive ring"),
    nicQueues: count(32, "one for each core, up to what multiqueue by endpoint can use"),
    txQueueLength: count(10240, "packets that fq_codel holds by default (Linux sch_fq_codel.c)"),
    txModerationUs: { value: 16, unit: "us", source: "mlx5 tx-usecs default" },
    coalesceUs: {
      value: 0,
      unit: "us",
      source: "dynamic moderation interrupts at once at low rates (mlx5 adaptive-rx)",
    },
  },
};
