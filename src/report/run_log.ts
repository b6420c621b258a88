import { counted } from "../base/counted.ts";
import { MS, US } from "../base/units.ts";
import { overruns } from "../cluster/baseline.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Session } from "../cluster/session.ts";
import { STARVED, starvedGuests, whoWaits } from "./starvation.ts";
import type { LogLine } from "./live_snapshot.ts";

/** Lines that are kept: the latest. */
const LINES = 500;
/** Measured time before guests that wait are told, picoseconds: where all begin at once they do for some milliseconds. */
const LONG_ENOUGH = 20 * MS;

/** Counts of frames and packets that the log has told of. */
const NOTHING_LOST = { drops: 0, guestDrops: 0, exhausted: 0, corrupted: 0, overruns: 0 };

/**
 * What a user would want to know of a run, in words and with the instant: its start, the end of warm-up, what was done to
 * its world, frames that were lost, packets that found no room, messages sent again or wrong, what guest programs print,
 * the end. Counts are told as what has been added since the look before.
 */
export class RunLog {
  readonly lines: LogLine[] = [];
  /** Lines that were said in all. */
  said = 0;
  readonly #session: Session;
  /** Notes of the session, and lines of guest programs, that are in the log already. */
  #noted: number;
  #printed = 0;
  #lost = { ...NOTHING_LOST };
  #errors = 0;
  #badChecksums = 0;
  #retransmits = 0;
  #measuring = false;
  #starved = false;
  #saidEnd = false;

  constructor(session: Session) {
    this.#session = session;
    this.#noted = session.noted;
    const { scenario } = session;
    this.#say("info", `${scenario.name} starts: ${counted(scenario.guests.length, "guest")} on ${scenario.path}`);
  }

  /** Takes up where another log of the same run was: nothing is said a second time. */
  resume(lines: readonly LogLine[], said: number): void {
    this.lines.splice(0, Infinity, ...(lines.length > 0 ? lines : this.lines.slice(0, 1)));
    this.said = Math.max(said, this.lines.length);
  }

  /** The cluster was changed: its accounts are new ones. */
  startAnew(): void {
    this.#measuring = this.#starved = false;
    this.#lost = { ...NOTHING_LOST };
    this.#errors =
      this.#badChecksums =
      this.#retransmits =
        0;
  }

  /** Notes what has happened since the last look. */
  look(): void {
    this.#lookAtNotes();
    this.#lookAtWarmup();
    this.#lookAtFrames();
    this.#lookAtMessages();
    this.#lookAtSteal();
    this.#lookAtPrograms();
    const { finished, failure } = this.#session;
    if (!finished || this.#saidEnd) return;
    this.#saidEnd = true;
    if (failure === null) this.#say("info", "the run is over");
    else this.#say("error", failure);
  }

  // ---- inside

  /** What users have done, and what has come of it. */
  #lookAtNotes(): void {
    const { notes, noted } = this.#session;
    const fresh = Math.min(noted - this.#noted, notes.length);
    this.#noted = noted;
    for (const { atPs, text } of notes.slice(notes.length - fresh)) this.#say("info", text, atPs);
  }

  #lookAtWarmup(): void {
    const { scenario: { warmupPs }, measuringPs, now } = this.#session;
    if (this.#measuring || warmupPs === 0 || now < measuringPs) return;
    this.#measuring = true;
    this.#errors = this.#badChecksums = this.#retransmits = 0; // they are counted from here on
    this.#say("info", "warm-up is over: measuring", measuringPs);
  }

  #lookAtFrames(): void {
    const { cluster } = this.#session;
    let drops = 0;
    let corrupted = 0;
    for (const hub of cluster.switches) drops += hub.drops;
    for (const { boards } of cluster.hosts) {
      for (const { nic } of boards) drops += nic.counters.rxDrops + nic.counters.txDrops;
    }
    for (const { directions } of cluster.links) {
      for (const direction of directions) {
        drops += direction.lost;
        corrupted += direction.corrupted;
      }
    }
    this.#tell("drops", drops, (more) => `${counted(more, "frame")} lost or dropped`);
    this.#tell("guestDrops", guestDrops(cluster), (more) => `${counted(more, "frame")} dropped by guests' interfaces`);
    // Copies that a switch wants for flooding are among them, and all else that is made into a frame.
    const { exhausted } = cluster.world.frames;
    this.#tell("exhausted", exhausted, (more) => `${counted(more, "frame")} wanted while none was free`);
    this.#tell("corrupted", corrupted, (more) => `${counted(more, "frame")} corrupted on the wire`);
    this.#tell("overruns", overruns(cluster), (more) => `${counted(more, "packet")} dropped: event queues full`);
  }

  /** Warns of what has been added to a count since the last look; a guest that was started again begins anew. */
  #tell(of: keyof typeof NOTHING_LOST, count: number, text: (more: number) => string): void {
    if (count > this.#lost[of]) this.#say("warn", text(count - this.#lost[of]));
    this.#lost[of] = count;
  }

  #lookAtMessages(): void {
    const session = this.#session;
    let retransmits = 0;
    let errors = 0;
    let badChecksums = 0;
    for (const [rank, { meter }] of session.cluster.guests.entries()) {
      retransmits += session.retransmits(rank);
      errors += meter.integrityErrors;
      badChecksums += session.badChecksums(rank);
    }
    if (retransmits > this.#retransmits) {
      this.#say("warn", `${counted(retransmits - this.#retransmits, "message")} sent again`);
    }
    const more = errors - this.#errors;
    if (more > 0) {
      const isProgram = session.output !== null;
      this.#say(
        "error",
        isProgram ? `${counted(more, "check")} failed` : `${counted(more, "message")} with a wrong payload`,
      );
    }
    if (badChecksums > this.#badChecksums) {
      this.#say("error", `${counted(badChecksums - this.#badChecksums, "message")} without the sender's checksum`);
    }
    this.#retransmits = retransmits;
    this.#errors = errors;
    this.#badChecksums = badChecksums;
  }

  #lookAtSteal(): void {
    const { now, measuringPs, baseline } = this.#session;
    const elapsed = now - measuringPs;
    if (this.#starved || elapsed < LONG_ENOUGH) return;
    const { count } = starvedGuests(this.#session, baseline, elapsed);
    if (count === 0) return;
    this.#starved = true;
    this.#say("warn", `${whoWaits(count)} for a physical CPU more than ${100 * STARVED} % of the time`);
  }

  /** What guest programs have printed. */
  #lookAtPrograms(): void {
    const lines = this.#session.output?.lines ?? [];
    this.#printed = Math.max(this.#printed, lines.length - LINES);
    for (; this.#printed < lines.length; this.#printed++) {
      const { at_us, guest, text } = lines[this.#printed];
      this.#say("info", `${guest}: ${text}`, at_us * US);
    }
  }

  /** `atPs` is when it happened, if that is known better than by this look. */
  #say(level: LogLine["level"], text: string, atPs: number = this.#session.now): void {
    this.said++;
    this.lines.push({ at_ns: atPs / 1000, level, text });
    if (this.lines.length > LINES) this.lines.shift();
  }
}

/** Frames that guests' interfaces and their back ends have dropped since the cluster began; a NIC counts its functions'. */
function guestDrops({ guests }: Cluster): number {
  let drops = 0;
  for (const { path, ports } of guests) {
    if (path.hasBackEnd === false) continue;
    for (const port of ports) {
      const own = port.interface?.();
      if (own !== undefined) drops += own.txDrops + own.rxDrops;
    }
  }
  return drops;
}
