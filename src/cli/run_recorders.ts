import { MIB } from "../base/units.ts";
import type { Session } from "../cluster/session.ts";
import { Capture } from "../report/capture.ts";
import { perfettoParts } from "../report/perfetto.ts";
import { Tracer } from "../report/trace/tracer.ts";
import type { Recorder } from "../tui/run.ts";
import { captureAbout, traceMeta } from "./about.ts";

/** Bytes of a capture at most; what goes beyond is counted. */
const CAPTURE_LIMIT = 64 * MIB;
/** Rows of a trace at most: about 60 MB of JSON. */
const TRACE_LIMIT = 500_000;

/** Moves a session: itself, or the player of a log. */
export type Driver = Pick<Session, "advance" | "step">;

/** What looks on, and how it ends. */
interface Watcher {
  stop(): void;
  file(): { parts: Iterable<string | Uint8Array>; note: string };
}

/**
 * A session that can be looked at for a stretch of virtual time: it is driven through here, so that a recording ends at
 * its very instant however long the slices are.
 */
export class RunRecorders {
  readonly #session: Session;
  readonly #driver: Driver;
  readonly #command: string;
  #stopAt = Infinity;
  #watcher: Watcher | null = null;

  /** `command` says in the file what was run. `driver` moves the session, where that is not its own affair. */
  constructor(session: Session, command: string, driver: Driver = session) {
    this.#driver = driver;
    this.#session = session;
    this.#command = command;
  }

  /** As the session's. */
  advance(until: number, maxEvents: number): boolean {
    const session = this.#session;
    if (this.#stopAt > until) return this.#driver.advance(until, maxEvents);
    const stop = this.#stopAt;
    const reached = this.#driver.advance(stop, maxEvents);
    if (!reached) return false;
    this.#end();
    return session.finished || stop >= until;
  }

  /** Exactly one event. */
  step(): void {
    const { events } = this.#session;
    if (this.#stopAt < Infinity) this.advance(this.#stopAt, 1);
    if (this.#session.events === events) this.#driver.step();
  }

  /** Begins; why it cannot, in one line. One at a time. */
  record(kind: "capture" | "trace", forPs: number): Recorder | string {
    const session = this.#session;
    if (session.finished) return "the run is over";
    if (this.#watcher !== null) return "another recording goes on";
    if (kind === "capture" && session.cluster.links.length === 0) return "the scenario has no wire";
    const watcher = kind === "capture" ? this.#capture() : this.#trace();
    this.#watcher = watcher;
    this.#stopAt = session.now + forPs;
    let isOver = false;
    const end = watcher.stop;
    watcher.stop = () => {
      isOver = true;
      end();
    };
    return {
      get done() {
        return isOver;
      },
      finish: () => {
        if (!isOver) this.#end();
        return watcher.file();
      },
    };
  }

  #end(): void {
    this.#stopAt = Infinity;
    this.#watcher?.stop();
    this.#watcher = null;
  }

  #capture(): Watcher {
    const session = this.#session;
    const { cluster } = session;
    const taps = cluster.links.map(({ tap }) => tap);
    const capture = new Capture(taps, cluster.world.frames, { snaplen: 0, limitBytes: CAPTURE_LIMIT });
    let until = 0;
    return {
      stop: () => {
        capture.stop();
        until = session.now;
      },
      file: () => {
        const about = captureAbout(session, this.#command);
        const dropped = capture.dropped > 0 ? `, ${capture.dropped} found no room` : "";
        return { parts: capture.file(about, until), note: `${capture.kept} frames${dropped}` };
      },
    };
  }

  #trace(): Watcher {
    const session = this.#session;
    const tracer = new Tracer(session, TRACE_LIMIT);
    return {
      stop: () => tracer.stop(),
      file: () => {
        const { log } = tracer;
        const meta = traceMeta(session, this.#command, tracer);
        const cut = log.isFull ? ", full before its time" : "";
        return { parts: perfettoParts(log, meta), note: `${log.events} events${cut}; open it in ui.perfetto.dev` };
      },
    };
  }
}
