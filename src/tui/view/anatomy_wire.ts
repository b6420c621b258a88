import type { AnatomyStep } from "../../report/anatomy.ts";
import type { Position } from "../anatomy/state.ts";
import { cut, left, paint, width as widthOf } from "../text.ts";
import { isUnderWay } from "./anatomy_text.ts";

/** The wire, one line for each direction: what is on it at this instant moves with virtual time. */
export function wireLines({ message, step, clockPs }: Position, width: number): string[] {
  const frames = message.steps.filter((other) =>
    other.kind === "frame" && other.from !== undefined && (other === step || isUnderWay(other, clockPs))
  );
  const there = frames.filter(({ from }) => from === "from nic");
  const back = frames.filter(({ from }) => from === "to nic");
  return [line(there, clockPs, width, true), line(back, clockPs, width, false)];
}

function line(frames: readonly AnatomyStep[], clockPs: number, width: number, isThere: boolean): string {
  const empty = isThere ? `${"─".repeat(width - 1)}▸` : `◂${"─".repeat(width - 1)}`;
  // The same wire carries both ways: a direction without frames is only hinted at.
  if (frames.length === 0) return paint("frame", isThere ? empty : " ".repeat(width));
  const first = frames[0];
  const more = frames.length > 1 ? `+${frames.length - 1}` : "";
  const label = cut(`[${typeOf(first)}${more}]`, width - 4);
  const room = width - 2 - widthOf(label);
  const fraction = Math.max(0, Math.min(1, (clockPs - first.atPs) / Math.max(1, first.durationPs)));
  const gone = Math.round(fraction * room);
  const [before, after] = isThere ? [gone, room - gone] : [room - gone, gone];
  const [start, end] = isThere ? ["═", "▸"] : ["◂", "═"];
  const track = (count: number, isBehind: boolean) => (isBehind ? "═" : "─").repeat(count);
  return left(
    paint("link", start + track(before, isThere)) + paint("select", label) +
      paint("link", track(after, !isThere) + end),
    width,
  );
}

/** The type that the frame's text begins with. */
function typeOf({ what }: AnatomyStep): string {
  return what.replace(/^wire: /, "").split(" ")[0];
}
