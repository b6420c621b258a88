import { overrunsOf } from "./boards.ts";
import { count, duration, figure, percent } from "./number_text.ts";
import { provenanceMarkdown, provenanceOf } from "./provenance.ts";
import { pathsText, ROW_HEAD, rowRecord } from "./records.ts";
import type { Snapshot } from "./snapshot.ts";

/** A result as GitHub-flavoured Markdown, for a pull request or a notebook: headline figures, tables, and what made it. */
export function toMarkdown(snapshot: Snapshot): string {
  const { scenario, machine, totals } = snapshot;
  const overruns = overrunsOf(snapshot);
  const parts = [
    `# ${escape(scenario.name)}: ${snapshot.ok ? "ok" : "failed"}${snapshot.partial ? " (partial)" : ""}\n`,
    scenario.title === "" ? "" : `${escape(scenario.title)}\n`,
    markdownTable(["", ""], [
      ["path", pathsText(snapshot)],
      ["guests", String(scenario.guests)],
      ["workload", scenario.program ?? scenario.workload],
      ["seed", String(scenario.seed)],
      ["machine", machine.profile],
      ["measured", duration(snapshot.measured_ns)],
      ["messages", count(totals.messages)],
      ["throughput", `${figure(totals.throughput_MBps)} MB/s`],
      ["latency p50 / p99", `${figure(totals.latency_us?.p50)} / ${figure(totals.latency_us?.p99)} us`],
      ["integrity errors", String(totals.integrity_errors)],
      ["lost", String(totals.lost)],
      ...(overruns > 0 ? [["event queues full", count(overruns)]] : []),
    ]),
    ...snapshot.failures.map((failure) => `- **failed**: ${escape(failure)}\n`),
    ...sections(snapshot),
    provenanceMarkdown(provenanceOf(snapshot)),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function sections({ output, output_dropped, rows, guests, stages, thresholds }: Snapshot): string[] {
  const more = output_dropped ?? 0;
  return [
    section("Output", ["guest", "us", "text"], [
      ...(output ?? []).map(({ at_us, guest, text }) => [guest, at_us.toFixed(3), text]),
      ...(more > 0 ? [["", "", `and ${count(more)} more lines`]] : []),
    ]),
    section(
      "By message size",
      ROW_HEAD,
      rows.map(rowRecord),
    ),
    section(
      "Guests",
      ["guest", "host", "path", "p50 us", "p99 us", "MB/s", "sent MB/s", "msg/s", "cpu %"],
      guests.map((guest) => [
        guest.name,
        guest.host,
        guest.path,
        figure(guest.latency_us?.p50),
        figure(guest.latency_us?.p99),
        figure(guest.throughput_MBps),
        figure(guest.sent.throughput_MBps),
        count(guest.messages_per_s || guest.sent.messages_per_s),
        percent(1 - guest.cpu.idle - guest.cpu.steal),
      ]),
    ),
    section(
      "Where a message spends its time",
      ["stage", "us"],
      stages.filter(({ us }) => us > 0).map(({ stage, us }) => [stage, figure(us)]),
    ),
    section(
      "Thresholds",
      ["condition", "found", "verdict"],
      thresholds.map(({ expression, value, ok }) => [`\`${expression}\``, figure(value), ok ? "pass" : "**fail**"]),
    ),
  ];
}

function section(title: string, head: readonly string[], body: readonly (readonly string[])[]): string {
  return body.length === 0 ? "" : `## ${title}\n\n${markdownTable(head, body)}`;
}

/** A Markdown table. */
export function markdownTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + body.map(line).join("");
}

/** Keeps a cell in its cell, and a title from becoming markup. */
function escape(text: string): string {
  return text.replace(/[|<\\]/g, "\\$&").replace(/\s+/g, " ");
}
