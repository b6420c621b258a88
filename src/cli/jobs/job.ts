import type { LoggedScenario } from "../../cluster/input_log.ts";
import { Session } from "../../cluster/session.ts";
import type { CostRead } from "../../hw/machine_profile.ts";
import type { Snapshot } from "../../report/snapshot.ts";
import { type Experiment, scenarioOf } from "../../report/study/lab.ts";
import { takeSnapshot, withProgramOutput } from "../../report/take_snapshot.ts";
import { judge, withFailures } from "../../report/thresholds.ts";
import { collectGarbage } from "../v8.ts";
import { openLoggedInput, openSession } from "../run_input.ts";
import { runToEnd } from "../run_loop.ts";
import type { StopSignals } from "../stop_signals.ts";
import { VERSION } from "../version.ts";

/** One run of many, as plain data: whoever performs it, in whatever thread, comes to the same result. */
export type Job =
  | { readonly kind: "run"; readonly logged: LoggedScenario; readonly command: string }
  | { readonly kind: "experiment"; readonly experiment: Experiment };

/** Told between slices how far a job is, picoseconds of virtual time. */
export type Tell = (nowPs: number, endPs: number) => void;

/** What {@link perform} takes as a signal's exit code where there is none to be told. */
export const STOPPED = 1;

/** Bytes of emulated memory from which garbage is collected after a run: the next one brings as much. */
const LARGE_BYTES = 64 * 2 ** 20;

/**
 * Performs a job, or the part of it until a signal asks to stop: then its snapshot is marked partial; null when nothing
 * of it was done. `costRead` is told of each cost that it reads. Throws what the same run alone would throw.
 */
export async function perform(
  job: Job,
  signals: Pick<StopSignals, "exitCode">,
  tell: Tell,
  costRead?: CostRead,
): Promise<Snapshot | null> {
  const { session, thresholds, command } = await open(job, costRead);
  const { end } = session;
  const { partial, wallMs } = await runToEnd(session, signals, { show: (nowPs) => tell(nowPs, end) });
  if (partial && session.events === 0) return null;
  const snapshot = takeSnapshot(session, { command, version: VERSION, wallMs, partial });
  const result = job.kind === "run" ? verdict(session, judge(snapshot, thresholds)) : snapshot;
  const isLarge = session.cluster.world.memory.usedBytes > LARGE_BYTES;
  session.release();
  if (isLarge) collectGarbage();
  return result;
}

async function open(job: Job, costRead?: CostRead) {
  if (job.kind === "experiment") {
    return {
      session: new Session(scenarioOf(job.experiment), { costRead }),
      thresholds: [],
      command: "mxtop reproduce",
    };
  }
  const { logged, command } = job;
  const input = await openLoggedInput(logged, logged.file);
  return { session: await openSession(input, { costRead }), thresholds: input.scenario.thresholds, command };
}

/** What the run leaves behind is looked for after its figures are final, as `run` does. */
function verdict(session: Session, judged: Snapshot): Snapshot {
  const leaks = judged.partial ? [] : session.drain();
  return withFailures(withProgramOutput(judged, session), leaks);
}
