import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { loadChecked } from "../../src/cli/catalogue.ts";
import { Recording } from "../../src/cluster/recording.ts";
import { Session } from "../../src/cluster/session.ts";
import { COUNTER_LABELS } from "../../src/mx/driver/counters.ts";
import { PATHS } from "../../src/path/registry.ts";
import { scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";

/* A guest dies in the middle of anything, and comes back: its partner goes on with it, and nothing stays behind. */

const WORKLOADS: Record<string, ScenarioOptions["workload"]> = {
  "a stream of eager messages": { kind: "stream", size: "8 KiB" },
  "a stream of large messages, both ways": { kind: "stream", size: "100 KiB", outstanding: 3, direction: "both-ways" },
  "a ping-pong": { kind: "pingpong", sizes: ["16 B", "64 KiB"], iterations: 20 },
};

function start(path: string, workload: ScenarioOptions["workload"], guests = 2): Session {
  const own = scenario({ path, workload, guests, durationPs: 10 * SECOND });
  return untilTestEnds(new Session(own, { endless: true }));
}

function messages(session: Session, forPs: number): number {
  const { total } = session.cluster;
  const before = total.completed;
  session.advance(session.now + forPs);
  return total.completed - before;
}

/** Every path, and on those that differ most every workload and both ends. */
const CASES = PATHS.flatMap(({ name: path }) => {
  const all = Object.keys(WORKLOADS).flatMap((title) => ["vm01", "vm02"].map((guest) => ({ path, title, guest })));
  return path === "xen2mx" ? all : [all[0], all[3], all[4]];
});

for (const { path, title, guest } of CASES) {
  Deno.test(`${path}: ${title}, ${guest} crashes and comes back`, () => {
    const session = start(path, WORKLOADS[title]);
    const before = messages(session, 3 * MS);
    assert.equal(session.apply({ kind: "crash", guest, forPs: 2 * MS }), null);
    session.advance(session.now + MS);
    assert.equal(messages(session, MS - 1), 0, "nobody is there");
    session.advance(session.now + 25 * MS); // for 20 of them nobody says anything
    const after = messages(session, 4 * MS);
    // A ping-pong begins anew with its first size, and with rounds that are not counted.
    const wanted = title === "a ping-pong" ? 1 : before / 2;
    assert.ok(before > 2 && after > wanted || path === "emulated", `${before} messages before, ${after} after`);
    if (path === "emulated") assert.ok(messages(session, 10 * MS) > 0);
    const { lost, integrityErrors, duplicated } = totals(session);
    assert.deepEqual([integrityErrors, duplicated], [0, 0]);
    assert.ok(title === "a ping-pong" ? lost <= 1 : lost > 0 && lost <= 8 + 3, `${lost} messages lost`);
    assert.deepEqual(session.notes.map(({ atPs, text }) => [atPs / MS, text]), [
      [3, `${guest} crashes, and boots again after 2 ms`],
      [5, `${guest} is booted again`],
    ]);
    assert.deepEqual(session.drain(), []);
  });
}

for (const path of ["native", "xen2mx", "bridged", "virtio-user"]) {
  Deno.test(`${path}: guests that crash again and again, at any instant, leave nothing behind`, () => {
    const session = start(path, { kind: "stream", size: "40 KiB", outstanding: 3, direction: "both-ways" }, 4);
    const random = session.cluster.world.engine.random("test");
    let used = 0;
    for (let i = 0; i < 16; i++) {
      session.advance(session.now + 1 + random.below(MS));
      const guest = `vm0${1 + random.below(4)}`;
      assert.equal(session.apply({ kind: "crash", guest, forPs: 1 + random.below(i % 2 === 0 ? MS : 5 * US) }), null);
      if (i === 9) used = session.cluster.world.memory.usedBytes;
    }
    session.advance(session.now + 30 * MS);
    for (const { meter } of session.cluster.guests) meter.resetRecent();
    session.advance(session.now + 10 * MS);
    for (const { meter, spec } of session.cluster.guests) assert.ok(meter.recentMessages > 0, `${spec.name} is back`);
    assert.deepEqual([totals(session).integrityErrors, totals(session).duplicated], [0, 0]);
    const grown = session.cluster.world.memory.usedBytes - used;
    assert.ok(grown < 20e6, `places are used again: ${grown} bytes more`);
    assert.deepEqual(session.drain(), []);
  });
}

Deno.test("a guest that is down is not waited for when the run ends, and one that dies again stays down longer", () => {
  const session = start("xen2mx", { kind: "stream", size: "8 KiB" }, 4);
  session.advance(3 * MS);
  assert.equal(session.apply({ kind: "crash", guest: "vm01", forPs: 2 * MS }), null);
  session.advance(4 * MS);
  assert.equal(session.apply({ kind: "crash", guest: "vm01", forPs: SECOND }), null);
  session.advance(9 * MS);
  for (const { meter } of session.cluster.guests) meter.resetRecent();
  session.advance(20 * MS);
  const recent = session.cluster.guests.map(({ meter }) => meter.recentMessages > 0);
  assert.deepEqual(recent, [false, false, false, true], "vm03 streams to vm04, and vm02 waits");
  assert.deepEqual(session.drain(), []);
});

Deno.test("a program that dies before it has begun begins after the boot", () => {
  const session = start("bridged", { kind: "stream", size: "8 KiB" });
  assert.equal(session.apply({ kind: "crash", guest: "vm01", forPs: MS }), null);
  session.advance(MS);
  assert.equal(session.cluster.total.completed, 0);
  session.advance(27 * MS);
  assert.ok(session.cluster.total.completed > 10);
  assert.deepEqual(session.drain(), []);
});

Deno.test("a guest that dies while its back end is stalled is gone when the back end has seen it", () => {
  const session = start("xen2mx", { kind: "stream", size: "100 KiB", outstanding: 3 });
  session.advance(3 * MS);
  assert.equal(session.apply({ kind: "stall", host: "a", forPs: 4 * MS }), null);
  session.advance(4 * MS);
  assert.equal(session.apply({ kind: "crash", guest: "vm01", forPs: MS }), null);
  session.advance(7 * MS);
  const { total } = session.cluster;
  const before = total.completed;
  session.advance(40 * MS);
  assert.ok(total.completed > before + 10);
  assert.deepEqual(session.drain(), []);
});

Deno.test("frames for a dead process are refused where a kernel is left to do so", () => {
  for (const [path, refuses] of [["native", true], ["xen2mx", true], ["virtio", false]] as const) {
    const session = start(path, { kind: "stream", size: "8 KiB" });
    session.advance(3 * MS);
    assert.equal(session.apply({ kind: "crash", guest: "vm02", forPs: 3 * MS }), null);
    session.advance(5 * MS);
    const { driver } = [...session.cluster.hosts[1].paths.values()][0].boards[0];
    const nacks = driver.counters[COUNTER_LABELS.indexOf("send nack lib")];
    assert.equal(nacks > 0, refuses, `${path}: ${nacks} refusals`);
  }
});

Deno.test("a run with crashes is made again exactly", async () => {
  const make = () => start("bridged", { kind: "pingpong", sizes: ["1 KiB"], iterations: 50 }, 4);
  const original = new Recording(make(), make);
  const { session } = original;
  for (let i = 0; i < 6; i++) {
    session.advance(session.end, 2345);
    assert.equal(original.apply({ kind: "crash", guest: `vm0${1 + i % 4}`, forPs: (1 + i) * 100 * US }), null);
  }
  session.advance(session.now + 25 * MS);
  const replay = await original.rewind(session.now);
  let again = replay.advance(99);
  while (again === null) again = replay.advance(99);
  for (const one of [again.session, session]) one.advance(one.now + MS);
  assert.equal(again.session.fingerprint, session.fingerprint);
  assert.deepEqual(session.drain(), []);
});

Deno.test("a last word that went to the dead is said again to who comes back", () => {
  // vm01 hardly gets its CPU: it hears of the death after it has said that the run is over.
  const starved = `
name: starved
duration: 6 ms
hosts: [{name: a, cpus: 1}, {name: b, cpus: 3}, {name: c, cpus: 8, native: true}]
guests:
  - { name: vm01, host: a, path: virtio-user }
  - { name: vm02, host: b, path: virtio, pin: [2] }
  - { name: vm03, host: c, pin: [5, 1] }
  - { name: vm04, host: a, path: virtio }
  - { name: vm05, host: b, path: virtio-user }
  - { name: vm06, host: c }
path: virtio
workload: { kind: pingpong, sizes: [129 B, 300 KiB], iterations: 2, wait: block }
faults:
  - { at: 4887 us, for: 2 ms, guest: vm02, crash: true }
  - { at: 4125 us, for: 2 ms, link: a-switch, loss: 0.3 }
  - { at: 91 us, for: 20 ms, host: a, hog: 20 }
seed: 374
`;
  const session = untilTestEnds(new Session(loadChecked(starved, "starved.yaml", [])));
  session.advance(session.end);
  assert.deepEqual(session.drain(), []);
});
