import type { Model, Pane } from "../model.ts";

/** The lines of a pane from its first shown one on; never an empty end. */
export function scrolledLines(model: Model, pane: Pane, lines: readonly string[], room: number): readonly string[] {
  const first = Math.max(0, Math.min(lines.length - room, model.paneScroll[pane] ?? 0));
  return lines.slice(first, first + room);
}

/** Which lines are shown, of how many: empty when all are. */
export function rangeNote(model: Model, pane: Pane, count: number, room: number): string {
  if (count <= room) return "";
  const first = Math.max(0, Math.min(count - room, model.paneScroll[pane] ?? 0));
  return `${first + 1}-${first + room} of ${count}`;
}
