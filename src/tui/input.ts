import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import process from "node:process";

/*
 * One read can bring several keys and mouse reports: keys that were pressed while a slice of the engine ran, the turns of
 * a wheel. blessed decodes one at a time and drops keys beside a mouse report, so it is given one at a time.
 */

/** CSI and SS3 sequences as terminals send them; what begins like one and ends with the text is not complete. */
// deno-lint-ignore no-control-regex
const SEQUENCE = /^\x1b(?:\[M[\s\S]{3}|\[\[?[0-9;<?]*[ -/]*[@-~]|O[0-9;]*[@-~])/;
// deno-lint-ignore no-control-regex
const BEGUN = /^\x1b(?:$|\[(?:M[\s\S]{0,2}|\[?[0-9;<?]*)|O[0-9;]*)$/;

/** What a terminal puts round pasted text when it is asked to (xterm's bracketed paste). */
const PASTE = "\x1b[200~";
const PASTED = "\x1b[201~";
/** More is not kept of a paste: no field takes as much. */
const LONGEST_PASTE = 4096;

/**
 * `text` in its keys and mouse reports; `rest` is the beginning of one whose end has not been read. An Escape before
 * anything that is no sequence is the key Escape: no key has a meaning together with Alt. A paste is one piece.
 */
export function splitInput(text: string): { pieces: string[]; rest: string } {
  const pieces: string[] = [];
  let at = 0;
  while (at < text.length) {
    const left = text.slice(at);
    if (left.startsWith(PASTE)) {
      const end = left.indexOf(PASTED);
      if (end < 0) return { pieces, rest: shortened(left) };
      pieces.push(left.slice(0, end));
      at += end + PASTED.length;
      continue;
    }
    if (left[0] === "\x1b") {
      if (BEGUN.test(left)) return { pieces, rest: left };
      const [sequence] = SEQUENCE.exec(left) ?? ["\x1b"];
      pieces.push(sequence);
      at += sequence.length;
      continue;
    }
    const char = String.fromCodePoint(left.codePointAt(0)!);
    pieces.push(char);
    at += char.length;
  }
  return { pieces, rest: "" };
}

/** The beginning of a long paste, and its last characters: they may be the beginning of its end. */
function shortened(paste: string): string {
  return paste.length <= LONGEST_PASTE ? paste : paste.slice(0, LONGEST_PASTE) + paste.slice(1 - PASTED.length);
}

/** How long the end of a sequence may be late, milliseconds; then its beginning is taken for keys: mostly Escape. */
const LATE_MS = 20;
/** And the end of a paste, which comes in many pieces; then it is forgotten. */
const PASTE_LATE_MS = 2000;

/**
 * The terminal's input as blessed wants it: a stream with a raw mode, one key or mouse report for each piece of data.
 * Pasted text is an event "paste" of its own: as keys it could do anything.
 */
export class InputStream extends EventEmitter {
  readonly isTTY = true;
  readonly #decoder = new TextDecoder();
  readonly #listener = (chunk: Uint8Array) => this.#read(this.#decoder.decode(chunk, { stream: true }));
  #rest = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    process.stdin.on("data", this.#listener);
  }

  get isRaw(): boolean {
    return process.stdin.isRaw;
  }

  setRawMode(on: boolean): void {
    process.stdin.setRawMode(on);
  }

  resume(): void {
    process.stdin.resume();
  }

  pause(): void {
    clearTimeout(this.#timer);
    process.stdin.pause();
  }

  #read(text: string): void {
    clearTimeout(this.#timer);
    const { pieces, rest } = splitInput(this.#rest + text);
    this.#rest = rest;
    for (const piece of pieces) {
      if (piece.startsWith(PASTE)) this.emit("paste", piece.slice(PASTE.length));
      else this.emit("data", Buffer.from(piece));
    }
    if (rest.startsWith(PASTE)) this.#timer = setTimeout(() => this.#rest = "", PASTE_LATE_MS);
    else if (rest !== "") this.#timer = setTimeout(() => this.#late(), LATE_MS);
  }

  #late(): void {
    const keys = this.#rest;
    this.#rest = "";
    for (const key of keys) this.emit("data", Buffer.from(key));
  }
}
