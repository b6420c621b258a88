import type { Input, InputRecord } from "../cluster/input.ts";
import type { TourStep } from "../cluster/tour.ts";
import type { CompleteMessage } from "../cluster/message_stop.ts";
import type { EarlierInstant } from "../cluster/recording.ts";
import type { Interval } from "../report/interval.ts";
import type { LiveSnapshot } from "../report/live_snapshot.ts";
import type { Summary } from "../report/summary.ts";
import type { AnatomySource } from "./drive/anatomy.ts";
import type { Paced } from "./pacer.ts";
import type { Setting } from "./settings.ts";

/** One run as the dashboard sees it. */
export interface DashboardRun extends Paced {
  /** Captions of the scenario's guided tour. */
  readonly tour?: readonly TourStep[];
  /** Events that have run, and messages complete, since the start. */
  readonly events: number;
  readonly messages: number;
  /** What ran last, by the name of its handler; empty before the first event. */
  readonly lastEvent: string;
  /** The message that {@link nextMessage} found last. */
  readonly lastMessage: CompleteMessage | null;
  /** Runs exactly one event. */
  step(): void;
  /** Runs until the next message is complete, at most `maxEvents` events; whether one is. */
  nextMessage(maxEvents: number): boolean;
  /**
   * Takes a sample and gives the snapshot; cheap enough for 20 calls a second. `guest` is who is looked at alone from now
   * on, null nobody; left out, whoever was.
   */
  live(guest?: string | null): LiveSnapshot;
  /** What a comparison shows of a run; far cheaper than {@link live}. A run is looked at by one of the two. */
  summary(): Summary;
  /** What it did between the samples, oldest first; the list goes on growing, to a limit. */
  readonly intervals: readonly Interval[];
  /** Takes a sample at each of these virtual times too (ascending, picoseconds), so that another turn can be compared. */
  sampleAt(times: readonly number[]): void;
  /** What was done to the run so far, in order. */
  readonly inputs: readonly InputRecord[];
  /** Numbers (from 1) of the inputs whose effect goes on, so that it can be ended. */
  readonly lasting: readonly number[];
  /** Does something to the world at this instant. Returns null, or why it cannot be done, in one line. */
  apply(input: Input): string | null;
  /** Why {@link apply} would refuse a change of the cluster; null where it would not, or where only a try can tell. */
  check?(input: Input): string | null;
  /**
   * Begins to make the run again up to an earlier instant: `toPs`, or before it the instant at which so many events have
   * run or so many messages are complete. This run stays as it is, unless it is so large that two would be too much: then
   * it is {@link gone} from now on.
   */
  rewind(toPs: number, earlier?: EarlierInstant): Promise<Rewinding>;
  /** Gives its memory back. */
  release(): void;
  /** It has given its memory back: it answers as it stood then, moves no more, and can only be made again. */
  readonly gone: boolean;
  /** What was done to the run as a file that `replay` reads; absent where a run has none. */
  inputLog?(): string;
  /** What can be set while it runs, with its present value. */
  settings?(): readonly Setting[];
  /** Records one message of each class on a path, as the run has it now; null when it cannot, absent where none can. */
  anatomy?(path: string): AnatomySource | null;
  /** The log that the run follows; absent where it follows none. */
  readonly replay?: Following;
  /**
   * Looks on from now for `forPs` of virtual time: the frames on all wires, or everything as a trace. The run is the same
   * with and without. Gives the reason in one line when it cannot; absent where a run cannot be recorded.
   */
  record?(kind: "capture" | "trace", forPs: number): Recorder | string;
}

/** Somebody who looks on. */
export interface Recorder {
  /** The stretch of virtual time is over. */
  readonly done: boolean;
  /** Looks on no more; what was seen, as a file in parts, and a few words about it. */
  finish(): { readonly parts: Iterable<string | Uint8Array>; readonly note: string };
}

/** A run that does again what a log of inputs says. */
export interface Following {
  /** Until the log is over, or the user takes another turn. */
  readonly isFollowing: boolean;
  /**
   * How the run compares with its log, given once at the end of the log, where the run holds; from then on the run is its
   * own. Null before and after.
   */
  takeVerdict(): { readonly level: "info" | "error"; readonly text: string } | null;
}

/** A run on its way to where another one has been. */
export interface Rewinding {
  /** 0 to 1. */
  readonly progress: number;
  /** Runs at most `maxEvents` events; the run when it is there, null before. */
  advance(maxEvents: number): DashboardRun | null;
  /** Goes on to a later instant instead. */
  onTo(toPs: number, earlier?: EarlierInstant): void;
  /** Gives it up, and its memory back. */
  release(): void;
}
