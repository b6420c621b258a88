import { figure } from "../number_text.ts";
import { provenanceEntries, provenanceOf, sweepProvenance } from "../provenance.ts";
import { type SweepLine, type SweepLines, sweepLines } from "../sweep/lines.ts";
import { countText, type SweepTableOptions } from "../sweep/render.ts";
import { settingText, type Sweep, sweepFailures } from "../sweep/sweep.ts";
import { type Markup, markup } from "./markup.ts";
import { charts, failureList, folded, judged, page, section, table, verdictOf, words } from "./page.ts";
import { lineChart } from "./chart.ts";

/** Charts of a sweep over three keys and more: one for each combination of the others, and no more than these. */
const PANELS = 12;

/** A sweep as one page: charts of each figure, the table, and what made each of the runs. */
export function sweepHtml(sweep: Sweep, { show }: SweepTableOptions = {}): string {
  const { scenario, over } = sweep;
  const shown = sweepLines(sweep, show);
  const what = `over ${over.map(({ key }) => key).join(", ")}: ${countText(sweep)}`;
  return page({
    title: `${scenario.name} over ${over.map(({ key }) => key).join(", ")}`,
    about: scenario.title,
    verdict: verdictOf(sweep),
    provenance: sweepProvenance(sweep),
    sections: [
      markup`<p class="dim">${what}</p>`,
      sweep.partial ? markup`<p class="bad">PARTIAL: the sweep was stopped before its end.</p>` : null,
      failureList(sweepFailures(sweep.runs)),
      section("Charts", ...allCharts(shown)),
      section("Every run", runs(shown)),
      folded("What made each run", origins(sweep)),
    ],
  });
}

function runs({ keys, figures, limit, lines }: SweepLines): Markup | null {
  return table(
    [...keys.map(words), ...figures, ...limit.map(words), words("")],
    lines.map((line) => [
      ...line.keys.map(({ text }) => text),
      ...line.figures.map(({ text }) => text),
      ...line.limit,
      line.verdict === "FAILED" ? judged(false, "", line.verdict) : line.verdict,
    ]),
  );
}

/** Columns of each run: its values, and what tells it from the others. */
function origins({ runs }: Sweep): Markup | null {
  const wanted = ["seed", "scenario_hash", "machine", "machine_hash", "fingerprint", "command"];
  return table(
    [words("run"), ...wanted.map((name) => words(name.replaceAll("_", " ")))],
    runs.map(({ over, result }) => {
      const entries = new Map(provenanceEntries(provenanceOf(result)));
      return [settingText(over), ...wanted.map((name) => markup`<code>${entries.get(name) ?? ""}</code>`)];
    }),
  );
}

/** The charts of every combination of what is neither abscissa nor line, each below what it is of. */
function allCharts(shown: SweepLines): Markup[] {
  const { keys, lines } = shown;
  const x = abscissa(shown);
  const [series = null, ...others] = keys.map((_, i) => i).filter((i) => i !== x);
  const nameOf = (line: SweepLine) => others.map((i) => `${keys[i]}=${line.keys[i].text}`).join(" ");
  const panels = [...Map.groupBy(lines, nameOf)];
  const drawn = panels.slice(0, PANELS).flatMap(([name, lines]) => {
    const panel = charts(shown.figures.map((_, figure) => chartOf({ ...shown, lines }, figure, x, series)));
    if (panel === null) return [];
    return name === "" ? [panel] : [markup`<h3>${name}</h3>`, panel];
  });
  if (panels.length > PANELS) drawn.push(markup`<p class="dim">and ${panels.length - PANELS} more: see the table.</p>`);
  return drawn;
}

/**
 * The key that charts go over: the size where runs go through sizes, else the first one whose values are numbers, since
 * between words there is nothing to draw a line through.
 */
function abscissa({ keys, lines }: SweepLines): number {
  if (keys.at(-1) === "size") return keys.length - 1;
  const isNumeric = (i: number) => lines.every((line) => line.keys[i].value !== null);
  return Math.max(0, keys.findIndex((_, i) => isNumeric(i)));
}

/** A figure in microseconds, by its heading or as a metric: `p50 us`, `latency_us.p99`. */
const TIME = /(?:^|[^a-z])us(?:$|[^a-z])/;

/** One figure over one key, a line for each value of another; null where no run has the figure. */
function chartOf({ keys, figures, lines }: SweepLines, of: number, x: number, series: number | null): Markup | null {
  const at = distinct(lines.map((line) => line.keys[x]), ({ text }) => text);
  const names = series === null ? [""] : distinct(lines.map((line) => line.keys[series].text), (text) => text);
  const valueAt = (label: string, name: string) =>
    lines.find(({ keys }) => keys[x].text === label && (series === null || keys[series].text === name))
      ?.figures[of].value ?? null;
  return lineChart({
    title: `${figures[of]} over ${keys[x]}${series === null ? "" : `, by ${keys[series]}`}`,
    over: keys[x],
    unit: figures[of],
    log: TIME.test(figures[of]),
    at: at.map(({ text, value }) => ({ label: text, value })),
    lines: names.map((name) => ({ name, values: at.map(({ text }) => valueAt(text, name)) })),
    text: figure,
  });
}

function distinct<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item] as const)).values()];
}
