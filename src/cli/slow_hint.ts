import type { Session } from "../cluster/session.ts";
import { percent } from "../report/number_text.ts";
import { sampleWork, type Work } from "../report/work.ts";
import { hasV8Flags, V8_FLAGS } from "./v8.ts";

/** Virtual time to real time below which a run is slow. */
const SLOW_PACE = 0.5;
/** Whoever waits less than this needs no hint; before so much wall time, the pace is that of the start. */
const LEAST_LEFT_S = 10;
const LEAST_PASSED_S = 5;
/** Events that are looked at: a few milliseconds of work, and shares to within 2 %. */
const SAMPLE_EVENTS = 5000;
/** MTU of jumbo frames. */
const LARGE_MTU = 9000;

/** What a hint is made of. */
export interface SlowRun {
  readonly pace: number;
  readonly leftS: number;
  readonly work: Work;
  readonly mtu: number;
  /** Frames of MX's own format have one size. */
  readonly fixedFrames: boolean;
  /** A trace of the whole run is being taken. */
  readonly traced: boolean;
  /** The environment is known to have flags for V8. */
  readonly tuned: boolean;
}

/** Whether it is time to say something. */
export function isSlow(pace: number, passedS: number, leftS: number): boolean {
  return passedS >= LEAST_PASSED_S && pace < SLOW_PACE && leftS >= LEAST_LEFT_S;
}

/**
 * The hint: what most events are, and what makes fewer of them. Only options that make a difference to this run are
 * named: full frames below 9000 bytes carry less than they could, a trace notes every event, and time is shared by all.
 */
export function hintText({ pace, leftS, work, mtu, fixedFrames, traced, tuned }: SlowRun): string {
  const options: string[] = [];
  const areFull = work.frameBytes > 0.7 * mtu;
  if (mtu < LARGE_MTU && !fixedFrames && areFull && work.frames >= 0.25) {
    const times = (LARGE_MTU / mtu).toFixed(0);
    options.push(`--set link.mtu=${LARGE_MTU} needs a ${times}th of the frames`);
  }
  if (!tuned) options.push(`DENO_V8_FLAGS=${V8_FLAGS} in the environment makes a long run some 10 % faster`);
  if (traced) options.push("--trace-for ends the trace before the run");
  options.push("a shorter --duration takes that much less");
  return `x${pace.toPrecision(2)} real time, about ${Math.ceil(leftS)} s left; ` +
    `${percent(work.share)} % of the events are ${work.kind}; ${options.join("; ")}`;
}

/** Looks at a run between its slices, and gives one hint when it is slow. */
export class SlowHint {
  readonly #session: Session;
  readonly #advance: Session["advance"];
  readonly #traced: boolean;
  readonly #say: (hint: string) => void;
  readonly #startedAt: number;
  #given = false;

  /** `advance` moves the session; `traced`: all of it, to the end. */
  constructor(session: Session, advance: Session["advance"], traced: boolean, say: (hint: string) => void) {
    this.#session = session;
    this.#advance = advance;
    this.#traced = traced;
    this.#say = say;
    this.#startedAt = performance.now();
  }

  look(nowPs: number): void {
    if (this.#given) return;
    const passedS = (performance.now() - this.#startedAt) / 1000;
    const pace = nowPs / 1e12 / passedS;
    const leftS = (this.#session.end - nowPs) / 1e12 / pace;
    if (!isSlow(pace, passedS, leftS)) return;
    this.#given = true;
    const work = sampleWork(this.#session, this.#advance, SAMPLE_EVENTS);
    const { link: { mtu, wire } } = this.#session.scenario;
    this.#say(
      hintText({ pace, leftS, work, mtu, fixedFrames: wire === "mx", traced: this.#traced, tuned: hasV8Flags() }),
    );
  }
}
