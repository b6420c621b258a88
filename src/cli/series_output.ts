import { counted } from "../base/counted.ts";
import { formatTime } from "../base/quantity.ts";
import type { Session } from "../cluster/session.ts";
import type { IntervalFigures } from "../report/interval_figures.ts";
import { SHORTEST_PS } from "../report/seen.ts";
import { Series } from "../report/series.ts";
import type { Snapshot } from "../report/snapshot.ts";
import type { RunIdentity } from "../report/take_snapshot.ts";
import { EXIT_OK, UsageError } from "./exit.ts";
import type { OutputFile } from "./files.ts";
import { complain, print } from "./output.ts";
import { type Runnable, runnableOver } from "./run_loop.ts";
import type { StopSignals } from "./stop_signals.ts";
import { timeOption } from "./time_option.ts";
import { VERSION } from "./version.ts";

/** A format as a stream: what is written before the first interval, of each, and at the end. */
interface Form {
  readonly head: string;
  line(interval: IntervalFigures, run: RunIdentity): string;
  tail(snapshot: Snapshot): string;
}

/** Formats that can hold a series, each loaded when it is asked for. */
const FORMS: Readonly<Record<string, () => Promise<Form>>> = {
  json: async () => {
    const { toJsonWithSeries } = await import("../report/json.ts");
    const series: IntervalFigures[] = [];
    return { head: "", line: (interval) => (series.push(interval), ""), tail: (end) => toJsonWithSeries(end, series) };
  },
  ndjson: async () => {
    const { toIntervalLine, toNdjson } = await import("../report/ndjson.ts");
    return { head: "", line: (interval, { scenario }) => toIntervalLine(interval, scenario), tail: toNdjson };
  },
  csv: async () => {
    const [{ csvText }, { SERIES_COLUMNS, seriesRecord }] = await Promise.all([
      import("../report/csv.ts"),
      import("../report/csv_series.ts"),
    ]);
    const line: Form["line"] = (interval, run) => csvText([seriesRecord(interval, run)]);
    return { head: csvText([SERIES_COLUMNS]), line, tail: () => "" };
  },
};

/** Intervals of guests that a single JSON value may hold: at a kilobyte for each, what fits into one text. */
export const JSON_LIMIT = 100_000;
/** What is over goes out after so many events or characters: some milliseconds of work. */
const WRITE_EVENTS = 10_000;
const WRITE_LENGTH = 1 << 16;

/** A time series that was asked for: written as the run goes on, and behind it the result. */
export class SeriesOutput {
  readonly #intervalPs: number;
  readonly #format: string;
  readonly #form: Form;
  /** Null: to stdout. */
  #out: OutputFile | null;
  #series: Series | null = null;
  /** What is not written yet. */
  #pending: string;
  #writtenAt = 0;
  #isWhole = true;
  #isUnread = false;

  private constructor(intervalPs: number, format: string, form: Form, out: OutputFile | null) {
    this.#intervalPs = intervalPs;
    this.#format = format;
    this.#form = form;
    this.#out = out;
    this.#pending = form.head;
  }

  /** Throws {@link UsageError} for a bad length, or a format that has no room for a series. */
  static async of(interval: string, format: string, out: OutputFile | null): Promise<SeriesOutput> {
    const intervalPs = timeOption("--interval", interval);
    if (intervalPs < SHORTEST_PS) {
      throw new UsageError(`--interval: found ${JSON.stringify(interval)}, wanted at least ${formatTime(SHORTEST_PS)}`);
    }
    if (!Object.hasOwn(FORMS, format)) {
      throw new UsageError(`--interval goes with --format ${Object.keys(FORMS).join(", ")}; found ${format}`);
    }
    return new SeriesOutput(intervalPs, format, await FORMS[format](), out);
  }

  /** Nobody reads stdout any more. */
  get isUnread(): boolean {
    return this.#isUnread;
  }

  /** For the run's loop: signals, and a reader of stdout who has seen enough. */
  stopsWith(signals: Pick<StopSignals, "exitCode">): Pick<StopSignals, "exitCode"> {
    const isUnread = () => this.#isUnread;
    return {
      get exitCode() {
        return signals.exitCode ?? (isUnread() ? EXIT_OK : null);
      },
    };
  }

  /** Lines appear on the user's terminal: they say themselves how far the run is. */
  get isOnTerminal(): boolean {
    return this.#out === null && this.#format !== "json" && Deno.stdout.isTerminal();
  }

  /**
   * The session, or what runs it, for the run's loop: it stops where intervals end. Throws {@link UsageError} when there
   * are too many for the format.
   */
  watch(session: Session, command: string, run: Runnable = session): Runnable {
    this.#demandRoom(session, run.end);
    const series = new Series(session, this.#intervalPs, { command, version: VERSION }, (interval, identity) => {
      this.#pending += this.#form.line(interval, identity);
      return this.#pending.length > WRITE_LENGTH || session.events - this.#writtenAt > WRITE_EVENTS;
    });
    this.#series = series;
    return runnableOver(run, {
      advance: (until, maxEvents) => series.advance(run, until, maxEvents),
      rest: () => {
        this.#writtenAt = session.events;
        return this.#write();
      },
    });
  }

  #demandRoom({ scenario, startPs }: Session, endPs: number): void {
    if (this.#format !== "json") return;
    const guests = scenario.guests.length;
    const most = Math.floor(JSON_LIMIT / guests);
    const measuredPs = endPs - startPs - scenario.warmupPs;
    const count = Math.ceil(measuredPs / this.#intervalPs);
    if (count <= most) return;
    const found = `${formatTime(this.#intervalPs)}, which makes ${count} intervals of ${counted(guests, "guest")}`;
    throw new UsageError(`--interval: found ${found}; wanted at most ${most} in json, or --format ndjson`);
  }

  /** The run is over, or was stopped. */
  finish(partial: boolean): void {
    this.#series!.finish(partial);
  }

  /** Writes what is left, and the result; whether all of it got where it was to go. */
  async deliver(snapshot: Snapshot): Promise<boolean> {
    this.#pending += this.#form.tail(snapshot);
    await this.#write();
    this.#out?.close();
    return this.#isWhole;
  }

  /** What cannot be saved is at least shown, from there on. */
  async #write(): Promise<void> {
    if (this.#pending === "") return;
    const text = this.#pending;
    this.#pending = "";
    if (this.#out !== null) {
      try {
        // One value is there as a whole or not at all; lines come one by one.
        return this.#format === "json" ? this.#out.write(text) : this.#out.append(text);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        await complain(`mxtop: ${error.message}`);
        this.#isWhole = false;
        this.#out = null;
      }
    }
    if (!this.#isUnread) this.#isUnread = !await print(text);
  }
}
