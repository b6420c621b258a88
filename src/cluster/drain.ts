import { counted } from "../base/counted.ts";
import { SECOND, TIME_LIMIT_PS } from "../base/units.ts";
import type { Engine } from "../sim/engine.ts";
import type { Cluster } from "./cluster.ts";
import type { Processes } from "./processes.ts";

/**
 * How long a cluster may take to come to rest, picoseconds, and how many events, whichever is less. Most take some
 * milliseconds; what was lost is sent again half a second later, and on an overloaded link lost again.
 */
const LIMIT = 60 * SECOND;
export const LIMIT_EVENTS = 4_000_000;

/** Programs whose place is named. */
const PLACES_NAMED = 3;

/**
 * Runs a cluster whose programs have been told to stop until they have ended and all that is on its way has arrived,
 * then looks for anything that was not given back, and whether payload has stayed as it was made. Returns what is
 * wrong, in words; nothing once the run `hasFailed`.
 */
export function drain(engine: Engine, processes: Processes, cluster: Cluster, hasFailed: () => boolean): string[] {
  const began = engine.now;
  const last = engine.events + LIMIT_EVENTS;
  const end = Math.min(began + LIMIT, TIME_LIMIT_PS);
  const isTimeLeft = () => engine.now < end && engine.events < last && engine.pending > 0;
  const goOn = (ps: number) => engine.run(Math.min(engine.now + ps, TIME_LIMIT_PS), last - engine.events);
  while (processes.running > 0 && !hasFailed() && isTimeLeft()) goOn(SECOND / 100);
  if (hasFailed()) return [];
  if (processes.running > 0 && engine.now < TIME_LIMIT_PS) {
    const programs = counted(processes.running, "program");
    const where = placesOf(processes.waits());
    if (engine.pending === 0) return [`${programs} can only wait for ever: nothing is left to happen${where}`];
    const waited = ((engine.now - began) / SECOND).toFixed(1);
    return [`${programs} did not end within ${waited} s of virtual time after the run${where}`];
  }
  cluster.stopDaemons();
  let leaks: string[];
  do {
    goOn(SECOND / 10); // on a slow link what is on its way may stand in a long queue
    leaks = cluster.leaks();
  } while (leaks.length > 0 && isTimeLeft());
  if (engine.now === TIME_LIMIT_PS) leaks = []; // virtual time is over: nothing could come to rest
  if (!processes.isPayloadAsMade) leaks.push("payload has changed behind its senders' backs");
  return leaks;
}

/** The first of some places, in words that follow a sentence. */
function placesOf(waits: readonly string[]): string {
  if (waits.length === 0) return "";
  const more = waits.length - PLACES_NAMED;
  return `; ${waits.slice(0, PLACES_NAMED).join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
