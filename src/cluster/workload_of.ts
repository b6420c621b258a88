import { assert } from "../base/assert.ts";
import type { RunOutput } from "../guest/output.ts";
import { type GuestProgram, programWorkload } from "../guest/program.ts";
import { WORKLOADS } from "../workload/registry.ts";
import type { Workload } from "../workload/workload.ts";
import type { Scenario } from "./scenario.ts";

/**
 * What the guests of a scenario run. A guest program makes a workload of one session alone: what it says goes to
 * `output`, and when it cannot go on `fail` is told why. `noEndpoint` says why a rank had no room for another endpoint.
 */
export function workloadOf(
  { program: spec, workload }: Scenario,
  program: GuestProgram | undefined,
  output: RunOutput | null,
  fail: (text: string) => void,
  noEndpoint: (rank: number) => string | null,
): Workload {
  if (spec === undefined) {
    const known = WORKLOADS.find(({ kind }) => kind === workload.kind);
    assert(known !== undefined, "session: the scenario names a workload that exists");
    return known;
  }
  assert(program !== undefined && output !== null, "session: the scenario's program has been loaded");
  return programWorkload(program, {
    args: spec.args,
    memoryBytes: spec.memoryBytes,
    output,
    fail,
    noEndpoint,
  });
}
