import { counted } from "../../base/counted.ts";
import { toJsonWithSeries } from "../../report/json.ts";
import { sampledSeries } from "../../report/live_series.ts";
import { seconds } from "../format.ts";
import type { Model } from "../model.ts";
import type { ExportAbility, ExportKind } from "../modes/export.ts";
import type { DashboardRun, Recorder } from "../run.ts";
import type { Effect } from "../message.ts";

/** Where reports go; the command line knows the file system and its permissions. */
export interface ReportFiles {
  readonly directory: string;
  /** The permission that is missing, in words; null when files can be written. Never asks for it. */
  missing(): string | null;
  /** Begins a new file, under another name when there is one already. Throws an Error with a printable message. */
  create(name: string): ReportFile;
}

export interface ReportFile {
  readonly path: string;
  write(part: string | Uint8Array): void;
  close(): void;
  /** There shall be no file. */
  discard(): void;
}

const SUFFIX: Record<ExportKind, string> = {
  text: "txt",
  json: "json",
  log: "log",
  capture: "pcapng",
  trace: "trace.json",
};
/** A large file is written in turns of about this much wall time, so that keys need not wait for it. */
const TURN_MS = 8;

/** Performs exports: what is there at once, and recordings that end when virtual time has gone on. */
export class Exporter {
  readonly #files: ReportFiles | null;
  readonly #say: (level: "info" | "warn" | "error", text: string) => void;
  #recording: { kind: ExportKind; recorder: Recorder; run: DashboardRun; name: string; untilPs: number } | null = null;
  /** What is left of a file that is being written. */
  #rest: (() => boolean) | null = null;

  /** Without `files` nothing can be written, and the menu says so. */
  constructor(files: ReportFiles | null, say: (level: "info" | "warn" | "error", text: string) => void) {
    this.#files = files;
    this.#say = say;
  }

  /** What stands in the way of each kind. */
  ability(run: DashboardRun): ExportAbility {
    const kinds: Partial<Record<ExportKind, string>> = {};
    if (run.inputLog === undefined) kinds.log = "this run has no log of inputs";
    const recording = this.#recording;
    for (const kind of ["capture", "trace"] as const) {
      if (run.record === undefined) kinds[kind] = "this run cannot be recorded";
      else if (recording !== null) kinds[kind] = `a ${recording.kind} goes on until ${seconds(recording.untilPs, 6)} s`;
    }
    const files = this.#files === null ? "there is no place for files" : this.#files.missing();
    return { files, kinds, directory: this.#files?.directory ?? "" };
  }

  begin({ kind, forPs, screen }: Extract<Effect, { type: "export" }>, model: Model, run: DashboardRun): void {
    const { files, kinds } = this.ability(run);
    const reason = files ?? kinds[kind] ?? (this.#rest === null ? null : "the file before is not written yet");
    if (reason !== null) return this.#say("warn", `${kind}: ${reason}`);
    const name = fileName(model, kind);
    if (kind === "text") this.#write(name, [screen], "the screen as text");
    else if (kind === "log") this.#write(name, [run.inputLog!()], counted(run.inputs.length, "input"));
    else if (kind === "json") {
      if (model.live === null) return this.#say("warn", "json: there is no snapshot yet");
      const { snapshot, samples } = model.live;
      const series = sampledSeries(run.intervals, samples);
      const note = `snapshot at ${seconds(model.nowPs, 6)} s, with ${counted(series.length, "sample")} of its charts`;
      this.#write(name, [toJsonWithSeries(snapshot, series)], note);
    } else this.#record(kind, forPs, name, model, run);
  }

  /** Looks whether a recording is over: its time has come, or its run is no longer the one on the screen. */
  tick(run: DashboardRun): void {
    const recording = this.#recording;
    if (recording === null || this.#rest !== null) return;
    if (recording.recorder.done || recording.run !== run || run.finished) this.#finish();
  }

  /** Ends what goes on, at once: files are complete when the dashboard is left. */
  close(): void {
    const goOn = () => {
      while (this.#rest !== null && !this.#rest());
    };
    goOn();
    if (this.#recording !== null) this.#finish();
    goOn();
  }

  #record(kind: "capture" | "trace", forPs: number, name: string, model: Model, run: DashboardRun): void {
    const recorder = run.record!(kind, forPs);
    if (typeof recorder === "string") return this.#say("warn", `${kind}: ${recorder}`);
    const untilPs = run.now + forPs;
    this.#recording = { kind, recorder, run, name, untilPs };
    const when = model.running ? "" : "; space lets the run go on";
    this.#say("info", `${kind} until ${seconds(untilPs, 6)} s of virtual time${when}`);
  }

  #finish(): void {
    const { recorder, name } = this.#recording!;
    this.#recording = null;
    const { parts, note } = recorder.finish();
    this.#write(name, parts, note);
  }

  #write(name: string, parts: Iterable<string | Uint8Array>, note: string): void {
    let file: ReportFile;
    try {
      file = this.#files!.create(name);
    } catch (error) {
      return this.#say("error", messageOf(error));
    }
    const iterator = parts[Symbol.iterator]();
    /** Writes one part; whether that was the last. */
    this.#rest = () => {
      try {
        const next = iterator.next();
        if (next.done !== true) return file.write(next.value), false;
        file.close();
        this.#say("info", `wrote ${file.path}: ${note}`);
      } catch (error) {
        file.discard();
        this.#say("error", `${file.path}: ${messageOf(error)}`);
      }
      this.#rest = null;
      return true;
    };
    this.#pump();
  }

  #pump(): void {
    const end = performance.now() + TURN_MS;
    while (this.#rest !== null && performance.now() < end) this.#rest();
    if (this.#rest !== null) setTimeout(() => this.#pump(), 0);
  }
}

/** Scenario, path and virtual time; nothing that a file system or a shell could mind. */
function fileName({ live, scenario, nowPs }: Model, kind: ExportKind): string {
  const about = live?.snapshot.scenario;
  const words = [about?.name ?? scenario, about?.path ?? "", `${(nowPs / 1e12).toFixed(6)}s`];
  const clean = words.filter((word) => word !== "").map((word) => word.replace(/[^A-Za-z0-9._-]+/g, "-"));
  return `${clean.join("-").replace(/^[.-]+/, "").slice(0, 120)}.${SUFFIX[kind]}`;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
