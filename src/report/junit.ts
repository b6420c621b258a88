import { counted } from "../base/counted.ts";
import { type Provenance, provenanceEntries, provenanceOf } from "./provenance.ts";
import type { Snapshot } from "./snapshot.ts";
import { otherFailures, withoutThresholds } from "./thresholds.ts";
import { xmlText as escape } from "./xml_text.ts";

/*
 * Verdicts as a JUnit report, which continuous integration reads: of one run here, of many in sweep/junit.ts, of the
 * study in study/junit.ts. A report without a failure is that of a command whose exit code is 0.
 */

export interface JunitCase {
  readonly name: string;
  /** What went wrong; null when it did not. */
  readonly failure: string | null;
  /** Why nothing is held against it: it is not checked, or known to fail. */
  readonly skipped?: string;
}

export interface JunitSuite {
  /** Also the class name of its cases, by which readers tell those of one name apart: each suite has its own. */
  readonly name: string;
  readonly made: Provenance;
  /** Properties beyond what made it. */
  readonly properties?: readonly (readonly [name: string, value: string])[];
  readonly cases: readonly JunitCase[];
}

/** A run's verdict as a JUnit report. */
export function toJunit(snapshot: Snapshot): string {
  const { name, path } = snapshot.scenario;
  return junitText([{ name: `mxtop.${name}.${path}`, made: provenanceOf(snapshot), cases: runCases(snapshot) }]);
}

/**
 * Test cases for a run's end, for samples and payload, for what else has failed (in one with a program: for the
 * program), and for each threshold.
 */
export function runCases(snapshot: Omit<Snapshot, "wall">): JunitCase[] {
  return [
    { name: "the run completed", failure: snapshot.partial ? "stopped before its end" : null },
    ...(snapshot.checks === undefined ? ofTheWorkload(snapshot) : ofTheProgram(snapshot)),
    ...snapshot.thresholds.map(({ expression, value, ok }) => ({
      name: expression,
      failure: ok ? null : `found ${Number.isNaN(value) ? "no value" : value}`,
    })),
  ];
}

/** Suites as XML, with their sums. */
export function junitText(suites: readonly JunitSuite[]): string {
  const { tests, failures } = sumsOf(suites.flatMap(({ cases }) => cases));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${tests}" failures="${failures}">`,
    ...suites.flatMap(suiteLines),
    "</testsuites>",
    "",
  ].join("\n");
}

function ofTheWorkload(snapshot: Omit<Snapshot, "wall">): JunitCase[] {
  const { messages, integrity_errors } = snapshot.totals;
  return [
    { name: "messages were completed", failure: messages === 0 ? "no samples after warm-up" : null },
    {
      name: "every payload arrived as it was sent",
      failure: integrity_errors > 0 ? `${counted(integrity_errors, "message")} with a wrong payload` : null,
    },
    { name: "nothing failed, and nothing was left at the end", failure: inWords(otherFailures(snapshot)) },
  ];
}

/** What is wrong with a program and is no threshold: its failed checks, an error in it, a rank that did not end. */
function ofTheProgram({ failures }: Omit<Snapshot, "wall">): JunitCase[] {
  return [{ name: "the guest program ran and its checks held", failure: inWords(withoutThresholds(failures)) }];
}

function inWords(failures: readonly string[]): string | null {
  return failures.length === 0 ? null : failures.join("; ");
}

function sumsOf(cases: readonly JunitCase[]) {
  const skipped = cases.filter(({ skipped }) => skipped !== undefined).length;
  return { tests: cases.length, failures: cases.filter(({ failure }) => failure !== null).length, skipped };
}

function suiteLines({ name, made, properties = [], cases }: JunitSuite): string[] {
  const { tests, failures, skipped } = sumsOf(cases);
  const sums = `tests="${tests}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    `  <testsuite name="${escape(name)}" ${sums}>`,
    "    <properties>",
    ...[...provenanceEntries(made), ...properties].map(([name, value]) =>
      `      <property name="${escape(name)}" value="${escape(value)}"/>`
    ),
    "    </properties>",
    ...cases.map((test) => caseLine(name, test)),
    "  </testsuite>",
  ];
}

function caseLine(suite: string, { name, failure, skipped }: JunitCase): string {
  const open = `    <testcase classname="${escape(suite)}" name="${escape(name)}"`;
  if (failure !== null) return `${open}><failure message="${escape(failure)}"/></testcase>`;
  return skipped === undefined ? `${open}/>` : `${open}><skipped message="${escape(skipped)}"/></testcase>`;
}
