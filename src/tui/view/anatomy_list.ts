import { type Row, spanOf } from "../anatomy/rows.ts";
import { type Position, positionOf } from "../anatomy/state.ts";
import type { Model } from "../model.ts";
import { cut, left, paint, right, sanitize } from "../text.ts";
import { stageBar } from "./anatomy_stages.ts";
import { emptyText, playState, rowText, titleOf, us } from "./anatomy_text.ts";
import { frame } from "./frame.ts";

const TIME = 10;
const LANE = 13;
/** Lines of the list that are not steps: frame, heading, and the bar of the stages. */
const OTHER_LINES = 5;

/** First row that the list shows: the present one stays in its middle. */
export function listTop(_model: Model, { index, rows }: Position, height: number): number {
  const room = Math.max(1, height - OTHER_LINES);
  return Math.max(0, Math.min(index - Math.floor(room / 2), rows.length - room));
}

/** The steps with the time since the send call, the present one marked, and the time so far by stage. */
export function steps(model: Model, width: number, height: number): string[] {
  const position = positionOf(model);
  if (position === null) return frame(emptyText(model.anatomy), { title: "Steps", width, height });
  const { rows, message } = position;
  const inner = width - 2;
  const room = Math.max(1, height - OTHER_LINES);
  const top = listTop(model, position, height);
  const heading = ` ${right("t us", TIME)}${right("us", TIME)}  ${left("who", LANE)} what happens`;
  const lines = [paint("heading", left(heading, inner))];
  for (let index = top; index < top + room; index++) {
    lines.push(index < rows.length ? line(position, rows[index], index, inner) : "");
  }
  const { unfolded, wayOnly } = model.anatomy;
  const beside = wayOnly ? "the message's way only" : "· beside the message's way";
  return frame([...lines, ...stageBar(model, position, inner)], {
    title: `Steps ${top + 1}-${Math.min(top + room, rows.length)} of ${rows.length}`,
    note: width < 100 ? playState(model, position) : [
      `${beside}${unfolded ? ", each step" : ""}, ${message.steps.length} in all`,
      beside,
    ],
    width,
    height,
  });
}

function line({ message, index: present }: Position, row: Row, index: number, width: number): string {
  const { step } = row;
  const mark = index === present ? "▸" : " ";
  const span = spanOf(row, message.steps);
  const times = `${right(us(step.atPs), TIME)}${right(span === 0 ? "" : us(span), TIME)}`;
  const who = left(cut(titleOf(message.lanes, step.lane), LANE), LANE);
  const detail = step.detail === "" ? "" : paint("dim", `  ${sanitize(step.detail)}`);
  const what = step.onWay ? `${rowText(row)}${detail}` : `· ${rowText(row)}${detail}`;
  const text = left(`${mark}${times}  ${who} ${what}`, width);
  if (index === present) return paint("select", text);
  return step.onWay ? text : paint("dim", text);
}
