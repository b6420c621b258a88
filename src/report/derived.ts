import type { Metric } from "./metric.ts";
import type { CpuFractions, Snapshot } from "./snapshot.ts";

/** A figure of a whole run that is no field of its result, but computed from it. */
export interface DerivedMetric extends Metric {
  of(snapshot: Snapshot): number;
}

/** By the names that thresholds, sweeps and sensitivities know them by; defined as in the `rows` of a result. */
export const DERIVED = {
  host_cpu: {
    unit: "CPUs",
    help: "busy CPUs of all hosts together, the work of guests left out",
    of: ({ hosts }: Snapshot) => busyCpus(hosts, ({ host, dom0 }) => [host, dom0]),
  },
  guest_cpu: {
    unit: "CPUs",
    help: "CPUs that guests keep busy, those of all hosts together",
    of: ({ hosts }: Snapshot) => busyCpus(hosts, ({ guest }) => [guest]),
  },
} as const satisfies Record<string, DerivedMetric>;

/** The value of a derived metric; undefined where the name is of no such one. */
export function derivedValue(name: string, snapshot: Snapshot): number | undefined {
  return Object.hasOwn(DERIVED, name) ? DERIVED[name as keyof typeof DERIVED].of(snapshot) : undefined;
}

/** CPUs' worth of work of some owners. */
function busyCpus(
  hosts: Snapshot["hosts"],
  owners: (cpu: Snapshot["hosts"][number]["cpu"]) => readonly CpuFractions[],
): number {
  const busy = ({ user, kernel, irq, hypervisor }: CpuFractions) => user + kernel + irq + hypervisor;
  return hosts.reduce((sum, { cpu, cpus }) => sum + cpus * owners(cpu).reduce((all, owner) => all + busy(owner), 0), 0);
}
