/** What the help says of a pane. */
export interface PaneHelp {
  /** As on its tab; the group of the key table with this name is the pane's own. */
  readonly title: string;
  /** Its columns, units and glyphs, in a line or two. */
  readonly text: string;
}

const PANE_HELP: Readonly<Record<string, PaneHelp>> = {
  guests: {
    title: "Guests",
    text: "One row for each VM: median and 99th percentile of the latency, payload that it received (↑ what others " +
      "received of it, where it only sends), messages, CPU in percent of one and by class, st%: time it waited for a CPU, ring: slots " +
      "used/size, grnt: grants in use, note/s: notifications, rsnt: messages sent again. " +
      "Dim latencies are of the whole run: none in the latest interval.",
  },
  latency: {
    title: "Latency",
    text: "Median and 99th percentile of all messages over virtual time, microseconds. Half a round trip for " +
      "ping-pong, send call to receive completion otherwise. A gap: no message was completed (- in the heading: not of late). rtt: median and 99th " +
      "percentile of the whole run, of what the workload calls a round: a reply, a collective, an iteration.",
  },
  throughput: {
    title: "Throughput",
    text: "Payload that all guests received, MB/s (10^6 bytes), and what the busiest direction of a link carried, " +
      "headers included. The dotted line is what a link can carry.",
  },
  host: {
    title: "Host CPU",
    text:
      "Every host by owner: dom0 (the driver domain), guests, hypervisor, or host: a kernel of its own, as with KVM " +
      "or natively, and its processes; percent of all its CPUs. The strip has a cell for each physical CPU, or for a few, the fuller the busier.",
  },
  guest: {
    title: "Guest CPU",
    text: "Where the guests' CPU time goes, percent of one CPU each: user, kernel, interrupts, hypervisor, and steal " +
      "(ready, but without a CPU). The strip has a cell for each VM.",
  },
  stages: {
    title: "Stages",
    text: "Mean microseconds of one message by cause, along its critical path: they add up to its latency. Of the " +
      "messages of the latest interval; of the whole run where none was completed in it, and while the run stands.",
  },
  rings: {
    title: "Rings",
    text:
      "Slots in use of the rings between guest and driver domain, notifications sent and suppressed, grants in use " +
      "and mapped, event channels.",
  },
  network: {
    title: "Network",
    text: "Links by direction, queues of the NICs, frames that were dropped, events that found their queue full, and " +
      "messages that were sent again.",
  },
  events: { title: "Events", text: "What happened, with its virtual time: the newest at the bottom." },
};

/** A pane that nothing is written of has its name for a title. */
export function paneHelp(pane: string): PaneHelp {
  return PANE_HELP[pane] ?? { title: pane[0].toUpperCase() + pane.slice(1), text: "" };
}
