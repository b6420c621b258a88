import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import type { Input } from "../../src/cluster/input.ts";
import { LogPlayer, type Played } from "../../src/cluster/log_player.ts";
import { Recording } from "../../src/cluster/recording.ts";
import { Session } from "../../src/cluster/session.ts";
import { scenario, type ScenarioOptions, untilTestEnds } from "../support/scenario.ts";

/* A log played again: in slices of any size the same run, and a run that leaves its log says where. */

const STREAM: ScenarioOptions = { path: "xen2mx", workload: { kind: "stream", size: "8 KiB" }, durationPs: 12 * MS };
const LOSS: Input = { kind: "fault", link: "a-b", loss: 0.05, forPs: 3 * MS };
const DELAY: Input = { kind: "fault", link: "a-b", delayPs: 2e6, forPs: null };

function recording(seed = 1, endless = false): Recording {
  const make = () => untilTestEnds(new Session(scenario({ ...STREAM, seed }), { endless }));
  return new Recording(make(), make);
}

/** Inputs between events of one instant, at a time without an event, and an end in the middle of things. */
function recorded(): { log: Played; fingerprint: string } {
  const one = recording();
  const { session } = one;
  session.advance(session.end, 4321);
  assert.equal(one.apply(LOSS), null);
  assert.equal(one.apply(DELAY), null);
  session.advance(3 * MS + 1);
  assert.equal(one.apply({ kind: "end", input: 2 }), null);
  session.advance(session.end, 777);
  return { log: { inputs: one.inputs, end: endOf(session) }, fingerprint: session.fingerprint };
}

function endOf({ now, events, fingerprint }: Session) {
  return { atPs: now, events, fingerprint };
}

/** Plays to the end of the log in slices of virtual time and events. */
function play(player: LogPlayer, slicePs: number, maxEvents: number): void {
  const { session } = player.recording;
  while (player.verdict === null) player.advance(session.now + slicePs, maxEvents);
}

for (const [slicePs, maxEvents] of [[Infinity, Infinity], [1e6, Infinity], [Infinity, 1000], [2e6, 7]]) {
  Deno.test(`a log in slices of ${slicePs} ps and ${maxEvents} events ends where the run did`, () => {
    const { log, fingerprint } = recorded();
    const player = new LogPlayer(recording(), log);
    play(player, slicePs, maxEvents);
    assert.equal(player.recording.session.fingerprint, fingerprint);
    assert.deepEqual(player.recording.inputs, log.inputs);
    assert.equal(player.verdict!.same, true);
    assert.match(player.verdict!.text, new RegExp(`^the same fingerprint as in the log: ${fingerprint} after `));
  });
}

Deno.test("event by event, and message by message", () => {
  const { log } = recorded();
  const player = new LogPlayer(recording(), log);
  const { session } = player.recording;
  for (let i = 1; i <= 4321; i++) {
    player.step();
    assert.equal(session.events, i);
  }
  const before = session.cluster.total.completed;
  assert.equal(session.nextMessage(1e6, player), true);
  assert.equal(session.cluster.total.completed, before + 1);
  assert.ok(session.lastMessage!.bytes > 0);
  while (session.nextMessage(1e6, player));
  player.step();
  assert.equal(player.verdict!.same, true);
});

Deno.test("the player holds at the end of the log, and goes on when it is told", () => {
  const { log } = recorded();
  const player = new LogPlayer(recording(), log);
  play(player, Infinity, Infinity);
  const { session } = player.recording;
  const at = session.events;
  player.advance(session.end);
  player.step();
  assert.equal(session.nextMessage(1000, player), false);
  assert.equal(session.events, at);
  player.letGo();
  player.step();
  assert.equal(session.events, at + 1);
  player.advance(session.end);
  assert.ok(session.finished);
});

Deno.test("another turn leaves out what is left of the log", () => {
  const { log } = recorded();
  const player = new LogPlayer(recording(), log);
  player.advance(1000);
  player.letGo();
  player.advance(5 * MS);
  assert.deepEqual([player.recording.inputs, player.verdict], [[], null]);
});

Deno.test("a run that was made again up to an instant goes on with the rest of the log", async () => {
  const { log, fingerprint } = recorded();
  const player = new LogPlayer(recording(), log);
  player.advance(3 * MS);
  const again = await player.recording.rewind(log.inputs[0].atPs);
  let there: Recording | null = null;
  while (there === null) there = again.advance(1000);
  const next = new LogPlayer(there, log);
  play(next, Infinity, Infinity);
  assert.deepEqual([next.verdict!.same, there.session.fingerprint], [true, fingerprint]);
});

Deno.test("a run that leaves its log says where, and goes on by the log's times", () => {
  const { log } = recorded();
  const player = new LogPlayer(recording(2), log);
  play(player, Infinity, 500);
  const { same, text } = player.verdict!;
  assert.equal(same, false);
  assert.match(text, /^another fingerprint than in the log: \w{16} after \d+ events, .*; the log has \w{16} after/);
  assert.match(text, /\(it left the log after \d+ events at .*; the log has 4321 events at [\d.]+ ms\)$/);
  assert.equal(player.recording.inputs.length, 3);
});

Deno.test("an input that was changed or cannot be done gives another fingerprint", () => {
  const { log } = recorded();
  const first = log.inputs[0];
  for (const changed of [{ ...LOSS, loss: 0.5 }, { ...LOSS, link: "a-z" }]) {
    const player = new LogPlayer(recording(), {
      ...log,
      inputs: [{ ...first, input: changed }, ...log.inputs.slice(1)],
    });
    play(player, Infinity, Infinity);
    assert.equal(player.verdict!.same, false, changed.link);
    if (changed.link === "a-z") {
      assert.match(player.verdict!.text, /left the log at input 1: no link "a-z"; wanted a-b/);
    }
  }
});

Deno.test("an input that cannot be done is told although the run comes to the same end", () => {
  const { log } = recorded();
  const nothing = { ...log.inputs[0], input: { ...LOSS, link: "a-z" } };
  const player = new LogPlayer(recording(), { ...log, inputs: [nothing, ...log.inputs] });
  play(player, Infinity, Infinity);
  const { same, text } = player.verdict!;
  assert.equal(same, false);
  assert.match(
    text,
    /^the same fingerprint as in the log: .* \(it left the log at input 1: no link "a-z"; wanted a-b\)$/,
  );
});

Deno.test("without an end mark, what is not done is told: refused inputs, and those that come after the end", () => {
  const { log: { inputs } } = recorded();
  const [first, ...rest] = inputs;
  const nowhere = { ...first, input: { ...LOSS, link: "a-z" } };
  const late = { ...first, atPs: 50 * MS, events: 1e9 };
  const verdictOn = (changed: Played["inputs"]) => {
    const player = new LogPlayer(recording(), { inputs: changed, end: null });
    play(player, Infinity, Infinity);
    return player.verdict!;
  };
  const refused = verdictOn([nowhere, rest[0]]);
  assert.equal(refused.same, false);
  assert.match(refused.text, / 1 input \(it left the log at input 1: no link "a-z"; wanted a-b\)$/);
  const tooLate = verdictOn([...inputs, late, late]);
  assert.equal(tooLate.same, false);
  assert.match(tooLate.text, / 3 inputs; after the run's end the log has 2 inputs more$/);
});

Deno.test("after going back, an input that could not be done does not count as one that was", async () => {
  const { log } = recorded();
  const [first, ...rest] = log.inputs;
  const changed = { ...log, inputs: [{ ...first, input: { ...LOSS, link: "a-z" } }, ...rest] };
  const player = new LogPlayer(recording(), changed);
  play(player, Infinity, Infinity);
  const replay = await player.recording.rewind(2 * MS);
  let again = null;
  while (again === null) again = replay.advance(Infinity);
  const second = new LogPlayer(again, changed);
  play(second, Infinity, Infinity);
  assert.deepEqual(second.recording.inputs, player.recording.inputs);
  assert.equal(second.recording.session.fingerprint, player.recording.session.fingerprint);
});

Deno.test("without an end mark there is nothing to compare with; the scenario's own end is the end", () => {
  const { log } = recorded();
  for (const endless of [false, true]) {
    const player = new LogPlayer(recording(1, endless), { ...log, end: null });
    play(player, 1e9, Infinity);
    assert.equal(player.recording.session.now, 12 * MS);
    assert.equal(player.verdict!.same, null);
    assert.match(
      player.verdict!.text,
      /no end mark, it was cut off: fingerprint \w{16} after \d+ events, 12 ms, 3 inputs$/,
    );
  }
});

Deno.test("a log to the very end of a run, and one that goes on after it", () => {
  const one = recording();
  one.session.advance(one.session.end);
  assert.equal(one.apply(LOSS), "the run is over");
  const end = endOf(one.session);
  const player = new LogPlayer(recording(), { inputs: [], end });
  play(player, Infinity, 999);
  assert.equal(player.verdict!.same, true);
  const late = new LogPlayer(recording(), { inputs: [], end: { ...end, atPs: end.atPs + 1 } });
  play(late, Infinity, Infinity);
  assert.equal(late.verdict!.same, true, "time passes without an event");
  const more = new LogPlayer(recording(), { inputs: [], end: { ...end, atPs: end.atPs + 1, events: end.events + 1 } });
  play(more, Infinity, Infinity);
  assert.equal(more.verdict!.same, false);
});

Deno.test("what an input began can be ended once, also before it has begun", () => {
  const one = recording();
  assert.equal(one.apply({ kind: "fault", link: "a-b", cut: true, forPs: null }), null);
  assert.equal(one.apply({ kind: "end", input: 1 }), null);
  assert.equal(one.apply({ kind: "end", input: 1 }), "input 1: over already");
  assert.equal(one.apply({ kind: "end", input: 7 }), "no input 7; wanted 1 to 2");
  assert.equal(one.apply({ kind: "end", input: 2 }), "input 2: not possible to end it");
  const { session } = one;
  session.advance(2 * MS);
  const [link] = session.cluster.links;
  assert.equal(link.cut, false);
  assert.ok(session.cluster.total.completed > 0);
  assert.equal(one.apply(LOSS), null);
  session.advance(3 * MS);
  assert.equal(link.loss, 0.05);
  assert.equal(one.apply({ kind: "end", input: 3 }), null);
  assert.equal(link.loss, 0);
  session.advance(8 * MS);
  assert.equal(link.loss, 0);
  assert.equal(one.apply({ kind: "end", input: 3 }), "input 3: over already");
});
