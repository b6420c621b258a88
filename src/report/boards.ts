import type { Host } from "../cluster/host.ts";
import { COUNTER_LABELS, UNEXP_QUEUE_FULL } from "../mx/driver/counters.ts";
import { macText } from "../mx/wire/mod.ts";
import type { BoardFigures, Snapshot } from "./snapshot.ts";

/** The boards of a host, whatever path they are on, with what their drivers have counted. */
export function boardFigures(host: Host): BoardFigures[] {
  const boards = [...host.paths.values()].flatMap((path) => [...path.boards]);
  return boards.map(({ hostname, macHigh, macLow, driver }) => ({
    name: hostname,
    mac: macText(macHigh, macLow),
    peers: driver.peers.size,
    counters: nonZero(driver.counters),
  }));
}

/** By label, in the order of their numbers. The dashboard asks for each frame that it draws. */
function nonZero(counters: Float64Array): Record<string, number> {
  const result: Record<string, number> = {};
  for (let i = 0; i < counters.length; i++) if (counters[i] > 0) result[COUNTER_LABELS[i]] = counters[i];
  return result;
}

/**
 * Packets that found the event queue of their endpoint full since the start of the run, on all boards: each is sent again
 * with its message, after half a second without an acknowledgement.
 */
export function overrunsOf({ hosts }: Pick<Snapshot, "hosts">): number {
  const label = COUNTER_LABELS[UNEXP_QUEUE_FULL];
  return hosts.reduce((sum, { boards }) => boards.reduce((s, { counters }) => s + (counters[label] ?? 0), sum), 0);
}

/** A table for each board in the manner of omx_counters: number, value and label of every counter that is not 0. */
export function countersText(snapshot: Snapshot): string {
  const numbers = new Map<string, number>(COUNTER_LABELS.map((label, i) => [label, i]));
  const blocks = snapshot.hosts.flatMap((host) =>
    host.boards.map(({ name, mac, peers, counters }) => {
      const head = `board ${name} on host ${host.name}   ${mac}   ${peers} peers`;
      const lines = Object.entries(counters).map(([label, value]) =>
        `${String(numbers.get(label)).padStart(3, "0")}: ${String(value).padStart(10)} ${label}`
      );
      return [head, ...lines].join("\n");
    })
  );
  return blocks.map((block) => block + "\n").join("\n");
}
