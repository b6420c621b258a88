import { SECOND } from "../base/units.ts";
import { type Baseline, directionCounts, nicCounts, overruns, pullTimeouts } from "../cluster/baseline.ts";
import { guestCounts, LIBRARY, LIBRARY_COUNTS, libraryCount, RX_DROPS, TX_DROPS } from "../cluster/guest_counts.ts";
import type { Guest } from "../cluster/cluster.ts";
import type { Session } from "../cluster/session.ts";
import { OWNERS } from "../hw/cpu.ts";
import type { WirePort } from "../hw/link.ts";
import { PULL_RETRANSMIT_PS, RESEND_DELAY_PS } from "../mx/limits.ts";
import { STAGES } from "../metrics/stage.ts";
import { offeredFigures, stagesSince } from "./figures.ts";
import type { Bottleneck } from "./snapshot.ts";
import { STARVED, starvedGuests, whoWaits } from "./starvation.ts";

/** A resource this busy leaves nothing to be had from it. */
const FULL = 0.93;
/** Messages that are sent again hold a run back when guests may wait this much of their time for them. */
const WAITING = 0.05;

/** Open-loop clients fall behind when more of their requests than this fraction, and than these few, wait to be sent. */
const BEHIND = 0.02;
const FEW = 10;
const RETRANSMITS = LIBRARY_COUNTS.indexOf("retransmits");

const percent = (fraction: number) => `${Math.round(fraction * 100)} %`;

/**
 * Names what holds a run back in the time since `before`: the fullest link; a CPU that is busy with more than polling;
 * too few CPUs, or one that is shared; what open-loop clients ask for, or may have under way; else nothing, and then where messages have spent
 * most of their time. In a short time there may be none: `messagesFrom` is since when these are looked at, and where none
 * is complete since then, all that were measured count. Undefined when no time has passed.
 */
export function bottleneckSince(
  session: Session,
  before: Baseline,
  messagesFrom: Baseline = before,
): Bottleneck | undefined {
  const elapsed = session.measuredPs > 0 ? session.now - before.at : 0;
  if (elapsed <= 0) return undefined;
  const [link, cpu] = [fullLink(session, before, elapsed), fullCpu(session, before, elapsed)];
  // Behind a full CPU a link can be nearly full, and the other way round: the fuller one decides.
  if (link !== undefined && (cpu === undefined || link.used >= cpu.used)) return link.bottleneck;
  if (cpu !== undefined) return cpu.bottleneck;
  return resends(session, before, elapsed) ?? starvation(session, before, elapsed) ?? turns(session, before, elapsed) ??
    offeredLoad(session, before) ?? longestStage(session, messagesFrom);
}

/** A full resource, and how full it is. */
interface Full {
  readonly used: number;
  readonly bottleneck: Bottleneck;
}

function fullLink(session: Session, before: Baseline, elapsed: number): Full | undefined {
  let found: Full | undefined;
  for (const [i, link] of session.cluster.links.entries()) {
    for (const [side, direction] of link.directions.entries()) {
      const counts = directionCounts(direction, session.now).map((count, field) =>
        count - before.links[i][side][field]
      );
      const [frames, bytes, busy] = counts;
      const used = Math.min(1, busy / elapsed);
      if (frames === 0 || used < (found?.used ?? FULL)) continue;
      const rate = Math.round(((bytes / 1e6) * SECOND) / elapsed);
      // Its port is what limits it: between frames that works, and the wire waits.
      const wire = percent(Math.min(1, bytes * link.psPerByte / elapsed));
      const port = percent(used) === wire ? "" : `, its port ${percent(used)}`;
      found = { used, bottleneck: { what: `link ${link.name}`, why: `${wire} used${port}, ${rate} MB/s` } };
    }
  }
  return found;
}

/**
 * Whose work, not polling, keeps a physical CPU busy. Somebody else's computation is not of the run: whom it takes a CPU
 * from is found by his waiting for one.
 */
function fullCpu(session: Session, before: Baseline, elapsed: number): Full | undefined {
  let found: Full | undefined;
  for (const host of session.cluster.hosts) {
    for (const [i, cpu] of host.cpus.entries()) {
      const start = before.cpus[host.index][i];
      let busy = 0;
      for (let field = 0; field < start.length; field++) busy += cpu.time[field] - start[field];
      const polled = cpu.polled - before.polled[host.index][i];
      const foreign = cpu.foreign - before.foreign[host.index][i];
      const used = Math.min(1, (busy - polled - foreign) / elapsed);
      if (used < (found?.used ?? FULL)) continue;
      const spent = cpu.time.map((value, field) => value - start[field]);
      const owners = OWNERS.map((_, owner) => sumOf(spent.slice(owner * 4, owner * 4 + 4)));
      const owner = OWNERS[owners.indexOf(Math.max(...owners))];
      const what = `${owner === "host" ? "kernel" : owner} CPU ${host.name}/${cpu.index}`;
      found = { used, bottleneck: { what, why: `${percent(used)} busy without polling` } };
    }
  }
  return found;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/**
 * Messages that were lost: their partners wait for half a second, or for a second when it was a part of a large one, as
 * MX has no other sign of a loss than silence.
 */
function resends(session: Session, before: Baseline, elapsed: number): Bottleneck | undefined {
  const { guests } = session.cluster;
  let resent = 0;
  for (const [i, guest] of guests.entries()) {
    resent += libraryCount(guest, "retransmits") - before.counts[i][LIBRARY + RETRANSMITS];
  }
  const pulls = pullTimeouts(session.cluster) - before.pullTimeouts;
  const waitedPs = resent * RESEND_DELAY_PS + pulls * PULL_RETRANSMIT_PS;
  if (waitedPs === 0 || waitedPs < WAITING * elapsed * guests.length) return undefined;
  const what = [
    ...(resent > 0 ? [`${resent} sent again, each after 0.5 s`] : []),
    ...(pulls > 0 ? [`${pulls} pulled again, each after 1 s`] : []),
  ];
  const causes = losses(session, session.baseline);
  const because = causes.length === 0 ? "" : `: ${causes.join(", ")}`;
  return { what: "lost messages", why: `${what.join(", ")}${because}` };
}

/**
 * Where messages may have got lost since `before`. Those that are sent again got lost half a second earlier, or longer
 * ago: for them it is since measuring began.
 */
function losses({ cluster, now }: Session, before: Baseline): string[] {
  const { hosts, guests, links } = cluster;
  const onLinks = links.some((link, i) =>
    link.directions.some((direction, side) => {
      const [, , , lost, , corrupted] = directionCounts(direction, now);
      const then = before.links[i][side];
      return lost > then[3] || corrupted > then[5];
    })
  );
  // The port at the other end is a host's NIC, which is looked at by itself.
  const ports: ReadonlySet<WirePort> = new Set(cluster.switches.flatMap((hub) => hub.ports));
  const inPorts = links.some((link, i) =>
    link.directions.some((direction, side) =>
      ports.has(direction.from) && directionCounts(direction, now)[4] > before.links[i][side][4]
    )
  );
  const inNics = hosts.some(({ boards }, i) =>
    boards.some(({ nic }, board) => {
      const [, , , , rxDrops, txDrops] = nicCounts(nic);
      return rxDrops > before.nics[i][board][4] || txDrops > before.nics[i][board][5];
    })
  );
  const atGuests = guests.some((guest, i) => {
    const counts = guestCounts(guest);
    return counts[TX_DROPS] > before.counts[i][TX_DROPS] || counts[RX_DROPS] > before.counts[i][RX_DROPS];
  });
  const causes: [boolean, string][] = [
    [overruns(cluster) > before.overruns, "event queues full"],
    [onLinks, "frames lost on links"],
    [inPorts, "ports of switches full"],
    [inNics, "NICs full"],
    [atGuests, "guests' interfaces full"],
  ];
  return causes.flatMap(([is, text]) => is ? [text] : []);
}

function starvation(session: Session, before: Baseline, elapsed: number): Bottleneck | undefined {
  const { count, most } = starvedGuests(session, before, elapsed);
  if (count === 0) return undefined;
  return { what: "physical CPUs", why: `${whoWaits(count)} for one, up to ${percent(most)} of the time` };
}

/** Nobody steals from a native process, but one that polls takes turns with who computes on its CPU. */
function turns(session: Session, before: Baseline, elapsed: number): Bottleneck | undefined {
  for (const { index: at, kind, name, cpus } of session.cluster.hosts) {
    if (kind !== "native") continue;
    for (const [i, cpu] of cpus.entries()) {
      const foreign = (cpu.foreign - before.foreign[at][i]) / elapsed;
      const polled = (cpu.polled - before.polled[at][i]) / elapsed;
      if (Math.min(foreign, polled) <= STARVED) continue;
      return { what: `kernel CPU ${name}/${i}`, why: `${percent(foreign)} taken by somebody else's computation` };
    }
  }
}

/** Open-loop clients that get all that they ask for are held back by nothing but their rate. */
function offeredLoad(session: Session, before: Baseline): Bottleneck | undefined {
  const offered = offeredFigures(session);
  if (offered === undefined) return undefined;
  const { requests, per_s, waiting, under_way } = offered;
  // Counts begin anew with the measuring.
  const asked = before.at <= session.baseline.at ? requests : requests - before.offered;
  if (waiting > FEW && waiting > BEHIND * asked) {
    return { what: "requests under way", why: `${under_way} are, and no more may be; ${waiting} wait to be sent` };
  }
  return {
    what: "offered load",
    why: `${Math.round(per_s)} requests/s are asked for, and replied to; nothing is full`,
  };
}

/** Of messages that are larger than all that a guest can grant: MX gives them up. */
function wantsReferences({ spec, site }: Guest): string {
  const { mostReferences } = site.domain!.grantTable;
  return `${spec.name} may have ${mostReferences}, one for each page of its queues and messages; none is complete yet`;
}

function longestStage(session: Session, before: Baseline): Bottleneck {
  const { guests } = session.cluster;
  if (guests.every(({ meter }) => meter.messages === 0)) {
    // What is lost at once has not been sent again yet.
    const causes = losses(session, session.baseline);
    if (causes.length > 0) return { what: "lost messages", why: `none is complete yet: ${causes.join(", ")}` };
    const without = guests.find(({ site: { domain } }) => (domain?.grantTable.counters.exhausted ?? 0) > 0);
    if (without !== undefined) return { what: "grant references", why: wantsReferences(without) };
  }
  const recent = stagesSince(session, before);
  // Where none is complete since then, whatever stopped them began earlier too.
  const from = recent.messages > 0 ? before : session.baseline;
  const { sums, messages } = recent.messages > 0 ? recent : stagesSince(session, from);
  const causes = losses(session, from);
  const losing = causes.length === 0 ? "nothing is full" : causes.join(", ");
  if (messages === 0) return { what: "latency", why: `no message is complete yet; ${losing}` };
  const longest = sums.indexOf(Math.max(...sums));
  const share = sums[longest] / sumOf(sums);
  return { what: "latency", why: `${STAGES[longest]} takes ${percent(share)} of a message; ${losing}` };
}
