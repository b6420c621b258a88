import { SECOND } from "../base/units.ts";
import type { Baseline } from "../cluster/baseline.ts";
import { directionCounts } from "../cluster/baseline.ts";
import type { Session } from "../cluster/session.ts";
import { OWNERS } from "../hw/cpu.ts";
import { STAGES, STEAL } from "../metrics/stage.ts";
import type { Bottleneck } from "./snapshot.ts";

/** A resource this busy leaves nothing to be had from it. */
const FULL = 0.93;
/** Guests that wait this much of their time for a CPU suffer from too few of them. */
const STARVED = 0.15;

const percent = (fraction: number) => `${Math.round(fraction * 100)} %`;

/**
 * Names what holds a run back in the time since `before`: the fullest link; a CPU that is busy with more than polling;
 * too few CPUs; else nothing, and then where the measured messages have spent most of their time. Undefined when no
 * time has passed.
 */
export function bottleneckSince(session: Session, before: Baseline): Bottleneck | undefined {
  const elapsed = session.measuredPs > 0 ? session.now - before.at : 0;
  if (elapsed <= 0) return undefined;
  const [link, cpu] = [fullLink(session, before, elapsed), fullCpu(session, before, elapsed)];
  // Behind a full CPU a link can be nearly full, and the other way round: the fuller one decides.
  if (link !== undefined && (cpu === undefined || link.used >= cpu.used)) return link.bottleneck;
  if (cpu !== undefined) return cpu.bottleneck;
  return starvation(session, before, elapsed) ?? longestStage(session);
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
      found = { used, bottleneck: { what: `link ${link.name}`, why: `${percent(used)} used, ${rate} MB/s` } };
    }
  }
  return found;
}

/** Whose work, not polling, keeps a physical CPU busy. */
function fullCpu(session: Session, before: Baseline, elapsed: number): Full | undefined {
  let found: Full | undefined;
  for (const host of session.cluster.hosts) {
    for (const [i, cpu] of host.cpus.entries()) {
      const start = before.cpus[host.index][i];
      let busy = 0;
      for (let field = 0; field < start.length; field++) busy += cpu.time[field] - start[field];
      const polled = cpu.polled - before.polled[host.index][i];
      const used = Math.min(1, (busy - polled) / elapsed);
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

function starvation(session: Session, before: Baseline, elapsed: number): Bottleneck | undefined {
  const { guests } = session.cluster;
  const steal = guests.map(({ site }, i) => (site.processor.time[STEAL] - before.guests[i][STEAL]) / elapsed);
  const starved = steal.filter((fraction) => fraction > STARVED).length;
  if (starved === 0) return undefined;
  return {
    what: "physical CPUs",
    why: `${starved} guests wait for one, up to ${percent(Math.max(...steal))} of their time`,
  };
}

function longestStage(session: Session): Bottleneck {
  const { sums, finished, total } = session.cluster.world.journeys;
  if (finished === 0) return { what: "nothing", why: "is full" };
  const longest = sums.indexOf(Math.max(...sums));
  return {
    what: "latency",
    why: `${STAGES[longest]} takes ${percent(sums[longest] / total)} of a message; nothing is full`,
  };
}
