import type { LiveSnapshot } from "../../src/report/live_snapshot.ts";
import type { CpuFractions } from "../../src/report/snapshot.ts";
import type { Summary } from "../../src/report/summary.ts";

/** The summary of a run, read off its whole snapshot: slow and obvious. */
export function summaryOf({ snapshot, samples }: LiveSnapshot): Summary {
  const { hosts, links, guests } = snapshot;
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const own = (cpu: CpuFractions) => cpu.user + cpu.kernel + cpu.irq;
  const mean = (field: keyof CpuFractions) => sum(guests.map(({ cpu }) => cpu[field])) / guests.length;
  const last = samples.at(-1);
  return {
    virtual_ns: snapshot.virtual_ns,
    measured_ns: snapshot.measured_ns,
    totals: {
      ...snapshot.totals,
      cpu: {
        user: mean("user"),
        kernel: mean("kernel"),
        irq: mean("irq"),
        hypervisor: mean("hypervisor"),
        steal: mean("steal"),
        idle: mean("idle"),
      },
    },
    cpus: {
      dom0: sum(hosts.map(({ cpu, cpus }) => own(cpu.dom0) * cpus)),
      host: sum(hosts.map(({ cpu, cpus }) => own(cpu.host) * cpus)),
      guest: sum(hosts.map(({ cpu, cpus }) => own(cpu.guest) * cpus)),
      hypervisor: sum(
        hosts.map(({ cpu, cpus }) => (cpu.dom0.hypervisor + cpu.host.hypervisor + cpu.guest.hypervisor) * cpus),
      ),
    },
    drops: sum(hosts.map(({ nic }) => nic.drops)) +
      sum(links.flatMap(({ directions }) => directions.map(({ lost }) => lost))),
    stages: snapshot.stages,
    rows: snapshot.rows,
    bottleneck: snapshot.bottleneck,
    latest: last === undefined
      ? null
      : { at_ns: last.at_ns, p50_us: last.p50_us, throughput_MBps: last.throughput_MBps },
  };
}
