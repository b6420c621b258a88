import type { Command } from "commander";
import { formatSize } from "../base/quantity.ts";
import { MIB } from "../base/units.ts";
import type { OutputFile } from "./files.ts";
import { collect } from "./options.ts";
import type { PcapOutput } from "./pcap.ts";
import type { SeriesOutput } from "./series_output.ts";
import type { TraceFile } from "./trace_file.ts";

/*
 * What `run` and `replay` write beside their result, or before it. Most runs are made without: what captures, traces and
 * follows them is loaded when an option asks for it.
 */

/** Options of a capture, as commander delivers them. */
export interface PcapOptions {
  readonly pcap?: string;
  readonly pcapAt?: readonly string[];
  readonly pcapSnaplen?: string;
  readonly pcapLimit?: string;
}

/** Options of a trace, as commander delivers them. */
export interface TraceOptions {
  readonly trace?: string;
  readonly traceFrom?: string;
  readonly traceFor?: string;
}

/** Bytes that a capture keeps, at most, when nobody says. */
export const PCAP_LIMIT = 256 * MIB;

/** Adds the options of a capture. Types are left aside: the compiler takes minutes to infer one more chain of options. */
export function addPcapOptions(command: Command): void {
  command
    .option("--pcap <file>", "capture frames into a pcapng file, for Wireshark or `mxtop decode`")
    .option(
      "--pcap-at <name>",
      "where: a name of `mxtop list taps`, or vm*/eth0; repeatable (default: all links)",
      collect,
    )
    .option("--pcap-snaplen <size>", "keep so much of each frame (default: all of it)")
    .option("--pcap-limit <size>", `keep no more than this in all (default: ${formatSize(PCAP_LIMIT)})`);
}

/** The capture that the options ask for, null without any. Throws UsageError as {@link PcapOutput.of}. */
export async function openPcap({ pcap, pcapAt, pcapSnaplen, pcapLimit }: PcapOptions): Promise<PcapOutput | null> {
  if ((pcap ?? pcapAt ?? pcapSnaplen ?? pcapLimit) === undefined) return null;
  return (await import("./pcap.ts")).PcapOutput.of({ pcap, pcapAt, pcapSnaplen, pcapLimit });
}

/** The trace that the options ask for, null without any. Throws UsageError as {@link TraceFile.of}. */
export async function openTrace({ trace, traceFrom, traceFor }: TraceOptions): Promise<TraceFile | null> {
  if ((trace ?? traceFrom ?? traceFor) === undefined) return null;
  return (await import("./trace_file.ts")).TraceFile.of({ trace, traceFrom, traceFor });
}

/** Options of a time series, as commander delivers them. */
export interface SeriesOptions {
  readonly interval?: string;
  readonly format: string;
}

/** Its option's text in the help of commands. */
export const INTERVAL_HELP: readonly [flags: string, description: string] = [
  "--interval <time>",
  "also the figures of each interval of virtual time, as it ends (ndjson, csv; json: at the end)",
];

/** The series that --interval asks for, null without it. Throws UsageError as {@link SeriesOutput.of}. */
export async function openSeries(
  { interval, format }: SeriesOptions,
  out: OutputFile | null,
): Promise<SeriesOutput | null> {
  if (interval === undefined) return null;
  return await (await import("./series_output.ts")).SeriesOutput.of(interval, format, out);
}
