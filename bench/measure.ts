import process from "node:process";

/** CPU time of this process, all threads: wall time would count what others do on the machine. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The middle of a list, the mean of the two middle ones where it is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Where figures were taken: they mean little without it. */
export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGB: number;
  readonly os: string;
  readonly deno: string;
  readonly v8: string;
}

export async function machine(): Promise<Machine> {
  const os = await import("node:os");
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? "unknown",
    cpus: cpus.length,
    memoryGB: Math.round(os.totalmem() / 1e9),
    os: `${Deno.build.os} ${Deno.build.arch}`,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
  };
}

export function machineText({ cpu, cpus, memoryGB, os, deno, v8 }: Machine): string {
  return `${cpu}, ${cpus} CPUs, ${memoryGB} GB, ${os}, Deno ${deno}, V8 ${v8}`;
}
