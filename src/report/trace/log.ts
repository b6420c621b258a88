import type { TraceArgs, TraceCounter, TraceTrack } from "../../sim/trace.ts";

/*
 * What a trace has seen, in the order in which it was told, which is not quite the order of time: bursts run ahead.
 * A row is one entry of each of these columns.
 *
 *   kind   SLICE     track  name  category  at (ps)  value: duration (ps)        args or -1
 *          INSTANT   track  name  -         at       -
 *          SET, ADD  counter -    -         at       value: of the counter, or difference
 *
 * Flows are few beside rows and are objects.
 */
export const SLICE = 0;
export const INSTANT = 1;
const SET = 2;
export const ADD = 3;

/** A group of rows of the picture: a host, a guest, the wires. */
export interface LogProcess {
  readonly pid: number;
  readonly name: string;
}

/** A curve of a process: `name` says of what, `series` which figure of it. */
export interface LogCounter {
  readonly process: LogProcess;
  readonly name: string;
  readonly series: string;
}

/** Where a message was at work at an instant: in the slice of that track that holds the instant. */
export interface FlowPoint {
  readonly track: LogTrack;
  /** Picoseconds. */
  readonly at: number;
}

/** All that a trace has seen, bounded: when it is full, somebody is told, and what comes is dropped. */
export class TraceLog {
  readonly processes: LogProcess[] = [];
  readonly tracks: LogTrack[] = [];
  readonly counters: LogCounter[] = [];
  /** Each follows one message from send to receive, in order of completion. */
  readonly flows: (readonly FlowPoint[])[] = [];
  readonly names: string[] = [];
  readonly args: TraceArgs[] = [];
  /** Number of rows. */
  length = 0;
  kind: Uint8Array;
  where: Int32Array;
  name: Int32Array;
  category: Int32Array;
  at: Float64Array;
  value: Float64Array;
  arg: Int32Array;
  /** Picoseconds: nothing before it is kept. */
  readonly from: number;
  /** It is full with so many rows and flow points; a flow, and what tracks hold back, may go beyond it. */
  readonly limit: number;
  isFull = false;
  #points = 0;
  readonly #onFull: () => void;
  readonly #numbers = new Map<string, number>();

  constructor(from: number, limit: number, onFull: () => void) {
    this.from = from;
    this.limit = limit;
    this.#onFull = onFull;
    const size = 1024;
    this.kind = new Uint8Array(size);
    this.where = new Int32Array(size);
    this.name = new Int32Array(size);
    this.category = new Int32Array(size);
    this.at = new Float64Array(size);
    this.value = new Float64Array(size);
    this.arg = new Int32Array(size);
  }

  /** Events that a reader of the trace will find, metadata apart; at most, since slices below 0.5 ns are left out. */
  get events(): number {
    return this.length + this.#points;
  }

  process(name: string): LogProcess {
    const process = { pid: this.processes.length + 1, name };
    this.processes.push(process);
    return process;
  }

  track(process: LogProcess, name: string): LogTrack {
    return new LogTrack(this, process, name);
  }

  /** A curve that begins at `value` when the trace does. `now` gives the present instant. */
  counter(process: LogProcess, name: string, series: string, value: number, now: () => number): TraceCounter {
    const index = this.counters.length;
    this.counters.push({ process, name, series });
    this.add(SET, index, 0, 0, this.from, value);
    return {
      set: (value) => this.add(SET, index, 0, 0, now(), value),
      add: (difference) => this.add(ADD, index, 0, 0, now(), difference),
    };
  }

  /** A message. */
  flow(points: readonly FlowPoint[]): void {
    if (this.isFull) return;
    this.flows.push(points);
    this.#points += points.length;
    this.#look();
  }

  /** Number of a name, for the columns. */
  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.names.push(name);
    this.#numbers.set(name, this.names.length - 1);
    return this.names.length - 1;
  }

  add(kind: number, where: number, name: number, category: number, at: number, value: number, args?: TraceArgs): void {
    if (this.isFull) return;
    this.#append(kind, where, name, category, at, value, args);
    this.#look();
  }

  /** Writes down what tracks still hold back to join it with what follows: also when the log is full. */
  close(): void {
    for (const track of this.tracks) {
      const slice = track.takeHeld();
      if (slice === null) continue;
      const { name, category, from, end, args } = slice;
      this.#append(SLICE, track.index, this.number(name), this.number(category), from, end - from, args);
    }
  }

  #look(): void {
    if (this.events < this.limit) return;
    this.isFull = true;
    this.#onFull();
  }

  #append(kind: number, where: number, name: number, category: number, at: number, value: number, args?: TraceArgs) {
    if (this.length === this.kind.length) this.#grow();
    const row = this.length++;
    this.kind[row] = kind;
    this.where[row] = where;
    this.name[row] = name;
    this.category[row] = category;
    this.at[row] = at;
    this.value[row] = value;
    this.arg[row] = args === undefined ? -1 : this.args.push(args) - 1;
  }

  #grow(): void {
    const size = this.length * 2;
    const larger = <T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.kind = larger(this.kind, new Uint8Array(size));
    this.where = larger(this.where, new Int32Array(size));
    this.name = larger(this.name, new Int32Array(size));
    this.category = larger(this.category, new Int32Array(size));
    this.at = larger(this.at, new Float64Array(size));
    this.value = larger(this.value, new Float64Array(size));
    this.arg = larger(this.arg, new Int32Array(size));
  }
}

/** A slice that may still grow. */
interface Held {
  readonly name: string;
  readonly category: string;
  readonly from: number;
  end: number;
  readonly args: TraceArgs | undefined;
}

/** One track of a log. Slices that touch and say the same are one. */
export class LogTrack implements TraceTrack {
  readonly index: number;
  readonly process: LogProcess;
  readonly name: string;
  readonly #log: TraceLog;
  #held: Held | null = null;

  /** Use {@link TraceLog.track}. */
  constructor(log: TraceLog, process: LogProcess, name: string) {
    this.#log = log;
    this.index = log.tracks.push(this) - 1;
    this.process = process;
    this.name = name;
  }

  slice(name: string, category: string, from: number, duration: number, args?: TraceArgs): void {
    const end = from + duration;
    const start = Math.max(from, this.#log.from);
    if (end <= start) return;
    const held = this.#held;
    if (held !== null) {
      const isSame = held.name === name && held.category === category && held.args === undefined && args === undefined;
      if (isSame && held.end === start) {
        held.end = end;
        return;
      }
      const log = this.#log;
      const duration = held.end - held.from;
      log.add(SLICE, this.index, log.number(held.name), log.number(held.category), held.from, duration, held.args);
    }
    this.#held = { name, category, from: start, end, args };
  }

  instant(name: string, at: number): void {
    if (at >= this.#log.from) this.#log.add(INSTANT, this.index, this.#log.number(name), 0, at, 0);
  }

  /** The slice that is held back, which is the caller's now. */
  takeHeld(): Held | null {
    const held = this.#held;
    this.#held = null;
    return held;
  }
}
