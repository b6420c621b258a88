import { type JunitCase, type JunitSuite, junitText } from "../junit.ts";
import { figure as number } from "../number_text.ts";
import { errorText, published, studyProvenance, wanted } from "./render.ts";
import type { ClaimLine, Reproduction, ResultLine } from "./reproduce.ts";

/**
 * The study's verdicts as a JUnit report: a suite for each result, and one for each claim with a case for each statement
 * that is checked. A statement that is known to fail, and what is not checked, is skipped. Figures have no verdict.
 */
export function studyJunit(report: Reproduction): string {
  const made = studyProvenance(report);
  const suite = (id: string, parts: Omit<JunitSuite, "name" | "made">) => ({
    name: `mxtop.reproduce.${id}`,
    made,
    ...parts,
  });
  const suites: JunitSuite[] = [
    ...report.results.map((line) => suite(line.id, { properties: resultProperties(line), cases: [resultCase(line)] })),
    ...report.claims.map((line) => suite(line.id, { properties: [["claim", line.text]], cases: claimCases(line) })),
  ];
  if (report.partial) {
    suites.push(suite("study", { cases: [{ name: "everything was run", failure: "stopped before its end" }] }));
  }
  return junitText(suites);
}

function resultCase(line: ResultLine): JunitCase {
  const { quantity, emulated, unit, ok } = line;
  const failure = ok ? null : `found ${number(emulated)} ${unit}, wanted ${wanted(line)} ${unit}`;
  return { name: quantity, failure };
}

function resultProperties(line: ResultLine): [string, string][] {
  const { emulated, unit, error, kind, source } = line;
  return [
    ["published", published(line)],
    ["emulated", `${number(emulated)} ${unit}`],
    ["error", error === null ? "-" : errorText(error)],
    ["wanted", wanted(line)],
    ["kind", kind],
    ["source", source],
  ];
}

function claimCases({ parts, notChecked }: ClaimLine): JunitCase[] {
  const cases = parts.map(({ text, holds, evidence, known }): JunitCase => {
    if (holds) return { name: text, failure: null };
    if (known === undefined) return { name: text, failure: evidence };
    return { name: text, failure: null, skipped: `fails: ${evidence}; known: ${known}` };
  });
  if (notChecked !== undefined) cases.push({ name: notChecked, failure: null, skipped: "not checked" });
  return cases;
}
