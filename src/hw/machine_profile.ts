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
/** Told of a cost when it is read for the first time. */
export type CostRead = (name: CostName) => void;
export type Limits = Readonly<Record<LimitName, number>>;

/**
 * What a figure rests on: a publication or a constant in source code; a derivation, whose source says so; the published
 * result that it was fitted to; or the user's word.
 */
export type Basis = "published" | "derived" | "fitted" | "set";

/** All of them, from the firmest to the one that only the user can judge. */
export const BASES: readonly Basis[] = ["published", "derived", "fitted", "set"];

/** Source of a figure that replaces the profile's. */
const SET_BY_USER = "set by the user";

/** What a figure rests on, by what its entry says. */
export function basisOf({ source, fittedTo }: CostEntry): Basis {
  if (source === SET_BY_USER) return "set";
  if (fittedTo !== undefined) return "fitted";
  return /\bderived\b/.test(source) ? "derived" : "published";
}

/** Picoseconds of a cost entry; integers except for the per-byte costs. */
function toPicoseconds(entry: CostEntry): number {
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
      if (value !== undefined) result[name] = { value, unit: entries[name].unit, source: SET_BY_USER };
    }
    return result;
  };
  return { ...profile, costs: replace(profile.costs), limits: replace(profile.limits) };
}

/** Costs of a profile, ready to charge: picoseconds, whole ones but for those of a byte. */
export function resolveCosts(profile: MachineProfile): Costs {
  const costs = {} as Record<CostName, number>;
  for (const name of COST_NAMES) costs[name] = toPicoseconds(profile.costs[name]);
  return costs;
}

/** The same costs, each of which says when it is read: what nobody has read cannot have moved anything. */
export function watchedCosts(costs: Costs, read: CostRead): Costs {
  const watched = {} as Record<CostName, number>;
  for (const name of COST_NAMES) {
    let isTold = false;
    const get = () => {
      if (!isTold) read(name);
      isTold = true;
      return costs[name];
    };
    Object.defineProperty(watched, name, { get, enumerable: true });
  }
  return watched;
}

/** Limits of a profile as numbers, each in the unit of its entry. */
export function resolveLimits(profile: MachineProfile): Limits {
  const limits = {} as Record<LimitName, number>;
  for (const name of LIMIT_NAMES) limits[name] = profile.limits[name].value;
  return limits;
}

/** Picoseconds to copy `length` bytes at a per-byte cost. */
export function copyTime(perByte: number, length: number): number {
  return Math.round(perByte * length);
}
