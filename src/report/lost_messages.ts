import { MS } from "../base/units.ts";
import { type Baseline, directionCounts, nicCounts, overruns, pullTimeouts } from "../cluster/baseline.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { guestCounts, LIBRARY, LIBRARY_COUNTS, libraryCount, RX_DROPS, TX_DROPS } from "../cluster/guest_counts.ts";
import type { Session } from "../cluster/session.ts";
import type { Link, WirePort } from "../hw/link.ts";
import type { OmxDriver } from "../mx/driver/driver.ts";
import { ACK_DELAY_PS, PULL_RETRANSMIT_PS, RESEND_DELAY_PS } from "../mx/limits.ts";
import type { Bottleneck } from "./snapshot.ts";

/*
 * Messages that were lost hold a run back like nothing else: MX has no sign of a loss but silence, and waits for half a
 * second of it, or for a second when it is a part of a large message that is missing.
 */

/** They do when guests may wait this much of their time for them. */
const WAITING = 0.05;
/** Acks are sent within {@link ACK_DELAY_PS}, and pulls replied to at once: who waits so long waits for what was lost. */
const SILENT_PS = 2 * ACK_DELAY_PS;
const RETRANSMITS = LIBRARY_COUNTS.indexOf("retransmits");

/** Whether what was lost is what the run waits for in the `elapsed` picoseconds since `before`; where, and for how long. */
export function lostMessages(session: Session, before: Baseline, elapsed: number): Bottleneck | undefined {
  const { cluster } = session;
  let resent = 0;
  for (const [i, guest] of cluster.guests.entries()) {
    resent += libraryCount(guest, "retransmits") - before.counts[i][LIBRARY + RETRANSMITS];
  }
  const pulls = pullTimeouts(cluster) - before.pullTimeouts;
  const again = resent * RESEND_DELAY_PS + pulls * PULL_RETRANSMIT_PS;
  const silence = again === 0 ? silenceOf(cluster, elapsed) : NO_SILENCE;
  const waitedPs = again + silence.waitedPs;
  if (waitedPs === 0 || waitedPs < WAITING * elapsed * cluster.guests.length) return undefined;
  const causes = lossesAtAll(session);
  // Who is slow to read messages is slow to acknowledge them: without a loss, nobody waits for one.
  if (again === 0 && causes.length === 0) return undefined;
  const because = causes.length === 0 ? "" : `: ${causes.join(", ")}`;
  if (again === 0) return { what: "lost messages", why: silenceText(silence, because) };
  const what = [
    ...(resent > 0 ? [`${resent} sent again, each after 0.5 s`] : []),
    ...(pulls > 0 ? [`${pulls} pulled again, each after 1 s`] : []),
  ];
  return { what: "lost messages", why: `${what.join(", ")}${because}` };
}

// ---- what nobody has answered

/** Messages without an acknowledgement, and pulls without a reply, for longer than a good one takes. */
interface Silence {
  readonly messages: number;
  readonly pulls: number;
  /** For how long the oldest of all has had no answer, and all of them together since `before`, picoseconds. */
  readonly longestPs: number;
  readonly waitedPs: number;
}

const NO_SILENCE: Silence = { messages: 0, pulls: 0, longestPs: 0, waitedPs: 0 };

function silenceOf(cluster: Cluster, elapsed: number): Silence {
  const { guests, world: { engine: { now } } } = cluster;
  let messages = 0;
  let pulls = 0;
  let longestPs = 0;
  let waitedPs = 0;
  const isSilent = (since: number) => {
    const silentPs = now - since;
    if (silentPs <= SILENT_PS) return false;
    longestPs = Math.max(longestPs, silentPs);
    waitedPs += Math.min(elapsed, silentPs);
    return true;
  };
  for (const { mx } of guests) {
    for (const { library } of mx?.endpoints ?? []) {
      // The queue is in the order in which they were last sent.
      let link = library.core.resend.first;
      for (; link !== null && isSilent(link.of.lastSent); link = link.next) messages++;
    }
  }
  for (const driver of driversOf(cluster)) {
    for (const since of driver.pulls.lastReplies()) if (isSilent(since)) pulls++;
  }
  return { messages, pulls, longestPs, waitedPs };
}

/** The cause comes before what everybody can know: there may be room for the begin of a line only. */
function silenceText({ messages, pulls, longestPs }: Silence, because: string): string {
  const then = [...(messages > 0 ? ["sent again after 0.5 s"] : []), ...(pulls > 0 ? ["pulled again after 1 s"] : [])];
  return `${messages + pulls} unanswered for ${Math.round(longestPs / MS)} ms${because}; ${then.join(", ")}`;
}

// ---- where they were lost

/**
 * Where messages may have got lost since measuring began, and where none was since then, before that: what is sent again
 * got lost half a second earlier, or longer ago, and a run that came to a stop in its warm-up has lost nothing since.
 */
export function lossesAtAll(session: Session): string[] {
  const measured = losses(session, session.baseline);
  return measured.length > 0 ? measured : losses(session, null);
}

/** Where messages may have got lost since `before`; null is the begin of the cluster. */
export function losses({ cluster, now }: Session, before: Baseline | null): string[] {
  const { hosts, guests, links, world } = cluster;
  const since = (count: number, then: number | undefined) => count > (then ?? 0);
  const losing = links.filter((link, i) =>
    link.directions.some((direction, side) => {
      const [, , , lost, , corrupted] = directionCounts(direction, now);
      const then = before?.links[i][side];
      return since(lost, then?.[3]) || since(corrupted, then?.[5]);
    })
  );
  // The port at the other end is a host's NIC, which is looked at by itself.
  const ports: ReadonlySet<WirePort> = new Set(cluster.switches.flatMap((hub) => hub.ports));
  const inPorts = links.some((link, i) =>
    link.directions.some((direction, side) =>
      ports.has(direction.from) && since(directionCounts(direction, now)[4], before?.links[i][side][4])
    )
  );
  const inNics = hosts.some(({ boards }, i) =>
    boards.some(({ nic }, board) => {
      const [, , , , rxDrops, txDrops] = nicCounts(nic);
      const then = before?.nics[i][board];
      return since(rxDrops, then?.[4]) || since(txDrops, then?.[5]);
    })
  );
  const atGuests = guests.some((guest, i) => {
    const counts = guestCounts(guest);
    return [TX_DROPS, RX_DROPS].some((count) => since(counts[count], before?.counts[i][count]));
  });
  const causes: [boolean, string][] = [
    [since(overruns(cluster), before?.overruns), "event queues full"],
    [losing.some(({ cut }) => cut), cutText(losing)],
    [losing.some(({ cut }) => !cut), "frames lost on links"],
    [inPorts, "ports of switches full"],
    [inNics, "NICs full"],
    [atGuests, "guests' interfaces full"],
    [since(world.frames.exhausted, before?.exhausted), "no frame free"],
    // As long as it goes on: there is no count of it at an instant.
    [driversOf(cluster).some(({ loss }) => loss !== null && loss.dropped > 0), "packet_loss of drivers"],
  ];
  return causes.flatMap(([is, text]) => is ? [text] : []);
}

function driversOf({ hosts }: Cluster): OmxDriver[] {
  return hosts.flatMap(({ paths }) => [...paths.values()].flatMap(({ boards }) => boards.map(({ driver }) => driver)));
}

function cutText(links: readonly Link[]): string {
  const cut = links.filter(({ cut }) => cut);
  return cut.length === 1 ? `link ${cut[0].name} is cut` : `${cut.length} links are cut`;
}
