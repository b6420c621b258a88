import { MS, SECOND } from "../../../src/base/units.ts";
import type { Process, Wait } from "../../../src/hw/thread.ts";
import type { Mx, MxAddress, MxEndpoint } from "../../../src/mx/api.ts";
import type { LibraryOptions } from "../../../src/mx/lib/core.ts";
import { equal, ok } from "./expect.ts";
import type { ToyCluster } from "./toy_cluster.ts";

export const ALL = 0xffffffff;
export const KEY = 0x12345678;

export type Script = (ep: MxEndpoint, to: MxAddress, mx: Mx) => Generator<Wait, void>;

export interface PairOptions {
  /** Let each side go on after its script, making progress, until this instant. */
  readonly until?: number;
  readonly library?: LibraryOptions;
}

/** What a pair of scripts leaves behind. */
export interface PairResult {
  readonly endpoints: MxEndpoint[];
  finished: number;
}

/**
 * Two processes that connect both ways (b first waits for a's request), then run their scripts, then make progress
 * until `until`. They stay open.
 */
export function pair(cluster: ToyCluster, scripts: { a: Script; b: Script }, options: PairOptions = {}): PairResult {
  const result: PairResult = { endpoints: [], finished: 0 };
  const until = options.until ?? 2 * SECOND;
  const program = (side: number, script: Script) =>
    function* (mx: Mx): Process {
      const ep = yield* mx.openEndpoint(side + 1, KEY, options.library);
      ok(ep !== null);
      result.endpoints[side] = ep;
      const other = 1 - side;
      const { code, address } = yield* ep.connect(cluster.hosts[other].name, other + 1, KEY, 10 * SECOND);
      equal(code, 0, "connect");
      yield* linger(ep, mx, 1 * MS);
      yield* script(ep, address!, mx);
      result.finished++;
      yield* linger(ep, mx, until);
    };
  cluster.hosts[0].start(program(0, scripts.a));
  cluster.hosts[1].start(program(1, scripts.b));
  return result;
}

/** Makes progress until an instant, as a program does that waits for something that never comes. */
export function* linger(ep: MxEndpoint, mx: Mx, until: number): Generator<Wait, void> {
  while (ep.isOpen && mx.now < until) yield* ep.probe(ALL, ALL, ALL, ALL, { timeoutPs: until - mx.now });
}

/** Checks that nothing is left anywhere once everything is acknowledged. */
export function idle(cluster: ToyCluster, result: PairResult): void {
  equal(cluster.journeys.live, 0, "journeys");
  for (const ep of result.endpoints) {
    const { sendSlots, eventCredits, regions, unexpected, unacked, early } = ep.occupancy();
    equal([sendSlots, regions, unexpected, unacked, early], [0, 0, 0, 0, 0], "occupancy");
    equal(eventCredits, cluster.entries - (cluster.entries / 4 - 1), "credits");
    equal(ep.library.core.buffers.used, 0, "buffers");
    equal(ep.library.core.delayed.size, 0, "delayed");
    equal(ep.counters.invalid, 0, "invalid commands");
  }
  for (const host of cluster.hosts) for (const driver of host.drivers.values()) equal(driver.regionCount, 0, "regions");
}
