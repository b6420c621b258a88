import { formatSize } from "../base/quantity.ts";
import { KIB, MIB, SECOND } from "../base/units.ts";
import { assert } from "../base/assert.ts";
import type { Scenario } from "../cluster/scenario.ts";
import { Session } from "../cluster/session.ts";
import { type StageName, STAGES } from "../metrics/stage.ts";
import { readEnvironment } from "../mx/environment.ts";
import { type MessageClass, messageClass, mxLimits, RNDV_THRESHOLD, rndvThreshold } from "../mx/limits.ts";
import type { Path } from "../path/path.ts";
import { oneMessage, type OneMessageOptions } from "./one_message.ts";

/** What happens in a stage, in the words of the study's slides. */
export const WORDS: Readonly<Record<StageName, string>> = {
  library: "Open-MX library",
  syscall: "system call",
  driver: "Open-MX driver",
  frontend: "frontend",
  notification: "notification: event channel, kick or interrupt",
  hypervisor: "hypervisor, or waiting for a physical CPU",
  backend: "backend",
  bridge: "software bridge",
  copy: "payload copy",
  grant: "grant, map, unmap or grant copy",
  pin: "pin and register user pages",
  nic: "NIC and DMA",
  wire: "wire",
  interrupt: "interrupt and packet dispatch",
  wakeup: "wake-up and thread switch",
  poll: "a poller looks",
  queueing: "waiting its turn",
  application: "waiting for the receive to be posted",
};

/** What {@link WORDS} of queueing mean here: one message bounces, and nobody else sends any. */
export const OWN_QUEUE = "waiting its turn: behind the message's own other frames, or what the one before has left; " +
  "no other message is under way";

/** One step of a message, microseconds from the send call. */
export interface ExplainedStep {
  who: string;
  stage: StageName;
  what: string;
  start_us: number;
  us: number;
  /** Running total. */
  until_us: number;
}

/** One message of a class on a path. */
export interface Explanation {
  class: MessageClass;
  size: number;
  size_text: string;
  /** Send call to receive completion; the steps add up to it exactly. */
  latency_us: number;
  steps: ExplainedStep[];
  /** Microseconds by stage, largest first. */
  stages: { stage: StageName; us: number }[];
}

/** A message that was not there when the run ended: what is asked for is too slow, or too large. */
export class NoArrival extends Error {
  override name = "NoArrival";
}

/** One size of a tiny, a medium and a large message, bytes. */
export const USUAL_SIZES: readonly number[] = [16, 8 * KIB, MIB];

/**
 * Follows one message of each size from one guest to another on a second host, on an otherwise idle cluster. Throws
 * {@link NoArrival}.
 */
export function explainPath(
  path: Path,
  options: OneMessageOptions,
  sizes: readonly number[] = USUAL_SIZES,
): Explanation[] {
  return sizes.map((size) => explainOne(path, options, size));
}

/** The same for one message. */
export function explainOne(path: Path, options: OneMessageOptions, size: number): Explanation {
  const scenario = oneMessage(path, options, size);
  const session = new Session(scenario);
  const { journeys } = session.cluster.world;
  journeys.record();
  while (!session.finished) session.advance(session.end);
  session.release();
  const seconds = Math.floor(scenario.durationPs / SECOND);
  const late = session.now >= session.end
    ? `a few of them take more than ${seconds} s; wanted lower costs, or less to send`
    : null;
  const problem = session.failure ?? late;
  if (problem !== null) throw new NoArrival(`${path.name}: messages of ${formatSize(size)}: ${problem}`);
  const steps = journeys.lastSteps;
  assert(steps.length > 0, "explain: the last message was followed");
  const start = steps[0].from;
  const sums = new Map<StageName, number>();
  let total = 0;
  const explained = steps.map(({ stage, place, from, duration }) => {
    const stageName = STAGES[stage];
    sums.set(stageName, (sums.get(stageName) ?? 0) + duration);
    total += duration;
    return {
      who: place,
      stage: stageName,
      what: WORDS[stageName],
      start_us: (from - start) / 1e6,
      us: duration / 1e6,
      until_us: total / 1e6,
    };
  });
  return {
    class: messageClass(size, thresholdOf(scenario)),
    size,
    size_text: formatSize(size),
    latency_us: total / 1e6,
    steps: explained,
    stages: [...sums].map(([stage, ps]) => ({ stage, us: ps / 1e6 })).sort((x, y) => y.us - x.us),
  };
}

/** The longest eager message, bytes. */
function thresholdOf({ link, environment }: Scenario): number {
  const { rndvThreshold: asked = RNDV_THRESHOLD } = readEnvironment(environment ?? {}).library;
  return rndvThreshold(asked, mxLimits(link.mtu, link.wire === "mx"));
}
