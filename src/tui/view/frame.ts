import { cut, left as fill, paint, width as widthOf } from "../text.ts";

/**
 * `lines` in a box of exactly `width` x `height`: cut or padded, so that a view need not count. The title may be tagged;
 * `note` stands at the right end of the top edge: of several, the first one that fits, and none when there is no room.
 * `mark` stands at the right end of the bottom edge.
 */
export function frame(
  lines: readonly string[],
  options: {
    title: string;
    note?: string | readonly string[];
    mark?: string;
    width: number;
    height: number;
    focused?: boolean;
  },
): string[] {
  const { width, height, focused = false } = options;
  const inner = width - 2;
  const edge = (text: string) => paint(focused ? "focus" : "frame", text);
  const title = ` ${cut(paint("title", options.title), inner - 4)} `;
  const room = inner - 2 - widthOf(title);
  const notes = typeof options.note === "string" ? [options.note] : options.note ?? [];
  const fitting = notes.find((text) => widthOf(text) + 2 <= room);
  const note = fitting ? ` ${fitting} ` : "";
  const line = "─".repeat(Math.max(0, room + 1 - widthOf(note)));
  const out = [edge("┌─") + title + edge(line.slice(note === "" ? 0 : 1)) + note + edge(note === "" ? "┐" : "─┐")];
  for (let i = 0; i < height - 2; i++) out.push(edge("│") + fill(lines[i] ?? "", inner) + edge("│"));
  const mark = options.mark && widthOf(options.mark) + 4 <= inner ? ` ${options.mark} ` : "";
  out.push(
    edge(`└${"─".repeat(inner - widthOf(mark) - (mark === "" ? 0 : 1))}`) + mark + edge(mark === "" ? "┘" : "─┘"),
  );
  return out.slice(0, Math.max(height, 0));
}

/** Two blocks side by side with a thin line between them, in `left` + 3 + `right` columns; both begin at the top. */
export function beside(first: readonly string[], second: readonly string[], left: number, right: number): string[] {
  return Array.from({ length: Math.max(first.length, second.length) }, (_, i) => {
    return `${fill(first[i] ?? "", left)} ${paint("frame", "│")} ${fill(second[i] ?? "", right)}`;
  });
}
