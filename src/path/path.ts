import type { Costs, Limits } from "../hw/machine_profile.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Memory } from "../hw/memory.ts";
import type { Nic } from "../hw/nic.ts";
import type { Processor } from "../hw/processor.ts";
import type { Journeys } from "../metrics/journey.ts";
import type { MxDriver } from "../mx/driver/contract.ts";
import type { PeerTable } from "../mx/driver/peer_table.ts";
import type { MxLimits } from "../mx/limits.ts";
import type { Engine } from "../sim/engine.ts";
import type { Domain } from "../xen/domain.ts";
import type { Hypervisor } from "../xen/hypervisor.ts";

/** What every part of an emulated cluster is built from. */
export interface World {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly frames: FramePool;
  readonly journeys: Journeys;
  readonly costs: Costs;
  readonly limits: Limits;
  readonly mx: MxLimits;
  readonly mechanisms: PathMechanisms;
}

/** Switches of mechanisms, with every default filled in by the path that uses them. */
export interface PathMechanisms {
  readonly polling?: boolean;
  readonly grantBatching?: boolean;
  readonly grantReuse?: boolean;
  readonly overlap?: boolean;
  /** Xen2MX: the observable mistakes of the 2012 code. */
  readonly historical?: boolean;
  readonly registrationCache?: boolean;
  /** Open-MX: large receives are copied by the chipset's engine (I/OAT). */
  readonly copyOffload?: boolean;
  /** IOV: the guests are fully virtualised (Xen HVM) instead of paravirtual. */
  readonly hvm?: boolean;
  /** IOV: a function's interrupt reaches its VCPU without Xen. */
  readonly postedInterrupts?: boolean;
  /** Emulated: the guests are Xen's, with the device model in dom0, instead of KVM's. */
  readonly xenDeviceModel?: boolean;
  /** Bridged: netback maps the pages of transmitted frames until these have ended, instead of copying them. */
  readonly netbackMap?: boolean;
  /** Bridged: queues of each guest's interface, 1 by default; each has rings, an event channel and a netback thread. */
  readonly netQueues?: number;
}

/** A host before any path has been set up on it. */
export interface HostSite {
  readonly world: World;
  readonly name: string;
  readonly nic: Nic;
  readonly macHigh: number;
  readonly macLow: number;
  /** CPUs of the kernel that drives the NIC: the native kernel's, or dom0's VCPUs. */
  readonly processors: readonly Processor[];
  readonly kind: HostKind;
  /** Xen; null on any other host. */
  readonly hypervisor: Hypervisor | null;
}

/** What runs a host: its own kernel, Xen with dom0, or Linux with KVM. */
export type HostKind = "native" | "xen" | "kvm";

/** A guest, or a process on a native host. */
export interface GuestSite {
  readonly name: string;
  /** Number among the guests of its host: also its MX endpoint where guests share a board. */
  readonly index: number;
  /** Where its process runs: its VCPU, or a CPU of the native kernel. */
  readonly processor: Processor;
  /** Its VCPUs; empty for a process on a native host. */
  readonly vcpus: readonly Processor[];
  /** Its Xen domain; null on any other host. */
  readonly domain: Domain | null;
  /** MAC address for a network interface of its own, where the path gives it one. */
  readonly macHigh: number;
  readonly macLow: number;
}

/** An MX board: what other hosts know as a peer. */
export interface Board {
  readonly hostname: string;
  readonly macHigh: number;
  readonly macLow: number;
  readonly peers: PeerTable;
}

/** What an observer may see of a guest's connection, beyond its messages. */
export interface PortFigures {
  readonly ring: { used: number; size: number } | null;
  readonly grants: { active: number; mapped: number } | null;
}

/** A guest's connection on a path. */
export interface GuestPort {
  /** A driver for one more endpoint of the guest. */
  attach(): MxDriver;
  /** Name of the board that its endpoint is on, and the endpoint's number there. */
  readonly hostname: string;
  readonly endpoint: number;
  figures(): PortFigures;
}

/** A path as it was set up on one host. */
export interface PathHost {
  readonly boards: readonly Board[];
  place(guest: GuestSite): GuestPort;
  /** Everything that must be conserved after a run and is not, in words; empty when all is well. */
  leaks(): string[];
  /** Events of the path's mechanisms since the start, by name: VM exits by reason, drops. */
  counters?(): Readonly<Record<string, number>>;
}

/**
 * An I/O path: which side of which cut runs where, and what carries it across. One file or folder for each; one line in
 * the registry makes it known to the command line, the dashboard, sweeps and the contract tests.
 */
export interface Path {
  readonly name: string;
  readonly title: string;
  readonly hypervisor: "none" | "xen" | "kvm";
  /** The hypervisor with these mechanisms, of a path that has flavours. */
  hypervisorWith?(mechanisms: PathMechanisms): "xen" | "kvm";
  attach(site: HostSite): PathHost;
}
