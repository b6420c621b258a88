import type { Paced } from "../pacer.ts";

/** A run of a group: what the clock of a group needs to know of it. */
export interface GroupRun extends Paced {
  /** Events that have run. */
  readonly events: number;
}

/** A round of all runs should take about this many events: less wall time than a picture stands. */
const ROUND_EVENTS = 4000;
/** How far a run may be ahead of another, picoseconds. Rounds are shorter where events are dense. */
export const LONGEST_ROUND_PS = 10e9;
const SHORTEST_ROUND_PS = 1e6;
const LATE_ROUND_PS = 1e9;

/**
 * Several runs on one clock. They go on in rounds: nobody begins the next one before all are through with this one, so
 * that none is ever ahead of another by more than a round. How long a round is follows from what it costs. The runs
 * know nothing of each other: each does what it would do alone.
 *
 * A run that joins late is behind. Until it is where the clock is, the clock stands and only such runs go on.
 */
export class Group<Run extends GroupRun = GroupRun> implements Paced {
  #runs: Run[] = [];
  readonly #late = new Set<Run>();
  /** Whose turn it is in this round: an index. */
  #turn = 0;
  /** Virtual time where this round began and where it ends, how long a whole one is, and events that it took so far. */
  #began = 0;
  #goal = 0;
  #round = SHORTEST_ROUND_PS;
  #used = 0;
  /** Time goes on for everybody together, and never back, whoever joins and leaves. */
  #now = 0;
  /** While true, nothing goes on: somebody is still to join. */
  held = false;

  /** The time that all have reached, but for those that are late. */
  get now(): number {
    return this.#now;
  }

  get end(): number {
    return this.#runs.reduce((end, run) => Math.max(end, run.end), 0);
  }

  /** Every run is over; a group without runs is not. */
  get finished(): boolean {
    return this.#runs.length > 0 && !this.held && this.#runs.every((run) => run.finished);
  }

  /** How far the furthest run is ahead of the clock, picoseconds. */
  get spread(): number {
    return this.#frontier() - this.#now;
  }

  /** The run is late when the clock is not where it is. */
  add(run: Run): void {
    this.#runs.push(run);
    if (run.now < this.#now) this.#late.add(run);
  }

  remove(run: Run): void {
    this.#runs = this.#runs.filter((other) => other !== run);
    this.#late.delete(run);
    this.#turn = 0;
    this.#tick();
  }

  isLate(run: Run): boolean {
    return this.#late.has(run);
  }

  /** Runs until all have reached `until`, at most about `maxEvents` events in all; whether they have. */
  advance(until: number, maxEvents: number): boolean {
    if (this.held || this.#runs.length === 0) return true;
    let left = maxEvents;
    for (;;) {
      if (this.#late.size > 0) {
        left -= this.#through(this.#lateGoal(), left, (run) => this.#late.has(run));
        for (const run of this.#late) if (run.finished || run.now >= this.#now) this.#late.delete(run);
        if (left <= 0) return false;
        if (this.#late.size > 0) continue;
      }
      if (this.#now >= this.#goal) this.#begin(until);
      // Who is ahead, because `until` was later before, is waited for.
      const goal = Math.min(this.#goal, Math.max(until, this.#frontier()));
      const used = this.#through(goal, left, ON_TIME);
      left -= used;
      this.#used += used;
      this.#tick();
      if (this.#now >= until || this.finished) return true;
      if (left <= 0) return false;
    }
  }

  /** Brings all that are not late to the same instant, that of the one which is furthest: less than a round. */
  align(): void {
    this.#through(this.#frontier(), Infinity, (run) => !this.#late.has(run));
    this.#tick();
  }

  /**
   * Lets those that `may` go on to `goal`, one after the other, each as far as the events suffice: alternating more often
   * would only cost the caches. Returns how many events it took.
   */
  #through(goal: number, maxEvents: number, may: (run: Run) => boolean): number {
    const runs = this.#runs;
    let used = 0;
    for (let there = 0; there < runs.length && used < maxEvents;) {
      const run = runs[this.#turn];
      if (!run.finished && run.now < goal && may(run)) {
        const before = run.events;
        run.advance(goal, maxEvents - used);
        // A call costs something too, even when there was nothing to do.
        used += Math.max(1, run.events - before);
        if (!run.finished && run.now < goal) continue;
      }
      there++;
      this.#turn = (this.#turn + 1) % runs.length;
    }
    return used;
  }

  /** Late ones go on in rounds too, the last one first. */
  #lateGoal(): number {
    let least = this.#now;
    for (const run of this.#late) least = Math.min(least, run.now);
    return Math.min(this.#now, least + LATE_ROUND_PS);
  }

  /** Where the furthest one is. */
  #frontier(): number {
    let furthest = this.#now;
    for (const run of this.#runs) if (!run.finished) furthest = Math.max(furthest, run.now);
    return furthest;
  }

  /** Sets the clock to where all have been, or to the latest end when all are through. */
  #tick(): void {
    let least = Infinity;
    let latest = this.#now;
    for (const run of this.#runs) {
      if (run.finished) latest = Math.max(latest, run.now);
      else if (!this.#late.has(run)) least = Math.min(least, run.now);
    }
    this.#now = Math.max(this.#now, least === Infinity ? latest : least);
  }

  /** A round is longer or shorter than the one before, when that took too few or too many events. */
  #begin(until: number): void {
    // What `until` has cut short says nothing of a whole one.
    const whole = this.#goal - this.#began >= this.#round;
    if (this.#used > ROUND_EVENTS) this.#round = Math.max(SHORTEST_ROUND_PS, this.#round / 2);
    else if (whole && this.#used < ROUND_EVENTS / 4) this.#round = Math.min(LONGEST_ROUND_PS, this.#round * 2);
    this.#began = this.#now;
    this.#goal = Math.min(until, this.#now + this.#round);
    this.#used = 0;
  }
}

const ON_TIME = () => true;
