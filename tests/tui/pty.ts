/**
 * A program in a real pseudo-terminal, its output interpreted by a real terminal emulator: what a person would see.
 * Everything waits for a condition, nothing for a time, so that slow machines only take longer.
 */
import assert from "node:assert/strict";
import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import type { Cell } from "./svg.ts";

/** Generous: a loaded two-core machine needs seconds to start a program. */
const PATIENCE_MS = 30_000;

export interface PtyOptions {
  columns: number;
  rows: number;
  /** Arguments of `deno run`. */
  args: readonly string[];
  env?: Record<string, string>;
  /** Another program with all of its arguments, in place of `deno run`. */
  command?: readonly [string, ...string[]];
}

/** Keys that are more than one character. */
export const KEY = {
  tab: "\t",
  shiftTab: "\x1b[Z",
  up: "\x1b[A",
  down: "\x1b[B",
  pageDown: "\x1b[6~",
  end: "\x1b[F",
  enter: "\r",
  escape: "\x1b",
  ctrlC: "\x03",
  ctrlL: "\x0c",
  ctrlZ: "\x1a",
} as const;

export class PtyScreen {
  readonly #terminal: xterm.Terminal;
  readonly #process: ReturnType<typeof spawn>;
  /** Everything that the program wrote. */
  raw = "";
  exit: { code: number; signal: number } | null = null;
  #pending = 0;
  #changed: () => void = () => {};

  constructor({ columns, rows, args, env = {}, command = [Deno.execPath(), "run", "-q", ...args] }: PtyOptions) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = "11";
    const inherited = Deno.env.toObject();
    delete inherited.NO_COLOR;
    const [file, ...rest] = command;
    this.#process = spawn(file, rest, {
      cols: columns,
      rows,
      name: "xterm-256color",
      env: { ...inherited, TERM: "xterm-256color", ...env },
    });
    this.#process.onData((data) => {
      this.raw += data;
      this.#pending++;
      this.#terminal.write(data, () => {
        this.#pending--;
        this.#changed();
      });
    });
    this.#process.onExit(({ exitCode, signal }) => {
      this.exit = { code: exitCode, signal: signal ?? 0 };
      this.#changed();
    });
    // Questions of the program to the terminal (cursor position, device) are answered as a terminal would.
    this.#terminal.onData((data) => this.type(data));
  }

  get pid(): number {
    return this.#process.pid;
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  type(keys: string): void {
    if (this.exit === null) this.#process.write(keys);
  }

  /** Types one after the other, each when the one before has had its answer, or none for half a second. */
  async press(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.type(key);
      await this.#change(500);
    }
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#process.resize(columns, rows);
  }

  kill(signal: string): void {
    this.#process.kill(signal);
  }

  /** Reads no more, as a hung connection does: what the program writes has no place to go. */
  stall(): void {
    this.#process.pause();
  }

  /** Reads again. */
  goOn(): void {
    this.#process.resume();
  }

  /** The screen as lines without trailing blanks. */
  lines(): string[] {
    const buffer = this.#terminal.buffer.active;
    return Array.from(
      { length: this.#terminal.rows },
      (_, y) => buffer.getLine(buffer.baseY + y)?.translateToString(true).trimEnd() ?? "",
    );
  }

  text(): string {
    return this.lines().join("\n");
  }

  /** The cells of the screen, row by row. */
  cells(): Cell[][] {
    const buffer = this.#terminal.buffer.active;
    return Array.from({ length: this.#terminal.rows }, (_, y) => {
      const line = buffer.getLine(buffer.baseY + y)!;
      return Array.from({ length: this.#terminal.cols }, (_, x): Cell => {
        const cell = line.getCell(x)!;
        return {
          char: cell.getChars() || " ",
          fg: cell.isFgDefault() ? null : cell.getFgColor(),
          bg: cell.isBgDefault() ? null : cell.getBgColor(),
          bold: cell.isBold() !== 0,
          reverse: cell.isInverse() !== 0,
        };
      });
    });
  }

  /** How each cell looks: "" for the terminal's own, else its colours and attributes in words. */
  looks(): string[][] {
    return this.cells().map((row) =>
      row.map(({ char, fg, bg, bold, reverse }) => {
        const front = [fg === null ? "" : `fg ${fg}`, bold ? "bold" : ""];
        const back = [bg === null ? "" : `bg ${bg}`, reverse ? "reverse" : ""];
        // A blank looks as its background does.
        return [...(char.trim() === "" ? [] : front), ...back].filter((word) => word !== "").join(" ");
      })
    );
  }

  /**
   * Waits until the screen shows something, and then does not change for as long as two pictures take; a screen that goes
   * on changing, for `atMostMs`.
   */
  async settled(what: string, shows: RegExp, atMostMs = Infinity): Promise<void> {
    await this.until(what, (text) => shows.test(text));
    const end = Date.now() + atMostMs;
    for (let before = "", calm = 0; calm < 2 && Date.now() < end;) {
      await this.#change(120);
      const now = this.text();
      calm = now === before ? calm + 1 : 0;
      before = now;
    }
    await this.until(what, (text) => shows.test(text));
  }

  get alternateScreen(): boolean {
    return this.#terminal.buffer.active.type === "alternate";
  }

  get mouseMode(): string {
    return this.#terminal.modes.mouseTrackingMode;
  }

  /** The emulator does not say; the last sequence does. */
  get cursorVisible(): boolean {
    return this.raw.lastIndexOf("\x1b[?25h") > this.raw.lastIndexOf("\x1b[?25l");
  }

  /** Waits until `condition` holds for the screen; fails with a picture of the screen. */
  async until(what: string, condition: (text: string) => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!condition(this.text())) {
      const left = deadline - Date.now();
      if (left <= 0 || (this.exit !== null && this.#pending === 0)) {
        assert.fail(`waited for: ${what}\nexit: ${JSON.stringify(this.exit)}\n${this.text()}`);
      }
      await this.#change(Math.min(left, 500));
    }
  }

  /** Waits for the end of the process and of its output. */
  async ended(): Promise<{ code: number; signal: number }> {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.exit === null || this.#pending > 0) {
      if (Date.now() > deadline) assert.fail(`the process did not end\n${this.text()}`);
      await this.#change(100);
    }
    return this.exit;
  }

  /** Ends the process whatever happened. */
  dispose(): void {
    if (this.exit === null) this.#process.kill("SIGKILL");
    this.#terminal.dispose();
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
