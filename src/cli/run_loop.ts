import type { Session } from "../cluster/session.ts";
import type { Progress } from "./progress.ts";
import { watchStrays } from "./stray_errors.ts";
import type { StopSignals } from "./stop_signals.ts";
import { type CompilerRests, HeapWatch } from "./v8.ts";

/** Events between two looks at signals and the progress line: some tens of milliseconds of work. */
export const SLICE_EVENTS = 200_000;
/** The same before the code is compiled: a few milliseconds. */
const FIRST_SLICE_EVENTS = 1000;

/** The face of a session that a run needs. */
export interface Runnable extends Pick<Session, "now" | "end" | "finished" | "failure" | "advance" | "stray"> {
  /** Between two slices: writes what is to be written meanwhile. */
  rest?(): Promise<void>;
}

/** How a run ended. */
export interface Ending {
  /** It was stopped before its end, or a guest program could not go on. */
  readonly partial: boolean;
  readonly wallMs: number;
}

/** `run` as somebody advances it who stops it on the way; `rest` comes after what `run` itself does between slices. */
export function runnableOver(run: Runnable, { advance, rest }: Pick<Runnable, "advance" | "rest">): Runnable {
  return {
    stray: run.stray,
    advance,
    async rest() {
      await run.rest?.();
      await rest?.();
    },
    get now() {
      return run.now;
    },
    get end() {
      return run.end;
    },
    get finished() {
      return run.finished;
    },
    get failure() {
      return run.failure;
    },
  };
}

/**
 * Advances a session to its end, or until a signal asks to stop. Between slices the event loop gets its turn, so that
 * signals arrive.
 */
export async function runToEnd(
  session: Runnable,
  signals: Pick<StopSignals, "exitCode">,
  progress: Pick<Progress, "show"> | null,
  rests: Pick<CompilerRests, "due" | "look"> | null = null,
): Promise<Ending> {
  const startedAt = performance.now();
  const heap = new HeapWatch();
  using strays = watchStrays(session);
  while (!session.finished && signals.exitCode === null) {
    const isFirst = rests?.due ?? false;
    const reached = session.advance(session.end, isFirst ? FIRST_SLICE_EVENTS : SLICE_EVENTS);
    if (session.rest !== undefined) await session.rest();
    if (reached) break;
    progress?.show(session.now);
    heap.look();
    await (isFirst ? rests?.look() : turn());
  }
  const wallMs = performance.now() - startedAt;
  heap.end();
  if (strays !== null) await turn(); // of what the last slice has left
  const complete = (session.finished || session.now >= session.end) && session.failure === null;
  return { partial: !complete, wallMs };
}

/** Lets timers, signals and writes have their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
