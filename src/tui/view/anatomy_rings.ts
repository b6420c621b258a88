import type { RingNow, SlotMark } from "../anatomy/shared.ts";
import { left, paint, right, sanitize } from "../text.ts";

/** How a slot looks by what was done to it. */
const GLYPHS: Readonly<Record<SlotMark, string>> = {
  "request": "■",
  "request taken": "□",
  "response": "◆",
  "response taken": "◇",
};
const UNTOUCHED = "·";
const NAME = 17;
const CELL = 5;

export const SLOT_LEGEND =
  "slots: ■ written by the guest  □ taken by the host  ◆ written by the host  ◇ taken by the guest  · untouched    ▼ ▲ where it goes";

/** A ring's name, as many of its slots as fit around the one of the present, and how full it is. */
export function ringLine(now: RingNow, width: number): string {
  const { ring, used, last } = now;
  const count = `${used}/${ring.size}`;
  const fitting = Math.min(ring.slots, Math.floor((width - NAME - count.length - 1) / CELL));
  const cells = 2 ** Math.floor(Math.log2(Math.max(1, fitting)));
  const name = left(sanitize(ring.name), NAME);
  return name + windowOf(ring.slots, last, cells).map((slot) => cellOf(now, slot)).join("") + " " +
    right(count, Math.max(count.length, width - NAME - cells * CELL - 1));
}

/** The slot numbers that are shown: in groups, so that the window does not slide with every slot. */
function windowOf(size: number, last: number, cells: number): number[] {
  const start = last < 0 ? 0 : Math.floor(last / cells) * cells;
  return Array.from({ length: Math.min(cells, size - start) }, (_, index) => start + index);
}

function cellOf({ marks, last, isPresent }: RingNow, slot: number): string {
  const mark = marks.get(slot);
  const text = `${String(slot).padStart(3)}${mark === undefined ? UNTOUCHED : GLYPHS[mark]}`;
  if (isPresent && slot === last) return paint("select", text) + " ";
  return mark === undefined ? paint("dim", text) + " " : `${text} `;
}

/** A ring in a few characters: slots in use, and what was done last. */
export function ringShort({ ring, used, last, marks }: RingNow): string {
  const name = sanitize(ring.name).replace(/ (ring|queue)$/, "");
  const slot = last < 0 ? "" : ` ${last}${GLYPHS[marks.get(last)!]}`;
  return `${name} ${used}/${ring.size}${slot}`;
}
