import { NS } from "../base/units.ts";

/** Units that a profile's figures may have. The first four are costs and are resolved to picoseconds. */
export type CostUnit = "ns" | "ns/page" | "ns/B" | "us" | "count" | "Gb/s";

/** One figure of a machine profile. */
export interface CostEntry {
  readonly value: number;
  readonly unit: CostUnit;
  /** Where it was published, or how it was derived. */
  readonly source: string;
  /** The published result that this figure was fitted to, when it has no source of its own. */
  readonly fittedTo?: string;
}

/** Every mechanism that a run can charge for. A path says which it uses, in what order, on which CPU. */
export const COST_NAMES = [
  // user library and kernel entry
  "librarySend",
  "libraryReceive",
  "pollPickup",
  "syscall",
  "ioctl",
  // kernel driver
  "driverSend",
  "doorbell",
  "driverReceive",
  "packetReceive",
  "napi",
  "interrupt",
  "pinBase",
  "pinPage",
  "unpinPage",
  // memory
  "copyCachedByte",
  "copyUncachedByte",
  "offloadSubmit",
  "offloadByte",
  // threads and idle states
  "contextSwitch",
  "idleExit",
  "workQueueWake",
  "threadSlice",
  // NIC and fabric
  "nicTransmit",
  "nicReceive",
  "nicFragment",
  "phy",
  "fibre",
  "switchForward",
  // Xen
  "pvSyscall",
  "hypercall",
  "eventSend",
  "upcall",
  "xenInterrupt",
  "vcpuSwitch",
  "grantEntry",
  "grantMapPage",
  "grantUnmapPage",
  "grantSingle",
  "grantCopyBase",
  "grantCopyByte",
  // Xen2MX
  "frontendPush",
  "frontendEvent",
  "backendPickup",
  "backendDispatch",
  "backendResponse",
  "backendPoll",
  // Xen network paths: netfront, netback, software bridge, directly attached functions
  "netfrontTransmit",
  "netfrontReceive",
  "netbackTransmit",
  "netbackReceive",
  "netbackWake",
  "bridgeForward",
  "coldCache",
  "iommuHit",
  "iommuMiss",
  "vfCompletion",
  // KVM and device models
  "vmExit",
  "kvmKick",
  "qemuExit",
  "hvmIoreq",
  "kvmInterruptIn",
  "kvmInterruptDone",
  "vmSwitchKvm",
  "vhostTransmit",
  "vhostReceive",
  "tapForward",
  "qemuPacket",
] as const;
export type CostName = typeof COST_NAMES[number];

/** Sizes and counts of a machine: capacities, not costs. */
export const LIMIT_NAMES = [
  "cpusPerHost",
  "nicRateGbps",
  "nicTxRing",
  "nicRxRing",
  "nicQueues",
  "txQueueLength",
  "txModerationUs",
  "coalesceUs",
] as const;
export type LimitName = typeof LIMIT_NAMES[number];

/** A named machine: what every mechanism costs on it, and how large it is. */
export interface MachineProfile {
  readonly name: string;
  readonly title: string;
  readonly costs: Readonly<Record<CostName, CostEntry>>;
  readonly limits: Readonly<Record<LimitName, CostEntry>>;
}

/** A profile's costs in picoseconds (per page and per byte where the unit says so), ready to charge. */
export type Costs = Readonly<Record<CostName, number>>;
export type Limits = Readonly<Record<LimitName, number>>;

/** Picoseconds of a cost entry; integers except for the per-byte costs. */
export function toPicoseconds(entry: CostEntry): number {
  if (entry.unit === "ns/B") return entry.value * NS;
  if (entry.unit === "us") return Math.round(entry.value * 1000 * NS);
  return Math.round(entry.value * NS);
}

/** A profile with some figures replaced: `overrides` maps names to values in the unit of the entry. */
export function withOverrides(profile: MachineProfile, overrides: Readonly<Record<string, number>>): MachineProfile {
  const replace = <K extends string>(entries: Readonly<Record<K, CostEntry>>) => {
    const result: Record<K, CostEntry> = { ...entries };
    for (const name of Object.keys(entries) as K[]) {
      const value = overrides[name];
      if (value !== undefined) result[name] = { ...entries[name], value, source: "set by the user" };
    }
    return result;
  };
  return { ...profile, costs: replace(profile.costs), limits: replace(profile.limits) };
}

export function resolveCosts(profile: MachineProfile): Costs {
  const costs = {} as Record<CostName, number>;
  for (const name of COST_NAMES) costs[name] = toPicoseconds(profile.costs[name]);
  return costs;
}

export function resolveLimits(profile: MachineProfile): Limits {
  const limits = {} as Record<LimitName, number>;
  for (const name of LIMIT_NAMES) limits[name] = profile.limits[name].value;
  return limits;
}

/** Picoseconds to copy `length` bytes at a per-byte cost. */
export function copyTime(perByte: number, length: number): number {
  return Math.round(perByte * length);
}
