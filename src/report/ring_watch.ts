import type { Guest } from "../cluster/cluster.ts";
import type { RingCounts } from "../metrics/ring_counts.ts";
import type { RecentGuest } from "./live_snapshot.ts";

/** What a ring's ends had published when it was looked at last: entries in use summed up, and how often. */
interface Seen {
  usedSum: number;
  published: number;
}

/** How full the rings of a cluster were from one look to the next. Who looks also begins new high-water marks. */
export class RingWatch {
  /** By guest and ring. */
  readonly #seen: Seen[][] = [];

  /** By ring, in the order of the guest's figures. */
  look({ ports }: Guest, index: number): RecentGuest["rings"] {
    const seen = this.#seen[index] ??= [];
    const rings: RecentGuest["rings"] = [];
    for (const port of ports) {
      for (const { toBackend, toGuest, used } of port.rings?.() ?? []) {
        const before = seen[rings.length] ??= { usedSum: 0, published: 0 };
        rings.push(since(before, used, toBackend, toGuest));
      }
    }
    return rings;
  }
}

function since(before: Seen, used: number, ...ends: (RingCounts | undefined)[]): RecentGuest["rings"][number] {
  let usedSum = 0;
  let published = 0;
  let highest = used;
  for (const end of ends) {
    if (end === undefined) continue;
    usedSum += end.usedSum;
    published += end.published;
    highest = Math.max(highest, end.takeHighest());
  }
  // A device that was set up again has counted from nothing.
  const restarted = published < before.published;
  const times = restarted ? published : published - before.published;
  const sum = restarted ? usedSum : usedSum - before.usedSum;
  before.usedSum = usedSum;
  before.published = published;
  return { mean: times > 0 ? sum / times : null, highest };
}
