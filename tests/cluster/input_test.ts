import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import type { Input } from "../../src/cluster/input.ts";
import { Recording } from "../../src/cluster/recording.ts";
import { Session } from "../../src/cluster/session.ts";
import { OWNER_DOM0, OWNER_HOST } from "../../src/hw/cpu.ts";
import { KERNEL, STEAL, USER } from "../../src/metrics/stage.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";

/* What users do to hosts while a run goes on: it must come of the mechanisms, and leave nothing behind. */

const stream = (path: string, more: Partial<ScenarioOptions> = {}): ScenarioOptions => ({
  path,
  // Longer than what goes eager: nothing is far ahead of the receiver.
  workload: { kind: "stream", size: "64 KiB", outstanding: 2 },
  durationPs: 100 * MS,
  ...more,
});

function start(options: ScenarioOptions): Session {
  return untilTestEnds(new Session(scenario(options)));
}

/** Messages that are complete in the next `forPs`. */
function messages(session: Session, forPs: number): number {
  const { total } = session.cluster;
  const before = total.completed;
  session.advance(session.now + forPs);
  return total.completed - before;
}

/** CPU time of a host's back end, picoseconds. */
function backEndTime({ cluster }: Session, host: number): number {
  const { kind, cpus } = cluster.hosts[host];
  const owner = kind === "xen" ? OWNER_DOM0 : OWNER_HOST;
  return cpus.reduce((sum, cpu) => sum + cpu.charged(owner, USER) + cpu.charged(owner, KERNEL), 0);
}

function apply(session: Session, input: Input): void {
  assert.equal(session.apply(input), null);
}

for (const path of ["bridged", "xen2mx-plain", "xen2mx", "virtio", "virtio-user", "emulated"]) {
  Deno.test(`${path}: a stalled back end moves nothing, and what has queued up is done afterwards`, () => {
    const session = start(stream(path));
    const before = messages(session, 5 * MS);
    apply(session, { kind: "stall", host: "a", forPs: 4 * MS });
    session.advance(session.now + MS / 2); // what dom0 or the wire had in hand comes through
    const spentBefore = backEndTime(session, 0);
    const during = messages(session, 3 * MS);
    assert.equal(backEndTime(session, 0), spentBefore, "none of its threads has run");
    session.advance(session.now + MS);
    const after = messages(session, 5 * MS);
    assert.ok(before > 10, `${before} messages before`);
    assert.ok(during <= 2, `${during} messages while it was stalled`);
    assert.ok(after > before / 2, `${after} messages afterwards, ${before} before`);
    assert.deepEqual(session.notes.map(({ text }) => text), [
      "the back end of host a does nothing for 4 ms",
      "the back end of host a goes on",
    ]);
    assert.deepEqual(session.drain(), []);
  });
}

for (const path of ["native", "iov"]) {
  Deno.test(`${path}: there is no back end to stall`, () => {
    const session = start(stream(path));
    const problem = session.apply({ kind: "stall", host: "a", forPs: MS });
    assert.equal(problem, `host a has no back end to stall: nothing stands between guests and NIC on ${path}`);
  });
}

Deno.test("a hog takes turns that guests would have had: steal goes up, throughput down, and back", () => {
  for (const path of ["xen2mx", "virtio"]) {
    // A CPU for each of: dom0 (or the kernel), the guest.
    const session = start(stream(path, { cpus: 2, workload: { kind: "stream", size: "64 KiB", wait: "poll" } }));
    const before = messages(session, 20 * MS);
    const { site } = session.cluster.guests[0];
    session.settle();
    const stealBefore = site.processor.time[STEAL] / (20 * MS);
    apply(session, { kind: "hog", host: "a", cpus: 4, forPs: 30 * MS });
    const stolen = site.processor.time[STEAL];
    const during = messages(session, 30 * MS) * 2 / 3;
    session.settle();
    const stealDuring = (site.processor.time[STEAL] - stolen) / (30 * MS);
    assert.ok(stealDuring > stealBefore + 0.2, `${path}: steal ${stealBefore} before, ${stealDuring} during`);
    assert.ok(during < 0.8 * before, `${path}: ${before} messages before, ${during} during`);
    session.advance(session.now + 5 * MS);
    const after = messages(session, 20 * MS);
    assert.ok(after > 0.9 * before, `${path}: ${before} messages before, ${after} after`);
    assert.equal(session.cluster.hosts[0].hogs.busy, 0);
    assert.deepEqual(session.drain(), []);
  }
});

Deno.test("hogs are in the accounts of the host, CPU for CPU, and use what is idle first", () => {
  for (const path of ["native", "xen2mx", "virtio"]) {
    const session = start(stream(path, { cpus: 8 }));
    session.advance(5 * MS);
    const busy = () => {
      session.settle();
      return session.cluster.hosts[1].cpus.reduce((sum, cpu) => sum + cpu.busy, 0);
    };
    const quiet = start(stream(path, { cpus: 8 }));
    apply(session, { kind: "hog", host: "b", cpus: 3, forPs: null });
    const before = busy();
    session.advance(25 * MS);
    quiet.advance(25 * MS);
    const own = quiet.cluster.hosts[1].cpus.reduce((sum, cpu) => sum + cpu.busy, 0) * 20 / 25;
    const more = (busy() - before - own) / (20 * MS);
    assert.ok(more > 2.8 && more < 3.2, `${path}: ${more} CPUs`);
    assert.equal(session.cluster.hosts[1].hogs.busy, 3);
    assert.ok(session.cluster.total.completed > 0.9 * quiet.cluster.total.completed, "five CPUs are enough");
    assert.deepEqual(session.drain(), []);
    assert.equal(session.cluster.hosts[1].hogs.busy, 0);
  }
});

Deno.test("what cannot be done to a host says why, and changes nothing", () => {
  const session = start(stream("xen2mx"));
  const same = start(stream("xen2mx"));
  session.advance(MS);
  assert.equal(session.apply({ kind: "stall", host: "z", forPs: MS }), 'no host "z"; wanted a, b');
  assert.equal(session.apply({ kind: "crash", guest: "vm9", forPs: MS }), 'no guest "vm9"; wanted vm01, vm02');
  const fault: Input = { kind: "fault", link: "a-b", corrupt: 1.5, forPs: null };
  assert.equal(session.apply(fault), "fault: found corrupt 1.5, wanted 0 to 1");
  assert.equal(session.apply({ kind: "hog", host: "a", cpus: 0, forPs: MS }), "hog: found 0 CPUs, wanted 1 to 256");
  assert.equal(
    session.apply({ kind: "stall", host: "a", forPs: 0 }),
    "stall: found 0 ps, wanted a whole number of picoseconds within virtual time",
  );
  session.advance(5 * MS);
  same.advance(5 * MS);
  assert.equal(session.fingerprint, same.fingerprint);
  assert.deepEqual(session.notes, []);
});

Deno.test("stalls that overlap end with the last of them", () => {
  const session = start(stream("xen2mx"));
  session.advance(2 * MS);
  apply(session, { kind: "stall", host: "b", forPs: 3 * MS });
  session.advance(3 * MS);
  apply(session, { kind: "stall", host: "b", forPs: 4 * MS });
  assert.ok(messages(session, 4 * MS) <= 2, "the end of the first one changes nothing");
  assert.ok(messages(session, 3 * MS) > 10, "all goes on");
  assert.deepEqual(session.drain(), []);
});

for (const path of ["native", "bridged", "xen2mx"]) {
  Deno.test(`${path}: corrupted frames are lost to the driver, counted by the NIC, and sent again`, () => {
    const session = start(
      stream(path, { workload: { kind: "stream", size: "64 KiB", messages: 400 }, durationPs: 5 * SECOND }),
    );
    session.advance(MS);
    apply(session, { kind: "fault", link: "a-b", corrupt: 0.02, forPs: 4 * MS });
    session.advance(session.end);
    const { hosts, links } = session.cluster;
    const errors = hosts.map(({ nic }) => nic.counters.rxCrcErrors);
    assert.deepEqual(errors, [links[0].directions[1].corrupted, links[0].directions[0].corrupted]);
    assert.ok(errors[1] >= 1, `${errors[1]} errors`);
    const sum = totals(session);
    assert.deepEqual([sum.messages, sum.lost, sum.duplicated, sum.integrityErrors], [400, 0, 0, 0]);
    const { links: [link], hosts: [, receiver] } = takeSnapshot(session, META);
    assert.deepEqual([link.directions[0].corrupted, receiver.nic.crc_errors], [errors[1], errors[1]]);
    assert.deepEqual(session.drain(), []);
  });
}

Deno.test("a scenario's own troubles happen when it says, as those of users do", () => {
  const own = start(stream("xen2mx", {
    guests: 4,
    troubles: [
      { kind: "stall", atPs: 2 * MS, forPs: MS, host: "a" },
      { kind: "crash", atPs: 4 * MS, forPs: MS, guest: "vm02" },
      { kind: "hog", atPs: 5 * MS, forPs: MS, host: "b", cpus: 2 },
    ],
  }));
  own.advance(20 * MS);
  const notes = own.notes.map(({ atPs, text }) => [atPs / MS, text]);
  assert.deepEqual(notes, [
    [2, "the back end of host a stalls"],
    [3, "the back end of host a goes on"],
    [4, "vm02 crashes"],
    [5, "vm02 is booted again"],
    [5, "somebody else computes on 2 CPUs of host b"],
    [6, "the computation on 2 CPUs of host b is over"],
  ]);
  assert.deepEqual(own.drain(), []);
});

const META = { command: "test", version: "0", wallMs: 0, partial: false };

/** `path=...` and `guests=...` are what this run can be told. */
function open(): Session {
  const options: ScenarioOptions = {
    path: "xen2mx",
    workload: { kind: "stream", size: "64 KiB", outstanding: 4 },
    cpus: 4,
    durationPs: 400 * MS,
  };
  const resolve = (assignments: readonly string[]) => {
    const told = Object.fromEntries(assignments.map((assignment) => assignment.split("=")));
    return scenario({ ...options, path: told.path ?? options.path, guests: Number(told.guests ?? 2) });
  };
  return untilTestEnds(new Session(scenario(options), { resolve, endless: true }));
}

Deno.test("what was done can be done again, in slices of any size, over several generations", async () => {
  const original = new Recording(open(), open);
  const { session } = original;
  const inputs: [number, Input][] = [
    [8, { kind: "stall", host: "a", forPs: 3 * MS }],
    [15, { kind: "hog", host: "b", cpus: 2, forPs: 10 * MS }],
    [20, { kind: "set", assignments: ["path=bridged"] }],
    [40, { kind: "fault", link: "a-b", delayPs: MS / 10, forPs: 5 * MS }],
    [60, { kind: "set", assignments: ["guests=6", "path=xen2mx"] }],
    [80, { kind: "stall", host: "b", forPs: MS }],
    [85, { kind: "fault", link: "a-b", corrupt: 0.01, forPs: 5 * MS }],
  ];
  for (const [ms, input] of inputs) {
    session.advance(ms * MS);
    while (original.apply(input) !== null) session.advance(session.now + MS);
  }
  session.advance(Math.max(100 * MS, session.now + 10 * MS));
  assert.equal(session.generation, 2);
  for (const slice of [777, 20_000]) {
    const replay = await original.rewind(session.now);
    let again = replay.advance(slice);
    while (again === null) again = replay.advance(slice);
    assert.equal(again.session.fingerprint, session.fingerprint);
  }
});

Deno.test("what an input has begun can be ended before its time, also by another generation of the cluster", () => {
  const session = open();
  session.advance(5 * MS);
  apply(session, { kind: "stall", host: "b", forPs: SECOND });
  apply(session, { kind: "fault", link: "a-b", loss: 0.5, forPs: null });
  apply(session, { kind: "hog", host: "a", cpus: 2, forPs: null });
  apply(session, { kind: "crash", guest: "vm02", forPs: SECOND });
  apply(session, { kind: "end", input: 4 });
  apply(session, { kind: "end", input: 1 });
  const spent = backEndTime(session, 1);
  session.advance(6 * MS);
  assert.ok(backEndTime(session, 1) > spent, "the back end goes on");
  apply(session, { kind: "set", assignments: ["path=bridged"] });
  session.advance(2 * SECOND);
  assert.deepEqual([session.generation, session.cluster.links[0].loss, session.cluster.hosts[0].hogs.busy], [
    1,
    0.5,
    2,
  ]);
  apply(session, { kind: "end", input: 2 });
  apply(session, { kind: "end", input: 3 });
  assert.deepEqual([session.cluster.links[0].loss, session.cluster.hosts[0].hogs.busy], [0, 0]);
  assert.equal(session.apply({ kind: "end", input: 3 }), "input 3: over already");
  assert.equal(session.apply({ kind: "end", input: 7 }), "input 7: not possible to end it");
  assert.equal(session.apply({ kind: "end", input: 99 }), "no input 99; wanted 1 to 9");
});
