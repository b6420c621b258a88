import { busyCpus } from "./hardware_figures.ts";
import type { Metric } from "./metric.ts";
import type { Snapshot } from "./snapshot.ts";

/** A figure of a whole run that is no field of its result, but computed from it. */
export interface DerivedMetric extends Metric {
  of(snapshot: Snapshot): number;
}

/** By the names that thresholds, sweeps and sensitivities know them by; defined as in the `rows` of a result. */
export const DERIVED = {
  host_cpu: {
    unit: "CPUs",
    help: "busy CPUs of all hosts together, the work of guests left out",
    of: ({ hosts }: Snapshot) => busyOf(hosts, "host"),
  },
  guest_cpu: {
    unit: "CPUs",
    help: "CPUs that guests keep busy, those of all hosts together",
    of: ({ hosts }: Snapshot) => busyOf(hosts, "guest"),
  },
} as const satisfies Record<string, DerivedMetric>;

/** The value of a derived metric; undefined where the name is of no such one. */
export function derivedValue(name: string, snapshot: Snapshot): number | undefined {
  return Object.hasOwn(DERIVED, name) ? DERIVED[name as keyof typeof DERIVED].of(snapshot) : undefined;
}

/** Busy CPUs of all hosts, on one side. */
function busyOf(hosts: Snapshot["hosts"], side: "host" | "guest"): number {
  return hosts.reduce((sum, { cpu, cpus }) => sum + busyCpus(cpu, cpus)[side], 0);
}
