import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import { loadChecked } from "../../src/cli/catalogue.ts";
import { Recording } from "../../src/cluster/recording.ts";
import { parseSet } from "../../src/cluster/scenario_file.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { totalFigures } from "../../src/report/figures.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { untilTestEnds } from "../support/scenario.ts";

/* A user changes the cluster while it runs. */

const TEXT = `
name: changing
hosts: 2
guests: 4
path: xen2mx
workload: {kind: stream, size: 64 KiB, outstanding: 4}
warmup: 2 ms
duration: 8 ms
`;

const resolve = (assignments: readonly string[]) => loadChecked(TEXT, "my.yaml", assignments.map(parseSet));

function open(...assignments: string[]): Session {
  const own = (more: readonly string[]) => resolve([...assignments, ...more]);
  return untilTestEnds(new Session(own([]), { resolve: own }));
}

/** Changes a cluster whose programs end by themselves, and runs the next one to its end. */
function change(session: Session, ...assignments: string[]): void {
  session.advance(3 * MS);
  assert.equal(session.apply({ kind: "set", assignments }), null);
  while (session.generation === 0) session.advance(session.now + MS);
  session.advance(session.end);
}

/** Everything in a snapshot that does not say when it was. */
function figures(session: Session) {
  const { totals, guests, hosts, links, stages, scenario, machine, measured_ns } = takeSnapshot(session, META);
  return { totals, guests, hosts, links, stages, scenario, machine, measured_ns };
}

const CHANGES = [
  ["guests=6"],
  ["path=virtio"],
  ["path=native"],
  ["path=emulated", "mechanisms.xenDeviceModel=true"],
  ["workload.size=4 KiB", "workload.outstanding=1", "mechanisms.polling=false", "mechanisms.grantReuse=false"],
  ["costs.hypercall=20000"],
  ["link.mtu=1500"],
  ["coalescing=30 us"],
  ["dom0_vcpus=2"],
  ["workload={kind: pingpong, sizes: [1 KiB], iterations: 100000}"],
  ["hosts=3", "guests=6", "path=bridged"],
];

// What is periodic in a host (Xen's ticks of 10 and accounting of 30 ms, Linux's balancing of 4 ms) falls on multiples of
// its period. Begun at a multiple of 60 ms, a cluster is in no way different from one that begins at 0.
for (const assignments of CHANGES) {
  Deno.test(`set ${assignments.join(" ")}: the figures are those of a fresh run, to the last digit`, () => {
    // Nothing passes, so the programs cannot end: they are cut off after exactly a second.
    const session = open("duration=2 s", "faults=[{at: 2 ms, link: a-b, cut: true}]");
    session.advance(20 * MS);
    const events = session.events;
    const back = ["duration=8 ms", "faults=[]"];
    assert.equal(session.apply({ kind: "set", assignments: [...back, ...assignments] }), null);
    session.advance(1020 * MS - 1);
    assert.equal(session.generation, 0);
    session.advance(1020 * MS);
    assert.deepEqual([session.generation, session.startPs], [1, 1020 * MS]);
    const begun = session.events;
    session.advance(session.end);
    const fresh = open(...back, ...assignments);
    fresh.advance(fresh.end);
    assert.ok(totalFigures(fresh).messages > 0 && begun > events);
    assert.deepEqual(figures(session), figures(fresh));
    assert.deepEqual(session.drain(), []);
  });
}

// Begun at another instant, the ticks fall otherwise: on a cluster with CPUs to spare that moves little.
for (const assignments of [["guests=6"], ["path=virtio"]]) {
  Deno.test(`set ${assignments.join(" ")}: begun at any instant, the figures are within 3 % of a fresh run's`, () => {
    const session = open();
    change(session, ...assignments);
    const fresh = open(...assignments);
    fresh.advance(fresh.end);
    const [got, wanted] = [figures(session), figures(fresh)];
    assert.equal(got.measured_ns, wanted.measured_ns);
    for (const key of ["messages", "throughput_MBps"] as const) {
      const [a, b] = [got.totals[key], wanted.totals[key]];
      assert.ok(Math.abs(a - b) <= 0.03 * b, `${key}: found ${a}, ${b} in a fresh run`);
    }
    assert.deepEqual(session.drain(), []);
  });
}

const META = { command: "test", version: "0", wallMs: 0, partial: false };

Deno.test("programs finish what they have begun: nothing that was sent is lost to a change", () => {
  const session = open();
  session.advance(4 * MS);
  const old = session.cluster;
  assert.equal(session.apply({ kind: "set", assignments: ["guests=2"] }), null);
  assert.equal(session.generation, 0, "that takes its time");
  session.advance(session.now + SECOND / 2);
  assert.equal(session.generation, 1);
  for (const { meter } of old.guests) assert.deepEqual([meter.lost, meter.integrityErrors], [0, 0]);
  assert.ok(old.guests.every(({ mx }) => mx!.endpoints.every((endpoint) => !endpoint.isOpen)));
  assert.deepEqual(session.notes.map(({ text }) => text), [
    "set guests=2",
    "the changed cluster begins: 2 guests on xen2mx",
  ]);
});

Deno.test("programs that cannot finish are cut off after a second", () => {
  const session = open("duration=10 s");
  session.advance(4 * MS);
  assert.equal(session.apply({ kind: "fault", link: "a-b", cut: true, forPs: 20 * MS }), null);
  assert.equal(session.apply({ kind: "fault", link: "a-b", cut: true, forPs: null }), null);
  assert.equal(session.apply({ kind: "set", assignments: ["path=bridged"] }), null);
  session.advance(SECOND + 4 * MS);
  assert.equal(session.generation, 1);
  assert.equal(session.startPs, SECOND + 4 * MS);
  const texts = session.notes.map(({ text }) => text);
  assert.ok(texts.includes("the changed cluster begins: 4 guests on bridged; 4 programs cut off"));
  session.advance(session.now + 5 * MS);
  assert.ok(session.cluster.links[0].cut, "what a user has done to a link lasts");
  assert.equal(session.cluster.total.completed, 0);
});

Deno.test("hogs and stalls last beyond a change, as long as they were to", () => {
  const session = open("duration=1 s");
  session.advance(4 * MS);
  assert.equal(session.apply({ kind: "hog", host: "a", cpus: 2, forPs: null }), null);
  assert.equal(session.apply({ kind: "hog", host: "b", cpus: 3, forPs: 40 * MS }), null);
  assert.equal(session.apply({ kind: "set", assignments: ["path=virtio"] }), null);
  session.advance(30 * MS);
  assert.equal(session.generation, 1);
  assert.deepEqual(session.cluster.hosts.map(({ hogs }) => hogs.busy), [2, 3]);
  session.advance(44 * MS);
  assert.deepEqual(session.cluster.hosts.map(({ hogs }) => hogs.busy), [2, 0]);
});

Deno.test("assignments add up over a run, also while a change is under way", () => {
  const session = open("duration=1 s");
  session.advance(4 * MS);
  assert.equal(session.apply({ kind: "set", assignments: ["guests=6"] }), null);
  assert.equal(session.apply({ kind: "set", assignments: ["path=bridged"] }), null);
  session.advance(60 * MS);
  assert.deepEqual([session.generation, session.scenario.guests.length, session.scenario.path], [1, 6, "bridged"]);
  assert.equal(session.apply({ kind: "set", assignments: ["guests=2"] }), null);
  session.advance(160 * MS);
  assert.deepEqual([session.generation, session.scenario.guests.length, session.scenario.path], [2, 2, "bridged"]);
});

Deno.test("a bad assignment changes nothing, and says what is wrong", () => {
  const session = open();
  const same = open();
  session.advance(4 * MS);
  const complaint = (...assignments: string[]) => session.apply({ kind: "set", assignments });
  assert.equal(
    complaint("guests=4097"),
    "--set guests: found 4097, wanted 1 to 4096",
  );
  assert.match(complaint("pathh=virtio")!, /^--set pathh: unknown key "pathh"; did you mean path\?$/);
  assert.match(complaint("guests=3")!, /^my\.yaml:\d+:\d+: workload\.pairs: .*partner/);
  assert.match(complaint("guests")!, /^--set: found "guests", wanted a key and a value/);
  assert.match(complaint("seed=-1", "link.mtu=7")!, /^--set link\.mtu: .*; --set seed: /);
  session.advance(session.end);
  same.advance(same.end);
  assert.deepEqual([session.fingerprint, session.generation, session.notes], [same.fingerprint, 0, []]);
  assert.equal(
    session.apply({ kind: "set", assignments: ["guests=2"] }),
    "the run is over: nothing can be done to it any more",
  );
  const fixed = untilTestEnds(new Session(resolve([])));
  assert.equal(fixed.apply({ kind: "set", assignments: [] }), "set: this run does not know how to change its scenario");
});

Deno.test("faults and words alone need no new cluster", () => {
  const session = open();
  session.advance(4 * MS);
  const [link] = session.cluster.links;
  assert.equal(session.apply({ kind: "set", assignments: ["faults=[{at: 6 ms, link: a-b, loss: 50 %}]"] }), null);
  session.advance(7 * MS);
  assert.equal(link.loss, 0.5);
  assert.equal(session.apply({ kind: "set", assignments: ["faults=[]", "title=quiet"] }), null);
  assert.deepEqual([link.loss, session.scenario.title, session.generation], [0, "quiet", 0]);
  assert.equal(session.apply({ kind: "set", assignments: ["guests=4"] }), null);
  session.advance(9 * MS);
  assert.equal(session.generation, 0, "what is so already is no change");
});

for (const slice of [1, 777]) {
  Deno.test(`a run with changes is made again exactly, in slices of ${slice} events`, async () => {
    const make = () => {
      const session = untilTestEnds(
        new Session(resolve(["workload.size=16 KiB", "guests=2"]), { endless: true, resolve }),
      );
      return session;
    };
    const original = new Recording(make(), make);
    const { session } = original;
    session.advance(session.end, 3210);
    assert.equal(original.apply({ kind: "set", assignments: ["path=bridged", "workload.size=2 KiB"] }), null);
    session.advance(session.end, 1500);
    assert.equal(original.apply({ kind: "hog", host: "a", cpus: 1, forPs: 3 * MS }), null);
    assert.equal(original.apply({ kind: "set", assignments: ["workload.outstanding=2"] }), null);
    session.advance(session.now + 4 * MS);
    assert.equal(original.apply({ kind: "stall", host: "b", forPs: MS }), null);
    assert.equal(original.apply({ kind: "fault", link: "a-b", corrupt: 0.1, forPs: MS }), null);
    session.advance(session.now + 3 * MS);
    const replay = await original.rewind(session.now);
    let again = replay.advance(slice);
    while (again === null) again = replay.advance(slice);
    again.session.advance(session.now + MS);
    session.advance(session.now + MS);
    assert.ok(session.generation >= 1);
    const seen = ({ generation, now, events, fingerprint, notes }: Session) => ({
      generation,
      now,
      events,
      fingerprint,
      notes,
    });
    assert.deepEqual(seen(again.session), seen(session));
  });
}

Deno.test("charts go on over a change; accounts of guests begin anew, and the log says what was changed and when", () => {
  const session = untilTestEnds(new Session(resolve(["duration=1 s"]), { endless: true, resolve }));
  const view = new LiveView(session, { command: "test", version: "0" });
  for (let at = 1; at <= 5; at++) {
    session.advance(at * MS);
    view.live();
  }
  assert.equal(session.apply({ kind: "set", assignments: ["guests=2", "path=virtio"] }), null);
  const until = session.now + 30 * MS;
  while (session.now < until) {
    session.advance(session.now + MS);
    view.live();
  }
  const { snapshot, samples, recent, log } = view.live();
  assert.deepEqual([snapshot.guests.length, recent.length, snapshot.scenario.path], [2, 2, "virtio"]);
  assert.ok(samples.length >= 34 && samples.every(({ at_ns }, i) => i === 0 || at_ns > samples[i - 1].at_ns));
  for (const { hosts, throughput_MBps } of samples) {
    assert.ok(throughput_MBps >= 0 && throughput_MBps < 1300);
    for (const { idle, guest, dom0 } of hosts) assert.ok(idle >= -0.01 && idle <= 1 && guest >= 0 && dom0 >= 0);
  }
  const texts = log.map(({ text }) => text);
  assert.ok(texts.includes("set guests=2, path=virtio"));
  assert.ok(texts.includes("the changed cluster begins: 2 guests on virtio"));
  assert.ok(texts.filter((text) => text === "warm-up is over: measuring").length === 2);
  assert.equal(log.find(({ text }) => text.startsWith("set"))!.at_ns, 5e6);
  assert.equal(snapshot.virtual_ns, session.now / 1000);
  const { user, kernel, irq, hypervisor, steal, idle } = snapshot.guests[0].cpu;
  assert.ok(Math.abs(user + kernel + irq + hypervisor + steal + idle - 1) < 0.01);
});
