import { formatSize } from "../base/quantity.ts";
import { KIB } from "../base/units.ts";
import { Session } from "../cluster/session.ts";
import { type StageName, STAGES } from "../metrics/stage.ts";
import type { Path } from "../path/path.ts";
import { type Lane, LANE_ORDER, type LaneId, LaneMap } from "./anatomy/lanes.ts";
import { type GrantCount, type RecordedRing, Recorder } from "./anatomy/recorder.ts";
import { type AnatomyStep, stepsOf } from "./anatomy/steps.ts";
import { oneMessage, type OneMessageOptions } from "./one_message.ts";

export type { Lane, LaneId } from "./anatomy/lanes.ts";
export type { AnatomyStep } from "./anatomy/steps.ts";

/** A ring of a guest as it was when the message was sent. */
export interface AnatomyRing {
  readonly name: string;
  /** Entries that can be in use, and slots: some rings keep one free. */
  readonly size: number;
  readonly slots: number;
  readonly used: number;
  readonly side: "from" | "to";
}

/** One message of a class, as it was seen in a run: nothing of it is invented. */
export interface AnatomyClass {
  /** As the library chose it: tiny, small, medium, large. */
  readonly name: string;
  /** The first message out of its buffer: nothing of it is registered yet. */
  readonly isFirst: boolean;
  readonly sizeBytes: number;
  readonly sizeText: string;
  /** Send call to receive completion, picoseconds; the steps on its way add up to it exactly. */
  readonly latencyPs: number;
  readonly steps: readonly AnatomyStep[];
  /** Time by stage, picoseconds, in the order of the stages. */
  readonly stages: readonly { readonly stage: StageName; readonly ps: number }[];
  readonly rings: readonly AnatomyRing[];
  /** In the order of the way. */
  readonly lanes: readonly Lane[];
  /** Grants of each guest when the message was sent, null where there are none. */
  readonly grants: Readonly<Record<"from" | "to", GrantCount | null>>;
  /** Names of the hosts. */
  readonly from: string;
  readonly to: string;
}

/** A message to be recorded. */
export interface AnatomySubject {
  readonly sizeBytes: number;
  readonly isFirst: boolean;
}

/** One size of each class, as the library chooses by length (mx/limits.ts), and a large message without what is reused. */
export const ANATOMY_SUBJECTS: readonly AnatomySubject[] = [
  { sizeBytes: 32, isFirst: false },
  { sizeBytes: 128, isFirst: false },
  { sizeBytes: 16 * KIB, isFirst: false },
  { sizeBytes: 512 * KIB, isFirst: false },
  { sizeBytes: 512 * KIB, isFirst: true },
];

/** Events between two answers of {@link recordAnatomy}: some milliseconds of work. */
const SLICE_EVENTS = 1000;

/** The first frame that carries a message says of which class it is. */
const CLASS_OF_FRAME: Readonly<Record<string, string>> = {
  TINY: "tiny",
  SMALL: "small",
  MEDIUM: "medium",
  RNDV: "large",
};

/**
 * Runs a session of its own for each of these classes of message, on the path and with the machine, costs and mechanisms given, and
 * gives what it has recorded of one message. One class at a time, and null now and then before: so that who waits need
 * not wait for all, and can do something else in between.
 */
export function* recordAnatomy(
  path: Path,
  options: OneMessageOptions,
  subjects: readonly AnatomySubject[] = ANATOMY_SUBJECTS,
): Generator<AnatomyClass | null> {
  for (const subject of subjects) yield* recording(path, options, subject);
}

function* recording(path: Path, options: OneMessageOptions, subject: AnatomySubject): Generator<AnatomyClass | null> {
  const warmUps = subject.isFirst ? 0 : options.warmUps;
  const session = new Session(oneMessage(path, { ...options, warmUps }, subject.sizeBytes));
  yield null;
  session.advance(0);
  const recorder = new Recorder(session);
  while (!session.finished) {
    session.advance(session.end, SLICE_EVENTS);
    yield null;
  }
  const made = classFrom(session, recorder, subject);
  session.release();
  yield made;
}

function classFrom({ cluster }: Session, recorder: Recorder, { sizeBytes, isFirst }: AnatomySubject): AnatomyClass {
  const recorded = recorder.take();
  const [receiver, sender] = cluster.hosts;
  const map = new LaneMap(cluster, sender.index);
  const steps = stepsOf(recorded, map);
  const onWay = steps.filter((step) => step.onWay);
  return {
    ...{ name: classOf(steps), isFirst, sizeBytes, sizeText: formatSize(sizeBytes) },
    latencyPs: onWay.reduce((sum, { durationPs }) => sum + durationPs, 0),
    steps,
    stages: STAGES.map((stage) => ({
      stage,
      ps: onWay.reduce((sum, step) => step.stage === stage ? sum + step.durationPs : sum, 0),
    })).filter(({ ps }) => ps > 0),
    rings: recorded.rings.map(({ name, size, slots, used, host }: RecordedRing) => ({
      ...{ name, size, slots, used, side: host === sender.index ? "from" : "to" },
    })),
    lanes: lanesOf(steps, map),
    grants: { from: recorded.grants.get(sender.index) ?? null, to: recorded.grants.get(receiver.index) ?? null },
    ...{ from: sender.name, to: receiver.name },
  };
}

/** Both hosts are alike: what has had a part at one end is a lane at both. */
function lanesOf(steps: readonly AnatomyStep[], map: LaneMap): Lane[] {
  const layer = (id: LaneId) => id.slice(id.indexOf(" ") + 1);
  const used = new Set(steps.flatMap(({ lane, from, to }) => [lane, from ?? lane, to ?? lane]).map(layer));
  return LANE_ORDER.filter((id) => used.has(layer(id))).map((id) => map.lane(id));
}

function classOf(steps: readonly AnatomyStep[]): string {
  for (const { kind, what } of steps) {
    if (kind !== "frame") continue;
    const type = Object.keys(CLASS_OF_FRAME).find((name) => new RegExp(`\\b${name} frame`).test(what));
    if (type !== undefined) return CLASS_OF_FRAME[type];
  }
  return "message";
}
