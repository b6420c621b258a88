import { columnsOf } from "./char_width.ts";

/**
 * Tagged text: a plain string in which a role ("dom0", "error") is switched on by one private-use character and off by
 * another. Views say what a piece of text means; only the terminal knows which colour that is today. One character
 * per tag keeps measuring and cutting simple, and text from outside cannot forge a tag because {@link sanitize}
 * removes them.
 */

/** Everything that text can mean. The order is the encoding; it is never stored. */
export const ROLES = [
  "title",
  "dim",
  "frame",
  "focus",
  "key",
  "ok",
  "warn",
  "error",
  "accent",
  "select",
  "heading",
  "user",
  "kernel",
  "irq",
  "hypervisor",
  "steal",
  "host",
  "dom0",
  "guest",
  "p50",
  "p99",
  "throughput",
  "link",
  "stage",
  "p999",
  "study",
  "ghost",
  "path1",
  "path2",
  "path3",
  "path4",
  "path5",
  "path6",
  "path7",
  "path8",
] as const;

/** What a piece of text means. */
export type Role = typeof ROLES[number];

const FIRST = 0xe000;
const LAST = 0xe0ff;
const CLOSE = String.fromCharCode(LAST);
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ue000-\ue0ff]/g;
const TAGS = /[\ue000-\ue0ff]/g;

/** `text` in the colour of `role`. Nests: the inner colour wins, bold and reverse add up. */
export function paint(role: Role, text: string): string {
  return text === "" ? "" : String.fromCharCode(FIRST + ROLES.indexOf(role)) + text + CLOSE;
}

/** The role that `char` switches on, "close" for the end of the innermost one, null for ordinary text. */
export function tagOf(char: string): Role | "close" | null {
  const code = char.charCodeAt(0);
  if (code < FIRST || code > LAST) return null;
  return char === CLOSE ? "close" : ROLES[code - FIRST] ?? null;
}

/** Text without its tags: what a test compares and a monochrome reader sees. */
export function plain(text: string): string {
  return text.replace(TAGS, "");
}

/** Text that came from a file, a log or an error: no control characters, no forged tags. */
export function sanitize(text: string): string {
  return text.replace(FORBIDDEN, " ");
}

/** Columns that the text takes on the screen. */
export function width(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x300) count++;
    else if (code >= 0xd800 && code <= 0xdbff) count += columnsOf(text.codePointAt(i++)!);
    else if (!(code >= FIRST && code <= LAST)) count += columnsOf(code);
  }
  return count;
}

/** The first `columns` columns at most, tags closed; an ellipsis shows that something is missing. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let out = "";
  let used = 0;
  let open = 0;
  for (const char of text) {
    const tag = tagOf(char);
    if (tag === null) {
      used += columnsOf(char.codePointAt(0)!);
      if (used >= columns) break;
    } else open += tag === "close" ? -1 : 1;
    out += char;
  }
  return out + (columns > 0 ? "…" : "") + CLOSE.repeat(open);
}

/** The begin and the end of a text without tags, in `columns` columns at most: of names that begin alike, what differs. */
export function cutMiddle(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  const chars = [...text];
  const start = cut(text, Math.ceil(columns / 2));
  let end = "";
  while (chars.length > 0 && width(start + chars.at(-1) + end) <= columns) end = chars.pop() + end;
  return start + end;
}

/** Exactly `columns` columns, text at the left. */
export function left(text: string, columns: number): string {
  const used = width(text);
  if (used === columns) return text;
  return used < columns ? text + " ".repeat(columns - used) : exactly(text, columns);
}

/** Exactly `columns` columns, text at the right: numbers. */
export function right(text: string, columns: number): string {
  const used = width(text);
  if (used === columns) return text;
  return used < columns ? " ".repeat(columns - used) + text : exactly(text, columns);
}

/** Text that is too long, cut: half of a wide character has no room, and is a blank. */
function exactly(text: string, columns: number): string {
  const short = cut(text, columns);
  return short + " ".repeat(Math.max(0, columns - width(short)));
}

/** `start` at the left and `end` at the right of `columns` columns; `end` gives way when both do not fit. */
export function spread(start: string, end: string, columns: number): string {
  const room = columns - width(start) - 1;
  if (width(end) > room) return left(start, columns);
  return start + right(end, columns - width(start));
}

/** Words of `text`, which has no tags, in lines of at most `columns` columns; long words are cut apart. */
export function wrap(text: string, columns: number): string[] {
  const room = Math.max(1, columns);
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    let used = 0;
    for (let word of paragraph.split(" ")) {
      let wide = width(word);
      while (wide > room) {
        if (line !== "") lines.push(line);
        line = "";
        const piece = beginning(word, room);
        lines.push(piece);
        word = word.slice(piece.length);
        wide = width(word);
      }
      if (line !== "" && used + 1 + wide > room) {
        lines.push(line);
        line = "";
      }
      used = line === "" ? wide : used + 1 + wide;
      line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

/** As much of a word as fits into `columns`, at least one character of it. */
function beginning(word: string, columns: number): string {
  let end = 0;
  let used = 0;
  for (const char of word) {
    used += columnsOf(char.codePointAt(0)!);
    if (used > columns && end > 0) break;
    end += char.length;
  }
  return word.slice(0, end);
}

/**
 * What a key leaves of the text in a field: Backspace takes the last character, Ctrl-W the last word, Ctrl-U all of it.
 * Null when it is no such key.
 */
export function shortened(text: string, key: string): string | null {
  if (key === "backspace") return withoutLast(text);
  if (key === "C-w") return text.replace(/\S+\s*$/, "");
  return key === "C-u" ? "" : null;
}

/** Text without its last character, as the backspace key takes it away: with its accents, not half of a pair. */
function withoutLast(text: string): string {
  const chars = [...text];
  while (chars.length > 1 && columnsOf(chars.at(-1)!.codePointAt(0)!) === 0) chars.pop();
  return chars.slice(0, -1).join("");
}
