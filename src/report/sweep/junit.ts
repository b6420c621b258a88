import { type JunitSuite, junitText, runCases } from "../junit.ts";
import { provenanceOf, sweepProvenance } from "../provenance.ts";
import { settingText, type Sweep, type SweepRun, valueText } from "./sweep.ts";

/**
 * A sweep's verdicts as a JUnit report: a suite for each run, with the cases that `run --junit` has of it. Runs that were
 * not made are a failure too, in a suite of their own: what is missing must not look good.
 */
export function sweepJunit(sweep: Sweep): string {
  const { scenario, runs, runs_planned } = sweep;
  const suites = runs.map(suiteOf);
  if (runs.length < runs_planned) {
    const failure = `stopped after ${runs.length} of ${runs_planned} runs`;
    suites.push({
      name: `mxtop.${scenario.name}.sweep`,
      made: sweepProvenance(sweep),
      cases: [{ name: "every run was made", failure }],
    });
  }
  return junitText(suites);
}

/** Named as that of the run alone, and then by the values that make it: the same scenario and path come many times. */
function suiteOf({ over, result }: SweepRun): JunitSuite {
  const { name, path } = result.scenario;
  return {
    name: `mxtop.${name}.${path} ${settingText(over)}`,
    made: provenanceOf(result),
    properties: Object.entries(over).map(([key, value]) => [`over.${key}`, valueText(value)]),
    cases: runCases(result),
  };
}
