import type { CpuFractions, Snapshot } from "./snapshot.ts";

/** A figure of a whole run that is no field of its result, but computed from it. */
export interface DerivedMetric {
  readonly unit: string;
  /** What it is, in one line. */
  readonly help: string;
  of(snapshot: Snapshot): number;
}

/** By the names that thresholds, sweeps and sensitivities know them by; defined as in the `rows` of a result. */
export const DERIVED: Readonly<Record<string, DerivedMetric>> = {
  host_cpu: {
    unit: "CPUs",
    help: "busy CPUs of all hosts together, the work of guests left out",
    of: ({ hosts }) => busyCpus(hosts, ({ host, dom0 }) => [host, dom0]),
  },
  guest_cpu: {
    unit: "CPUs",
    help: "CPUs that guests keep busy, those of all hosts together",
    of: ({ hosts }) => busyCpus(hosts, ({ guest }) => [guest]),
  },
};

/** CPUs' worth of work of some owners. */
function busyCpus(
  hosts: Snapshot["hosts"],
  owners: (cpu: Snapshot["hosts"][number]["cpu"]) => readonly CpuFractions[],
): number {
  const busy = ({ user, kernel, irq, hypervisor }: CpuFractions) => user + kernel + irq + hypervisor;
  return hosts.reduce((sum, { cpu, cpus }) => sum + cpus * owners(cpu).reduce((all, owner) => all + busy(owner), 0), 0);
}
