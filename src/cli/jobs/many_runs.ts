import type { CostRead } from "../../hw/machine_profile.ts";
import type { Snapshot } from "../../report/snapshot.ts";
import { deliverText } from "../deliver.ts";
import { OutputFile } from "../files.ts";
import { ManyProgress } from "../progress.ts";
import { StopSignals } from "../stop_signals.ts";
import { type Job, perform } from "./job.ts";
import { jobCount, sayJobs } from "./job_count.ts";
import { JobPool } from "./pool.ts";

/** How many runs at a time, and where their result goes, as commander delivers it. */
export interface ManyRunsOptions {
  readonly jobs?: string;
  readonly out?: string;
  readonly quiet?: true;
}

/** What there is to know of the runs beforehand. */
export interface RunsAhead {
  /** What the progress line calls them. */
  readonly name: string;
  /** How many, at most. */
  readonly runs: number;
  /** Virtual time of all of them, at most, picoseconds; 0 where that is not known. */
  readonly endPs: number;
}

/**
 * The frame of a command that makes many runs and one result of them: a pool of jobs, a progress line, the signals that
 * stop both, and the file that the result goes to.
 */
export class ManyRuns {
  /** Where the result goes; null is stdout. */
  readonly out: OutputFile | null;
  /** Runs that there are to make, as far as is known. */
  planned: number;
  readonly #signals = new StopSignals();
  readonly #pool: JobPool;
  readonly #progress: ManyProgress | null;
  /** Runs that are begun or wait. */
  #asked = 0;

  /** Says on stderr, unless `quiet`, when runs go one after another that need not. Throws UsageError. */
  static async begin(ahead: RunsAhead, options: ManyRunsOptions): Promise<ManyRuns> {
    const count = jobCount(options.jobs, ahead.runs);
    const out = options.out === undefined ? null : new OutputFile(options.out);
    const progress = options.quiet ? null : ManyProgress.onTerminal(ahead.name, ahead.endPs);
    if (!options.quiet) await sayJobs(count, progress !== null);
    return new ManyRuns(ahead.runs, count.jobs, out, progress);
  }

  private constructor(planned: number, jobs: number, out: OutputFile | null, progress: ManyProgress | null) {
    this.planned = planned;
    this.out = out;
    this.#progress = progress;
    this.#pool = new JobPool(jobs, this.#signals);
  }

  /** Exit code of the signal that came, null as long as none did. */
  get stopCode(): number | null {
    return this.#signals.exitCode;
  }

  /**
   * All results, each as soon as those before it are there; null where nothing was done when a signal came. Throws what
   * a run throws: who comes first in the order is heard first.
   */
  async *inOrder(jobs: readonly Job[]): AsyncGenerator<Snapshot | null> {
    const running = jobs.map((job) => this.#counted((run) => this.#pool.run(job, this.#teller(run))));
    // Another's failure waits.
    for (const snapshot of running) snapshot.catch(() => {});
    for (const snapshot of running) yield await snapshot;
  }

  /** The result of one run in this thread, which tells of each cost that it reads; null as above. */
  watched(job: Job, costRead: CostRead): Promise<Snapshot | null> {
    return this.#counted((run) => perform(job, this.#signals, this.#teller(run), costRead));
  }

  async #counted(make: (run: number) => Promise<Snapshot | null>): Promise<Snapshot | null> {
    const run = this.#asked++;
    const snapshot = await make(run);
    if (snapshot !== null && !snapshot.partial) this.#progress?.through(run, snapshot.virtual_ns * 1000, this.planned);
    return snapshot;
  }

  #teller(run: number) {
    return (nowPs: number, endPs: number) => this.#progress?.at(run, nowPs, endPs, this.planned);
  }

  /** Makes no more of them: nobody wants them. */
  stop(): void {
    this.#progress?.clear();
    this.#pool.stop();
  }

  /** Writes the result where it was asked for, as {@link deliverText} does. */
  deliver(text: string): Promise<boolean> {
    this.#progress?.clear();
    return deliverText(text, this.out);
  }

  /** Ends all runs, whatever they are doing, and takes the progress line away. */
  close(): void {
    this.#progress?.clear();
    this.#pool.close();
    this.#signals.release();
  }
}
