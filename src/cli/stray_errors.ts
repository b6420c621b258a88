import { ProgramFault } from "../base/assert.ts";
import type { Session } from "../cluster/session.ts";

/*
 * Errors that nobody catches: the runtime would end the process for one, and its result would be lost. A guest program
 * has nothing that leads to one; whoever gets around that is told so, as of any other mistake of a program.
 */

/** Turns such errors into a failure of the run until it is disposed of; null for a run without a program. */
export function watchStrays({ stray }: Pick<Session, "stray">): Disposable | null {
  if (stray === null) return null;
  const take = (event: ErrorEvent | PromiseRejectionEvent) => {
    const error = event instanceof ErrorEvent ? event.error : event.reason;
    if (error instanceof ProgramFault) return; // ours
    event.preventDefault();
    stray(error);
  };
  globalThis.addEventListener("error", take);
  globalThis.addEventListener("unhandledrejection", take);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("error", take);
      globalThis.removeEventListener("unhandledrejection", take);
    },
  };
}
