import { KIB, MIB } from "../../base/units.ts";
import type { Lab } from "./lab.ts";

/** What was measured, and where: runs of the same are to be compared with the published number. */
export interface Setting {
  readonly machine: string;
  readonly path: string;
  /** Round trips of messages that fit into one tiny frame, one end native; or a stream of one size between two ends. */
  readonly measured: "tiny round trip" | "stream";
  /** Bytes of a message, least and most. */
  readonly sizes: readonly [least: number, most: number];
}

/** Where a published number stands in a figure of the study: `value` in the figure's unit. */
export interface FigurePoint {
  readonly figure: string;
  readonly at: string;
  readonly path: string;
  readonly value: number;
}

/** Within what an emulated number counts as met, both ends included. Without `least`, what is published is a bound. */
export interface Bounds {
  readonly least: number | null;
  readonly most: number;
}

/**
 * Constants of the profile were fitted to it; or it was published and is a prediction; or nobody has published it, and
 * what is wanted follows from a number that was fitted to. Only a prediction tests the model.
 */
export type ResultKind = "fitted" | "prediction" | "derived";

/** A published number, or one that follows from such, and how the emulator comes by its own. */
export interface PublishedResult {
  readonly id: string;
  readonly quantity: string;
  readonly unit: string;
  /** Null where nobody has published a number for this, and what is wanted is derived from another one. */
  readonly published: number | null;
  readonly bounds: Bounds;
  readonly kind: ResultKind;
  readonly source: string;
  /** Absent where the number is not one run's: a ratio, or one that nobody has published. */
  readonly setting?: Setting;
  /** Absent where no figure goes over what was measured. */
  readonly point?: FigurePoint;
  readonly measure: (lab: Lab) => number;
}

const within = (published: number, fraction: number) => ({ published, bounds: around(published, fraction) });

const around = (value: number, fraction: number): Bounds => ({
  least: value * (1 - fraction),
  most: value * (1 + fraction),
});

const VHPC = "Nanos, Koziris, VHPC at Euro-Par 2012 (abstract)";
const JSS = "Xen2MX project page (JSS 2014)";
/** What the study's link carried at best, MB/s (Xen2MX project page: IOV, 4 MiB). */
export const LINK_MBPS = 1192;
/** What it could: 8968 bytes of payload in 9024 bytes on a wire of 1250 MB/s. */
const PAYLOAD_MBPS = 1242;

/** A tiny frame takes 32 bytes (reference, frames). */
const tiny = (path: string): Setting => ({
  machine: "vhpc12",
  path,
  measured: "tiny round trip",
  sizes: [0, 32],
});
/** Half of a published round trip: the figure has the size that is measured here for it. */
const halfOf = (rtt: number, path: string): FigurePoint => ({
  figure: "latency-16k",
  at: "16 B",
  path,
  value: rtt / 2,
});
const stream = (path: string, machine: string): Setting => ({
  machine,
  path,
  measured: "stream",
  sizes: [4 * MIB, 4 * MIB],
});

const streamOfTwo = (lab: Lab, path: string, machine: string) =>
  lab.stream(path, machine, 4 * MIB, 2).totals.throughput_MBps;

/** Every end-to-end number of the study (costs A1 to A5), and what follows from the last for other paths. */
export const RESULTS: readonly PublishedResult[] = [
  {
    id: "A2",
    quantity: "native RTT, tiny message",
    unit: "us",
    ...within(12.0, 0.03),
    kind: "fitted",
    source: "Open-MX FAQ, adaptive coalescing",
    setting: tiny("native"),
    point: halfOf(12.0, "native"),
    measure: (lab) => lab.rtt("native", "vhpc12"),
  },
  {
    id: "A1a",
    quantity: "directly attached (IOV) RTT, one VM end",
    unit: "us",
    ...within(13.0, 0.04),
    kind: "fitted",
    source: VHPC,
    setting: tiny("iov"),
    point: halfOf(13.0, "iov"),
    measure: (lab) => lab.rtt("iov", "vhpc12"),
  },
  {
    id: "A1b",
    quantity: "Xen2MX RTT, one VM end",
    unit: "us",
    ...within(14.0, 0.04),
    kind: "fitted",
    source: VHPC,
    setting: tiny("xen2mx"),
    point: halfOf(14.0, "xen2mx"),
    measure: (lab) => lab.rtt("xen2mx", "vhpc12"),
  },
  {
    id: "A1c",
    quantity: "bridged RTT, one VM end",
    unit: "us",
    ...within(44.0, 0.04),
    kind: "fitted",
    source: VHPC,
    setting: tiny("bridged"),
    point: halfOf(44.0, "bridged"),
    measure: (lab) => lab.rtt("bridged", "vhpc12"),
  },
  {
    id: "A3",
    quantity: "Xen2MX / bridged RTT",
    unit: "ratio",
    published: 0.6,
    bounds: { least: null, most: 0.6 },
    kind: "prediction",
    source: JSS,
    measure: (lab) => lab.rtt("xen2mx", "jss14") / lab.rtt("bridged", "jss14"),
  },
  {
    id: "A4",
    quantity: "IOV / Xen2MX RTT",
    unit: "ratio",
    published: 0.96,
    // The round trips of 2012, 13 and 14 us, make 0.93.
    bounds: { least: 0.93, most: 0.97 },
    kind: "prediction",
    source: JSS,
    measure: (lab) => lab.rtt("iov", "jss14") / lab.rtt("xen2mx", "jss14"),
  },
  {
    id: "A5",
    quantity: "IOV peak throughput, 4 MiB",
    unit: "MB/s",
    ...within(LINK_MBPS, 0.03),
    kind: "fitted",
    source: JSS,
    setting: stream("iov", "jss14"),
    measure: (lab) => streamOfTwo(lab, "iov", "jss14"),
  },
  {
    id: "A5n",
    quantity: "native throughput, 4 MiB, one way",
    unit: "MB/s",
    published: null,
    bounds: around(LINK_MBPS, 0.03),
    kind: "derived",
    source: "from A5: a host's own NIC carries what one attached to its guest does, within 3 %",
    measure: (lab) => streamOfTwo(lab, "native", "vhpc12"),
  },
  {
    id: "P1",
    quantity: "Xen2MX throughput, 4 MiB, one way",
    unit: "MB/s",
    published: null,
    bounds: { least: 0.93 * LINK_MBPS, most: PAYLOAD_MBPS },
    kind: "derived",
    source: "from A5: with grants reused a stream comes to the link, to 93 % of what it carried or more",
    measure: (lab) => streamOfTwo(lab, "xen2mx", "vhpc12"),
  },
  {
    id: "P2",
    quantity: "Xen2MX ping-pong throughput, 4 MiB",
    unit: "MB/s",
    published: null,
    bounds: { least: 0.8 * LINK_MBPS, most: PAYLOAD_MBPS },
    kind: "derived",
    source: "from A5: of one message at a time, which has a rendezvous too, 80 % of what the link carried or more",
    measure: (lab) => lab.sweep("xen2mx", "vhpc12", [4 * MIB], 6)[0].throughput_MBps,
  },
];

/** Sizes of the latency figures. */
export const SIZES_16K: readonly number[] = [0, 1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
export const SIZES_4M: readonly number[] = [32, 64, 128, 256, 512, 1024, 2048, 4096].map((kib) => kib * KIB);
