import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import type { Input } from "../../src/cluster/input.ts";
import { Recording, type Replay } from "../../src/cluster/recording.ts";
import { Session } from "../../src/cluster/session.ts";
import { scenario, type ScenarioOptions, untilTestEnds } from "../support/scenario.ts";

const STREAM: ScenarioOptions = { path: "xen2mx", workload: { kind: "stream", size: "8 KiB" }, durationPs: 50 * MS };
const LOSS: Input = { kind: "fault", link: "a-b", loss: 0.05, forPs: 3 * MS };

function recording(options: ScenarioOptions): Recording {
  const make = () => untilTestEnds(new Session(scenario(options)));
  return new Recording(make(), make);
}

function lost({ session }: Recording): number {
  return session.cluster.links[0].directions.reduce((sum, direction) => sum + direction.lost, 0);
}

function finish(replay: Replay, maxEvents: number): Recording {
  for (;;) {
    const there = replay.advance(maxEvents);
    if (there !== null) return there;
  }
}

for (const slice of [1, 1000, Infinity]) {
  Deno.test(`a replay in slices of ${slice} events stands where the run has been, inputs between events included`, async () => {
    const original = recording(STREAM);
    const { session } = original;
    session.advance(session.end, 4321);
    assert.equal(original.apply(LOSS), null);
    session.advance(9 * MS);
    assert.equal(original.apply({ ...LOSS, loss: 0, delayPs: 1e6, forPs: null }), null);
    session.advance(session.end, 2000);
    const seen = { now: session.now, events: session.events, fingerprint: session.fingerprint };
    session.advance(20 * MS);
    const again = finish(await original.rewind(seen.now), slice);
    assert.equal(again.session.now, seen.now);
    // Events of the same instant may come after the one at which the run was looked at.
    again.session.advance(30 * MS);
    session.advance(30 * MS);
    assert.equal(again.session.fingerprint, session.fingerprint);
    assert.deepEqual(again.inputs, original.inputs);
    assert.ok(lost(again) > 0, "the loss was there");
  });
}

Deno.test("what comes after the instant is not done again, and another turn is another run", async () => {
  const original = recording(STREAM);
  original.session.advance(5 * MS);
  original.apply(LOSS);
  original.session.advance(20 * MS);
  const again = finish(await original.rewind(4 * MS), 500);
  assert.deepEqual([again.inputs, again.session.now], [[], 4 * MS]);
  again.session.advance(20 * MS);
  assert.notEqual(again.session.fingerprint, original.session.fingerprint);
  assert.deepEqual([lost(again), lost(original) > 0], [0, true]);
});

Deno.test("what cannot be done says why, and is not noted", () => {
  const one = recording(STREAM);
  assert.equal(one.apply({ ...LOSS, link: "a-z" }), 'no link "a-z"; wanted a-b');
  assert.deepEqual(one.inputs, []);
});
