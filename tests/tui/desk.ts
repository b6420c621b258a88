import assert from "node:assert/strict";
import { Traveller } from "../../src/tui/drive/travel.ts";
import { initialModel, type Model } from "../../src/tui/model.ts";
import type { Clock } from "../../src/tui/pacer.ts";
import { update } from "../../src/tui/update.ts";
import type { Message } from "../../src/tui/message.ts";
import { fakeOptions, type FakeRun } from "./fake_run.ts";

const MS = 1e9;

/** Wall time that passes by a quarter of a millisecond with each look at it, and an event loop that the test turns. */
export class TestClock implements Clock {
  wall = 0;
  #next: (() => void) | null = null;

  now(): number {
    return this.wall += 0.25;
  }

  later(action: () => void): () => void {
    this.#next = action;
    return () => this.#next = null;
  }

  get idle(): boolean {
    return this.#next === null;
  }

  turn(): void {
    const action = this.#next;
    this.#next = null;
    action?.();
  }
}

/** A dashboard without a terminal: the model, the run, and what the traveller does to both. */
export class Desk {
  readonly clock = new TestClock();
  readonly seen: Message[] = [];
  model: Model;
  run: FakeRun;
  readonly traveller: Traveller;

  constructor(columns = 80, rows = 24) {
    const { open, ...given } = fakeOptions("scale-40-vms");
    const run = open("scale-40-vms", {});
    this.run = run;
    this.model = initialModel({ ...given, theme: "monochrome", columns, rows });
    const dispatch = (message: Message) => {
      this.seen.push(message);
      this.model = update(this.model, message)[0];
    };
    const run_ = () => this.run;
    const model = () => this.model;
    this.traveller = new Traveller({
      get run() {
        return run_();
      },
      get model() {
        return model();
      },
      replace: (other) => this.run = other as FakeRun,
      sample: () => this.sample(),
      dispatch,
      fail: (error) => assert.fail(String(error)),
    }, this.clock);
    dispatch({ type: "opened", scenario: "scale-40-vms", path: null, live: run.live(), nowPs: 0, endPs: run.end });
  }

  receive(message: Message): void {
    this.model = update(this.model, message)[0];
  }

  /** A key, and everything that it asks of the traveller. */
  key(...keys: string[]): void {
    for (const key of keys) {
      const [model, effects] = update(this.model, { type: "key", key });
      this.model = model;
      for (const effect of effects) {
        if (effect.type === "step") this.traveller.step();
        if (effect.type === "travel") this.traveller.begin(effect.order);
      }
    }
  }

  sample(): void {
    const { run } = this;
    const live = run.live();
    this.model = update(this.model, { type: "frame", live, nowPs: run.now, finished: run.finished, pace: 1 })[0];
    this.model = update(this.model, { type: "seen", inputs: run.inputs, intervals: run.intervals })[0];
  }

  /** As the pacer would, a sample every 100 ms. */
  runTo(seconds: number): void {
    while (this.run.now < seconds * 1e12) {
      this.run.advance(Math.min(this.run.now + 100 * MS, seconds * 1e12), Infinity);
      this.sample();
    }
  }

  /** Turns the event loop until nothing is left to do. */
  async settle(): Promise<void> {
    for (let i = 0; i < 1000; i++) {
      await Promise.resolve();
      if (this.clock.idle) {
        await Promise.resolve();
        await Promise.resolve();
        if (this.clock.idle) return;
      }
      this.clock.turn();
    }
    assert.fail("it does not arrive");
  }

  get notice(): string {
    return this.model.notice?.text ?? "";
  }
}
