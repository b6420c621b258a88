import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { COST_NAMES } from "../../src/hw/machine_profile.ts";
import { IDLE } from "../../src/metrics/stage.ts";
import { run, scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";
import { record } from "../support/wire.ts";

/* A run as its observers use it: sliced, stepped, measured after warm-up, stopped, drained. */

const pingpong: ScenarioOptions = { workload: { kind: "pingpong", sizes: ["0 B", "40 KiB"], iterations: 20 } };
const stream: ScenarioOptions = {
  guests: 4,
  path: "xen2mx",
  workload: { kind: "stream", size: "16 KiB" },
  warmupPs: MS,
  durationPs: 4 * MS,
};

Deno.test("a session that is stepped event by event ends as one that runs in one go", () => {
  const whole = run(pingpong);
  const stepped = untilTestEnds(new Session(scenario(pingpong)));
  let steps = 0;
  while (!stepped.finished) {
    stepped.step();
    steps++;
  }
  assert.equal(stepped.fingerprint, whole.fingerprint);
  assert.equal(stepped.now, whole.now);
  assert.ok(steps >= whole.events && steps <= whole.events + 2, "one event for each step");
});

Deno.test("a session that says which costs it reads is the same run; one that it never reads does not matter", () => {
  const spec = scenario(pingpong);
  const read = new Set<string>();
  const watched = untilTestEnds(new Session(spec, { costRead: (name) => read.add(name) }));
  watched.advance(watched.end);
  const { fingerprint } = run(pingpong);
  assert.equal(watched.fingerprint, fingerprint);
  const unread = COST_NAMES.filter((name) => !read.has(name));
  assert.ok(read.size > 10 && unread.length > 10, `${read.size} of ${COST_NAMES.length}`);
  const dear = Object.fromEntries(unread.map((name) => [name, 12345]));
  const other = untilTestEnds(new Session({ ...spec, costs: dear }));
  other.advance(other.end);
  assert.equal(other.fingerprint, fingerprint);
});

Deno.test("advance stops at its instant and at its number of events, and says which", () => {
  const session = untilTestEnds(new Session(scenario(stream)));
  assert.equal(session.advance(100 * US), true);
  assert.equal(session.now, 100 * US);
  const before = session.events;
  assert.equal(session.advance(session.end, 10), false);
  assert.equal(session.events, before + 10);
  assert.equal(session.finished, false);
  assert.equal(session.advance(2 * session.end), true);
  assert.deepEqual([session.finished, session.now], [true, 5 * MS]);
  const { fingerprint } = session;
  session.advance(9 * MS);
  assert.deepEqual([session.fingerprint, session.now], [fingerprint, 5 * MS], "a finished run stays as it is");
});

Deno.test("programs that end by themselves end the run, and its measured time", () => {
  const session = run(pingpong);
  assert.ok(session.finished && session.now < session.end);
  assert.equal(session.measuredPs, session.now);
  const wall = session.measuredPs;
  assert.deepEqual(session.drain(), []);
  assert.equal(session.measuredPs, wall, "draining is not measured");
});

Deno.test("what happens before warm-up ends is not in the figures", () => {
  const session = untilTestEnds(new Session(scenario(stream)));
  session.advance(MS);
  const early = totals(session).messages;
  session.advance(session.end);
  const warm = totals(session);
  const cold = totals(run({ ...stream, warmupPs: 0, durationPs: 5 * MS }));
  assert.equal(session.measuredPs, 4 * MS);
  assert.ok(early <= 2 && warm.messages > 10 && cold.messages > warm.messages);
  const { journeys } = session.cluster.world;
  assert.ok(journeys.finished <= warm.messages, "only messages that were sent after it are followed");
});

Deno.test("accounts read at any instant cover that instant", () => {
  const session = untilTestEnds(new Session(scenario({ ...stream, cpus: 2 })));
  for (let at = 50 * US; at < session.end; at += 777 * US) {
    session.advance(at);
    session.settle();
    for (const { site } of session.cluster.guests) {
      const sum = site.processor.time.reduce((all, part) => all + part, 0);
      assert.ok(sum >= session.now && sum < session.now + 50 * US);
    }
  }
  session.advance(session.end);
  session.drain();
  session.settle();
  for (const { site } of session.cluster.guests) {
    assert.equal(site.processor.time.reduce((all, part) => all + part, 0), session.now);
    assert.ok(site.processor.time[IDLE] > 0);
  }
});

Deno.test("looking at a session changes nothing", () => {
  const seen = run(pingpong, ({ cluster }) => void record(cluster));
  assert.equal(seen.fingerprint, run(pingpong).fingerprint);
  const settled = untilTestEnds(new Session(scenario(stream)));
  for (let at = 0; at < settled.end; at += 33 * US) {
    settled.advance(at);
    settled.settle();
    totals(settled);
    for (const { port } of settled.cluster.guests) port.figures();
  }
  settled.advance(settled.end);
  assert.equal(settled.fingerprint, run(stream).fingerprint);
});

Deno.test("an eager answer that is lost is repeated, though its sender has nothing else to do", () => {
  // The last message of a ping-pong: buffered is done for the program, but its endpoint may not close before the ack.
  let cut = false;
  const session = run({ workload: { kind: "pingpong", sizes: ["0 B"], iterations: 5 } }, ({ cluster }) => {
    const frames = record(cluster);
    const [link] = cluster.links;
    link.tap.listen(() => {
      const pongs = frames.filter(({ name, side }) => name === "TINY" && side === 1).length;
      link.cut = !cut && pongs === 15;
      cut ||= link.cut;
    });
  });
  assert.ok(cut && session.finished);
  assert.ok(session.now > 500 * MS && session.now < SECOND, "one resend period later");
  assert.equal(totals(session).lost, 0);
  assert.deepEqual(session.drain(), []);
});

Deno.test("a connect that is lost on a lossy wire does not make what was received before unreceived", () => {
  // Both sides connect, one request is lost, and its sender is served by the other's connect meanwhile.
  const workload = { kind: "stream", size: "70000 B", direction: "both-ways", messages: 25 };
  let lost = 0;
  const session = run({ workload }, ({ cluster }) => {
    const [link] = cluster.links;
    const { frames, memory } = cluster.world;
    link.tap.listen((side, frame) => {
      const isConnect = memory.u8[frames.at(frame) + 16] === 36 && memory.u8[frames.at(frame) + 42] === 0;
      link.cut = isConnect && side === 0 && lost++ < 2;
    });
  });
  assert.ok(session.finished && lost > 2);
  const { integrityErrors, duplicated, messages } = totals(session);
  assert.deepEqual([integrityErrors, totals(session).lost, duplicated, messages], [0, 0, 0, 50]);
  assert.deepEqual(session.drain(), []);
});

Deno.test("a one-way receiver whose connect is lost until the sender has closed still receives everything", () => {
  let lost = 0;
  const session = run({ workload: { kind: "stream", size: "0 B", messages: 25 } }, ({ cluster }) => {
    const [link] = cluster.links;
    const { frames, memory } = cluster.world;
    link.tap.listen((side, frame) => {
      const isRequest = memory.u8[frames.at(frame) + 16] === 36 && memory.u8[frames.at(frame) + 42] === 0;
      link.cut = side === 1 && isRequest && lost++ === 0;
    });
  });
  assert.ok(session.now > 500 * MS && session.now < SECOND);
  assert.deepEqual([totals(session).messages, totals(session).lost], [25, 0]);
  assert.deepEqual(session.drain(), []);
});

Deno.test("three hosts and a switch: pairs of any two hosts reach each other", () => {
  const workload = { kind: "stream", size: "50 KiB", messages: 10, direction: "both-ways" };
  const session = run({ hosts: 3, guests: 6, path: ["native", "xen2mx", "xen2mx-plain"], workload });
  const { messages, integrityErrors, lost } = totals(session);
  assert.deepEqual([messages, integrityErrors, lost], [60, 0, 0]);
  assert.equal(session.cluster.links.length, 3);
  assert.deepEqual(session.drain(), []);
});
