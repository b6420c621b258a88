import { formatSize } from "../../base/quantity.ts";
import { KIB, MIB } from "../../base/units.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Lab } from "./lab.ts";
import { RESULTS, SIZES_16K, SIZES_4M } from "./results.ts";

/** A figure of the study as a table: one line for each abscissa, one column for each path. */
export interface StudyFigure {
  readonly id: string;
  readonly title: string;
  /** Heading of the first column. */
  readonly over: string;
  readonly unit: string;
  readonly paths: readonly string[];
  readonly lines: readonly { readonly at: string; readonly values: readonly number[] }[];
  /** Published results, by their id, where they stand in it. */
  readonly published: readonly PublishedPoint[];
}

export interface PublishedPoint {
  readonly id: string;
  readonly at: string;
  readonly path: string;
  readonly value: number;
}

const VMS = [2, 4, 10, 20, 40];
const MACHINE = "vhpc12";

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
function guestCpu({ guests }: Snapshot): number {
  return guests.reduce((sum, { cpu }) => sum + 1 - cpu.idle - cpu.steal, 0) / guests.length;
}

/** How a figure is made: for each path one value for each abscissa. */
export interface FigurePlan extends Pick<StudyFigure, "id" | "title" | "over" | "unit"> {
  readonly at: readonly string[];
  readonly column: (lab: Lab, path: string) => readonly number[];
}

/** Runs what a figure shows, and puts it together. */
export function makeFigure({ column, at, ...head }: FigurePlan, lab: Lab, paths: readonly string[]): StudyFigure {
  const columns = paths.map((path) => column(lab, path));
  const lines = at.map((label, i) => ({ at: label, values: columns.map((c) => c[i]) }));
  return { ...head, paths, lines, published: pointsOf(head.id, paths) };
}

function pointsOf(figure: string, paths: readonly string[]): PublishedPoint[] {
  return RESULTS.flatMap(({ id, point }) => {
    if (point === undefined || point.figure !== figure || !paths.includes(point.path)) return [];
    const { at, path, value } = point;
    return [{ id, at, path, value }];
  });
}

const small = (lab: Lab, path: string) => lab.sweep(path, MACHINE, SIZES_16K, 40);
const large = (lab: Lab, path: string) => lab.sweep(path, MACHINE, SIZES_4M, 5);

/** Something that is measured of streams of one size between ever more guests. */
function overVms(size: number, value: (snapshot: Snapshot) => number): Pick<FigurePlan, "over" | "at" | "column"> {
  return {
    over: "VMs",
    at: VMS.map(String),
    column: (lab, path) => VMS.map((vms) => value(lab.stream(path, MACHINE, size, vms))),
  };
}

const throughput = ({ totals }: Snapshot) => totals.throughput_MBps;

/** With the default length, what 20 senders of eager messages have in flight overflows it, and MX waits 1 s for each loss. */
export const LONG_QUEUES = { txQueueLength: 32768 };
const SCALE = [4, 16, 64, 256].map((kib) => kib * KIB).concat(MIB);

/** Every figure of the study, in the order of the report. */
export const FIGURES: readonly FigurePlan[] = [
  {
    id: "latency-16k",
    title: "half round trip to 16 KiB, one VM end",
    over: "size",
    unit: "us",
    at: SIZES_16K.map(formatSize),
    column: (lab, path) => small(lab, path).map((row) => row.latency_us),
  },
  {
    id: "latency-4m",
    title: "half round trip to 4 MiB, one VM end",
    over: "size",
    unit: "us",
    at: SIZES_4M.map(formatSize),
    column: (lab, path) => large(lab, path).map((row) => row.latency_us),
  },
  {
    id: "throughput",
    title: "ping-pong throughput by size, one VM end",
    over: "size",
    unit: "MB/s",
    at: SIZES_4M.map(formatSize),
    column: (lab, path) => large(lab, path).map((row) => row.throughput_MBps),
  },
  {
    id: "aggregate-512k",
    title: "sum of one-way streams of 512 KiB",
    unit: "MB/s",
    ...overVms(512 * KIB, throughput),
  },
  {
    id: "host-cpu",
    title: "CPUs busy for the host, streams of 512 KiB",
    unit: "CPUs",
    ...overVms(512 * KIB, hostCpus),
  },
  { id: "guest-cpu", title: "CPU of a guest, streams of 512 KiB", unit: "fraction", ...overVms(512 * KIB, guestCpu) },
  {
    id: "aggregate-256k",
    title: "sum of one-way streams of 256 KiB",
    unit: "MB/s",
    ...overVms(256 * KIB, throughput),
  },
  {
    id: "scale-40",
    title: "sum over 40 VMs by message size, with transmit queues of 32768 frames",
    over: "size",
    unit: "MB/s",
    at: SCALE.map(formatSize),
    column: (lab, path) => SCALE.map((size) => throughput(lab.stream(path, MACHINE, size, 40, { costs: LONG_QUEUES }))),
  },
];
