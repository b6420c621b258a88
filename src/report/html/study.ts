import { figure as number } from "../number_text.ts";
import type { StudyFigure } from "../study/figures.ts";
import {
  claimRows,
  errorText,
  figureRows,
  fittedRow,
  published,
  studyProvenance,
  summary,
  wanted,
} from "../study/render.ts";
import type { Reproduction } from "../study/reproduce.ts";
import { LINK_MBPS } from "../study/results.ts";
import { numbersOf } from "../sweep/lines.ts";
import { lines, type Markup, markup } from "./markup.ts";
import { type Column, folded, judged, page, section, table, verdictOf, words } from "./page.ts";
import { lineChart } from "./chart.ts";
import { deviation } from "./svg.ts";

/** The study as one page: each result with its error, the figures with what was published in them, the claims. */
export function studyHtml(report: Reproduction): string {
  return page({
    title: "The Xen2MX study, reproduced",
    about: "",
    verdict: verdictOf(report),
    provenance: studyProvenance(report),
    sections: [
      lines(summary(report).map((line) => markup`<p class="dim">${line}</p>`)),
      report.partial ? markup`<p class="bad">PARTIAL: the study was stopped before its end.</p>` : null,
      section("Published results beside emulated ones", results(report)),
      section("Figures", figures(report)),
      section("Claims", claims(report)),
      section(
        "Fitted constants",
        markup`<p class="dim">Constants fitted to published results; every other cost has a source of its own.</p>`,
        table([words("machine"), words("cost"), "value", long("fitted to")], report.fitted.map(fittedRow)),
      ),
    ],
  });
}

const long = (head: string): Column => ({ head, kind: "long" });

/** Bars of errors are as long as this at least, so that small errors look small. */
const LEAST_SCALE = 0.05;

function results({ results }: Reproduction): Markup | null {
  const most = Math.max(LEAST_SCALE, ...results.map(({ error }) => Math.abs(error ?? 0)));
  const scale = `${errorText(-most)} to ${errorText(most)}`;
  const head = [
    ...[words(""), long("result")],
    ...["published", "emulated", "error", words(scale)],
    ...[long("wanted"), words("kind"), words(""), long("source")],
  ];
  return table(
    head,
    results.map((line) => [
      line.id,
      line.quantity,
      published(line),
      `${number(line.emulated)} ${line.unit}`,
      line.error === null ? "-" : errorText(line.error),
      line.error === null ? "" : deviation(line.error, most, line.ok ? "good" : "bad"),
      wanted(line),
      line.kind,
      judged(line.ok, "ok", "MISSED"),
      line.source,
    ]),
  );
}

function figures({ figures }: Reproduction): Markup | null {
  if (figures.length === 0) return null;
  const drawn = figures.map((figure) =>
    markup`<div>${chartOf(figure)}${
      folded("as a table", table([words(figure.over), ...figure.paths], figureRows(figure)))
    }</div>`
  );
  return markup`<div class="charts">${lines(drawn)}</div>`;
}

function chartOf({ title, over, unit, paths, lines, published }: StudyFigure): Markup | null {
  const values = numbersOf(lines.map(({ at }) => at));
  return lineChart({
    title: `${title}, ${unit}`,
    over,
    unit,
    log: unit === "us",
    at: lines.map(({ at }) => ({ label: at, value: values.get(at) ?? null })),
    lines: paths.map((name, i) => ({ name, values: lines.map(({ values }) => values[i]) })),
    text: number,
    marks: published.map(({ id, at, path, value }) => ({
      line: paths.indexOf(path),
      at: lines.findIndex((line) => line.at === at),
      value,
      text: `published, ${path}, ${at}: ${number(value)} ${unit} (${id})`,
    })),
    ...(unit === "MB/s" ? { reference: { value: LINK_MBPS, label: `the study's link ${number(LINK_MBPS)}` } } : {}),
  });
}

/** The reference's words in bold, and below them what is checked of them. */
function claims({ claims }: Reproduction): Markup | null {
  return table(
    [words(""), long("claim, and what is checked"), words("verdict"), long("evidence")],
    claims.flatMap((claim) => [
      [claim.id, markup`<b>${claim.text}</b>`, judgedAs(claim.verdict), ""],
      ...claimRows(claim).slice(1).map(([, text, verdict, evidence]) => ["", text, judgedAs(verdict), evidence]),
    ]),
  );
}

/** What holds in part, or is not checked, is neither good nor bad. */
function judgedAs(verdict: string): Markup | string {
  return verdict === "holds" || verdict === "fails" ? judged(verdict === "holds", "holds", "FAILS") : verdict;
}
