import { MIB } from "../base/units.ts";
import { scenarioHash } from "../cluster/scenario_hash.ts";
import type { Session } from "../cluster/session.ts";
import { Capture } from "../report/capture.ts";
import { wireText } from "../report/decode.ts";
import { perfettoParts } from "../report/perfetto.ts";
import { Tracer } from "../report/trace/tracer.ts";
import type { Recorder } from "../tui/run.ts";
import { VERSION } from "./version.ts";

/** Bytes of a capture at most; what goes beyond is counted. */
const CAPTURE_LIMIT = 64 * MIB;
/** Rows of a trace at most: about 60 MB of JSON. */
const TRACE_LIMIT = 500_000;

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
  readonly #command: string;
  #stopAt = Infinity;
  #watcher: Watcher | null = null;

  /** `command` says in the file what was run. */
  constructor(session: Session, command: string) {
    this.#session = session;
    this.#command = command;
  }

  /** As the session's. */
  advance(until: number, maxEvents: number): boolean {
    const session = this.#session;
    if (this.#stopAt > until) return session.advance(until, maxEvents);
    const stop = this.#stopAt;
    const reached = session.advance(stop, maxEvents);
    if (!reached) return false;
    this.#end();
    return session.finished || stop >= until;
  }

  /** Exactly one event. */
  step(): void {
    const { events } = this.#session;
    if (this.#stopAt < Infinity) this.advance(this.#stopAt, 1);
    if (this.#session.events === events) this.#session.step();
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
    const { cluster, scenario } = this.#session;
    const taps = cluster.links.map(({ tap }) => tap);
    const capture = new Capture(taps, cluster.world.frames, { snaplen: 0, limitBytes: CAPTURE_LIMIT });
    let until = 0;
    return {
      stop: () => {
        capture.stop();
        until = this.#session.now;
      },
      file: () => {
        const about = {
          hardware: `emulated machines of profile ${cluster.profile.name}`,
          os: "virtual time",
          application: `mxtop ${VERSION}`,
          comment: [
            this.#command,
            `scenario ${scenario.name}, hash ${scenarioHash(scenario)}, seed ${scenario.seed}`,
            wireText(cluster.world.mx),
          ].join("\n"),
        };
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
        const { scenario } = session;
        const { log, until } = tracer;
        const meta = {
          program: `mxtop ${VERSION}`,
          command: this.#command,
          scenario: scenario.name,
          path: scenario.path,
          seed: String(scenario.seed),
          virtual_from_ns: String(log.from / 1000),
          virtual_until_ns: String(until / 1000),
          fingerprint: session.fingerprint,
          cut: String(log.isFull),
        };
        const cut = log.isFull ? ", full before its time" : "";
        return { parts: perfettoParts(log, meta), note: `${log.events} events${cut}; open it in ui.perfetto.dev` };
      },
    };
  }
}
