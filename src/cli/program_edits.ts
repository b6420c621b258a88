/*
 * Changes of a text that leave its lines alone: what is put in stays on the line where it is put, so that a line number
 * of the changed text is one of the original, and a column can be told back.
 */

export interface Edit {
  /** Offset in the original, and how many characters from there on are replaced. */
  readonly at: number;
  readonly removed: number;
  readonly text: string;
}

/** A text and the changes to it. Edits at the same place stand in the order in which they were made. */
export class EditedText {
  readonly original: string;
  readonly #edits: Edit[] = [];
  #lineStarts: number[] | null = null;

  constructor(original: string) {
    this.original = original;
  }

  insert(at: number, text: string): void {
    this.#edits.push({ at, removed: 0, text });
  }

  /** A copy with further changes, which stand before those at the same place. */
  with(further: readonly Edit[]): EditedText {
    const copy = new EditedText(this.original);
    copy.#edits.push(...further, ...this.#edits);
    return copy;
  }

  /** The changed text. */
  text(): string {
    let text = "";
    let from = 0;
    for (const { at, removed, text: added } of this.#sorted()) {
      text += this.original.slice(from, at) + added;
      from = at + removed;
    }
    return text + this.original.slice(from);
  }

  /** The column of the original (from 1) that a line and column of the changed text stand for. */
  originalColumn(line: number, column: number): number {
    this.#lineStarts ??= startsOf(this.original);
    const start = this.#lineStarts[line - 1] ?? 0;
    const end = this.#lineStarts[line] ?? Infinity;
    let shift = 0;
    for (const { at, removed, text } of this.#sorted()) {
      if (at < start || at >= end) continue;
      const place = at - start + 1 + shift;
      if (place + text.length > column) {
        // Inside what was put in: the place where it was put.
        if (place <= column) return at - start + 1;
        break;
      }
      shift += text.length - removed;
    }
    return Math.max(1, column - shift);
  }

  #sorted(): readonly Edit[] {
    return [...this.#edits].map((edit, order) => ({ edit, order }))
      .sort((x, y) => x.edit.at - y.edit.at || x.order - y.order).map(({ edit }) => edit);
  }
}

/** Offsets at which the lines begin; line ends are those of JavaScript. */
function startsOf(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length);
  return starts;
}
