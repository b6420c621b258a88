import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { PATHS } from "../../src/path/registry.ts";
import { LiveView } from "../../src/report/live.ts";
import { scenario, type ScenarioOptions, untilTestEnds } from "../support/scenario.ts";

const META = { command: "test", version: "0" };

function watched(options: ScenarioOptions, guest: string | null) {
  const session = untilTestEnds(new Session(scenario(options)));
  const view = new LiveView(session, META);
  view.follow(guest);
  session.advance(session.end);
  return { session, live: view.live() };
}

const sum = (stages: readonly { us: number }[]) => stages.reduce((all, { us }) => all + us, 0);

for (const { name: path } of PATHS) {
  Deno.test(`${path}: of two guests every message is one of each, large ones too; looking changes nothing`, () => {
    const workload = { kind: "pingpong", sizes: ["100 B", "200 KiB"], iterations: 10, warmup_iterations: 1 };
    const [first, second, none] = ["vm01", "vm02", null].map((guest) => watched({ path, workload }, guest));
    assert.equal(first.live.guest_stages!.messages, first.session.cluster.world.journeys.finished);
    for (const { live } of [first, second]) assert.deepEqual(live.guest_stages!.stages, live.snapshot.stages);
    assert.equal(none.live.guest_stages, undefined);
    assert.equal(first.session.fingerprint, none.session.fingerprint);
  });
}

Deno.test("of pairs that have nothing to do with one another a guest has its own pair's messages only", () => {
  const workload = { kind: "stream", size: "30000 B", messages: 40, direction: "one-way" };
  const options = { path: "native", guests: 4, workload };
  const parts = ["vm01", "vm02", "vm03", "vm04"].map((guest) => watched(options, guest));
  const all = parts[0].live.snapshot;
  const own = parts.map(({ live }) => live.guest_stages!);
  const { finished } = parts[0].session.cluster.world.journeys;
  for (const { messages } of own) assert.equal(messages, finished / 2);
  // Who sends and who receives of a pair: the same messages. Both pairs together: the mean of all.
  const sets = [...new Set(own.map(({ stages }) => JSON.stringify(stages)))];
  assert.equal(sets.length, 2);
  const mean = (sum(JSON.parse(sets[0])) + sum(JSON.parse(sets[1]))) / 2;
  assert.ok(Math.abs(mean - sum(all.stages)) < 1e-3 * mean, `${mean} ${sum(all.stages)}`);
});

Deno.test("who is looked at in the middle of a run begins then, and another one anew", () => {
  const workload = { kind: "stream", size: "1000 B", direction: "both-ways" };
  const session = untilTestEnds(new Session(scenario({ workload, durationPs: 20 * MS })));
  const view = new LiveView(session, META);
  session.advance(5 * MS);
  const before = session.messages;
  view.follow("vm02");
  session.advance(8 * MS);
  const first = view.live().guest_stages!;
  assert.equal(first.from_ns, 5e6);
  assert.ok(first.messages > 0 && first.messages <= session.messages - before + 16, `${first.messages}`);
  view.follow("vm01");
  assert.equal(view.live().guest_stages!.messages, 0);
  view.follow(null);
  assert.equal(session.cluster.world.journeys.watch, null);
  assert.equal(view.live().guest_stages, undefined);
});
