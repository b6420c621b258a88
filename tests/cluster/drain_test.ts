import assert from "node:assert/strict";
import { MS, SECOND, TIME_LIMIT_PS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { scenario } from "../support/scenario.ts";

/* After a run: programs end and what is on its way arrives, however long that takes; or it is said what has not. */

Deno.test("an overloaded link takes seconds to come to rest, which is no failure", () => {
  // Eager messages are done for their sender when they are copied: nothing but the queue holds it up, and what the
  // queue drops is sent again half a second later.
  const session = new Session(scenario({
    path: "virtio",
    guests: 4,
    rateBps: 20e6,
    workload: { kind: "stream", size: "32 KiB", outstanding: 1, direction: "both-ways" },
    costs: { txQueueLength: 100 },
    durationPs: 400 * MS,
  }));
  session.advance(session.end);
  assert.equal(session.now, session.end);
  assert.deepEqual(session.drain(), []);
  assert.ok(session.now > session.end + 5 * SECOND, `${session.now / SECOND} s`);
});

Deno.test("programs that wait for what never comes are counted, with the time they had", () => {
  const workload = { kind: "pingpong", sizes: ["16 B"], iterations: 5 };
  const session = new Session(scenario({ workload, loss: 1, durationPs: 5 * MS }));
  session.advance(session.end);
  assert.deepEqual(session.drain(), ["2 programs did not end within 60.0 s of virtual time after the run"]);
});

Deno.test("a run to the end of virtual time has no time left to come to rest in", () => {
  const workload = { kind: "pingpong", sizes: ["16 B"], iterations: 5 };
  const session = new Session(scenario({
    path: "native",
    workload,
    latencyPs: 3000 * SECOND,
    durationPs: TIME_LIMIT_PS,
  }));
  session.advance(session.end);
  assert.equal(session.now, TIME_LIMIT_PS);
  assert.deepEqual(session.drain(), []);
  assert.equal(session.now, TIME_LIMIT_PS);
});

Deno.test("payload is made again at the end and compared: what was written over behind everybody's back is found", () => {
  const session = new Session(scenario({ workload: { kind: "stream", size: "64 KiB" }, durationPs: 5 * MS }));
  session.advance(session.end);
  const { memory } = session.cluster.world;
  // A stray write of the emulator's own, into the table that everybody's payload is of.
  memory.u8[8 * memory.f64.findIndex((value, at, all) => value > 1 && value < 2 && Math.floor(all[at + 1]) === 2)] ^= 1;
  assert.deepEqual(session.drain(), ["payload has changed behind its senders' backs"]);
});
