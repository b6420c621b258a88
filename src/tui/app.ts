import { initialModel, type Model, SPEEDS } from "./model.ts";
import { Pacer, WALL_CLOCK } from "./pacer.ts";
import type { DashboardRun } from "./run.ts";
import { render } from "./screen.ts";
import { isInteractive, Terminal } from "./terminal.ts";
import { type ThemeName, THEMES } from "./theme.ts";
import { type Effect, type Message, update } from "./update.ts";

export type { DashboardRun };

/** What the dashboard needs from the command line: names to choose from, and a way to build runs. */
export interface DashboardOptions {
  scenarios: readonly { name: string; title: string; number: number }[];
  /** Scenario to begin with. */
  initial: string;
  /** What the key `p` walks through. */
  paths: readonly string[];
  version: string;
  /** Speed to begin with, a factor of wall time: one of SPEEDS. Real time if it is not given. */
  speed?: number;
  /** Colours to begin with; without: the standard ones, and none with NO_COLOR. */
  theme?: ThemeName;
  /** Builds a fresh run; throws an Error with a printable message of at most one screen when it cannot. */
  open(name: string, overrides: { path?: string; seed?: number }): DashboardRun | Promise<DashboardRun>;
}

/** Wall time between two pictures of a running cluster. Keys are answered at once. */
const FRAME_MS = 100;
/** Exit code when there is no terminal to draw on: the same as for any other wrong use. */
const NO_TERMINAL = 2;

/**
 * Shows a run on the terminal until the user quits or a signal ends it; gives the exit code. Throws what the very
 * first `open` throws, before the screen is touched.
 */
export async function runDashboard(options: DashboardOptions): Promise<number> {
  if (!isInteractive()) {
    console.error("mxtop: the dashboard needs a terminal; use `run <scenario>` without one");
    return NO_TERMINAL;
  }
  const run = await options.open(options.initial, {});
  const dashboard = new Dashboard(options, run);
  return await dashboard.done;
}

/** Joins the pure parts to the world: messages in, effects and pictures out. */
class Dashboard {
  readonly done: Promise<number>;
  readonly #options: DashboardOptions;
  readonly #terminal: Terminal;
  readonly #pacer: Pacer;
  readonly #timer: ReturnType<typeof setInterval>;
  #run: DashboardRun;
  #model: Model;
  /** Virtual time of the picture in the model: a run that stands still is not sampled again. */
  #sampledAt = -1;
  /** Runs asked for so far: one that is late must not take the place of a later one. */
  #asked = 0;
  #closed = false;
  #finish!: (code: number) => void;
  #fail!: (error: unknown) => void;

  constructor(options: DashboardOptions, run: DashboardRun) {
    this.#options = options;
    this.#run = run;
    this.done = new Promise<number>((resolve, reject) => {
      this.#finish = (code) => this.#leave(() => resolve(code));
      this.#fail = (error) => this.#leave(() => reject(error));
    });
    this.#pacer = new Pacer(WALL_CLOCK, (error) => this.#fail(error));
    const theme = options.theme ?? (Deno.noColor ? "monochrome" : "standard");
    this.#terminal = new Terminal({
      key: (key) => this.#dispatch({ type: "key", key }),
      mouse: (kind, x, y) => this.#dispatch({ type: "mouse", kind, x, y }),
      resize: (columns, rows) => this.#dispatch({ type: "resize", columns, rows }),
      signal: (code) => this.#finish(code),
    });
    this.#model = initialModel({ ...options, theme, ...this.#terminal.size });
    this.#attach(run, options.initial, null);
    this.#timer = setInterval(() => this.#tick(), FRAME_MS);
  }

  /** One message through the update function, its effects, and the picture that follows. */
  #dispatch(message: Message): void {
    try {
      this.#apply(message);
      this.#draw();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Running, pausing and the speed are not effects: the pacer is told what the model wants, however it came to it. */
  #apply(message: Message): void {
    const [model, effects] = update(this.#model, message);
    this.#model = model;
    for (const effect of effects) this.#perform(effect);
    this.#pacer.drive(this.#model.running && !this.#model.finished, SPEEDS[this.#model.speed]);
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "open":
        return this.#open(effect.scenario, effect.path);
      case "step":
        this.#pacer.stop();
        this.#run.step();
        return this.#sample();
      case "redraw":
        return this.#terminal.redraw();
      case "suspend":
        if (!this.#terminal.suspend()) {
          this.#apply({ type: "notice", level: "warn", text: "Ctrl-Z needs the permission --allow-run" });
        }
        return;
      case "quit":
        return this.#finish(effect.code);
    }
  }

  /** A run that cannot be built leaves the present one as it is. One that takes its time appears when it is there. */
  #open(scenario: string, path: string | null): void {
    const asked = ++this.#asked;
    const failed = (error: unknown): void =>
      this.#apply({ type: "failed", text: error instanceof Error ? error.message : String(error) });
    let run: DashboardRun | Promise<DashboardRun>;
    try {
      run = this.#options.open(scenario, path === null ? {} : { path });
    } catch (error) {
      return failed(error);
    }
    if (!(run instanceof Promise)) return this.#attach(run, scenario, path);
    const settle = (then: () => void) => {
      // What was asked for since has the place.
      if (asked !== this.#asked || this.#closed) return;
      try {
        then();
        this.#draw();
      } catch (error) {
        this.#fail(error);
      }
    };
    run.then((opened) => settle(() => this.#attach(opened, scenario, path)), (error) => settle(() => failed(error)));
  }

  #attach(run: DashboardRun, scenario: string, path: string | null): void {
    this.#run = run;
    this.#pacer.attach(run);
    this.#sampledAt = run.now;
    this.#apply({ type: "opened", scenario, path, live: run.live(), nowPs: run.now, endPs: run.end, tour: run.tour });
    this.#draw();
  }

  #tick(): void {
    try {
      this.#sample();
      this.#draw();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A new picture if virtual time went on; the pace in any case. */
  #sample(): void {
    const { now, finished } = this.#run;
    const fresh = now !== this.#sampledAt || finished !== this.#model.finished;
    this.#sampledAt = now;
    const live = fresh ? this.#run.live() : null;
    this.#apply({ type: "frame", live, nowPs: now, finished, pace: this.#pacer.pace() });
  }

  #draw(): void {
    this.#terminal.draw(render(this.#model), THEMES[this.#model.theme]);
  }

  /** Stops everything and gives the terminal back before anybody prints anything. */
  #leave(settle: () => void): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#pacer.stop();
    this.#terminal.close();
    settle();
  }
}
