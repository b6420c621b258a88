import type { Scenario } from "../../cluster/scenario.ts";
import type { Published } from "../live_snapshot.ts";
import { RESULTS, type Setting } from "./results.ts";

/** The study's link: 10 Gb/s, jumbo frames, one cable of the profile's length, nothing lost. */
const LINK_BPS = 10e9;
const MTU = 9000;

/**
 * What has been published for exactly this: machine, path, link, boards, workload, sizes and ends, and nothing that goes
 * wrong. Undefined where nothing has; a cost or a mechanism that the user changed does not matter, because that is what
 * one wants to compare.
 */
export function publishedFor(scenario: Scenario): Published | undefined {
  for (const { published, source, setting } of RESULTS) {
    if (setting === undefined || published === null || !matches(scenario, setting)) continue;
    return setting.measured === "stream"
      ? { throughput_MBps: published, source }
      : { latency_us: published / 2, source: `${source}, half of the round trip` };
  }
  return undefined;
}

function matches(scenario: Scenario, setting: Setting): boolean {
  const { machine, path, workload, guests, program } = scenario;
  if (program !== undefined || machine !== setting.machine || path !== setting.path) return false;
  if (!hasItsLink(scenario) || scenario.faults.length > 0 || (scenario.troubles ?? []).length > 0) return false;
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

function hasItsLink({ link, boards, packetLoss }: Scenario): boolean {
  const { rateBps, mtu, latencyPs, loss, wire } = link;
  const losesNone = loss === 0 && packetLoss === undefined;
  return rateBps === LINK_BPS && mtu === MTU && latencyPs === null && wire === undefined && losesNone && boards === 1;
}
