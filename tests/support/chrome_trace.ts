import assert from "node:assert/strict";

/*
 * Reads a trace as the Perfetto UI's importer does, and holds it to the rules of the format.
 *
 * Trace Event Format: "ts: the tracing clock timestamp of the event ... at microsecond granularity"; a complete event
 * (X) "logically combines a pair of duration (B and E) events" with `dur`; duration events "must be nested" on a
 * thread; flow events s, t, f share `id`, `name` and `cat`, and with `bp: "e"` the binding point is the enclosing slice.
 * Perfetto, "Visualizing external trace formats": its "data model requires duration events to nest, as mandated by the
 * spec. Overlapping, non-nested events are out of spec". Its flow tracker takes the topmost slice of the thread at the
 * flow event's place in the sorted stream, counts `flow_no_enclosing_slice` where there is none, `flow_duplicate_id`
 * for a second s, and `flow_step_without_start` and `flow_end_without_start` for the others.
 */

export interface TraceEvent {
  readonly ph: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts: number;
  readonly dur?: number;
  readonly name: string;
  readonly cat?: string;
  readonly id?: number;
  readonly bp?: string;
  readonly s?: string;
  readonly args?: Readonly<Record<string, string | number>>;
}

/** A slice as the importer has it: whole nanoseconds. */
export interface Slice {
  /** `process/thread`. */
  readonly track: string;
  readonly name: string;
  readonly cat: string;
  readonly from: number;
  readonly to: number;
  readonly args?: TraceEvent["args"];
}

/** A flow: the slices that its events bound to, and their nanoseconds. */
export interface Flow {
  readonly slices: Slice[];
  readonly at: number[];
  done: boolean;
}

export interface ImportedTrace {
  readonly slices: readonly Slice[];
  readonly flows: readonly Flow[];
  /** `process/thread` and name of each event without duration. */
  readonly instants: readonly { track: string; name: string; at: number }[];
  /** Values by `process/name series`. */
  readonly counters: ReadonlyMap<string, readonly { at: number; value: number }[]>;
  readonly otherData: Readonly<Record<string, string>>;
}

/** Double microseconds times 1000, cut: an importer that rounds must come to the same. */
function nanoseconds(us: number): number {
  const ns = Math.trunc(us * 1000);
  assert.equal(Math.round(us * 1000), ns, `${us} us is the same nanosecond cut and rounded`);
  return ns;
}

/** Imports the text of a trace; fails where it breaks a rule. */
export function importTrace(text: string): ImportedTrace {
  const file = JSON.parse(text);
  assert.deepEqual(Object.keys(file), ["traceEvents", "displayTimeUnit", "otherData"]);
  assert.equal(file.displayTimeUnit, "ns");
  const events: TraceEvent[] = file.traceEvents;
  for (const { cat } of events) assert.equal(typeof cat, "string", "every event has a category");
  const { processes, threads } = namesOf(events);
  const trackOf = ({ pid, tid }: TraceEvent) => {
    const thread = threads.get(tid!);
    assert.ok(thread !== undefined && thread.pid === pid, `thread ${tid} of process ${pid} is named`);
    return `${processes.get(pid)}/${thread.name}`;
  };
  const slices: Slice[] = [];
  const instants: { track: string; name: string; at: number }[] = [];
  const counters = new Map<string, { at: number; value: number }[]>();
  const flows = new Map<number, Flow>();
  const top = new Map<string, Slice>();
  let clock = 0;
  for (const event of events.filter(({ ph }) => ph !== "M")) {
    assert.ok(processes.has(event.pid), `process ${event.pid} is named`);
    const at = nanoseconds(event.ts);
    assert.ok(at >= clock, `${event.ts}: events are in the order of time, and none is before 0`);
    clock = at;
    switch (event.ph) {
      case "X": {
        const track = trackOf(event);
        const slice = { track, name: event.name, cat: event.cat!, from: at, to: at + nanoseconds(event.dur!) };
        assert.ok(slice.to > at, "a slice takes time");
        assert.ok(at >= (top.get(track)?.to ?? 0), `${track}: slices overlap at ${at} ns`);
        const whole = event.args === undefined ? slice : { ...slice, args: event.args };
        top.set(track, whole);
        slices.push(whole);
        break;
      }
      case "i":
        assert.equal(event.s, "t");
        assert.ok(!top.has(trackOf(event)), "what takes no time is on a thread of its own");
        instants.push({ track: trackOf(event), name: event.name, at });
        break;
      case "C":
        for (const [series, value] of Object.entries(event.args!)) {
          const name = `${processes.get(event.pid)}/${event.name} ${series}`;
          if (!counters.has(name)) counters.set(name, []);
          counters.get(name)!.push({ at, value: value as number });
        }
        break;
      default:
        follow(event, at, flows, top.get(trackOf(event)));
    }
  }
  for (const [id, { done }] of flows) assert.ok(done, `flow ${id} ends`);
  return { slices, flows: [...flows.values()], instants, counters, otherData: file.otherData };
}

function follow(event: TraceEvent, at: number, flows: Map<number, Flow>, slice: Slice | undefined): void {
  const { ph, id, name, cat, bp } = event;
  assert.ok(["s", "t", "f"].includes(ph), `an event of kind ${ph}`);
  assert.deepEqual([name, cat, bp], ["message", "message", "e"]);
  assert.ok(slice !== undefined && slice.from <= at && at < slice.to, `flow ${id}: no slice at ${at} ns`);
  const known = flows.get(id!);
  assert.equal(known === undefined, ph === "s", `flow ${id} starts once, with s`);
  assert.ok(!known?.done, `flow ${id} goes on after its end`);
  const flow = known ?? { slices: [], at: [], done: false };
  assert.ok(at >= (flow.at.at(-1) ?? 0));
  assert.notEqual(flow.slices.at(-1), slice, "a flow does not lead to where it is");
  flow.slices.push(slice);
  flow.at.push(at);
  flow.done = ph === "f";
  flows.set(id!, flow);
}

function namesOf(events: readonly TraceEvent[]) {
  const processes = new Map<number, string>();
  const threads = new Map<number, { pid: number; name: string }>();
  const sorted = new Set<string>();
  for (const { ph, pid, tid, name, args } of events) {
    if (ph !== "M") continue;
    switch (name) {
      case "process_name":
        assert.ok(!processes.has(pid));
        processes.set(pid, args!.name as string);
        break;
      case "thread_name":
        assert.ok(!threads.has(tid!) && tid !== pid, `thread ${tid} is one of its own, in the whole trace`);
        threads.set(tid!, { pid, name: args!.name as string });
        break;
      default:
        assert.ok(name === "process_sort_index" || name === "thread_sort_index");
        sorted.add(tid === undefined ? `p${pid}` : `t${tid}`);
    }
  }
  assert.equal(sorted.size, processes.size + threads.size, "everything that has a name has a place");
  return { processes, threads };
}
