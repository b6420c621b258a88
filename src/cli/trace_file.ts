import type { Session } from "../cluster/session.ts";
import { perfettoParts } from "../report/perfetto.ts";
import { Tracer } from "../report/trace/tracer.ts";
import { traceMeta } from "./about.ts";
import { UsageError } from "./exit.ts";
import { OutputFile } from "./files.ts";
import { type Runnable, runnableOver } from "./run_loop.ts";
import type { TraceOptions } from "./run_outputs.ts";
import { timeOption } from "./time_option.ts";

/** A trace that was asked for: where it goes, and which stretch of virtual time it shows. */
export class TraceFile {
  readonly #file: OutputFile;
  readonly #fromPs: number;
  readonly #untilPs: number;
  #tracer: Tracer | null = null;
  #isOver = false;

  /** Null when none was asked for. Throws {@link UsageError} for a bad time, or a file that cannot be written. */
  static of({ trace, traceFrom, traceFor }: TraceOptions): TraceFile | null {
    const from = traceFrom === undefined ? 0 : timeOption("--trace-from", traceFrom);
    const duration = traceFor === undefined ? Infinity : timeOption("--trace-for", traceFor);
    if (trace !== undefined) return new TraceFile(new OutputFile(trace), from, from + duration);
    const orphan = traceFrom !== undefined ? "--trace-from" : "--trace-for";
    if (traceFrom ?? traceFor) throw new UsageError(`${orphan}: found it without --trace; wanted both`);
    return null;
  }

  constructor(file: OutputFile, fromPs: number, untilPs: number) {
    this.#file = file;
    this.#fromPs = fromPs;
    this.#untilPs = untilPs;
  }

  /** It goes on to the end of the run. */
  get isWhole(): boolean {
    return this.#untilPs === Infinity;
  }

  /** The session, or what runs it, for the run's loop, which also stops where the trace begins and ends. */
  watch(session: Session, run: Runnable = session): Runnable {
    const advance = (until: number, maxEvents?: number) => {
      const stop = this.#nextStop();
      const reached = run.advance(Math.min(until, stop), maxEvents);
      if (!reached || run.finished || stop > until) return reached;
      if (this.#tracer === null) this.#tracer = new Tracer(session);
      else this.#end();
      return false; // there is more to run
    };
    return runnableOver(run, { advance });
  }

  #nextStop(): number {
    if (this.#tracer === null) return this.#fromPs;
    return this.#isOver ? Infinity : this.#untilPs;
  }

  #end(): void {
    this.#isOver = true;
    this.#tracer!.stop();
  }

  /** Ends the trace, if it goes on, and writes it; what is to be said of it. Throws {@link UsageError}. */
  finish(session: Session, command: string): string {
    const tracer = this.#tracer ?? new Tracer(session); // it was never begun: an empty one
    tracer.stop();
    const { log, until } = tracer;
    this.#file.write(perfettoParts(log, traceMeta(session, command, tracer)));
    const ms = (ps: number) => `${Number((ps / 1e9).toFixed(6))} ms`;
    if (this.#tracer === null) {
      return `the run ended before ${ms(this.#fromPs)}; the trace in ${this.#file.path} is empty`;
    }
    const span = `${log.events} events, ${ms(log.from)} to ${ms(until)} of virtual time, in ${this.#file.path}`;
    return log.isFull ? `the trace was full and ends before the run: ${span}` : `trace: ${span}`;
  }
}
