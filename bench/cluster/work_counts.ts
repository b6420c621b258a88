import type { Processor } from "../../src/hw/processor.ts";
import type { Cluster, Guest } from "../../src/cluster/cluster.ts";

/*
 * What the mechanisms of a whole cluster have done, as plain counts. They are the same on every machine, and free of
 * noise: a change of one says that the emulated work has changed.
 */

/** Columns, in the order of every table. */
export const WORK_COUNTS = {
  events: "events of the engine",
  frames: "frames on all wires",
  cpuCopies: "copies of payload that emulated CPUs were charged for; grant copies apart",
  cpuCopied: "bytes of these",
  copies: "copies that the emulator itself has made, of stretches of any bytes",
  copied: "bytes of these",
  notified: "publishings on rings after which the other end was told",
  silent: "publishings after which it was not: it was at work, or polled",
  channel: "event channel sends, of guests and dom0",
  hypercalls: "hypercalls for grants and events, event channel sends among them",
  exits: "VM exits under KVM, for whatever reason",
  nicIrqs: "interrupts of hosts' NICs, of their virtual functions too",
  guestIrqs: "interrupts that guests took: injected ones under KVM, upcalls under Xen",
  granted: "grant entries filled in",
  mapped: "pages mapped by them",
  grantCopies: "grant copies, by page",
} as const;

export type WorkCounts = Record<keyof typeof WORK_COUNTS, number>;

/** Everything that has been counted since the cluster was built. */
export function workCounts(cluster: Cluster): WorkCounts {
  const { engine, memory } = cluster.world;
  const counts = Object.fromEntries(Object.keys(WORK_COUNTS).map((name) => [name, 0])) as WorkCounts;
  counts.events = engine.events;
  counts.copies = memory.copies;
  counts.copied = memory.copiedBytes;
  for (const { directions } of cluster.links) for (const { frames } of directions) counts.frames += frames;
  for (const host of cluster.hosts) {
    for (const { nic } of host.boards) counts.nicIrqs += nic.counters.interrupts;
    for (const path of host.paths.values()) addPath(path.counters?.() ?? {}, counts);
    addDomains(host, counts);
    for (const processor of host.kernel) addCopies(processor, counts);
  }
  for (const guest of cluster.guests) addGuest(guest, counts);
  return counts;
}

/** Exits by reason, and interrupts injected: the names that paths under KVM give them. */
function addPath(path: Readonly<Record<string, number>>, counts: WorkCounts): void {
  for (const [name, value] of Object.entries(path)) {
    if (name.startsWith("exits, ")) counts.exits += value;
    else if (name === "interrupts injected") counts.guestIrqs += value;
  }
}

function addDomains({ hypervisor }: Cluster["hosts"][number], counts: WorkCounts): void {
  for (const domain of hypervisor?.domains ?? []) {
    counts.hypercalls += domain.hypercalls;
    counts.channel += domain.eventChannels.counters.sent;
    counts.granted += domain.grantTable.counters.granted;
    counts.mapped += domain.mappings.counters.mapped;
    counts.grantCopies += domain.mappings.counters.copies;
    if (domain.id !== 0) counts.guestIrqs += domain.eventChannels.upcallCounters.upcalls;
  }
}

function addCopies({ copies, copiedBytes }: Processor, counts: WorkCounts): void {
  counts.cpuCopies += copies;
  counts.cpuCopied += copiedBytes;
}

function addGuest({ site, ports }: Guest, counts: WorkCounts): void {
  for (const vcpu of site.vcpus) addCopies(vcpu, counts);
  for (const port of ports) {
    for (const { toBackend, toGuest } of port.rings?.() ?? []) {
      counts.notified += (toBackend?.notified ?? 0) + (toGuest?.notified ?? 0);
      counts.silent += (toBackend?.suppressed ?? 0) + (toGuest?.suppressed ?? 0);
    }
  }
}

/** What was counted between two looks. */
export function workBetween(before: WorkCounts, after: WorkCounts): WorkCounts {
  const names = Object.keys(WORK_COUNTS) as (keyof WorkCounts)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as WorkCounts;
}
