import type { Scenario } from "../../cluster/scenario.ts";
import type { Published } from "../live_snapshot.ts";
import { RESULTS, type Setting } from "./results.ts";

/** The study's links. */
const LINK_BPS = 10e9;

/**
 * What has been published for exactly this: machine, path, workload, sizes and ends. Undefined where nothing has; a
 * cost or a mechanism that the user changed does not matter, because that is what one wants to compare.
 */
export function publishedFor(scenario: Scenario): Published | undefined {
  const found = RESULTS.find(({ setting }) => setting !== undefined && matches(scenario, setting));
  if (found === undefined) return undefined;
  const { published, source, setting } = found;
  return setting!.measured === "stream"
    ? { throughput_MBps: published, source }
    : { latency_us: published / 2, source: `${source}, half of the round trip` };
}

function matches(scenario: Scenario, setting: Setting): boolean {
  const { machine, path, link, workload, guests, program } = scenario;
  if (program !== undefined || machine !== setting.machine || path !== setting.path || link.rateBps !== LINK_BPS) {
    return false;
  }
  if (guests.length !== 2 || guests[0].host === guests[1].host) return false;
  const params = workload.params as { sizes?: readonly number[]; size?: number; direction?: string };
  const ends = guests.map((guest) => guest.path);
  const [least, most] = setting.sizes;
  const fits = (sizes: readonly number[]) => sizes.length > 0 && sizes.every((size) => size >= least && size <= most);
  if (setting.measured === "stream") {
    const oneWay = workload.kind === "stream" && params.direction === "one-way";
    return oneWay && fits([params.size ?? -1]) && ends.every((end) => end === path);
  }
  return workload.kind === "pingpong" && fits(params.sizes ?? []) && ends.includes(path) && ends.includes("native");
}
