import process from "node:process";
import { AnatomyDrive } from "./drive/anatomy.ts";
import { CompareDrive } from "./drive/compare.ts";
import { Exporter } from "./drive/export.ts";
import { performMenu, performOnAll, replayMessage } from "./drive/inputs.ts";
import { Opener } from "./drive/open.ts";
import { Ticker } from "./drive/ticker.ts";
import { Timings } from "./drive/timings.ts";
import { type TravelHost, Traveller } from "./drive/travel.ts";
import { alone, initialModel, looksOther, type Model, SPEEDS } from "./model.ts";
import type { DashboardOptions } from "./options.ts";
import { Pacer, WALL_CLOCK } from "./pacer.ts";
import type { DashboardRun } from "./run.ts";
import { render } from "./screen.ts";
import { isInteractive, Terminal } from "./terminal.ts";
import { THEMES } from "./theme.ts";
import { update } from "./update.ts";
import type { Effect, Message } from "./message.ts";

/** Wall time between two pictures of a running cluster. Keys are answered at once. */
const FRAME_MS = 100;
/** Pictures that are drawn whole after something else has written on the screen: it may do so a little late. */
const REPAINTS = 3;
/** A terminal that did not read for longer is worth a word. */
const STALL_MS = 1000;
/** And was not our own fault: while we did something else, hardly any picture was left out. */
const STALL_PICTURES = 5;
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

/** CPU time that the process has used. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Joins the pure parts to the world: messages in, effects and pictures out. */
class Dashboard {
  readonly done: Promise<number>;
  readonly #options: DashboardOptions;
  readonly #terminal: Terminal;
  readonly #pacer: Pacer;
  readonly #opener: Opener;
  readonly #traveller: Traveller;
  readonly #anatomy: AnatomyDrive;
  readonly #timer: Ticker;
  readonly #timings = new Timings(() => performance.now(), cpuMs);
  readonly #exporter: Exporter;
  #run: DashboardRun;
  /** The comparison while there is one: it has the clock then, and the single run stands still. */
  #compare: CompareDrive | null = null;
  #model: Model;
  /** Virtual time of the picture in the model: a run that stands still is not sampled again. */
  #sampledAt = -1;
  /** Of {@link DashboardOptions.disturbances}, as last seen, and how often the screen is still to be drawn anew. */
  #disturbances = 0;
  #redraws = 0;
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
    this.#exporter = new Exporter(
      options.files ?? null,
      (level, text) => this.#dispatch({ type: "notice", level, text }),
    );
    this.#pacer = new Pacer(WALL_CLOCK, (error) => this.#fail(error));
    this.#opener = new Opener(options, {
      attach: (opened, scenario, path) => this.#attach(opened, scenario, path),
      apply: (message) => this.#apply(message),
      draw: () => this.#draw(),
      fail: (error) => this.#fail(error),
    });
    this.#traveller = new Traveller(this.#travelHost(), WALL_CLOCK);
    this.#anatomy = new AnatomyDrive(
      async (scenario, path) => this.#run.anatomy?.(path) ?? await options.anatomy(scenario, path),
      (message) => this.#closed || this.#dispatch(message),
      (error) => this.#fail(error),
    );
    const theme = options.theme ?? (Deno.noColor ? "monochrome" : "standard");
    this.#terminal = new Terminal({
      key: (key) => this.#dispatch({ type: "key", key }),
      paste: (text) => this.#dispatch({ type: "paste", text }),
      mouse: (kind, x, y) => this.#dispatch({ type: "mouse", kind, x, y }),
      resize: (columns, rows) => this.#dispatch({ type: "resize", columns, rows }),
      signal: (code) => this.#finish(code),
      drained: (ms, leftOut) => this.#drained(ms, leftOut),
    });
    this.#model = initialModel({ ...options, theme, ...this.#terminal.size });
    this.#attach(run, options.initial, null);
    this.#timer = new Ticker(WALL_CLOCK, FRAME_MS, () => this.#tick());
  }

  /** One message through the update function, its effects, and the picture that follows. */
  #dispatch(message: Message): void {
    if (this.#closed) return;
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
    this.#timings.look(model.timings !== null);
    this.#followCompare();
    this.#pacer.drive(this.#model.running && !this.#model.finished, SPEEDS[this.#model.speed]);
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "open":
        return this.#opener.open(effect.scenario, effect.path);
      case "step":
        if (this.#compare !== null) return this.#compare.step();
        this.#pacer.stop();
        return this.#traveller.step();
      case "travel":
        if (this.#compare !== null) return;
        this.#pacer.stop();
        return this.#traveller.begin(effect.order);
      case "compare-step":
        return this.#compare?.step();
      case "anatomy":
        return this.#anatomy.record(effect);
      case "redraw":
        return this.#terminal.redraw();
      case "suspend":
        if (!this.#terminal.suspend()) {
          this.#apply({ type: "notice", level: "warn", text: "Ctrl-Z needs the permission --allow-run" });
        }
        return;
      case "apply":
      case "menu-look":
      case "menu-check": {
        const say = (message: Message) => this.#apply(message);
        if (this.#compare !== null) return performOnAll(effect, this.#compare, this.#model, say);
        return performMenu(effect, this.#run, this.#model, say, () => this.#sample());
      }
      case "copy":
        return this.#copy(effect);
      case "mouse":
        return this.#terminal.mouse(effect.on);
      case "export-look":
        return this.#apply({ type: "export-ability", ability: this.#exporter.ability(this.#run) });
      case "export":
        if (this.#compare !== null && effect.kind !== "text") {
          const text = `${effect.kind}: that is of one run; leave the comparison first`;
          return this.#apply({ type: "notice", level: "warn", text });
        }
        return this.#exporter.begin(effect, this.#model, this.#run);
      case "quit":
        return this.#finish(effect.code);
    }
  }

  #attach(run: DashboardRun, scenario: string, path: string | null): void {
    this.#traveller.stop();
    // What was left is not needed any more; its memory is, for the next one.
    if (run !== this.#run) this.#run.release();
    this.#replace(run);
    this.#apply({ type: "opened", scenario, path, live: run.live(), nowPs: run.now, endPs: run.end, tour: run.tour });
    this.#draw();
  }

  #replace(run: DashboardRun): void {
    this.#run = run;
    // One that comes back from another time while paths are compared waits for its turn.
    if (this.#compare === null) this.#pacer.attach(this.#timings.paced(run));
    this.#sampledAt = run.now;
  }

  #travelHost(): TravelHost {
    const run = () => this.#run;
    const model = () => this.#model;
    return {
      get run() {
        return run();
      },
      get model() {
        return model();
      },
      replace: (other) => this.#replace(other),
      sample: () => this.#sample(),
      dispatch: (message) => this.#dispatch(message),
      fail: (error) => this.#fail(error),
    };
  }

  #lookAtDisturbances(): void {
    const count = this.#options.disturbances?.() ?? 0;
    if (count !== this.#disturbances) this.#redraws = REPAINTS;
    this.#disturbances = count;
    if (this.#redraws === 0) return;
    this.#redraws--;
    this.#terminal.repaint();
    this.#draw();
  }

  #tick(): void {
    const before = this.#model;
    try {
      this.#lookAtDisturbances();
      this.#sample();
      this.#exporter.tick(this.#run);
      if (this.#model.timings !== null) this.#apply({ type: "timings", text: this.#timings.report() });
      this.#apply({ type: "tick", wallMs: FRAME_MS });
      if (looksOther(before, this.#model)) this.#draw();
    } catch (error) {
      this.#fail(error);
    }
  }

  #copy({ text, what }: Extract<Effect, { type: "copy" }>): void {
    const lines = text.split("\n").length;
    const [level, said] = this.#terminal.copy(text)
      ? [
        "info",
        `copied the ${what}, ${lines} lines, to the terminal's clipboard (tmux: set -s set-clipboard on)`,
      ] as const
      : ["warn", `the ${what} is too long for a terminal's clipboard; e exports it`] as const;
    this.#apply({ type: "notice", level, text: said });
  }

  /** The terminal reads again: what it missed is drawn now. */
  #drained(ms: number, leftOut: number): void {
    if (ms >= STALL_MS && leftOut >= STALL_PICTURES) this.#dispatch({ type: "stalled", wallMs: ms });
    else this.#draw();
  }

  /** Begins, changes and ends the comparison as the model wants it. */
  #followCompare(): void {
    const { compare, scenario, running } = this.#model;
    if (this.#compare === null ? !compare.open : this.#compare.follow(compare, scenario, running)) {
      // Standing still brings all runs to one instant: the picture is to be of that.
      if (this.#compare !== null && !running && this.#compare.group.now !== this.#model.nowPs) this.#sample();
      return;
    }
    this.#compare?.close();
    const open = (path: string) => this.#options.open(scenario, { path, oneOfMany: true });
    this.#compare = compare.open ? new CompareDrive(compare, scenario, open, (error) => this.#fail(error)) : null;
    this.#pacer.attach(this.#timings.paced(this.#compare?.group ?? this.#run));
    this.#sampledAt = -1;
    if (this.#compare === null) this.#sample();
    else this.#traveller.setAside();
  }

  /** A new picture if virtual time went on; the pace in any case. */
  #sample(): void {
    if (this.#compare !== null) {
      const { now, finished } = this.#compare.group;
      this.#apply({ type: "frame", live: null, nowPs: now, finished, pace: this.#pacer.pace() });
      const compare = this.#compare;
      return this.#apply({ type: "compare", paths: this.#timings.measure("sample", () => compare.look()) });
    }
    const { now, finished } = this.#run;
    const isSeen = alone(this.#model) === (this.#model.live?.guest_stages?.guest ?? null);
    const fresh = now !== this.#sampledAt || finished !== this.#model.finished || !isSeen;
    this.#sampledAt = now;
    const live = fresh ? this.#timings.measure("sample", () => this.#run.live(alone(this.#model))) : null;
    this.#apply({ type: "frame", live, nowPs: now, finished, pace: this.#pacer.pace() });
    this.#apply({ type: "seen", inputs: this.#run.inputs, intervals: this.#run.intervals });
    const followed = replayMessage(this.#run, this.#model);
    if (followed !== null) this.#apply(followed);
  }

  #draw(): void {
    if (!this.#terminal.ready) return;
    const theme = THEMES[this.#model.theme];
    this.#timings.measure("draw", () => this.#terminal.draw(render(this.#model), theme));
  }

  /** Stops everything and gives the terminal back before anybody prints anything. */
  #leave(settle: () => void): void {
    this.#closed = true;
    this.#timer.stop();
    this.#opener.stop();
    this.#traveller.stop();
    this.#compare?.close();
    this.#pacer.stop();
    this.#exporter.close();
    this.#terminal.leave().then(() => {
      this.#options.closed?.(this.#run);
      settle();
    });
  }
}
