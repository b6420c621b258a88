import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { loadChecked } from "../../src/cli/catalogue.ts";
import type { Input } from "../../src/cluster/input.ts";
import { parseSet } from "../../src/cluster/scenario_file.ts";
import { Session } from "../../src/cluster/session.ts";
import { untilTestEnds } from "../support/scenario.ts";

/* What a session says of inputs that go on, so that they can be ended. */

const TEXT = `
name: lasting
hosts: 2
guests: 4
path: xen2mx
workload: {kind: stream, size: 16 KiB}
duration: 1 s
`;

const resolve = (assignments: readonly string[]) => loadChecked(TEXT, "my.yaml", assignments.map(parseSet));

const INPUTS: readonly Input[] = [
  { kind: "crash", guest: "vm01", forPs: 4 * MS },
  { kind: "stall", host: "b", forPs: 3 * MS },
  { kind: "hog", host: "a", cpus: 2, forPs: null },
  { kind: "fault", link: "a-b", loss: 0.01, forPs: 2 * MS },
  { kind: "fault", link: "a-b", delayPs: 1000, forPs: null },
];

function begun(): Session {
  const session = untilTestEnds(new Session(resolve([]), { resolve, endless: true }));
  session.advance(MS);
  for (const input of INPUTS) assert.equal(session.apply(input), null);
  assert.deepEqual(session.lasting, [1, 2, 3, 4, 5]);
  return session;
}

Deno.test("inputs go on until their time is over", () => {
  const session = begun();
  for (const [ms, lasting] of [[2.9, [1, 2, 3, 4, 5]], [3, [1, 2, 3, 5]], [4, [1, 3, 5]], [5, [3, 5]]] as const) {
    session.advance(ms * MS);
    assert.deepEqual(session.lasting, lasting, `${ms} ms`);
  }
  assert.deepEqual(session.drain(), []);
});

Deno.test("each is ended by itself, and what it did is over at once", () => {
  const session = begun();
  session.advance(1.5 * MS);
  const [hostA] = session.cluster.hosts;
  assert.equal(hostA.hogs.busy, 2);
  for (const number of [1, 2, 3, 4, 5]) {
    assert.equal(session.apply({ kind: "end", input: number }), null, `input ${number}`);
    assert.ok(!session.lasting.includes(number));
    assert.match(session.apply({ kind: "end", input: number })!, /over already/);
  }
  assert.deepEqual([session.lasting, hostA.hogs.busy], [[], 0]);
  assert.deepEqual([session.cluster.links[0].loss, session.cluster.links[0].extraDelayPs], [0, 0]);
  const said = session.notes.map(({ text }) => text);
  for (
    const text of [
      "vm01 is booted again",
      "the back end of host b goes on",
      "the computation on 2 CPUs of host a is over",
    ]
  ) {
    assert.equal(said.filter((line) => line === text).length, 1, text);
  }
  const before = session.messages;
  session.advance(40 * MS);
  assert.ok(session.messages > before + 100, "all guests send again");
  assert.deepEqual(session.drain(), []);
});

Deno.test("a changed cluster has booted its guests: a crash does not go on, nor what has no place there", () => {
  const session = begun();
  session.advance(1.5 * MS);
  assert.equal(session.apply({ kind: "set", assignments: ["workload.size=1 KiB"] }), null);
  while (session.generation === 0) session.advance(session.now + MS / 10);
  const { lasting } = session;
  assert.ok(!lasting.includes(1) && lasting.includes(3) && lasting.includes(5), `${lasting}`);
  for (const number of lasting) assert.equal(session.apply({ kind: "end", input: number }), null);
  session.advance(session.now + 5 * MS);
  assert.deepEqual([session.lasting, session.drain()], [[], []]);
});
