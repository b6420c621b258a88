import { percent } from "./number_text.ts";
import { compare, type ComparedStage, type Comparison, type Side } from "./explain_compare.ts";
import { notes } from "./explain_text.ts";
import { markdownTable } from "./markdown.ts";
import { type Made, ownProvenance, provenanceMarkdown } from "./provenance.ts";
import { grid } from "./table.ts";

/*
 * Two sides of a comparison in one table: what it is compared with, what is looked at, and the difference. A cell of a
 * difference stays empty where nothing has moved.
 */

const us = (value: number | null) => value === null ? "-" : value.toFixed(3);
const moved = (value: number) => value === 0 ? "" : signed(value);

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(3)}`;
}

/** Heads of the columns of both: what differs between them. */
function heads(side: Side, against: Side): [string, string] {
  if (side.path !== against.path) return [`${against.path} us`, `${side.path} us`];
  return ["unchanged us", "changed us"];
}

function title(side: Side, against: Side, comparison: Comparison, index: number): string {
  const { class: name, size_text } = side.messages[index];
  const { us: time, against_us, difference_us } = comparison;
  const set = side.set.length === 0 ? "" : ` with ${side.set.join(", ")}`;
  const what = side.path === against.path ? `${side.path}${set}` : `${side.path} against ${against.path}${set}`;
  const share = `${difference_us < 0 ? "-" : "+"}${percent(Math.abs(difference_us) / against_us)} %`;
  const message = `${what}: one ${name} message (${size_text}), ${us(time)} us`;
  if (isUnmoved(comparison)) return `${message}, and no step of it has moved`;
  return `${message} against ${us(against_us)} us, ${signed(difference_us)} us (${share})`;
}

/** A change that has nothing to do with a message. */
function isUnmoved({ steps }: Comparison): boolean {
  return steps.every(({ us, against_us }) => us === against_us);
}

function stepRows({ steps, against_us, us: time, difference_us }: Comparison): string[][] {
  const rows = steps.map(({ who, what, against_us, us: time, difference_us }) => [
    who,
    what,
    us(against_us),
    us(time),
    moved(difference_us),
  ]);
  return [...rows, ["", "in all", us(against_us), us(time), moved(difference_us)]];
}

function stageRow({ stage, against_us, us: time, difference_us }: ComparedStage): string[] {
  return [stage, us(against_us), us(time), moved(difference_us)];
}

/** Each message as two tables, the second one by stage; where nothing has moved, as one line. */
export function comparisonTable(side: Side, against: Side): string {
  const columns = [...heads(side, against), "difference"];
  const all = comparisons(side, against);
  const parts = all.map((comparison, i) => {
    const first = title(side, against, comparison, i);
    if (isUnmoved(comparison)) return first;
    const steps = grid(["who", "what", ...columns], stepRows(comparison), 2);
    const stages = grid(["by stage", ...columns], comparison.stages.map(stageRow));
    return [first, "", ...steps, "", ...stages].join("\n");
  });
  return [...parts, ...notes(all.filter((one) => !isUnmoved(one)))].join("\n\n") + "\n";
}

export function comparisonMarkdown(side: Side, against: Side, made: Made): string {
  const columns = [...heads(side, against), "difference"];
  const all = comparisons(side, against);
  const parts = all.map((comparison, i) => {
    const first = `## ${title(side, against, comparison, i)}\n`;
    if (isUnmoved(comparison)) return first;
    const steps = markdownTable(["who", "what", ...columns], stepRows(comparison));
    const stages = markdownTable(["by stage", ...columns], comparison.stages.map(stageRow));
    return [first, steps, stages].join("\n");
  });
  const foot = notes(all.filter((one) => !isUnmoved(one))).map((line) => `${line}\n`);
  const machines = side.machine.hash === against.machine.hash ? [side.machine] : [side.machine, against.machine];
  return [...parts, ...foot, provenanceMarkdown(ownProvenance(made, machines))].join("\n");
}

/** As an explanation has it, with the other side and what has moved. */
export function comparisonJson(side: Side, against: Side, { version, command }: Made): string {
  const head = { schema: "mxtop-explain/1", tool: { name: "mxtop", version }, command };
  const result = {
    ...head,
    ...sideJson(side),
    against: sideJson(against),
    comparisons: comparisons(side, against),
  };
  return JSON.stringify(result, null, 2) + "\n";
}

function sideJson({ path, machine, set, messages }: Side) {
  return { path, machine: machine.profile, machine_hash: machine.hash, set, messages };
}

function comparisons(side: Side, against: Side): Comparison[] {
  return side.messages.map((message, i) => compare(message, against.messages[i]));
}
