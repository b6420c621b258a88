import type { StageName } from "../metrics/stage.ts";
import { type Explanation, OWN_QUEUE } from "./explain.ts";
import { markdownTable } from "./markdown.ts";
import { type Provenance, provenanceMarkdown } from "./provenance.ts";
import { grid } from "./table.ts";

const us = (value: number) => value.toFixed(3);
const STEP_HEAD = ["start us", "us", "total us", "who", "what"];

function stepRows({ steps }: Explanation): string[][] {
  return steps.map(({ start_us, us: duration, until_us, who, what }) => [
    us(start_us),
    us(duration),
    us(until_us),
    who,
    what,
  ]);
}

function stageLine({ stages, latency_us }: Explanation): string {
  return stages.map(({ stage, us: value }) => `${stage} ${us(value)} (${Math.round((value / latency_us) * 100)} %)`)
    .join(", ");
}

function title(path: string, { class: name, size_text, latency_us, steps }: Explanation): string {
  return `${path}: one ${name} message (${size_text}), ${us(latency_us)} us in ${steps.length} steps`;
}

/** What has to be said of the steps, on lines of its own. */
export function notes(stages: readonly { readonly stage: StageName }[]): string[] {
  return stages.some(({ stage }) => stage === "queueing") ? [OWN_QUEUE] : [];
}

/** The steps as columns, the times first so that they line up. */
export function explainTable(path: string, explanations: readonly Explanation[]): string {
  const parts = explanations.map((explanation) => {
    const rows = stepRows(explanation).map((
      [start, duration, total, who, what],
    ) => [who, what, start, duration, total]);
    const lines = grid(["who", "what", "start us", "us", "total us"], rows, 2, -1, 44);
    const foot = [`by stage: ${stageLine(explanation)}`, ...notes(explanation.stages)];
    return [title(path, explanation), "", ...lines, "", ...foot].join("\n");
  });
  return parts.join("\n\n") + "\n";
}

export function explainMarkdown(path: string, explanations: readonly Explanation[], made: Provenance): string {
  const parts = explanations.map((explanation) =>
    [
      `## ${title(path, explanation)}\n`,
      markdownTable(STEP_HEAD, stepRows(explanation)),
      ...[stageLine(explanation), ...notes(explanation.stages)].map((line) => `${line}\n`),
    ].join("\n")
  );
  return [...parts, provenanceMarkdown(made)].join("\n");
}

export function explainJson(path: string, explanations: readonly Explanation[], made: Provenance): string {
  const { version, command, machines: [machine] } = made;
  const head = { schema: "mxtop-explain/1", tool: { name: "mxtop", version }, command };
  const what = { path, machine: machine.profile, machine_hash: machine.hash };
  return JSON.stringify({ ...head, ...what, messages: explanations }, null, 2) + "\n";
}
