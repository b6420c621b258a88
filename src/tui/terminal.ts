import "./env_shim.ts";
import process from "node:process";
// @ts-types="@types/blessed"
import blessed from "blessed";
import { InputStream } from "./input.ts";
import { Output } from "./output.ts";
import { Painter } from "./painter.ts";
import type { DrawnRegion } from "./screen.ts";
import type { Theme } from "./theme.ts";

/** What the terminal reports. Keys are characters, or names: "up", "S-tab", "C-c", "space", "enter", "escape". */
export interface TerminalListener {
  key(name: string): void;
  /** Text that was pasted, as it is. */
  paste(text: string): void;
  mouse(kind: "click" | "wheelup" | "wheeldown", x: number, y: number): void;
  resize(columns: number, rows: number): void;
  /** The process was told to end; `code` is the exit code that says so. */
  signal(code: number): void;
  /** The terminal has read all that was written, after so many milliseconds and so many pictures that were left out. */
  drained(ms: number, leftOut: number): void;
}

/** A signal's exit code is 128 plus its number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/*
 * Control sequences that every terminal of the last twenty years understands (xterm's ctlseqs): the alternate screen, the
 * cursor, the window's title with the old one kept, marks round pasted text, the mouse with SGR coordinates. The last pair asks a terminal to show
 * a picture as a whole; those that do not know it ignore it.
 */
const ENTER = "\x1b[?1049h\x1b[22;0t\x1b]2;mxtop\x07\x1b[?25l\x1b[?2004h";
const LEAVE = "\x1b[?2004l\x1b[0m\x1b[?25h\x1b[23;0t\x1b[?1049l";
const MOUSE_ON = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF = "\x1b[?1006l\x1b[?1000l";
const CLEAR = "\x1b[0m\x1b[2J";
const BEGIN_PICTURE = "\x1b[?2026h";
const END_PICTURE = "\x1b[?2026l";

/** How long a signal waits for a terminal that does not read, before the process leaves without restoring it. */
const LAST_CHANCE_MS = 1000;
/** A write that was begun has reached its thread by then. */
const HANDOVER_MS = 20;
/** Terminals drop a longer text for the clipboard; it is counted in base64. */
const CLIPBOARD_CHARS = 74_994;

/** Whether there is a person with a terminal at both ends. */
export function isInteractive(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/**
 * The real terminal: the only module that knows blessed, which decodes keys and mouse reports. The pictures are
 * our own: the package looks at every cell of the screen for each, and takes five times as long.
 */
export class Terminal {
  readonly #program: any;
  readonly #painter = new Painter();
  readonly #listener: TerminalListener;
  readonly #undo: (() => void)[] = [];
  readonly #output = new Output((bytes) => Deno.stdout.write(bytes), () => performance.now());
  #size = consoleSize();
  #closed = false;
  #suspended = false;
  #alive: ReturnType<typeof setInterval> | undefined;
  #mouseOn = true;

  /** Takes over the terminal until {@link close}, a signal, an error or the end of the process. */
  constructor(listener: TerminalListener) {
    this.#listener = listener;
    // Raw mode and reading; without a description of the terminal, which it would only need for writing.
    const input = new InputStream();
    input.on("paste", (text: string) => listener.paste(text));
    this.#program = (blessed as any).program({ tput: false, input });
    this.#output.onDrain = (ms, leftOut, lost) => this.#drained(ms, leftOut, lost);
    this.#write(ENTER + MOUSE_ON);
    this.#listenInput();
    this.#listenProcess();
  }

  /** Columns and rows. */
  get size(): { columns: number; rows: number } {
    return this.#size;
  }

  /** Whether a picture can be drawn now. Not while the one before is on its way: `drained` says when it is. */
  get ready(): boolean {
    if (this.#closed || this.#suspended) return false;
    return this.#output.ready;
  }

  /** Brings the screen to show `regions`, the later ones on top. Writes nothing when nothing changed. */
  draw(regions: readonly DrawnRegion[], theme: Theme): void {
    if (!this.ready) return;
    const { columns, rows } = this.#size;
    const text = this.#painter.paint(regions, theme, columns, rows);
    if (text !== "") this.#write(BEGIN_PICTURE + text + END_PICTURE);
  }

  /** Has every cell written again by the next picture. */
  repaint(): void {
    this.#painter.forget();
  }

  /** The same on a clear screen: another program may have written over it. */
  redraw(): void {
    this.repaint();
    if (!this.#closed && !this.#suspended) this.#write(CLEAR);
  }

  /** Whether the terminal reports the mouse; without, it selects text itself. */
  mouse(on: boolean): void {
    this.#mouseOn = on;
    if (!this.#closed && !this.#suspended) this.#write(on ? MOUSE_ON : MOUSE_OFF);
  }

  /** Gives `text` to the clipboard of the terminal (OSC 52); false when it is too long for that. */
  copy(text: string): boolean {
    const bytes = new TextEncoder().encode(text);
    const coded = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    if (this.#closed || coded.length > CLIPBOARD_CHARS) return false;
    this.#write(`\x1b]52;c;${coded}\x07`);
    return true;
  }

  /**
   * Gives the terminal back to the shell until the process is continued. False when the process may not stop itself:
   * sending a signal takes the permission to run programs.
   */
  suspend(): boolean {
    if (this.#closed || Deno.permissions.querySync({ name: "run" }).state !== "granted") return false;
    this.#suspended = true;
    this.#writeNow(MOUSE_OFF + LEAVE);
    const { input } = this.#program;
    input.setRawMode(false);
    input.pause();
    // Waiting for a signal does not keep the event loop alive.
    this.#alive = setInterval(() => {}, 1000);
    process.kill(process.pid, "SIGTSTP");
    return true;
  }

  /** As {@link close}, once the terminal has read what is on its way: signals can come in the meantime. */
  async leave(): Promise<void> {
    if (!this.#closed) await this.#output.drained(Infinity);
    this.close();
  }

  /** Leaves the terminal as it was found, at once. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#stop();
    try {
      if (!this.#suspended) this.#writeNow(MOUSE_OFF + LEAVE);
      this.#program.destroy();
    } catch {
      // The terminal may be gone (SIGHUP): then there is nothing left to restore.
    }
  }

  /** Continued, by a shell or by anybody: others may have used the terminal, and changed its modes, in the meantime. */
  #resume(): void {
    const { input } = this.#program;
    clearInterval(this.#alive);
    this.#suspended = false;
    input.setRawMode(true);
    input.resume();
    this.#write(ENTER + (this.#mouseOn ? MOUSE_ON : MOUSE_OFF));
    this.redraw();
    this.#resized();
  }

  #write(text: string): void {
    this.#output.write(text);
  }

  /** Writes before the process ends or stops, behind what is on its way. */
  #writeNow(text: string): void {
    // The thread that writes has the output's lock by then, if it has something to write.
    if (this.#output.busy) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANDOVER_MS);
    let bytes = new TextEncoder().encode(this.#output.take() + text);
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  }

  /** A terminal that has not read for a while may have lost something. */
  #drained(ms: number, leftOut: number, lost: boolean): void {
    if (this.#closed || this.#suspended) return;
    if (lost) this.redraw();
    if (leftOut > 0 || lost) this.#listener.drained(ms, leftOut);
  }

  /** Ends on a signal. A terminal that does not read cannot be restored: the process must end all the same. */
  async #end(code: number): Promise<void> {
    if (this.#closed) return;
    if (await this.#output.drained(LAST_CHANCE_MS)) this.close();
    else {
      this.#stop();
      this.#program.input.setRawMode = () => {}; // it would wait for the output
      this.#program.destroy();
    }
    this.#listener.signal(code);
  }

  #stop(): void {
    this.#closed = true;
    clearInterval(this.#alive);
    for (const undo of this.#undo) undo();
  }

  #resized(): void {
    const { columns, rows } = consoleSize();
    if (columns === this.#size.columns && rows === this.#size.rows) return;
    this.#size = { columns, rows };
    // What the terminal has made of the old picture at the new size is anybody's guess.
    this.redraw();
    this.#listener.resize(columns, rows);
  }

  #listenInput(): void {
    this.#program.on("keypress", (char: string | undefined, key: Key) => {
      const name = keyName(char, key);
      if (name !== null) this.#listener.key(name);
    });
    this.#program.on("mouse", ({ action, button, raw, x, y }: MouseReport) => {
      // Bit 5 says that the mouse was moved: dragging is left to the terminal.
      if (action === "mousedown" && button === "left" && (raw[0] & 32) === 0) this.#listener.mouse("click", x, y);
      else if (action === "wheelup" || action === "wheeldown") this.#listener.mouse(action, x, y);
    });
  }

  #listenProcess(): void {
    const on = (signal: string, handler: () => void) => {
      process.on(signal, handler);
      this.#undo.push(() => process.removeListener(signal, handler));
    };
    for (const [signal, code] of Object.entries(SIGNALS)) on(signal, () => void this.#end(code));
    on("SIGWINCH", () => this.#resized());
    on("SIGCONT", () => this.#resume());
    // An error that nobody catches, or Deno.exit() somewhere else, would leave the terminal raw.
    const close = () => this.close();
    for (const event of ["unload", "error", "unhandledrejection"]) {
      globalThis.addEventListener(event, close);
      this.#undo.push(() => globalThis.removeEventListener(event, close));
    }
  }
}

/** Terminals that do not know their size are taken for the smallest common one. */
function consoleSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    if (columns > 0 && rows > 0) return { columns, rows };
  } catch {
    // Not a terminal any more.
  }
  return { columns: 80, rows: 24 };
}

interface MouseReport {
  action: string;
  button: string;
  raw: number[];
  x: number;
  y: number;
}

/** What blessed says of a key. */
interface Key {
  full?: string;
  name?: string;
  ctrl?: boolean;
  meta?: boolean;
}

/** One name per key press: the character if it is one, otherwise what blessed calls it. */
function keyName(char: string | undefined, key: Key): string | null {
  // Enter arrives as "return" and once more as "enter".
  if (key.name === "return") return null;
  if (char === " ") return "space";
  if (char !== undefined && !key.ctrl && !key.meta && [...char].length === 1 && char > " " && char !== "\x7f") {
    return char;
  }
  return key.full ?? key.name ?? null;
}
