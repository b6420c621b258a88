import process from "node:process";
import v8 from "node:v8";
import { loadChecked } from "../../src/cli/catalogue.ts";
import { SLICE_EVENTS } from "../../src/cli/run_loop.ts";
import { collectAfterBuilding, CompilerRests, HeapWatch } from "../../src/cli/v8.ts";
import { ScenarioError } from "../../src/cluster/scenario_problem.ts";
import { Session } from "../../src/cluster/session.ts";
import { MemoryError } from "../../src/hw/memory.ts";
import { cpuSeconds } from "../measure.ts";
import { type Case, caseScenario, type Stretch, stretchOf } from "./cases.ts";
import { workBetween, workCounts } from "./work_counts.ts";

/** Figures of one run. Rates are of the measured stretch, for each second of wall time and of CPU time of all threads. */
export interface CaseResult {
  /** Fingerprint of all events: two builds that differ in it did different work. */
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly frames: number;
  readonly messages: number;
  readonly wallS: number;
  readonly cpuS: number;
  /** Virtual over wall time; and in a stretch of the same length after it, when V8 has compiled what it will. */
  readonly realtime: number;
  readonly laterRealtime: number;
  readonly framesPerS: number;
  readonly framesPerCpuS: number;
  readonly messagesPerS: number;
  readonly messagesPerCpuS: number;
  readonly eventsPerS: number;
  readonly eventsPerCpuS: number;
  /** Bytes that the emulator copied, and that it compared, for each byte of payload delivered; null without any. */
  readonly copiedPerByte: number | null;
  readonly comparedPerByte: number | null;
  /** Bytes allocated on the engine's heap for each event, most of them garbage; and what the heap holds afterwards. */
  readonly allocatedPerEvent: number;
  readonly heapMB: number;
  /** Most resident memory of the process, and bytes of the emulated world's. */
  readonly residentMB: number;
  readonly arenaMB: number;
  /** Reading the scenario, and building the cluster, milliseconds. */
  readonly setUpMs: number;
  /** From the start of the process to the first frame on a wire, and to the first message delivered; null without one. */
  readonly firstFrameMs: number;
  readonly firstMessageMs: number | null;
}

/** What a case gives: figures, or why it cannot be had. */
export type CaseOutcome = { readonly result: CaseResult } | { readonly skipped: string };

/** Events between two looks for the first frame and the first message. */
const LOOK_EVERY = 500;

/** Runs a case in this process, which should be a new one: its memory is measured. */
export async function runCase(run: Case, stretch: Stretch = stretchOf(run)): Promise<CaseOutcome> {
  try {
    return { result: await runScenario(caseScenario(run, stretch, stretch.measuredMs)) };
  } catch (error) {
    // What the emulator refuses, and worlds that grow too large while endpoints open.
    if (!(error instanceof ScenarioError || error instanceof MemoryError)) throw error;
    return { skipped: error.message.split("\n")[0] };
  }
}

async function runScenario(text: string): Promise<CaseResult> {
  const began = performance.now();
  const scenario = loadChecked(text, "bench.yaml", []);
  const session = new Session(scenario);
  collectAfterBuilding(scenario.guests.length);
  const setUpMs = performance.now() - began;
  const heap = new HeapWatch();
  const first = await warmUp(session, scenario.warmupPs, heap);
  const measuredUntil = (scenario.warmupPs + session.end) / 2;
  const figures = { ...measured(session, measuredUntil, heap), setUpMs, ...first, residentMB: residentMB() };
  const laterRealtime = later(session, heap);
  return { ...figures, laterRealtime, ...memory(session) };
}

/** Goes on to the end of warm-up, with the rests of a run, and notes when what comes first has come. */
async function warmUp(session: Session, until: number, heap: HeapWatch) {
  let firstFrameMs = NaN;
  let firstMessageMs: number | null = null;
  const frames = () => session.cluster.links.some(({ directions }) => directions.some(({ frames }) => frames > 0));
  const rests = CompilerRests.of(session.scenario.guests.length);
  while (session.now < until) {
    const reached = session.advance(until, LOOK_EVERY);
    if (Number.isNaN(firstFrameMs) && frames()) firstFrameMs = performance.now();
    if (firstMessageMs === null && session.messages > 0) firstMessageMs = performance.now();
    if (rests?.due) await rests.look();
    else if (firstMessageMs !== null || reached) advance(session, until, heap);
  }
  return { firstFrameMs, firstMessageMs };
}

/** As a run by the command line does. */
function advance(session: Session, until: number, heap: HeapWatch): void {
  while (!session.advance(until, SLICE_EVENTS)) heap.look();
}

function allocatedBytes(): number {
  return (v8.getHeapStatistics() as unknown as { total_allocated_bytes: number }).total_allocated_bytes;
}

function measured(session: Session, until: number, heap: HeapWatch) {
  const { cluster } = session;
  const { memory } = cluster.world;
  const before = {
    work: workCounts(cluster),
    compared: memory.comparedBytes,
    at: session.now,
    messages: session.messages,
  };
  const allocated = allocatedBytes();
  const cpu = cpuSeconds();
  const wall = performance.now();
  advance(session, until, heap);
  const wallS = (performance.now() - wall) / 1000;
  const cpuS = cpuSeconds() - cpu;
  const allocation = allocatedBytes() - allocated;
  const work = workBetween(before.work, workCounts(cluster));
  const messages = session.messages - before.messages;
  const payload = cluster.guests.reduce((sum, { meter }) => sum + meter.bytes, 0);
  const perByte = (bytes: number) => payload > 0 ? bytes / payload : null;
  return {
    hash: session.fingerprint,
    virtualMs: (session.now - before.at) / 1e9,
    events: work.events,
    frames: work.frames,
    messages,
    wallS,
    cpuS,
    realtime: (session.now - before.at) / 1e12 / wallS,
    framesPerS: work.frames / wallS,
    framesPerCpuS: work.frames / cpuS,
    messagesPerS: messages / wallS,
    messagesPerCpuS: messages / cpuS,
    eventsPerS: work.events / wallS,
    eventsPerCpuS: work.events / cpuS,
    copiedPerByte: perByte(work.copied),
    comparedPerByte: perByte(memory.comparedBytes - before.compared),
    allocatedPerEvent: allocation / work.events,
  };
}

function later(session: Session, heap: HeapWatch): number {
  const from = session.now;
  const wall = performance.now();
  while (!session.finished) advance(session, session.end, heap);
  return (session.now - from) / 1e9 / (performance.now() - wall);
}

function residentMB(): number {
  return process.resourceUsage().maxRSS * 1024 / 1e6;
}

function memory(session: Session) {
  (globalThis as { gc?: () => void }).gc?.();
  return {
    heapMB: Deno.memoryUsage().heapUsed / 1e6,
    arenaMB: session.cluster.world.memory.usedBytes / 1e6,
  };
}
