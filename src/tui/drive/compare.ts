import { ProgramFault } from "../../base/assert.ts";
import type { Input } from "../../cluster/input.ts";
import type { Summary } from "../../report/summary.ts";
import type { ComparedPath, ComparePoint, CompareState } from "../compare/state.ts";
import type { World } from "../modes/menu_state.ts";
import type { DashboardRun } from "../run.ts";
import type { Setting } from "../settings.ts";
import { Group, type GroupRun } from "./group.ts";

/** Points kept for the charts of each path. */
const POINTS = 600;
/** What the key for one step runs, picoseconds. */
const STEP_PS = 1e9;
/** A step runs in slices of about this much wall time, so that keys are answered meanwhile. */
const SLICE_MS = 12;
const SLICE_EVENTS = 200;

/** Gives back what runs have, one for each turn of the event loop: nobody sees how much it is, or would hurry. */
async function letGo(members: readonly Member[]): Promise<void> {
  for (const { run } of members) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    run?.release();
  }
}

const OF_PATHS = "paths are what is compared here; choose them with 1 to 8";

function setsPath(input: Input): boolean {
  return input.kind === "set" && input.assignments.some((text) => /^\s*path\s*=/.test(text));
}

/** Something that was done to all runs alike, and its number, from 1. */
interface Done {
  readonly atPs: number;
  readonly input: Input;
  readonly number: number;
}

/** One path of the comparison, from the wish for it to the end of its run. */
class Member implements GroupRun {
  readonly path: string;
  run: DashboardRun | null = null;
  problem: string | null = null;
  summary: Summary | null = null;
  readonly points: ComparePoint[] = [];
  /** What is still to be done to it: it was not there yet when the others had it done to them. */
  readonly #due: Done[];
  /** By the comparison's number of an input, the run's own: it does not count what it refused. */
  readonly #numbers = new Map<number, number>();
  /** Virtual time and end of the run at the last look. */
  #lookedAt = -1;
  #lookedOver = false;

  constructor(path: string, due: readonly Done[]) {
    this.path = path;
    this.#due = [...due];
  }

  get now(): number {
    return this.run?.now ?? 0;
  }

  get end(): number {
    return this.run?.end ?? 0;
  }

  get finished(): boolean {
    return this.run?.finished ?? true;
  }

  get events(): number {
    return this.run?.events ?? 0;
  }

  advance(until: number, maxEvents: number): boolean {
    const run = this.run!;
    const before = run.events;
    for (let due = this.#due[0]; due !== undefined && due.atPs <= until; due = this.#due[0]) {
      if (!run.advance(due.atPs, maxEvents - (run.events - before))) return false;
      const problem = this.apply(due);
      if (problem !== null) this.problem = problem;
      this.#due.shift();
    }
    return run.advance(until, maxEvents - (run.events - before));
  }

  /** Does something to its run, at this instant; null, or why it cannot be. What it refused needs no end. */
  apply({ input, number }: Done): string | null {
    const run = this.run!;
    const ended = input.kind === "end" ? this.#numbers.get(input.input) : null;
    if (ended === undefined) return null;
    const problem = run.apply(ended === null ? input : { kind: "end", input: ended });
    if (problem === null) this.#numbers.set(number, run.inputs.length);
    return problem;
  }

  /** Numbers of the comparison's inputs whose effect goes on here. */
  get lasting(): number[] {
    const own = this.run?.lasting ?? [];
    return [...this.#numbers].filter(([, number]) => own.includes(number)).map(([number]) => number);
  }

  /** A new point of the charts if virtual time went on. */
  look(): void {
    const { run, now } = this;
    const moved = now !== this.#lookedAt;
    if (run === null || (!moved && run.finished === this.#lookedOver)) return;
    this.#lookedOver = run.finished;
    this.#lookedAt = now;
    this.summary = run.summary();
    const { latest } = this.summary;
    if (latest === null || latest.at_ns === this.points.at(-1)?.at_ns) return;
    this.points.push(latest);
    if (this.points.length > POINTS) this.points.shift();
  }
}

/**
 * Sees to it that the runs exist which the model wants compared, drives them on one clock, and looks at them. Runs are
 * built one for each turn of the event loop, so that keys are answered in between; the clock stands until all are there.
 */
export class CompareDrive {
  readonly group: Group<Member> = new Group();
  readonly #open: (path: string) => DashboardRun | Promise<DashboardRun>;
  readonly #failed: (error: unknown) => void;
  #members: Member[] = [];
  readonly #done: Done[] = [];
  readonly #scenario: string;
  readonly #round: number;
  #opening = false;
  #closed = false;
  #stepTo = -1;

  /** `failed` gets what is wrong with us, not with a scenario. */
  constructor(
    state: CompareState,
    scenario: string,
    open: (path: string) => DashboardRun | Promise<DashboardRun>,
    failed: (error: unknown) => void,
  ) {
    this.#scenario = scenario;
    this.#round = state.round;
    this.#open = open;
    this.#failed = failed;
    this.follow(state, scenario, true);
  }

  /**
   * Takes up and leaves out paths as the model wants it; whether this is still the comparison that it wants at all. While
   * time stands, all runs stand at the same instant.
   */
  follow({ open, round, chosen }: CompareState, scenario: string, running: boolean): boolean {
    if (!open || round !== this.#round || scenario !== this.#scenario) return false;
    if (running) this.#stepTo = -1;
    else if (this.#stepTo < 0) this.group.align();
    const left = this.#members.filter(({ path }) => !chosen.includes(path));
    for (const member of left) this.group.remove(member);
    if (left.length > 0) void letGo(left);
    this.#members = chosen.map((path) =>
      this.#members.find((member) => member.path === path) ?? new Member(path, this.#done)
    );
    this.#openNext();
    return true;
  }

  /** What each path has come to; runs whose time went on are looked at. */
  look(): ComparedPath[] {
    return this.#members.map((member) => {
      member.look();
      const { path, problem, summary, points } = member;
      const state = this.#stateOf(member);
      const progress = this.group.now > 0 ? Math.min(1, member.now / this.group.now) : 0;
      return { path, problem, summary, points, state, progress };
    });
  }

  /** Does something to all runs at one instant: whether any took it, and what stands in the way of which. */
  apply(input: Input): { readonly isDone: boolean; readonly problem: string | null } {
    const refused = (problem: string) => ({ isDone: false, problem });
    if (this.group.held || this.#members.some((member) => this.group.isLate(member))) {
      return refused("not all paths are on time yet");
    }
    if (setsPath(input)) return refused(OF_PATHS);
    this.group.align();
    const running = this.#members.filter(({ run }) => run !== null && !run.finished);
    const done: Done = { atPs: this.group.now, input, number: this.#done.length + 1 };
    const problems = running.flatMap((member) => {
      const problem = member.apply(done);
      return problem === null ? [] : [`${member.path}: ${problem}`];
    });
    const isDone = problems.length < running.length;
    if (isDone) this.#done.push(done);
    return { isDone, problem: problems.length === 0 ? null : problems.join("; ") };
  }

  /** Why no run at all would take it; null where one would. */
  check(input: Input): string | null {
    if (setsPath(input)) return OF_PATHS;
    const running = this.#members.filter(({ run }) => run !== null && !run.finished);
    const problems = running.map(({ path, run }) => ({ path, problem: run!.check?.(input) ?? null }));
    if (problems.some(({ problem }) => problem === null)) return null;
    return problems.map(({ path, problem }) => `${path}: ${problem}`).join("; ") || null;
  }

  /** What the menu must know: what was done here, what of that goes on somewhere, and what can be set on any path. */
  get world(): World {
    const settings = new Map<string, Setting>();
    for (const { run } of this.#members) {
      for (const setting of run?.settings?.() ?? []) {
        if (setting.key !== "path" && !settings.has(setting.key)) settings.set(setting.key, setting);
      }
    }
    const lasting = new Set(this.#members.flatMap((member) => member.lasting));
    return {
      settings: [...settings.values()],
      inputs: this.#done.map(({ atPs, input }) => ({ atPs, input, events: 0 })),
      lasting: [...lasting].sort((a, b) => a - b),
    };
  }

  /** Runs a millisecond more of all paths and stands then. Steps that are asked for meanwhile add up. */
  step(): void {
    const waiting = this.#stepTo > this.group.now;
    this.#stepTo = (waiting ? this.#stepTo : this.group.now) + STEP_PS;
    if (!waiting) this.#stepOn();
  }

  close(): void {
    this.#closed = true;
    this.#stepTo = -1;
    void letGo(this.#members);
    this.#members = [];
  }

  #stepOn(): void {
    if (this.#closed || this.#stepTo < 0) return;
    try {
      const start = performance.now();
      while (performance.now() - start < SLICE_MS) {
        if (!this.group.advance(this.#stepTo, SLICE_EVENTS)) continue;
        this.#stepTo = -1;
        return;
      }
      setTimeout(() => this.#stepOn(), 0);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Opens the next run that is missing, and so on, one at a time. */
  #openNext(): void {
    const next = this.#members.find(({ run, problem }) => run === null && problem === null);
    // Before the first instant, whoever is ready waits for the others; later on, who comes late makes up for it.
    this.group.held = next !== undefined && this.group.now === 0;
    if (next === undefined || this.#opening || this.#closed) return;
    this.#opening = true;
    setTimeout(async () => {
      try {
        const run = await this.#open(next.path);
        next.run = run;
        if (this.#members.includes(next)) this.group.add(next);
        else void letGo([next]);
      } catch (error) {
        if (error instanceof ProgramFault) return this.#failed(error);
        next.problem = error instanceof Error ? error.message : String(error);
      }
      this.#opening = false;
      try {
        this.#openNext();
      } catch (error) {
        this.#failed(error);
      }
    }, 0);
  }

  #stateOf(member: Member): ComparedPath["state"] {
    if (member.run === null) return member.problem === null ? "opening" : "refused";
    if (member.finished) return "over";
    return this.group.isLate(member) ? "late" : "on time";
  }
}
