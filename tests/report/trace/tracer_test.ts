import assert from "node:assert/strict";
import { Session } from "../../../src/cluster/session.ts";
import { perfettoParts } from "../../../src/report/perfetto.ts";
import { SLICE, type TraceLog } from "../../../src/report/trace/log.ts";
import { Tracer } from "../../../src/report/trace/tracer.ts";
import { PATHS } from "../../../src/path/registry.ts";
import { importTrace } from "../../support/chrome_trace.ts";
import { run, scenario, type ScenarioOptions } from "../../support/scenario.ts";

/** Runs with a trace of the whole run, or of a part of it, in picoseconds. */
function traced(options: ScenarioOptions, { from = 0, until = Infinity, limit = 1e6 } = {}) {
  const session = new Session(scenario(options));
  session.advance(from);
  const tracer = new Tracer(session, limit);
  session.advance(Math.min(until, session.end));
  const { lastSteps } = session.cluster.world.journeys;
  tracer.stop();
  session.advance(session.end);
  return { session, tracer, lastSteps, trace: importTrace([...perfettoParts(tracer.log, {})].join("")) };
}

const pingpong = (path: string | string[], size: number): ScenarioOptions => ({
  path,
  workload: { kind: "pingpong", sizes: [size], iterations: 2, warmup_iterations: 1 },
});
const ALL: [string, ScenarioOptions][] = [
  ...PATHS.flatMap(({ name }): [string, ScenarioOptions][] => [
    [`${name}, tiny`, pingpong(name, 16)],
    [`${name}, medium and large`, {
      path: name,
      workload: { kind: "pingpong", sizes: [8192, 200_000], iterations: 1, warmup_iterations: 1 },
    }],
  ]),
  ["a switch, and guests of one host", {
    ...pingpong("xen2mx", 100),
    hosts: 3,
    guests: 6,
    cpus: 2,
  }],
  ["frames get lost, on two CPUs", {
    path: ["bridged", "native"],
    cpus: 2,
    guests: 4,
    loss: 0.03,
    durationPs: 3e9,
    workload: { kind: "stream", size: 20_000, outstanding: 4, direction: "both-ways" },
  }],
  ["guests share CPUs with a busy neighbour", {
    path: "virtio",
    cpus: 2,
    guests: 6,
    durationPs: 20e9,
    workload: { kind: "noisy", size: 4096, outstanding: 2 },
  }],
];

/** Whether a slice of a track holds an instant, to the picosecond. */
function coverageOf(log: TraceLog) {
  const slices = log.tracks.map((): [number, number][] => []);
  for (let row = 0; row < log.length; row++) {
    if (log.kind[row] === SLICE) slices[log.where[row]].push([log.at[row], log.at[row] + log.value[row]]);
  }
  return (track: number, at: number) => slices[track].some(([from, to]) => from <= at && at < to);
}

for (const [name, options] of ALL) {
  Deno.test(`trace: ${name}: keeps the rules, every flow binds, and the run is the same`, () => {
    const { session, tracer, trace } = traced(options);
    assert.equal(session.fingerprint, run(options).fingerprint, "looking changes nothing");
    assert.ok(trace.flows.length > 0);
    assert.equal(trace.flows.length, tracer.log.flows.length, "no message lost its way");
    const covered = coverageOf(tracer.log);
    for (const { track, at } of tracer.log.flows.flat()) {
      assert.ok(covered(track.index, at), `${track.name} at ${at} ps`);
    }
    for (const { slices } of trace.flows) {
      const wires = slices.filter(({ track }) => track.startsWith("wires/"));
      assert.ok(wires.every(({ cat, args }) => cat === "frame" && typeof args!.frame === "string"));
    }
  });
}
