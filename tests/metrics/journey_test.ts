import assert from "node:assert/strict";
import fc from "fast-check";
import { Journeys, type JourneyStep } from "../../src/metrics/journey.ts";
import { COPY, DRIVER, QUEUEING, STAGES, SYSCALL, WIRE } from "../../src/metrics/stage.ts";

/** Steps that an observer is told of, message by message. */
function observed(): { journeys: Journeys; told: (readonly JourneyStep[])[] } {
  const journeys = new Journeys();
  const told: (readonly JourneyStep[])[] = [];
  journeys.record();
  journeys.onFinish = (steps) => told.push(steps);
  return { journeys, told };
}

Deno.test("journeys tell of each message that is complete, with where work on it began in each step", () => {
  const { journeys, told } = observed();
  const id = journeys.begin(100);
  journeys.place = "cpu";
  journeys.work(id, DRIVER, 5);
  journeys.until(id, QUEUEING, 125);
  journeys.place = "a-b";
  journeys.side = 1;
  journeys.until(id, WIRE, 130); // waits and works on one stage: one step
  journeys.work(id, WIRE, 10);
  journeys.work(id, WIRE, 3);
  assert.equal(told.length, 0);
  journeys.finish(id, 143);
  assert.deepEqual(told, [[
    { stage: DRIVER, place: "cpu", from: 100, duration: 5, workFrom: 100, side: 0 },
    { stage: QUEUEING, place: "cpu", from: 105, duration: 20, workFrom: -1, side: 0 },
    { stage: WIRE, place: "a-b", from: 125, duration: 18, workFrom: 130, side: 1 },
  ]]);
});

Deno.test("journeys: a fork has the past of both, what was dropped is never told of", () => {
  const { journeys, told } = observed();
  const id = journeys.begin(0);
  journeys.work(id, COPY, 4);
  const fork = journeys.fork(id);
  journeys.drop(id);
  journeys.work(fork, DRIVER, 6);
  journeys.finish(fork, 10);
  assert.deepEqual(told.map((steps) => steps.map(({ stage, duration }) => [stage, duration])), [[[COPY, 4], [
    DRIVER,
    6,
  ]]]);
});

Deno.test("journeys: a message that began before recording has no steps, nor has its fork; nor one after", () => {
  const journeys = new Journeys();
  const early = journeys.begin(0);
  const told: (readonly JourneyStep[])[] = [];
  journeys.record();
  journeys.onFinish = (steps) => told.push(steps);
  const fork = journeys.fork(early);
  for (const id of [early, fork]) {
    journeys.work(id, COPY, 4);
    journeys.finish(id, 4);
  }
  assert.deepEqual(told, [[], []]);
  journeys.stopRecording();
  journeys.finish(journeys.begin(9), 9);
  assert.equal(told.length, 2);
  assert.equal(journeys.isRecording, false);
});

/** Journeys as anybody would write them first: everything of each by itself, copied by a fork. */
class SlowJourneys {
  readonly sums: number[] = STAGES.map(() => 0);
  total = 0;
  finished = 0;
  countFrom = 0;
  readonly live = new Map<number, { start: number; last: number; stages: number[] }>();

  begin(id: number, start: number): void {
    this.live.set(id, { start, last: start, stages: STAGES.map(() => 0) });
  }

  fork(id: number, copy: number): void {
    this.live.set(copy, structuredClone(this.live.get(id)!));
  }

  book(id: number, stage: number, duration: number): void {
    const journey = this.live.get(id)!;
    journey.stages[stage] += duration;
    journey.last += duration;
  }

  finish(id: number): number[] {
    const { start, last, stages } = this.live.get(id)!;
    this.live.delete(id);
    if (start < this.countFrom) return [];
    stages.forEach((ps, stage) => this.sums[stage] += ps);
    this.total += last - start;
    this.finished++;
    return stages;
  }
}

const pick = fc.nat(1000);
const ps = fc.oneof(fc.constant(0), fc.nat(1000), fc.nat(2 ** 40));
const stage = fc.nat(STAGES.length - 1);
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ op: fc.constant("begin" as const), ps }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("fork" as const), pick }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("work" as const), pick, stage, ps }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("until" as const), pick, stage, ps }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("drop" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("finish" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("countFrom" as const), ps }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("record" as const), on: fc.boolean() }) },
);

Deno.test("journeys do what a copy of everything at each fork does: what one books, no other sees", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const journeys = new Journeys(2); // grows
      const slow = new SlowJourneys();
      const told: number[][] = [];
      journeys.watch = { completed: (_by, _from, stagePs) => told.push([...stagePs]) };
      const by = {};
      const finish = (id: number) => {
        const { start, last } = slow.live.get(id)!;
        const before = told.length;
        assert.equal(journeys.finish(id, last, by), last - start);
        const stages = slow.finish(id);
        assert.deepEqual(told.slice(before), stages.length === 0 ? [] : [stages]);
      };
      for (const action of steps) {
        if (action.op === "begin") {
          slow.begin(journeys.begin(action.ps), action.ps);
        } else if (action.op === "countFrom") {
          journeys.countFrom(slow.countFrom = action.ps);
          slow.sums.fill(slow.total = slow.finished = 0);
        } else if (action.op === "record") {
          if (action.on) journeys.record();
          else journeys.stopRecording();
        } else if (slow.live.size > 0) {
          const id = [...slow.live.keys()][action.pick % slow.live.size];
          const { start, last } = slow.live.get(id)!;
          assert.deepEqual([journeys.startOf(id), journeys.lastBooking(id)], [start, last]);
          if (action.op === "fork") slow.fork(id, journeys.fork(id));
          else if (action.op === "finish") finish(id);
          else if (action.op === "drop") {
            journeys.drop(id);
            slow.live.delete(id);
          } else {
            if (action.op === "work") journeys.work(id, action.stage, action.ps);
            else journeys.until(id, action.stage, last + action.ps);
            slow.book(id, action.stage, action.ps);
          }
        }
        assert.equal(journeys.live, slow.live.size);
      }
      for (const id of [...slow.live.keys()]) finish(id);
      assert.deepEqual([...journeys.sums], slow.sums);
      assert.deepEqual([journeys.total, journeys.finished, journeys.live], [slow.total, slow.finished, 0]);
    }),
  );
});

Deno.test("journeys: a message is alone if no other is under way from its send call to its completion", () => {
  const journeys = new Journeys();
  const finish = (id: number, now: number) => {
    journeys.until(id, WIRE, now);
    journeys.finish(id, now);
    return journeys.finishedAlone;
  };
  const first = journeys.begin(0);
  journeys.drop(journeys.fork(first));
  assert.equal(finish(first, 10), 1, "a fork is no other message");
  const [second, third] = [journeys.begin(10), journeys.begin(15)];
  assert.equal(finish(second, 20), 1, "another was sent meanwhile");
  assert.equal(finish(third, 30), 1, "another was under way when it was sent");
  assert.equal(finish(journeys.begin(25), 40), 1, "sent before the last one ended, and followed from later on");
  const [lost, fork] = [journeys.begin(40), journeys.begin(40)];
  journeys.drop(lost);
  assert.equal(finish(fork, 50), 1, "it began in company");
  assert.equal(finish(journeys.begin(50), 60), 2);
  journeys.countFrom(60);
  assert.deepEqual([journeys.finished, journeys.finishedAlone], [0, 0]);
});

Deno.test("journeys: what is given up twice is a fault of the program, and nothing else has been given up", () => {
  const journeys = new Journeys();
  const id = journeys.begin(0);
  const fork = journeys.fork(id);
  journeys.drop(id);
  assert.throws(() => journeys.drop(id), /given back that is not taken/);
  journeys.work(fork, SYSCALL, 7);
  assert.equal(journeys.finish(fork, 7), 7);
  assert.throws(() => journeys.drop(fork), /given back that is not taken/);
});
