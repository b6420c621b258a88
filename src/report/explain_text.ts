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

/** What has to be said of the lines of these messages, once for them all. */
export function notes(messages: readonly { readonly stages: readonly { readonly stage: StageName }[] }[]): string[] {
  return messages.some(({ stages }) => stages.some(({ stage }) => stage === "queueing")) ? [OWN_QUEUE] : [];
}

/** The steps as columns, the times first so that they line up. */
export function explainTable(path: string, explanations: readonly Explanation[]): string {
  const parts = explanations.map((explanation) => {
    const rows = stepRows(explanation).map((
      [start, duration, total, who, what],
    ) => [who, what, start, duration, total]);
    const lines = grid(["who", "what", "start us", "us", "total us"], rows, 2, -1, 44);
    return [title(path, explanation), "", ...lines, "", `by stage: ${stageLine(explanation)}`].join("\n");
  });
  return [...parts, ...notes(explanations)].join("\n\n") + "\n";
}

export function explainMarkdown(path: string, explanations: readonly Explanation[], made: Provenance): string {
  const parts = explanations.map((explanation) =>
    `## ${title(path, explanation)}\n\n${markdownTable(STEP_HEAD, stepRows(explanation))}\n${stageLine(explanation)}\n`
  );
  return [...parts, ...notes(explanations).map((line) => `${line}\n`), provenanceMarkdown(made)].join("\n");
}

export function explainJson(path: string, explanations: readonly Explanation[], made: Provenance): string {
  const { version, command, machines: [machine] } = made;
  const head = { schema: "mxtop-explain/1", tool: { name: "mxtop", version }, command };
  const what = { path, machine: machine.profile, machine_hash: machine.hash };
  return JSON.stringify({ ...head, ...what, messages: explanations }, null, 2) + "\n";
}
