import { counted } from "../base/counted.ts";
import { provenanceEntries, provenanceOf } from "./provenance.ts";
import type { Snapshot } from "./snapshot.ts";
import { otherFailures, withoutThresholds } from "./thresholds.ts";
import { xmlText as escape } from "./xml_text.ts";

interface Case {
  readonly name: string;
  /** What went wrong; null when it passed. */
  readonly failure: string | null;
}

/**
 * A run's verdict as a JUnit report: test cases for its end, for samples and payload, for what else has failed (in one
 * with a program: for the program), and for each threshold.
 */
export function toJunit(snapshot: Snapshot): string {
  const { scenario } = snapshot;
  const cases: Case[] = [
    { name: "the run completed", failure: snapshot.partial ? "stopped before its end" : null },
    ...(snapshot.checks === undefined ? ofTheWorkload(snapshot) : ofTheProgram(snapshot)),
    ...snapshot.thresholds.map(({ expression, value, ok }) => ({
      name: expression,
      failure: ok ? null : `found ${Number.isNaN(value) ? "no value" : value}`,
    })),
  ];
  const failed = cases.filter(({ failure }) => failure !== null).length;
  const suite = `mxtop.${scenario.name}.${scenario.path}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${cases.length}" failures="${failed}">`,
    `  <testsuite name="${escape(suite)}" tests="${cases.length}" failures="${failed}" errors="0" skipped="0">`,
    "    <properties>",
    ...provenanceEntries(provenanceOf(snapshot)).map(([name, value]) =>
      `      <property name="${name}" value="${escape(value)}"/>`
    ),
    "    </properties>",
    ...cases.map((test) => testCase(suite, test)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function ofTheWorkload(snapshot: Snapshot): Case[] {
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
function ofTheProgram({ failures }: Snapshot): Case[] {
  return [{ name: "the guest program ran and its checks held", failure: inWords(withoutThresholds(failures)) }];
}

function inWords(failures: readonly string[]): string | null {
  return failures.length === 0 ? null : failures.join("; ");
}

function testCase(suite: string, { name, failure }: Case): string {
  const open = `    <testcase classname="${escape(suite)}" name="${escape(name)}"`;
  return failure === null ? `${open}/>` : `${open}><failure message="${escape(failure)}"/></testcase>`;
}
