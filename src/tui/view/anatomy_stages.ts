import { type Position } from "../anatomy/state.ts";
import type { Model } from "../model.ts";
import { left, paint } from "../text.ts";
import { us } from "./anatomy_text.ts";
import { STAGE_ROLES } from "./stages.ts";

/** Without colour, neighbours in the bar differ by their glyphs. */
const GLYPHS = ["█", "▒", "▓", "░"];

/**
 * Two lines: the message's time up to now by stage, as parts of its whole latency, in the order in which they were
 * passed; and the names of those that have room for one.
 */
export function stageBar(model: Model, { message, step, clockPs }: Position, width: number): string[] {
  const now = model.anatomy.playing ? clockPs : step.atPs;
  const room = Math.max(1, width - 2);
  let bar = " ";
  let names = " ";
  let drawn = 0;
  let index = 0;
  for (const part of partsUntil(message.steps, now)) {
    const edge = Math.min(room, Math.round((part.end / Math.max(1, message.latencyPs)) * room));
    const cells = edge - drawn;
    if (cells <= 0) continue;
    drawn = edge;
    const role = STAGE_ROLES[part.stage] ?? "dim";
    bar += paint(role, GLYPHS[model.monochrome ? index++ % GLYPHS.length : 0].repeat(cells));
    names += paint(role, (cells > part.stage.length ? part.stage : "").padEnd(cells));
  }
  bar += paint("frame", "·".repeat(room - drawn));
  const sum = `${us(now)} of ${us(message.latencyPs)} us`;
  const hint = room - drawn > sum.length + 1 ? paint("dim", ` ${sum}`) : "";
  return [left(bar, width), left(names + hint, width)];
}

interface Part {
  stage: string;
  /** Where it ends, picoseconds since the send call. */
  end: number;
}

/** The stages in the order of the way, up to an instant; neighbours of one stage are one. */
function partsUntil(steps: Position["message"]["steps"], now: number): Part[] {
  const parts: Part[] = [];
  for (const { onWay, stage, atPs, durationPs } of steps) {
    if (!onWay || stage === null || atPs >= now) continue;
    const end = Math.min(now, atPs + durationPs);
    const last = parts[parts.length - 1];
    if (last?.stage === stage) last.end = end;
    else parts.push({ stage, end });
  }
  return parts;
}
