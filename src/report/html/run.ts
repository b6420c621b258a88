import { counted } from "../../base/counted.ts";
import type { Scenario } from "../../cluster/scenario.ts";
import type { Published } from "../live_snapshot.ts";
import { overrunsOf } from "../boards.ts";
import { bytes, count, duration, figure, percent } from "../number_text.ts";
import { provenanceOf } from "../provenance.ts";
import { pathsText, ROW_HEAD, rowRecord } from "../records.ts";
import { type Distribution, POINTS, type Snapshot } from "../snapshot.ts";
import { publishedFor } from "../study/published.ts";
import { errorText } from "../study/render.ts";
import { withoutThresholds } from "../thresholds.ts";
import { exits, guests, hosts, links, nics } from "./cluster.ts";
import { type Markup, markup } from "./markup.ts";
import { charts, failureList, judged, page, section, table, tiles, verdictOf, words } from "./page.ts";
import { lineChart } from "./chart.ts";
import { bar, colourOf, deviation, wideStack } from "./svg.ts";

/**
 * A result as one page for a browser, or for paper: from the whole to its parts, as the table is. The time that the run
 * took is not in it: the same run is the same file. What was published for exactly this `scenario` stands beside it.
 */
export function runHtml(snapshot: Snapshot, { scenario }: { readonly scenario?: Scenario } = {}): string {
  const published = scenario === undefined ? undefined : publishedFor(scenario);
  const { name, title } = snapshot.scenario;
  return page({
    title: name,
    about: title,
    verdict: verdictOf(snapshot),
    provenance: provenanceOf(snapshot),
    sections: [
      whatRan(snapshot),
      failureList(withoutThresholds(snapshot.failures)),
      snapshot.partial ? markup`<p class="bad">PARTIAL: the run was stopped before its end.</p>` : null,
      thresholds(snapshot),
      totals(snapshot),
      study(snapshot, published),
      limit(snapshot),
      section("Latency", latency(snapshot)),
      section("By message size", rowCharts(snapshot, published), rows(snapshot)),
      section("Where a message spends its time", stages(snapshot)),
      section("Guests", guests(snapshot)),
      section("Hosts", hosts(snapshot), exits(snapshot), nics(snapshot)),
      section("Links", links(snapshot)),
      section("Output", output(snapshot)),
    ],
  });
}

function whatRan(snapshot: Snapshot): Markup {
  const { scenario, machine, hosts, virtual_ns, measured_ns } = snapshot;
  const facts = [
    `path ${pathsText(snapshot)}`,
    `${counted(scenario.guests, "guest")} / ${counted(hosts.length, "host")}`,
    scenario.program ?? scenario.workload,
    `seed ${scenario.seed}`,
    `machine ${machine.profile}`,
    `virtual time ${duration(virtual_ns)}, measured ${duration(measured_ns)}`,
  ];
  return markup`<p class="dim">${facts.join(" · ")}</p>`;
}

function thresholds({ thresholds }: Snapshot): Markup | null {
  const found = (value: number) => Number.isInteger(value) ? count(value) : figure(value);
  return table(
    [words("threshold"), "found", words("")],
    thresholds.map(({ expression, value, ok }) => [
      markup`<code>${expression}</code>`,
      found(value),
      judged(ok, "pass", "FAIL"),
    ]),
  );
}

function totals({ totals, hosts, offered, solver }: Snapshot): Markup {
  const figures: [string, string][] = [
    ["messages", count(totals.messages)],
    ["payload", bytes(totals.bytes)],
    ["MB/s", figure(totals.throughput_MBps)],
    ["messages/s", count(totals.messages_per_s)],
    ["us, p50", figure(totals.latency_us?.p50)],
    ["us, p99", figure(totals.latency_us?.p99)],
    ["integrity errors", String(totals.integrity_errors)],
    ["lost", String(totals.lost)],
    ["duplicated", String(totals.duplicated)],
    ["retransmits", String(totals.retransmits)],
  ];
  const overruns = overrunsOf({ hosts });
  if (overruns > 0) figures.push(["event queues full", count(overruns)]);
  if (offered !== undefined) {
    figures.push(
      ["requests offered", count(offered.requests)],
      ["requests/s offered", count(offered.per_s)],
      ["replied", count(offered.replied)],
      ["under way", count(offered.under_way)],
      ["waiting", count(offered.waiting)],
    );
  }
  if (solver !== undefined) {
    figures.push(
      ["iterations", count(solver.iterations)],
      ["residual", solver.residual === null ? "-" : String(Number(solver.residual.toPrecision(3)))],
      ["solves", count(solver.solves)],
      ["converged", count(solver.converged)],
    );
  }
  return tiles(figures);
}

/** Beyond this a bar of an error is full: a tenth is far for this study. */
const FAR_OFF = 0.1;

function study({ totals }: Snapshot, published: Published | undefined): Markup | null {
  if (published === undefined) return null;
  const compared = [
    ["latency p50, us", published.latency_us, totals.latency_us?.p50],
    ["throughput, MB/s", published.throughput_MBps, totals.throughput_MBps],
  ] as const;
  const shown = compared.flatMap(([name, theirs, ours]) => theirs === undefined ? [] : [[name, theirs, ours] as const]);
  return table(
    [words("beside the study"), "published", "here", "error", words(""), { head: "source", kind: "long" }],
    shown.map(([name, theirs, ours]) => {
      const error = ours === undefined ? null : ours / theirs - 1;
      return [
        name,
        figure(theirs),
        figure(ours),
        error === null ? "-" : errorText(error),
        error === null ? null : deviation(error, FAR_OFF, "s0"),
        published.source,
      ];
    }),
  );
}

function limit({ bottleneck }: Snapshot): Markup | null {
  if (bottleneck === undefined) return null;
  return markup`<p class="limit">What limits the run: <b>${bottleneck.what}</b>: ${bottleneck.why}</p>`;
}

const POINT_NAMES: Readonly<Record<keyof Distribution, string>> = {
  min: "min",
  mean: "mean",
  p50: "p50",
  p90: "p90",
  p99: "p99",
  p999: "p99.9",
  max: "max",
};

function latency({ totals: { latency_us, rtt_us } }: Snapshot): Markup | null {
  const known = [["latency us", latency_us], ["rtt us", rtt_us]] as const;
  const distributions = known.flatMap(([name, values]) => values === null ? [] : [{ name, values }]);
  if (distributions.length === 0) return null;
  return table(
    [words(""), ...distributions.flatMap(({ name }) => [name, words("")])],
    POINTS.map((point) => [
      POINT_NAMES[point],
      ...distributions.flatMap(({ values }, i) => [
        figure(values[point]),
        bar(values.max > 0 ? values[point] / values.max : 0, colourOf(i), 160),
      ]),
    ]),
  );
}

function rows({ rows }: Snapshot): Markup | null {
  return table(
    ROW_HEAD,
    rows.map(rowRecord),
  );
}

/** One size is no chart. */
function rowCharts({ rows }: Snapshot, published: Published | undefined): Markup | null {
  if (rows.length < 2) return null;
  const at = rows.map(({ size }) => ({ label: bytes(size), value: size }));
  const study = (value: number | undefined) =>
    value === undefined ? undefined : { value, label: `published ${figure(value)}` };
  const over = { over: "message size", at, text: figure };
  const one = (values: number[]) => [{ name: "", values }];
  return charts([
    lineChart({
      ...over,
      title: "Latency by message size, medians",
      unit: "us",
      log: true,
      lines: one(rows.map((row) => row.latency_us)),
      reference: study(published?.latency_us),
    }),
    lineChart({
      ...over,
      title: "Throughput by message size",
      unit: "MB/s",
      log: false,
      lines: one(rows.map((row) => row.throughput_MBps)),
      reference: study(published?.throughput_MBps),
    }),
    lineChart({
      ...over,
      title: "CPU by message size, of one CPU",
      unit: "%",
      log: false,
      text: (value) => percent(value / 100),
      lines: [
        { name: "hosts", values: rows.map((row) => row.host_cpu * 100) },
        { name: "guests", values: rows.map((row) => row.guest_cpu * 100) },
      ],
    }),
  ]);
}

/** Stages that took time, as they follow one another in the code: shares of the mean latency. */
function stages({ stages }: Snapshot): Markup | null {
  const used = stages.filter(({ us }) => us > 0);
  if (used.length === 0) return null;
  const total = used.reduce((sum, { us }) => sum + us, 0);
  const parts = used.map(({ stage, us }, i) => ({
    name: stage,
    share: us / total,
    text: `${figure(us)} us`,
    colour: colourOf(i),
  }));
  const figures = table(
    [words("stage"), "us", "%", words("")],
    used.map(({ stage, us }, i) => [stage, figure(us), percent(us / total), bar(us / total, colourOf(i), 160)]),
  );
  return markup`<p>One message, in the mean: ${figure(total)} us from the send call to the completed receive.</p>${
    wideStack("Mean time of a message by stage", parts)
  }${figures}`;
}

/** What guest programs have printed. */
function output({ output = [], output_dropped = 0 }: Snapshot): Markup | null {
  const rows = output.map(({ at_us, guest, text }) => [guest, at_us.toFixed(3), markup`<code>${text}</code>`]);
  if (output_dropped > 0) rows.push(["", "", markup`and ${count(output_dropped)} more lines`]);
  return table([words("guest"), "us", { head: "text", kind: "long" }], rows);
}
