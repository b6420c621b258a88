import "./env_shim.ts";
import process from "node:process";
// @ts-types="@types/blessed"
import blessed from "blessed";
import { Painter } from "./painter.ts";
import type { DrawnRegion } from "./screen.ts";
import { terminalDescription } from "./terminfo.ts";
import type { Theme } from "./theme.ts";

/** What the terminal reports. Keys are characters, or names: "up", "S-tab", "C-c", "space", "enter", "escape". */
export interface TerminalListener {
  key(name: string): void;
  mouse(kind: "click" | "wheelup" | "wheeldown", x: number, y: number): void;
  resize(columns: number, rows: number): void;
  /** The process was told to end; `code` is the exit code that says so. */
  signal(code: number): void;
}

/** What the published types leave out. */
type Screen = Omit<blessed.Widgets.Screen, "program"> & { program: any; enter(): void; leave(): void };

/** A signal's exit code is 128 plus its number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const MOUSE = { sgrMouse: true, vt200Mouse: true };

/** Whether there is a person with a terminal at both ends. */
export function isInteractive(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/**
 * The real terminal: the only module that knows blessed, which has the keys, the mouse and the size. Pictures are painted
 * by a {@link Painter}: the package would look at every cell for each of them.
 */
export class Terminal {
  readonly #screen: Screen;
  readonly #painter = new Painter();
  #picture: { readonly regions: readonly DrawnRegion[]; readonly theme: Theme } | null = null;
  readonly #undo: (() => void)[] = [];
  #closed = false;
  #suspended = false;

  /** Takes over the terminal until {@link close}, a signal, an error or the end of the process. */
  constructor(listener: TerminalListener) {
    (blessed as any).Tput.prototype.readTerminfo = terminalDescription;
    this.#screen = blessed.screen({
      terminal: "xterm-256color",
      fullUnicode: true,
      forceUnicode: true,
      smartCSR: false,
      title: "mxtop",
      warnings: false,
    } as blessed.Widgets.IScreenOptions) as unknown as Screen;
    // Otherwise box characters would go through the alternate character set, which UTF-8 terminals may lack.
    this.#screen.program.tput.brokenACS = true;
    this.#listen(listener);
  }

  /** Columns and rows. */
  get size(): { columns: number; rows: number } {
    return { columns: Number(this.#screen.width), rows: Number(this.#screen.height) };
  }

  /** Brings the screen to show `regions`, the later ones on top. Writes nothing when nothing changed. */
  draw(regions: readonly DrawnRegion[], theme: Theme): void {
    if (this.#closed || this.#suspended) return;
    this.#picture = { regions, theme };
    const { columns, rows } = this.size;
    const text = this.#painter.paint(regions, theme, columns, rows);
    if (text !== "") this.#screen.program._write(text);
  }

  /** Writes every cell again: another program may have written over the screen. */
  redraw(): void {
    if (this.#closed) return;
    this.#screen.alloc();
    this.#screen.program.clear();
    this.#painter.forget();
    if (this.#picture !== null) this.draw(this.#picture.regions, this.#picture.theme);
  }

  /**
   * Gives the terminal back to the shell until the process is continued. False when the process may not stop itself:
   * sending a signal takes the permission to run programs.
   */
  suspend(): boolean {
    if (this.#closed || Deno.permissions.querySync({ name: "run" }).state !== "granted") return false;
    // Not blessed's own sigtstp(): it silences the output before the sequences that leave the screen are written.
    const input = this.#screen.program.input;
    this.#suspended = true;
    this.#mouse(false);
    this.#screen.leave();
    input.setRawMode(false);
    input.pause();
    // Waiting for a signal does not keep the event loop alive.
    const alive = setInterval(() => {}, 1000);
    process.once("SIGCONT", () => {
      clearInterval(alive);
      this.#suspended = false;
      input.setRawMode(true);
      input.resume();
      this.#screen.enter();
      this.#mouse(true);
      this.redraw();
    });
    process.kill(process.pid, "SIGTSTP");
    return true;
  }

  /** Leaves the terminal as it was found. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const undo of this.#undo) undo();
    try {
      this.#mouse(false);
      this.#screen.destroy();
    } catch {
      // The terminal may be gone (SIGHUP): then there is nothing left to restore.
    }
  }

  #listen(listener: TerminalListener): void {
    const program = this.#screen.program;
    program.on("keypress", (char: string | undefined, key: Key) => {
      const name = keyName(char, key);
      if (name !== null) listener.key(name);
    });
    program.on("mouse", ({ action, x, y }: { action: string; x: number; y: number }) => {
      if (action === "mousedown") listener.mouse("click", x, y);
      else if (action === "wheelup" || action === "wheeldown") listener.mouse(action, x, y);
    });
    this.#mouse(true);
    this.#screen.on("resize", () => {
      this.#painter.forget();
      listener.resize(this.size.columns, this.size.rows);
    });
    for (const [signal, code] of Object.entries(SIGNALS)) {
      // With a listener of our own, blessed leaves the signal to us; it would exit with code 0.
      const handler = () => {
        this.close();
        listener.signal(code);
      };
      process.on(signal, handler);
      this.#undo.push(() => process.removeListener(signal, handler));
    }
    // Deno.exit() somewhere else would leave the terminal raw.
    const unload = () => this.close();
    globalThis.addEventListener("unload", unload);
    this.#undo.push(() => globalThis.removeEventListener("unload", unload));
  }

  #mouse(on: boolean): void {
    this.#screen.program.setMouse(on ? MOUSE : { sgrMouse: false, vt200Mouse: false }, on);
  }
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
