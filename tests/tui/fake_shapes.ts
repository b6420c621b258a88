import { SECOND } from "../../src/base/units.ts";

/** A scenario of the fake, and what its guests reach on the fastest path. */
export interface Shape {
  name: string;
  title: string;
  guests: number;
  path: string;
  latencyUs: number;
  totalMBps: number;
  size: number;
  endPs: number;
}

export const SHAPES: readonly Shape[] = [
  shape("pingpong-tiny", "32-byte ping-pong between two hosts", 2, "xen2mx", 7.1, 4.5, 32),
  shape("latency-16k", "Half round trip from 0 to 16 KiB", 2, "xen2mx", 27.4, 410, 16384),
  shape("throughput-4m", "One-way 4 MiB messages", 2, "native", 3510, 1186, 4 << 20),
  shape("scale-40-vms", "40 VMs stream 512 KiB messages between two hosts", 40, "xen2mx", 9000, 1150, 512 << 10, 60),
  shape("intra-node", "VMs of one host talk to each other", 8, "xen2mx", 19, 2400, 64 << 10),
];

function shape(
  name: string,
  title: string,
  guests: number,
  path: string,
  latencyUs: number,
  totalMBps: number,
  size: number,
  seconds = 3,
): Shape {
  return { name, title, guests, path, latencyUs, totalMBps, size, endPs: seconds * SECOND };
}

export const FAKE_PATHS = ["native", "xen2mx-plain", "xen2mx", "bridged", "emulated"];
