import { ADD, type FlowPoint, INSTANT, SLICE, type TraceLog } from "./trace/log.ts";

/*
 * A trace in the Chrome Trace Event Format, which the Perfetto UI opens (ui.perfetto.dev, "Open trace file"). What its
 * importer asks for, beyond what the format says:
 *
 *   - it sorts by `ts`, events of the same `ts` in the order of the file, and takes `ts` and `dur` as double microseconds
 *     times 1000, cut to whole nanoseconds;
 *   - slices of a thread may nest but not overlap;
 *   - a flow event binds to the slice that was begun last on its thread: it has to come after that slice and before the
 *     next one. What takes no time is a slice to it too, and therefore has threads of its own here;
 *   - every event has a category: other readers of the format insist on it;
 *   - `thread_name` names the latest thread with that `tid`, whatever its process: no two threads have the same `tid`.
 */

/** What a trace says of the run that it is of. */
export type TraceMeta = Readonly<Record<string, string>>;

// Kinds of events, in the order in which they stand when they have the same nanosecond.
const FLOW_START = 4;
const FLOW_STEP = 5;
const FLOW_END = 6;
/** Characters of a part, about. */
const PART = 1 << 16;
/** Threads are numbered from here on: a thread with the number of its process would be its main thread. */
const FIRST_TID = 1000;

/** The file, in parts. */
export function* perfettoParts(log: TraceLog, meta: TraceMeta): Iterable<string> {
  const events = new Events(log);
  let part = '{"traceEvents":[\n' + metadata(log, events).join(",\n");
  for (const line of events.lines()) {
    part += `,\n${line}`;
    if (part.length < PART) continue;
    yield part;
    part = "";
  }
  const other = { ...meta, flows: String(events.flows) };
  yield `${part}\n],"displayTimeUnit":"ns","otherData":${JSON.stringify(other)}}\n`;
}

/** Names of processes and threads in which something happened, and their places. */
function metadata(log: TraceLog, events: Events): string[] {
  const lines: string[] = [];
  const line = (name: string, pid: number, tid: number | null, args: Record<string, unknown>) =>
    lines.push(
      JSON.stringify({ ph: "M", pid, ...(tid === null ? {} : { tid }), ts: 0, name, cat: "__metadata", args }),
    );
  for (const { pid, name } of log.processes) {
    if (!events.pids.has(pid)) continue;
    line("process_name", pid, null, { name });
    line("process_sort_index", pid, null, { sort_index: pid });
  }
  for (const { index, process: { pid }, name } of log.tracks) {
    if (events.used[index] === 0) continue;
    line("thread_name", pid, FIRST_TID + index, { name });
    line("thread_sort_index", pid, FIRST_TID + index, { sort_index: index });
  }
  return lines;
}

/**
 * Microseconds with three decimals. Where those, times 1000 as doubles, come to just below the whole number of
 * nanoseconds that they stand for, a tenth of a nanosecond more makes up for it: cut or rounded it is the same number.
 */
export function microseconds(ns: number): string {
  const text = `${Math.floor(ns / 1000)}.${String(ns % 1000).padStart(3, "0")}`;
  return Math.trunc(Number(text) * 1000) === ns ? text : `${text}1`;
}

/** The events of a log in the order of time, with flows bound to slices. */
class Events {
  /** By track: whether there is something on it. */
  readonly used: Uint8Array;
  readonly pids = new Set<number>();
  /** Messages that are followed from one slice to another. */
  flows = 0;
  readonly #log: TraceLog;
  /** Nanoseconds, by row: when it begins and, for a slice, ends. */
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  /** Rows of slices that are drawn, by track, in order of time. */
  readonly #slices: number[][];
  // Flow events: kind, flow, row of the slice, nanosecond.
  readonly #flowKind: number[] = [];
  readonly #flowId: number[] = [];
  readonly #flowRow: number[] = [];
  readonly #flowAt: number[] = [];

  constructor(log: TraceLog) {
    this.#log = log;
    this.used = new Uint8Array(log.tracks.length);
    this.#from = new Float64Array(log.length);
    this.#to = new Float64Array(log.length);
    this.#slices = log.tracks.map(() => []);
    for (let row = 0; row < log.length; row++) this.#place(row);
    for (const points of log.flows) this.#bind(points);
  }

  /** Start and end are rounded each by itself, so that what touched still does. */
  #place(row: number): void {
    const log = this.#log;
    this.#from[row] = Math.round(log.at[row] / 1000);
    this.#to[row] = Math.round((log.at[row] + log.value[row]) / 1000);
    const isSlice = log.kind[row] === SLICE;
    if (isSlice && this.#to[row] === this.#from[row]) return;
    const where = log.where[row];
    if (isSlice) this.#slices[where].push(row);
    if (isSlice || log.kind[row] === INSTANT) this.used[where] = 1;
    this.pids.add((isSlice || log.kind[row] === INSTANT ? log.tracks : log.counters)[where].process.pid);
  }

  /**
   * Finds the slice of each point. Points in the same slice are one; a message that never leaves one has no flow. A point
   * whose slice, in whole nanoseconds, is over when the point before stands is left out.
   */
  #bind(points: readonly FlowPoint[]): void {
    const first = this.#flowRow.length;
    let before = 0;
    for (const { track, at } of points) {
      const row = this.#sliceAt(track.index, at);
      if (row < 0 || (this.#flowRow.length > first && this.#flowRow[this.#flowRow.length - 1] === row)) continue;
      const last = this.#to[row] - 1;
      const ns = Math.max(before, this.#from[row], Math.min(Math.floor(at / 1000), last));
      if (ns > last) continue;
      before = ns;
      this.#flowRow.push(row);
      this.#flowAt.push(ns);
      this.#flowKind.push(FLOW_STEP);
      this.#flowId.push(this.flows + 1);
    }
    const last = this.#flowRow.length - 1;
    if (last <= first) {
      for (const column of [this.#flowRow, this.#flowAt, this.#flowKind, this.#flowId]) column.length = first;
      return;
    }
    this.#flowKind[first] = FLOW_START;
    this.#flowKind[last] = FLOW_END;
    this.flows++;
  }

  /** Row of the slice of a track that holds an instant (picoseconds); -1 when none does. */
  #sliceAt(track: number, at: number): number {
    const rows = this.#slices[track];
    const log = this.#log;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (log.at[rows[middle]] <= at) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return -1;
    const row = rows[low - 1];
    return at < log.at[row] + log.value[row] ? row : -1;
  }

  /** Rows that are drawn, then flow events, in the order of the file. */
  #order(): Uint32Array {
    const { length, kind } = this.#log;
    const total = length + this.#flowRow.length;
    const at = (i: number) => i < length ? this.#from[i] : this.#flowAt[i - length];
    const kindOf = (i: number) => i < length ? kind[i] : this.#flowKind[i - length];
    const order = new Uint32Array(total);
    for (let i = 0; i < total; i++) order[i] = i;
    return order.sort((x, y) => at(x) - at(y) || kindOf(x) - kindOf(y) || x - y);
  }

  *lines(): Iterable<string> {
    const log = this.#log;
    const names = log.names.map((name) => JSON.stringify(name));
    const values = new Float64Array(log.counters.length);
    for (const i of this.#order()) {
      if (i >= log.length) yield this.#flowLine(i - log.length);
      else if (log.kind[i] === SLICE) {
        if (this.#to[i] > this.#from[i]) yield this.#sliceLine(i, names);
      } else if (log.kind[i] === INSTANT) {
        yield `{"ph":"i",${this.#thread(log.where[i], this.#from[i])},"name":${
          names[log.name[i]]
        },"cat":"event","s":"t"}`;
      } else {
        const counter = log.where[i];
        values[counter] = (log.kind[i] === ADD ? values[counter] : 0) + log.value[i];
        yield this.#counterLine(i, values[counter]);
      }
    }
  }

  #thread(track: number, ns: number): string {
    return `"pid":${this.#log.tracks[track].process.pid},"tid":${FIRST_TID + track},"ts":${microseconds(ns)}`;
  }

  #sliceLine(row: number, names: readonly string[]): string {
    const log = this.#log;
    const args = log.arg[row] < 0 ? "" : `,"args":${JSON.stringify(log.args[log.arg[row]])}`;
    return `{"ph":"X",${this.#thread(log.where[row], this.#from[row])},` +
      `"dur":${microseconds(this.#to[row] - this.#from[row])},` +
      `"name":${names[log.name[row]]},"cat":${names[log.category[row]]}${args}}`;
  }

  #counterLine(row: number, value: number): string {
    const { process, name, series } = this.#log.counters[this.#log.where[row]];
    return `{"ph":"C","pid":${process.pid},"ts":${microseconds(this.#from[row])},` +
      `"name":${JSON.stringify(name)},"cat":"counter","args":{${JSON.stringify(series)}:${value}}}`;
  }

  #flowLine(i: number): string {
    const kind = this.#flowKind[i];
    const phase = kind === FLOW_START ? "s" : kind === FLOW_STEP ? "t" : "f";
    const where = this.#thread(this.#log.where[this.#flowRow[i]], this.#flowAt[i]);
    return `{"ph":"${phase}",${where},"id":${this.#flowId[i]},"name":"message","cat":"message","bp":"e"}`;
  }
}
