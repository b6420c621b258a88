import type { ComparedPath, ComparePoint } from "../../../src/tui/compare/state.ts";
import type { Model } from "../../../src/tui/model.ts";
import { after, modelOf } from "../fake_model.ts";
import { fakeOptions } from "../fake_run.ts";

/** The names of all paths of the program; the fake cannot run on the last one. */
export const EIGHT = [
  "native",
  "iov",
  "xen2mx-plain",
  "xen2mx",
  "bridged",
  "virtio",
  "virtio-user",
  "emulated",
];

/** What the fake's runs have come to after `seconds` of virtual time, looked at every 100 ms. */
export function picturesOf(scenario: string, paths: readonly string[], seconds: number): ComparedPath[] {
  return paths.map((path): ComparedPath => {
    const points: ComparePoint[] = [];
    try {
      const run = fakeOptions(scenario).open(scenario, { path });
      for (let at = 0.1; at <= seconds; at += 0.1) {
        run.advance(Math.round(at * 1e12), Infinity);
        const { latest } = run.summary();
        if (latest !== null) points.push(latest);
      }
      const state = run.finished ? "over" : "on time";
      return { path, state, progress: 1, problem: null, summary: run.summary(), points };
    } catch (error) {
      const problem = (error as Error).message;
      return { path, state: "refused", progress: 0, problem, summary: null, points };
    }
  });
}

/** The comparison of the first `count` paths, or of those that are named, as the dashboard would have it. */
export function comparing(options: {
  columns: number;
  rows: number;
  paths: readonly string[];
  scenario?: string;
  seconds?: number;
  monochrome?: boolean;
}): Model {
  const { paths, seconds = 2.35, scenario = "scale-40-vms" } = options;
  const model = { ...modelOf({ ...options, seconds: 0.5 }), paths: EIGHT };
  const chosen = { ...model, compare: { ...model.compare, chosen: paths } };
  return after(
    chosen,
    "c",
    { type: "compare", paths: picturesOf(scenario, paths, seconds) },
    { type: "frame", live: null, nowPs: seconds * 1e12, finished: false, pace: 0.02 },
  );
}
