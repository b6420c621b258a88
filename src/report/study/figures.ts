import { formatSize } from "../../base/quantity.ts";
import { KIB, MIB } from "../../base/units.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Lab } from "./lab.ts";
import { SIZES_16K, SIZES_4M } from "./results.ts";

/** A figure of the study as a table: one line for each abscissa, one column for each path. */
export interface StudyFigure {
  readonly id: string;
  readonly title: string;
  /** Heading of the first column. */
  readonly over: string;
  readonly unit: string;
  readonly paths: readonly string[];
  readonly lines: readonly { readonly at: string; readonly values: readonly number[] }[];
}

const VMS = [2, 4, 10, 20, 40];
const MACHINE = "vhpc12";

/** Figures that {@link studyFigures} yields. */
export const FIGURE_COUNT = 8;

/** CPUs that dom0, the host's kernel and the hypervisor kept busy, of the busier host. */
export function hostCpus({ hosts }: Snapshot): number {
  return Math.max(
    ...hosts.map(({ cpus, cpu: { dom0, host, guest } }) => cpus * (busy(dom0) + busy(host) + guest.hypervisor)),
  );
}

function busy(cpu: Snapshot["guests"][number]["cpu"]): number {
  return cpu.user + cpu.kernel + cpu.irq + cpu.hypervisor;
}

/** Mean fraction of a guest's CPU that it used. */
export function guestCpu({ guests }: Snapshot): number {
  return guests.reduce((sum, { cpu }) => sum + 1 - cpu.idle - cpu.steal, 0) / guests.length;
}

type Column = (path: string) => readonly number[];

function figure(
  id: string,
  title: string,
  over: string,
  unit: string,
  paths: readonly string[],
  at: readonly string[],
  column: Column,
): StudyFigure {
  const columns = paths.map(column);
  return {
    id,
    title,
    over,
    unit,
    paths,
    lines: at.map((label, i) => ({ at: label, values: columns.map((c) => c[i]) })),
  };
}

/** Makes every figure, one after another; each is yielded when it is ready. */
export function* studyFigures(lab: Lab, paths: readonly string[]): Generator<StudyFigure> {
  const sizes = (list: readonly number[]) => list.map(formatSize);
  const small = (path: string) => lab.sweep(path, MACHINE, SIZES_16K, 40);
  const large = (path: string) => lab.sweep(path, MACHINE, SIZES_4M, 5);
  yield figure(
    "latency-16k",
    "half round trip to 16 KiB, one VM end",
    "size",
    "us",
    paths,
    sizes(SIZES_16K),
    (path) => small(path).map((row) => row.latency_us),
  );
  yield figure(
    "latency-4m",
    "half round trip to 4 MiB, one VM end",
    "size",
    "us",
    paths,
    sizes(SIZES_4M),
    (path) => large(path).map((row) => row.latency_us),
  );
  yield figure(
    "throughput",
    "ping-pong throughput by size, one VM end",
    "size",
    "MB/s",
    paths,
    sizes(SIZES_4M),
    (path) => large(path).map((row) => row.throughput_MBps),
  );
  for (const size of [512 * KIB, 256 * KIB]) {
    const text = formatSize(size);
    const runs = (path: string) => VMS.map((vms) => lab.stream(path, MACHINE, size, vms));
    const vms = VMS.map(String);
    const name = `aggregate-${size / KIB}k`;
    yield figure(
      name,
      `sum of one-way streams of ${text}`,
      "VMs",
      "MB/s",
      paths,
      vms,
      (path) => runs(path).map(({ totals }) => totals.throughput_MBps),
    );
    if (size !== 512 * KIB) continue;
    yield figure(
      "host-cpu",
      `CPUs busy for the host, streams of ${text}`,
      "VMs",
      "CPUs",
      paths,
      vms,
      (path) => runs(path).map(hostCpus),
    );
    yield figure(
      "guest-cpu",
      `CPU of a guest, streams of ${text}`,
      "VMs",
      "fraction",
      paths,
      vms,
      (path) => runs(path).map(guestCpu),
    );
  }
  // With the default length, what 20 senders of eager messages have in flight overflows it, and MX waits 1 s for each loss.
  const costs = { txQueueLength: 32768 };
  const scale = [4, 16, 64, 256].map((kib) => kib * KIB).concat(MIB);
  yield figure(
    "scale-40",
    "sum over 40 VMs by message size, with transmit queues of 32768 frames",
    "size",
    "MB/s",
    paths,
    sizes(scale),
    (path) => scale.map((size) => lab.stream(path, MACHINE, size, 40, { costs }).totals.throughput_MBps),
  );
}
