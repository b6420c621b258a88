import assert from "node:assert/strict";
import { Journeys, type JourneyStep } from "../../src/metrics/journey.ts";
import { COPY, DRIVER, QUEUEING, WIRE } from "../../src/metrics/stage.ts";

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
