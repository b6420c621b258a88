import "./env_shim.ts";
import process from "node:process";
// @ts-types="@types/blessed"
import blessed from "blessed";
import { Output } from "./output.ts";
import type { DrawnRegion } from "./screen.ts";
import { terminalDescription } from "./terminfo.ts";
import { type Theme, toSgr } from "./theme.ts";

/** What the terminal reports. Keys are characters, or names: "up", "S-tab", "C-c", "space", "enter", "escape". */
export interface TerminalListener {
  key(name: string): void;
  mouse(kind: "click" | "wheelup" | "wheeldown", x: number, y: number): void;
  resize(columns: number, rows: number): void;
  /** The process was told to end; `code` is the exit code that says so. */
  signal(code: number): void;
  /** The terminal has read all that was written, after so many milliseconds; pictures may have been left out. */
  drained(ms: number): void;
}

/** What the published types leave out. */
type Screen = Omit<blessed.Widgets.Screen, "program"> & { program: any; enter(): void; leave(): void };

/** A signal's exit code is 128 plus its number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const MOUSE = { sgrMouse: true, vt200Mouse: true };

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
 * The real terminal: the only module that knows blessed. blessed keeps the cells that are on the screen and writes only
 * those that differ; here only regions whose text differs are handed to it at all.
 */
export class Terminal {
  readonly #screen: Screen;
  readonly #theme: Theme;
  readonly #boxes = new Map<string, { box: blessed.Widgets.BoxElement; text: string; place: string }>();
  readonly #undo: (() => void)[] = [];
  readonly #output = new Output((bytes) => Deno.stdout.write(bytes), () => performance.now());
  #order = "";
  #closed = false;
  #suspended = false;
  #alive: ReturnType<typeof setInterval> | undefined;
  #mouseOn = true;
  /** A picture was not drawn because the one before was still on its way. */
  #skipped = false;

  /** Takes over the terminal until {@link close}, a signal, an error or the end of the process. */
  constructor(theme: Theme, listener: TerminalListener) {
    this.#theme = theme;
    (blessed as any).Tput.prototype.readTerminfo = terminalDescription;
    this.#screen = blessed.screen({
      terminal: "xterm-256color",
      fullUnicode: true,
      forceUnicode: true,
      smartCSR: false,
      title: "mxtop",
      warnings: false,
    } as blessed.Widgets.IScreenOptions) as Screen;
    // Otherwise box characters would go through the alternate character set, which UTF-8 terminals may lack.
    this.#screen.program.tput.brokenACS = true;
    this.#screen.program._owrite = this.#screen.program.write = (text: string) => this.#write(text);
    this.#listen(listener);
  }

  /** Columns and rows. */
  get size(): { columns: number; rows: number } {
    return { columns: Number(this.#screen.width), rows: Number(this.#screen.height) };
  }

  /** Whether a picture can be drawn now. Not while the one before is on its way: `drained` says when it is. */
  get ready(): boolean {
    if (this.#closed || this.#suspended) return false;
    this.#skipped ||= this.#output.busy;
    return !this.#output.busy;
  }

  /** Brings the screen to show `regions`, the later ones on top. Writes nothing when nothing changed. */
  draw(regions: readonly DrawnRegion[]): void {
    if (!this.ready) return;
    let changed = false;
    const order = regions.map((region) => region.id).join();
    if (order !== this.#order) {
      // Other regions, or in another order: start with empty hands. This happens on keys only.
      for (const { box } of this.#boxes.values()) box.detach();
      this.#boxes.clear();
      this.#order = order;
      changed = true;
    }
    for (const region of regions) changed = this.#drawRegion(region) || changed;
    if (changed) this.#screen.render();
  }

  /** Writes every cell again: another program may have written over the screen. */
  redraw(): void {
    if (this.#closed) return;
    this.#screen.alloc();
    this.#screen.program.clear();
    this.#screen.render();
  }

  /** Whether the terminal reports the mouse; without, it selects text itself. */
  mouse(on: boolean): void {
    this.#mouseOn = on;
    if (!this.#closed && !this.#suspended) this.#mouse(on);
  }

  /** Gives `text` to the clipboard of the terminal (OSC 52); false when it is too long for that. */
  copy(text: string): boolean {
    const bytes = new TextEncoder().encode(text);
    const coded = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    if (this.#closed || coded.length > CLIPBOARD_CHARS) return false;
    this.#output.write(`\x1b]52;c;${coded}\x07`);
    return true;
  }

  /**
   * Gives the terminal back to the shell until the process is continued. False when the process may not stop itself:
   * sending a signal takes the permission to run programs.
   */
  suspend(): boolean {
    if (this.#closed || Deno.permissions.querySync({ name: "run" }).state !== "granted") return false;
    // Not blessed's own sigtstp(): it silences the output before the sequences that leave the screen are written.
    const { program } = this.#screen;
    const { input } = program;
    this.#suspended = true;
    this.#flush();
    this.#mouse(false);
    this.#screen.leave();
    program.flush();
    input.setRawMode(false);
    input.pause();
    // Waiting for a signal does not keep the event loop alive.
    this.#alive = setInterval(() => {}, 1000);
    process.kill(process.pid, "SIGTSTP");
    return true;
  }

  /** Continued, by a shell or by anybody: others may have used the terminal, and changed its modes, in the meantime. */
  #resume(): void {
    const { input } = this.#screen.program;
    clearInterval(this.#alive);
    this.#suspended = false;
    input.setRawMode(true);
    input.resume();
    this.#screen.enter();
    this.#mouse(this.#mouseOn);
    this.redraw();
  }

  /** As {@link close}, once the terminal has read what is on its way: signals can come in the meantime. */
  async leave(): Promise<void> {
    if (!this.#closed) await this.#output.drained(Infinity);
    this.close();
  }

  /** Leaves the terminal as it was found, at once. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const undo of this.#undo) undo();
    try {
      this.#flush();
      this.#mouse(false);
      this.#screen.destroy();
      this.#screen.program.flush();
    } catch {
      // The terminal may be gone (SIGHUP): then there is nothing left to restore.
    }
  }

  /** blessed's output: at once when the process may end or stop right after. */
  #write(text: string): void {
    if (!this.#closed && !this.#suspended) return this.#output.write(text);
    let bytes = new TextEncoder().encode(this.#output.take() + text);
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  }

  /** What blessed has put off goes out at once, behind what is on its way already. */
  #flush(): void {
    // The thread that writes has the output's lock by then, if it has something to write.
    if (this.#output.busy) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANDOVER_MS);
    this.#screen.program.flush();
  }

  /** A terminal that has not read for a while may have lost something. */
  #drained(ms: number, lost: boolean, listener: TerminalListener): void {
    if (this.#closed || this.#suspended) return;
    if (lost) this.redraw();
    if (this.#skipped || lost) listener.drained(ms);
    this.#skipped = false;
  }

  /** Ends on a signal. A terminal that does not read cannot be restored: the process must end all the same. */
  async #end(code: number, listener: TerminalListener): Promise<void> {
    if (this.#closed) return;
    if (await this.#output.drained(LAST_CHANCE_MS)) this.close();
    else this.#abandon();
    listener.signal(code);
  }

  /** Leaves without a word to the terminal. */
  #abandon(): void {
    this.#closed = true;
    for (const undo of this.#undo) undo();
    this.#screen.program._owrite = this.#screen.program.write = () => {};
    this.#screen.program.input.setRawMode = () => {}; // it would wait for the output
    this.#screen.destroy();
  }

  #drawRegion({ id, x, y, width, height, lines }: DrawnRegion): boolean {
    const text = lines.map((line) => toSgr(line, this.#theme)).join("\n");
    const place = `${x},${y},${width},${height}`;
    const known = this.#boxes.get(id);
    if (known && known.text === text && known.place === place) return false;
    const box = known?.box ??
      blessed.box({ parent: this.#screen, left: x, top: y, width, height, wrap: false, tags: false } as any);
    if (known && known.place !== place) Object.assign(box, { left: x, top: y, width, height });
    (box as any).setContent(text, false, true); // no clearing, no blessed tags
    this.#boxes.set(id, { box, text, place });
    return true;
  }

  #listen(listener: TerminalListener): void {
    const program = this.#screen.program;
    program.on("keypress", (char: string | undefined, key: Key) => {
      const name = keyName(char, key);
      if (name !== null) listener.key(name);
    });
    this.#output.onDrain = (ms, lost) => this.#drained(ms, lost, listener);
    program.on("mouse", ({ action, button, raw, x, y }: MouseReport) => {
      // Bit 5 says that the mouse was moved: dragging is left to the terminal.
      if (action === "mousedown" && button === "left" && (raw[0] & 32) === 0) listener.mouse("click", x, y);
      else if (action === "wheelup" || action === "wheeldown") listener.mouse(action, x, y);
    });
    this.#mouse(true);
    this.#screen.on("resize", () => listener.resize(this.size.columns, this.size.rows));
    for (const [signal, code] of Object.entries(SIGNALS)) {
      // With a listener of our own, blessed leaves the signal to us; it would exit with code 0.
      const handler = () => void this.#end(code, listener);
      process.on(signal, handler);
      this.#undo.push(() => process.removeListener(signal, handler));
    }
    const resume = () => this.#resume();
    process.on("SIGCONT", resume);
    this.#undo.push(() => process.removeListener("SIGCONT", resume));
    // Deno.exit() somewhere else would leave the terminal raw.
    const unload = () => this.close();
    globalThis.addEventListener("unload", unload);
    this.#undo.push(() => globalThis.removeEventListener("unload", unload));
  }

  #mouse(on: boolean): void {
    this.#screen.program.setMouse(on ? MOUSE : { sgrMouse: false, vt200Mouse: false }, on);
  }
}

interface MouseReport {
  action: string;
  button: string;
  raw: number[];
  x: number;
  y: number;
}

interface Key {
  full?: string;
  name?: string;
  ctrl?: boolean;
  meta?: boolean;
  shift?: boolean;
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
