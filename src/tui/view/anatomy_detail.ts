import { isFolded, spanOf } from "../anatomy/rows.ts";
import { type Position, positionOf } from "../anatomy/state.ts";
import type { Model } from "../model.ts";
import { left, paint, right, sanitize, wrap } from "../text.ts";
import { emptyText, rowText, titleOf, us } from "./anatomy_text.ts";
import { frame } from "./frame.ts";

const KEY = 12;

/** All that there is to say of the present step. */
export function detailLines(position: Position, width: number): string[] {
  const { message, row, step } = position;
  const pair = (name: string, value: string) => `${paint("dim", left(name, KEY))} ${value}`;
  const lines = [
    ...wrap(rowText(row), width).map((line) => paint("title", line)),
    pair("who", titleOf(message.lanes, step.lane)),
    pair("t", `${us(step.atPs)} us since the send call`),
  ];
  const span = spanOf(row, message.steps);
  if (span > 0) lines.push(pair("takes", `${us(span)} us${isFolded(row) ? " from the first to the last" : ""}`));
  if (step.stage !== null) lines.push(pair("stage", `${step.stage}${step.kind === "wait" ? ", waiting" : ""}`));
  if (!step.onWay) lines.push(pair("", "beside the message's way: its time is not in the latency"));
  if (step.from !== undefined && step.to !== undefined) {
    lines.push(pair("goes", `${titleOf(message.lanes, step.from)} > ${titleOf(message.lanes, step.to)}`));
  }
  if (step.detail !== "") lines.push("", ...wrap(sanitize(step.detail), width));
  if (step.fields.length > 0) lines.push("", ...fieldLines(step.fields, width));
  if (isFolded(row)) lines.push("", ...memberLines(position));
  return lines;
}

/** Fields in as many columns as fit. */
function fieldLines(fields: Position["step"]["fields"], width: number): string[] {
  const name = Math.max(...fields.map(([key]) => key.length));
  const texts = fields.map(([key, value]) => `${paint("dim", left(sanitize(key), name))} ${sanitize(String(value))}`);
  const widest = Math.max(...fields.map(([, value]) => name + 1 + String(value).length));
  const columns = Math.max(1, Math.floor((width + 2) / (widest + 2)));
  const rows = Math.ceil(texts.length / columns);
  return Array.from({ length: rows }, (_, row) => {
    const cells = Array.from({ length: columns }, (_, column) => texts[column * rows + row] ?? "");
    return cells.map((cell, index) => index === columns - 1 ? cell : left(cell, widest + 2)).join("");
  });
}

/** The single steps that a row stands for. */
function memberLines({ message, row }: Position): string[] {
  return row.members.map((index) => {
    const { atPs, durationPs, what } = message.steps[index];
    return `${right(us(atPs), 10)}${right(durationPs === 0 ? "" : us(durationPs), 9)}  ${sanitize(what)}`;
  });
}

/** Beside the list, on a large screen. */
export function detailPane(model: Model, width: number, height: number): string[] {
  const position = positionOf(model);
  if (position === null) return frame(emptyText(model.anatomy), { title: "This step", width, height });
  const lines = detailLines(position, width - 4);
  return frame(lines.map((line) => ` ${line}`), { title: "This step", width, height });
}

/** Over the diagram, to be scrolled. */
export function detailBox(model: Model, width: number, height: number): string[] {
  const position = positionOf(model)!;
  const lines = detailLines(position, width - 4).slice(model.anatomy.scroll);
  const note = paint("dim", "Enter closes, up and down scroll");
  return frame(lines.map((line) => ` ${line}`), { title: "This step", note, width, height, focused: true });
}
