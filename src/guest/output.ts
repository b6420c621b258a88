/*
 * What guest programs say: lines and failed checks, with the virtual time and the guest. Bounded, because a program may
 * print for ever; what finds no room is counted.
 */

/** Lines that a run keeps. */
export const OUTPUT_LINES = 10_000;
/** Characters of a line that are kept. */
export const OUTPUT_LINE_LENGTH = 1000;
/** Failed checks that are named; all are counted. */
const FAILURES_NAMED = 20;

/** A line that a program has printed. */
export interface OutputLine {
  /** Virtual time, microseconds. */
  readonly at_us: number;
  /** Name of the guest. */
  readonly guest: string;
  readonly text: string;
}

/** The output of one run, in the order in which it was printed. */
export class RunOutput {
  readonly lines: OutputLine[] = [];
  /** Lines that found no room. */
  dropped = 0;
  /** Calls of `guest.check`, and those that were not satisfied. */
  checks = 0;
  failedChecks = 0;
  readonly #failures: string[] = [];

  /** Keeps the lines of a text; `atUs` is microseconds of virtual time. */
  print(atUs: number, guest: string, text: string): void {
    for (const line of text.split(/\r\n|\n|\r/)) {
      if (this.lines.length < OUTPUT_LINES) this.lines.push({ at_us: atUs, guest, text: printable(line) });
      else this.dropped++;
    }
  }

  /** Notes the outcome of a check. */
  check(ok: boolean, atUs: number, guest: string, text: string): void {
    this.checks++;
    if (ok) return;
    this.failedChecks++;
    if (this.#failures.length < FAILURES_NAMED) {
      this.#failures.push(`${guest} at ${atUs} us: check failed: ${printable(text)}`);
    }
  }

  /** The failed checks in words. */
  failures(): string[] {
    const more = this.failedChecks - this.#failures.length;
    return more > 0 ? [...this.#failures, `and ${more} more failed checks`] : [...this.#failures];
  }
}

/**
 * One line of text that cannot move a cursor: control characters are written as escapes, a long line is cut, and half of
 * a surrogate pair, which no encoding of Unicode has, becomes U+FFFD.
 */
export function printable(text: string): string {
  const cut = text.length > OUTPUT_LINE_LENGTH ? `${text.slice(0, OUTPUT_LINE_LENGTH - 3)}...` : text;
  return cut.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    if (character === "\t") return "  ";
    const code = character.codePointAt(0)!;
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
