import { counted } from "../../base/counted.ts";
import { type Cell, csvText } from "../csv.ts";
import { markdownTable } from "../markdown.ts";
import { figure as number } from "../number_text.ts";
import { ownProvenance, type Provenance, provenanceMarkdown } from "../provenance.ts";
import { grid } from "../table.ts";
import type { StudyFigure } from "./figures.ts";
import { type ClaimLine, type Reproduction, type ResultLine, unexpected } from "./reproduce.ts";

/** `+1.2 %`: how far an emulated value is from the published one. */
export function errorText(error: number): string {
  return `${error >= 0 ? "+" : ""}${(error * 100).toFixed(1)} %`;
}

const RESULT_HEAD = ["", "result", "published", "emulated", "error", "wanted", "kind", "verdict"];

function resultRows({ results }: Reproduction): string[][] {
  return results.map((line) => [
    line.id,
    line.quantity,
    published(line),
    `${number(line.emulated)} ${line.unit}`,
    line.error === null ? "-" : errorText(line.error),
    wanted(line),
    line.kind,
    line.ok ? "ok" : "MISSED",
  ]);
}

/** What was published of it, `-` where nothing was. */
export function published({ published, unit, bounds }: ResultLine): string {
  return published === null ? "-" : `${bounds.least === null ? "below " : ""}${number(published)} ${unit}`;
}

/** Within what it counts as met. */
export function wanted({ bounds: { least, most } }: ResultLine): string {
  return least === null ? `at most ${number(most)}` : `${number(least)} to ${number(most)}`;
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
  blocks.push(summary(report));
  return blocks.map((block) => block.join("\n")).join("\n\n") + "\n";
}

const VERDICTS = { "holds": "holds", "in part": "in part", "fails": "FAILS" } as const;

/** The reference's words, and below them what is checked of them. */
function claimLines({ id, text, verdict, parts, notChecked }: ClaimLine): string[] {
  const lines = parts.flatMap(({ text, holds, evidence, known }) => [
    ...hanging(`      ${holds ? "holds" : "FAILS"}  `, text),
    ...hanging("             ", evidence),
    ...(holds || known === undefined ? [] : hanging("             known: ", known)),
  ]);
  if (notChecked !== undefined) lines.push(...hanging("      -      not checked: ", notChecked));
  return [...hanging(`${VERDICTS[verdict].padEnd(7)}  ${id}  `, text), ...lines];
}

const COLUMNS = 110;
/** Where a line may end: not between a number and its unit. */
const GAP = / (?!%|[mu]s\b|MB\/s|[KM]?i?B\b)/;

/** A paragraph of {@link COLUMNS}, whose lines all begin where the text does after its head. */
function hanging(head: string, text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(GAP)) {
    if (line !== "" && head.length + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((line, i) => (i === 0 ? head : " ".repeat(head.length)) + line);
}

/** The report in a line, after one for what does not hold. */
export function summary(report: Reproduction): string[] {
  const { results, claims } = report;
  const of = (wanted: ResultLine["kind"]) => results.filter(({ kind }) => kind === wanted).length;
  const came = (wanted: ClaimLine["verdict"]) => claims.filter(({ verdict }) => verdict === wanted).length;
  const failed = claims.flatMap(({ parts }) => parts).filter(({ holds }) => !holds).length;
  const known = failed - unexpected(claims);
  return [
    ...(failed === 0 ? [] : [
      `${counted(failed, "statement")} of claims failed, ${known} of them known to: docs/not-modelled.md says why`,
    ]),
    `${counted(results.length, "result")} (${of("fitted")} fitted, ${of("prediction")} predicted, ` +
    `${of("derived")} derived), ${results.filter(({ ok }) => !ok).length} missed; ` +
    `${counted(claims.length, "claim")}: ${came("holds")} held, ${came("in part")} in part, ${came("fails")} failed: ` +
    verdict(report),
  ];
}

function verdict({ ok, partial }: Reproduction): string {
  return !ok ? "FAILED" : partial ? "OK so far" : "OK";
}

export function fittedRow({ machine, cost, value, fittedTo }: Reproduction["fitted"][number]): string[] {
  return [machine, cost, value, fittedTo];
}

export function reproductionMarkdown(report: Reproduction): string {
  const sources = report.results.map(({ id, source }) => `- ${id}: ${source}`).join("\n");
  const claims = report.claims.flatMap(claimRows);
  const results = [markdownTable(RESULT_HEAD, resultRows(report)), `Sources:\n\n${sources}\n`];
  return [
    `# The study, reproduced: ${report.ok ? "ok" : "failed"}${report.partial ? " (partial)" : ""}\n`,
    `${summary(report).join("\n\n")}\n`,
    ...(report.results.length > 0 ? results : []),
    ...(claims.length > 0
      ? [`## Claims\n\n${markdownTable(["", "claim, and what is checked", "verdict", "evidence"], claims)}`]
      : []),
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

/** A claim in cells: the reference's words, then a row for each statement that is checked, or not. */
export function claimRows({ id, text, verdict, parts, notChecked }: ClaimLine): string[][] {
  return [
    [`**${id}**`, `**${text}**`, `**${verdict}**`, ""],
    ...parts.map(({ text, holds, evidence, known }) => [
      "",
      text,
      holds ? "holds" : "fails",
      holds || known === undefined ? evidence : `${evidence}. Known: ${known}`,
    ]),
    ...(notChecked === undefined ? [] : [["", notChecked, "not checked", ""]]),
  ];
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
  for (const { id, quantity, unit, published, bounds: { least, most }, emulated, ok } of report.results) {
    const verdict = ok ? "ok" : "missed";
    records.push(["results", id, quantity, unit, published, least, most, emulated, verdict]);
  }
  for (const { id, parts, notChecked } of report.claims) {
    for (const { text, holds } of parts) {
      records.push(["claims", id, text, "", "", "", "", holds ? 1 : 0, holds ? "holds" : "fails"]);
    }
    if (notChecked !== undefined) records.push(["claims", id, notChecked, "", "", "", "", "", "not checked"]);
  }
  for (const { id, unit, paths, lines: points, published } of report.figures) {
    for (const { at, values } of points) {
      for (const [i, path] of paths.entries()) {
        const known = published.find((point) => point.at === at && point.path === path);
        records.push([id, at, path, unit, known?.value ?? "", "", "", values[i], ""]);
      }
    }
  }
  const head = ["table", "row", "column", "unit", "published", "least", "most", "value", "verdict"];
  const madeHead = ["tool_version", "command", "machine", "machine_hash"];
  return csvText([[...head, ...madeHead], ...records.map((record) => [...record, ...made])]);
}

export function reproductionJson(report: Reproduction): string {
  return JSON.stringify(report, null, 2) + "\n";
}
