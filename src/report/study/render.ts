import { counted } from "../../base/counted.ts";
import { type Cell, csvText } from "../csv.ts";
import { markdownTable } from "../markdown.ts";
import { figure as number } from "../number_text.ts";
import { ownProvenance, type Provenance, provenanceMarkdown } from "../provenance.ts";
import { grid } from "../table.ts";
import type { StudyFigure } from "./figures.ts";
import type { Reproduction } from "./reproduce.ts";

/** `+1.2 %`: how far an emulated value is from the published one. */
export function errorText(error: number): string {
  return `${error >= 0 ? "+" : ""}${(error * 100).toFixed(1)} %`;
}

const RESULT_HEAD = ["", "result", "published", "emulated", "error", "wanted", "kind", "verdict"];

function resultRows({ results }: Reproduction): string[][] {
  return results.map(({ id, quantity, unit, published, emulated, error, wanted, kind, ok }) => [
    id,
    quantity,
    `${number(published)} ${unit}`,
    `${number(emulated)} ${unit}`,
    errorText(error),
    wanted,
    kind,
    ok ? "ok" : "MISSED",
  ]);
}

/** The lines of a figure: an abscissa, and the figures of the paths. */
export function figureRows({ lines }: StudyFigure): string[][] {
  return lines.map(({ at, values }) => [at, ...values.map((value) => number(value))]);
}

/** The whole report as text. */
export function reproductionTable(report: Reproduction): string {
  const blocks: string[][] = [];
  if (report.results.length > 0) {
    blocks.push(["Published results beside emulated ones", "", ...grid(RESULT_HEAD, resultRows(report), 2, -1, 44)]);
  }
  if (report.claims.length > 0) blocks.push(["Claims", "", ...report.claims.flatMap(claimLines)]);
  for (const figure of report.figures) {
    const table = grid([figure.over, ...figure.paths], figureRows(figure));
    blocks.push([`${figure.title}, ${figure.unit}`, "", ...table]);
  }
  blocks.push([
    "Constants fitted to published results; every other cost has a source of its own (`list costs`)",
    "",
    ...grid(["machine", "cost", "value", "fitted to"], report.fitted.map(fittedRow), 4, -1, 80),
  ]);
  if (report.partial) blocks.push(["PARTIAL  the study was stopped before its end"]);
  blocks.push([`${summary(report)}: ${verdict(report)}`]);
  return blocks.map((block) => block.join("\n")).join("\n\n") + "\n";
}

/** How many results and claims there are, and how many of them are not met. */
export function summary({ results, claims }: Reproduction): string {
  const predictions = results.filter(({ kind }) => kind === "prediction").length;
  const missed = results.filter(({ ok }) => !ok).length;
  const failed = claims.filter(({ holds }) => !holds).length;
  return `${counted(results.length, "result")} (${counted(predictions, "prediction")}), ${missed} missed; ` +
    `${counted(claims.length, "claim")}, ${failed} failed`;
}

function claimLines({ id, text, holds, evidence }: Reproduction["claims"][number]): string[] {
  return [`${holds ? "holds " : "FAILS "} ${id}  ${text}`, `            ${evidence}`];
}

function verdict({ ok, partial }: Reproduction): string {
  return !ok ? "FAILED" : partial ? "OK so far" : "OK";
}

export function fittedRow({ machine, cost, value, fittedTo }: Reproduction["fitted"][number]): string[] {
  return [machine, cost, value, fittedTo];
}

export function reproductionMarkdown(report: Reproduction): string {
  const sources = report.results.map(({ id, source }) => `- ${id}: ${source}`).join("\n");
  const claims = report.claims.map(({ id, text, holds, evidence }) => [id, text, holds ? "holds" : "fails", evidence]);
  const results = [markdownTable(RESULT_HEAD, resultRows(report)), `Sources:\n\n${sources}\n`];
  return [
    `# The study, reproduced: ${report.ok ? "ok" : "failed"}${report.partial ? " (partial)" : ""}\n`,
    ...(report.results.length > 0 ? results : []),
    ...(claims.length > 0 ? [`## Claims\n\n${markdownTable(["", "claim", "verdict", "evidence"], claims)}`] : []),
    ...report.figures.map((figure) =>
      `## ${figure.title}, ${figure.unit}\n\n${markdownTable([figure.over, ...figure.paths], figureRows(figure))}`
    ),
    `## Fitted constants\n\n${markdownTable(["machine", "cost", "value", "fitted to"], report.fitted.map(fittedRow))}`,
    provenanceMarkdown(studyProvenance(report)),
  ].join("\n");
}

/** What made the report. */
export function studyProvenance({ tool, command, machines }: Reproduction): Provenance {
  return ownProvenance({ version: tool.version, command }, machines);
}

/** One line for each number: results first, then every point of every figure. Each names what made it. */
export function reproductionCsv(report: Reproduction): string {
  const { tool, command, machines } = report;
  const made = [
    tool.version,
    command,
    ...[machines.map(({ profile }) => profile), machines.map(({ hash }) => hash)]
      .map((words) => words.join(" ")),
  ];
  const records: Cell[][] = [];
  for (const { id, quantity, unit, published, emulated, ok } of report.results) {
    records.push(["results", id, quantity, unit, published, emulated, ok ? "ok" : "missed"]);
  }
  for (const { id, text, holds } of report.claims) {
    records.push(["claims", id, text, "", "", holds ? 1 : 0, holds ? "holds" : "fails"]);
  }
  for (const { id, unit, paths, lines: points, published } of report.figures) {
    for (const { at, values } of points) {
      for (const [i, path] of paths.entries()) {
        const known = published.find((point) => point.at === at && point.path === path);
        records.push([id, at, path, unit, known?.value ?? "", values[i], ""]);
      }
    }
  }
  const head = ["table", "row", "column", "unit", "published", "value", "verdict"];
  const madeHead = ["tool_version", "command", "machine", "machine_hash"];
  return csvText([[...head, ...madeHead], ...records.map((record) => [...record, ...made])]);
}

export function reproductionJson(report: Reproduction): string {
  return JSON.stringify(report, null, 2) + "\n";
}
