import "../environment.ts";
import { perform, STOPPED } from "./job.ts";
import { type Answer, type Order, toFailure } from "./messages.ts";

/*
 * A Worker of the pool: one job after another. It has its own heap and its own modules, and shares nothing with others.
 */

interface WorkerScope {
  onmessage: ((event: MessageEvent<Order>) => void) | null;
  postMessage(answer: Answer): void;
}

const scope = globalThis as unknown as WorkerScope;
/** As a signal would set it; the main thread has the signals, and knows the code. */
const signals = { exitCode: null as number | null };

scope.onmessage = async ({ data }) => {
  if (data.kind === "stop") {
    signals.exitCode = STOPPED;
    return;
  }
  try {
    const tell = (nowPs: number, endPs: number) => scope.postMessage({ kind: "at", nowPs, endPs });
    scope.postMessage({ kind: "done", snapshot: await perform(data.job, signals, tell) });
  } catch (error) {
    scope.postMessage({ kind: "failed", failure: toFailure(error) });
  }
};
