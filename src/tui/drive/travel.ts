import { formatSize } from "../../base/quantity.ts";
import { MS } from "../../base/units.ts";
import type { CompleteMessage } from "../../cluster/message_stop.ts";
import type { EarlierInstant } from "../../cluster/recording.ts";
import { seconds, span } from "../format.ts";
import type { Message } from "../message.ts";
import type { Model } from "../model.ts";
import type { Clock } from "../pacer.ts";
import type { DashboardRun, Rewinding } from "../run.ts";
import { Slices, type Work } from "./slices.ts";
import type { Order, StepKind, Travel, Turn } from "../time.ts";

/** The dashboard, as the traveller needs it. */
export interface TravelHost {
  readonly run: DashboardRun;
  readonly model: Model;
  /** Takes another run in place of the present one, which it does not release. */
  replace(run: DashboardRun): void;
  /** Looks at the run. */
  sample(): void;
  dispatch(message: Message): void;
  fail(error: unknown): void;
}

/** A place in the run, as far as it is given. */
interface Goal extends EarlierInstant {
  readonly atPs: number;
}

/** A way under way: one at a time. */
interface Job extends Omit<Work, "tell"> {
  readonly kind: Travel["kind"];
}

/**
 * Moves the run to where the user wants it: steps, to the next message, on or back to an instant. What takes long is done
 * in slices on the event loop, so that keys are answered, and can be given up.
 */
export class Traveller {
  readonly #host: TravelHost;
  readonly #slices: Slices;
  /** Where the present way leads, from the order on: the next press goes on from there. Null for the next message. */
  #goal: { readonly kind: Travel["kind"]; readonly to: Goal } | null = null;
  /** The run that is being made, while there is one. */
  #rewinding: Rewinding | null = null;
  /** Orders so far: a way whose beginning was awaited must not begin after a later order. */
  #orders = 0;
  /** Events that the run had when a message was complete and nothing had come after it; -1 otherwise. */
  #atMessage = -1;

  constructor(host: TravelHost, clock: Clock) {
    this.#host = host;
    this.#slices = new Slices(clock, (error) => host.fail(error));
  }

  /** Runs one event and says which. */
  step(): void {
    if (this.#isOnItsWay()) return;
    this.stop();
    const { run } = this.#host;
    const followed = run.replay?.isFollowing === true;
    run.step();
    this.#host.sample();
    // What came of a log is said once, with the step that ends it.
    if (followed && !run.replay!.isFollowing) return;
    this.#say(`event ${grouped(run.events)}: ${run.lastEvent}`);
  }

  begin(order: Order): void {
    const { run } = this.#host;
    const goal = this.#goal;
    if (order.kind === "stop") return this.#giveUp();
    const later = order.kind === "message" || order.kind === "forward" || (order.kind === "to" && order.atPs > run.now);
    if (later && this.#isOnItsWay()) return;
    this.stop();
    switch (order.kind) {
      case "message":
        return this.#start(this.#toMessage(run));
      case "forward": {
        const from = goal?.kind === "forward" ? goal.to.atPs : run.now;
        return this.#start(this.#forward(run, from + order.byPs));
      }
      case "to":
        if (order.atPs === run.now) return this.#say("already there");
        if (order.atPs > run.now) return this.#start(this.#forward(run, order.atPs));
        return void this.#back({ atPs: order.atPs });
      case "back": {
        // Each press goes a step further, also while the way of the last one is under way.
        const from = goal?.kind === "back" ? goal.to : null;
        const to = this.#before(order.by, run, from);
        if (to === null) return this.#say("this is the start of the run");
        return void this.#back(to);
      }
    }
  }

  /** A run that is gone cannot move before it has been made again. */
  #isOnItsWay(): boolean {
    const { gone } = this.#host.run;
    if (gone) this.#say("the run is on its way: Esc takes it to where it was");
    return gone;
  }

  /** Stays where the run is; where it is gone, the way leads on to there. */
  #giveUp(): void {
    const { run } = this.#host;
    const rewinding = this.#rewinding;
    if (!run.gone) {
      this.stop();
      return this.#host.sample();
    }
    // It is still being built.
    if (rewinding === null) return void this.#isOnItsWay();
    const { now, events } = run;
    rewinding.onTo(now, { events });
    this.#goal = null;
    this.#start(this.#returning(rewinding));
  }

  /** The comparison has the clock from now on. A run that is gone is made again all the same: it could not be left. */
  setAside(): void {
    if (!this.#host.run.gone) this.stop();
  }

  /** Gives up what is under way; the run stays where it is. Nothing happens without. */
  stop(): void {
    this.#orders++;
    const wasOnItsWay = this.#slices.stop();
    this.#goal = null;
    this.#rewinding?.release();
    this.#rewinding = null;
    if (wasOnItsWay) this.#report(null);
  }

  /** A step before `from`, or before where the run is; null at the start. */
  #before(by: StepKind, run: DashboardRun, from: Goal | null): Goal | null {
    const { atPs, events = run.events, messages = run.messages } = from ?? { atPs: run.now };
    if (events === 0) return null;
    switch (by) {
      case "event":
        return { atPs, events: events - 1 };
      case "millisecond":
        return { atPs: Math.max(0, atPs - MS) };
      case "message": {
        // In the middle of the next message, the last one is a step away.
        const standing = from !== null || this.#atMessage === run.events;
        return { atPs, events: events - 1, messages: Math.max(0, standing ? messages - 1 : messages) };
      }
    }
  }

  #toMessage(run: DashboardRun): Job {
    let found = false;
    return {
      kind: "message",
      advance: (maxEvents) => (found = run.nextMessage(maxEvents)) || run.finished,
      progress: () => 0,
      arrived: () => {
        this.#host.sample();
        if (found) this.#atMessage = run.events;
        this.#say(found ? messageText(run.lastMessage) : "no message came: the run is over");
      },
    };
  }

  #forward(run: DashboardRun, atPs: number): Job {
    const fromPs = run.now;
    this.#goal = { kind: "forward", to: { atPs } };
    return {
      kind: "forward",
      advance: (maxEvents) => run.advance(atPs, maxEvents) || run.finished,
      progress: () => Math.min(1, (run.now - fromPs) / (atPs - fromPs)),
      arrived: () => {
        this.#host.sample();
        const at = `${seconds(run.now, 9)} s`;
        this.#say(run.finished && run.now < atPs ? `the run is over at ${at}` : `on to ${at}`);
      },
    };
  }

  /** Makes the run again up to `to`. Building it anew comes first, and may have to be waited for. */
  async #back(to: Goal): Promise<void> {
    const order = this.#orders;
    this.#goal = { kind: "back", to };
    try {
      const { run } = this.#host;
      const left = { inputs: run.inputs, intervals: run.intervals, samples: run.live().samples, endPs: run.now };
      const rewinding = await run.rewind(to.atPs, { events: to.events, messages: to.messages });
      if (order !== this.#orders) return rewinding.release();
      this.#rewinding = rewinding;
      this.#start({
        kind: "back",
        ...this.#moving(rewinding),
        arrived: (there) => this.#arrive(there!, to, left),
      });
    } catch (error) {
      this.#host.fail(error);
    }
  }

  /** To where the run that is gone stood: as if nothing had been asked. */
  #returning(rewinding: Rewinding): Job {
    return {
      kind: "forward",
      ...this.#moving(rewinding),
      arrived: (there) => {
        this.#host.replace(there!);
        this.#prepare(there!);
        this.#host.sample();
        this.#say(`again at ${seconds(there!.now, 9)} s`);
      },
    };
  }

  #moving(rewinding: Rewinding): Pick<Work, "advance" | "progress"> {
    return { advance: (maxEvents) => rewinding.advance(maxEvents) ?? false, progress: () => rewinding.progress };
  }

  #arrive(there: DashboardRun, to: Goal, left: Omit<Turn, "number">): void {
    const wallS = this.#slices.passedMs / 1000;
    this.#host.run.release();
    this.#host.replace(there);
    this.#host.dispatch({
      type: "arrived",
      left,
      inputs: there.inputs,
      intervals: there.intervals,
      live: there.live(),
      nowPs: there.now,
      finished: there.finished,
      pace: there.now / 1e12 / wallS,
    });
    this.#prepare(there);
    this.#atMessage = to.messages === there.messages ? there.events : -1;
    const event = there.lastEvent === "" ? "" : `, after event ${grouped(there.events)}: ${there.lastEvent}`;
    this.#say(`back at ${seconds(there.now, 9)} s${event}`);
  }

  /** It will be looked at where the other turns were, so that they can be compared with it. */
  #prepare(run: DashboardRun): void {
    run.sampleAt(this.#host.model.time.turns.flatMap(({ intervals }) => intervals.map(({ toPs }) => toPs)));
  }

  #start(job: Job): void {
    const { kind } = job;
    this.#slices.start({
      ...job,
      tell: (progress) => this.#report({ kind, ...progress }),
      arrived: (there) => {
        this.#goal = null;
        this.#rewinding = null;
        this.#report(null);
        job.arrived(there);
      },
    });
  }

  #report(travel: Travel | null): void {
    if (travel !== this.#host.model.time.travel) this.#host.dispatch({ type: "travelling", travel });
  }

  #say(text: string): void {
    this.#host.dispatch({ type: "notice", level: "info", text });
  }
}

function messageText(message: CompleteMessage | null): string {
  if (message === null) return "a message is complete";
  const { from, to, bytes, latencyPs } = message;
  const latency = latencyPs === null ? "" : `, latency ${span(latencyPs / 1000)}`;
  return `message from ${from ?? "?"} to ${to}, ${formatSize(bytes)}${latency}`;
}

/** A count in groups of three: 1 517 327. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}
