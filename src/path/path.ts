import type { Costs, Limits } from "../hw/machine_profile.ts";
import type { FramePool } from "../hw/frame.ts";
import type { Memory } from "../hw/memory.ts";
import type { Nic } from "../hw/nic.ts";
import { FrameTap } from "../hw/tap.ts";
import type { Processor } from "../hw/processor.ts";
import type { Journeys } from "../metrics/journey.ts";
import type { RingCounts } from "../metrics/ring_counts.ts";
import type { MxDriver } from "../mx/driver/contract.ts";
import type { DebugOptions, OmxDriver } from "../mx/driver/driver.ts";
import type { PeerTable } from "../mx/driver/peer_table.ts";
import type { MxLimits } from "../mx/limits.ts";
import type { Engine } from "../sim/engine.ts";
import type { SlotKind, SlotWatch, TraceArgs, TraceCounter } from "../sim/trace.ts";
import type { Domain } from "../xen/domain.ts";
import type { Hypervisor } from "../xen/hypervisor.ts";
import type { Mechanisms } from "./mechanisms.ts";

/** What every part of an emulated cluster is built from. */
export interface World {
  readonly engine: Engine;
  readonly memory: Memory;
  readonly frames: FramePool;
  readonly journeys: Journeys;
  readonly costs: Costs;
  readonly limits: Limits;
  readonly mx: MxLimits;
  /** As the scenario has them: what is left out has the default of the path that uses it. */
  readonly mechanisms: Mechanisms;
  /** Hosts that every MX driver can know (module parameter `peers`); Open-MX's default by default. */
  readonly peerMax?: number;
  /** What every MX driver does as a debug build; nothing by default. */
  readonly debug?: DebugOptions;
}

/** A host's board before any path has been set up on it. */
export interface HostSite {
  readonly world: World;
  /** Name of the host. */
  readonly name: string;
  /** Which of the host's boards this is, from 0, and how many it has: a path is set up on each of them. */
  readonly board: number;
  readonly boards: number;
  /** The board's NIC, and its address. */
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
  /** The board that it is about to be connected to, by its number on the host. */
  readonly board: number;
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

/** Open-MX's default name of a board (omx_iface.c:482-485); the first one is known by the node's name alone. */
export function boardName(node: string, board: number): string {
  return board === 0 ? node : `${node}:${board}`;
}

/** An MX board: what other hosts know as a peer. */
export interface Board {
  readonly hostname: string;
  readonly macHigh: number;
  readonly macLow: number;
  readonly peers: PeerTable;
  /** The MX driver that it belongs to. */
  readonly driver: OmxDriver;
}

/** What an observer may see of a guest's connection, beyond its messages. */
export interface PortFigures {
  readonly ring: { used: number; size: number } | null;
  readonly grants: { active: number; mapped: number } | null;
}

/** Frames of the network interface that a guest has for itself, since the start. */
export interface InterfaceCounts {
  readonly txFrames: number;
  readonly rxFrames: number;
  /** Frames for which there was no room, or which could not be handed on. */
  readonly txDrops: number;
  readonly rxDrops: number;
  /** Interrupts that the guest has had of it. */
  readonly interrupts: number;
}

/** A ring or queue between a guest and what serves it, as a trace or a picture follows it. */
export interface PortRing {
  readonly name: string;
  /** What its entries are: messages under way, or empty buffers that wait for one. */
  readonly holds: "work" | "buffers";
  /** What the guest's end has published, and the other end; absent where nobody can ask not to be notified. */
  readonly toBackend?: RingCounts;
  readonly toGuest?: RingCounts;
  /** Entries that it has. */
  readonly size: number;
  /** Entries in use now. */
  readonly used: number;
  /** From now on `counter` is told of every change; of none when it is null. */
  observe(counter: TraceCounter | null): void;
  /** Slots, where there are more than entries that can be in use: some rings must keep one free. */
  readonly slots?: number;
  /** From now on `watch` is told of every slot; of none when it is null. A queue without slots may leave it out. */
  watch?(watch: SlotWatch | null): void;
  /** What a slot says that has just been published, from the bytes in guest memory. */
  read?(kind: SlotKind, index: number): SlotText;
}

/** What a ring's slot is, in a word or two, and its fields. */
export interface SlotText {
  readonly what: string;
  readonly fields: TraceArgs;
}

/** A guest's connection on a path, by one board of its host. */
export interface GuestPort {
  /** A driver for one more endpoint of the guest. */
  attach(): MxDriver;
  /** Name of the board that its endpoint is on, and the endpoint's number there. */
  readonly hostname: string;
  readonly endpoint: number;
  figures(): PortFigures;
  /** Where the guest has an interface of its own. */
  interface?(): InterfaceCounts;
  /** Pages that were registered again while they were still granted, since the start. */
  reusedPages?(): number;
  /** The rings that carry its messages, each by itself; a path without any may leave this out. */
  rings?(): readonly PortRing[];
}

/** A path as it was set up on one board of a host. */
export interface PathHost {
  readonly boards: readonly Board[];
  place(guest: GuestSite): GuestPort;
  /** Everything that must be conserved after a run and is not, in words; empty when all is well. */
  leaks(): string[];
  /** Events of the path's mechanisms since the start, by name: VM exits by reason, drops. */
  counters?(): Readonly<Record<string, number>>;
  /** VM exits of its guests since the start, in the order of `EXIT_REASONS`; absent where there is no KVM. */
  exits?(): readonly number[];
  /** Where frames of its guests' own interfaces can be looked at, where the path gives them any. */
  taps?(): readonly FrameTap[];
}

/** How a scenario builds its guests: what their share of dom0's tables depends on. */
export interface Build {
  readonly mx: MxLimits;
  readonly boards: number;
  readonly mechanisms: Mechanisms;
}

/** What a guest takes of dom0's tables, which have room for so many guests: entries, over all of its boards. */
export interface Dom0Share {
  /** Event channels. */
  readonly ports: number;
  /** Foreign pages that dom0 has mapped for good: maptrack entries. */
  readonly mappings: number;
  /** The same for each endpoint while it is open. */
  readonly endpointMappings: number;
}

/** The tap of a guest's network interface, as the guest sees it: whatever is behind it, it is `eth0`. */
export function interfaceTap(guest: GuestSite, kind: string): FrameTap {
  return new FrameTap(`${guest.name}/eth${guest.board}`, `interface of a guest: ${kind}`);
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
  hypervisorWith?(mechanisms: Mechanisms): "xen" | "kvm";
  /** Whether something of the host's (dom0, vhost, QEMU) stands between guest and NIC; by default it does. */
  readonly hasBackEnd?: boolean;
  /** Guests of one host that it has room for, where that is less than what a scenario may say. */
  readonly guestsPerHost?: number;
  /** What each of its guests takes of dom0's tables, where there is a dom0 that serves them. */
  dom0Share?(build: Build): Dom0Share;
  attach(site: HostSite): PathHost;
}
