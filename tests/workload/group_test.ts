import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { Session } from "../../src/cluster/session.ts";
import { Recording } from "../../src/cluster/recording.ts";
import type { WirePort } from "../../src/hw/link.ts";
import { run, runSliced, scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";
import { readFrame } from "../support/wire.ts";

/* What the workloads of groups have in common: sizes of groups, places, ends, losses, deaths. */

type Work = ScenarioOptions["workload"];

/** A few rounds of each, in the classes tiny to large, and how many messages they are for so many ranks. */
const FEW: Record<string, { work: Work; messages: (ranks: number) => number }> = {
  "incast, synchronized": {
    work: { kind: "incast", size: "100 KiB", messages: 4 },
    messages: (ranks) => 4 * (ranks - 1),
  },
  "incast, streaming": {
    work: { kind: "incast", mode: "streaming", size: "9000 B", messages: 6, outstanding: 3, root: 1 },
    messages: (ranks) => 6 * (ranks - 1),
  },
  "all-to-all, pairwise": {
    work: { kind: "all-to-all", sizes: ["0 B", "20 B", "100 B", "9000 B", "40000 B"], iterations: 2 },
    messages: (ranks) => 5 * 2 * ranks * (ranks - 1),
  },
  "all-to-all, linear": {
    work: { kind: "all-to-all", sizes: ["1 B", "33 B", "40000 B"], algorithm: "linear", iterations: 2, wait: "poll" },
    messages: (ranks) => 3 * 2 * ranks * (ranks - 1),
  },
  "all-reduce, recursive doubling": {
    work: { kind: "all-reduce", sizes: ["8 B", "128 B", "8 KiB", "40 KiB"], iterations: 2 },
    messages: (ranks) => 4 * 2 * doubling(ranks),
  },
  "all-reduce, ring": {
    work: { kind: "all-reduce", sizes: ["8 B", "8 KiB", "200 KiB"], algorithm: "ring", iterations: 2 },
    messages: (ranks) => 3 * 2 * 2 * (ranks - 1) * ranks,
  },
  "jacobi": {
    work: { kind: "jacobi", rows: 11, columns: 40, max_iterations: 30 },
    messages: (ranks) => 30 * 2 * (ranks - 1) + 3 * doubling(ranks),
  },
};

/** Messages of a recursive doubling. */
function doubling(ranks: number): number {
  const steps = Math.floor(Math.log2(ranks));
  return 2 ** steps * steps + 2 * (ranks - 2 ** steps);
}

/** Nothing lost, repeated, damaged or left behind. */
function sound(session: Session, messages: number, what: string): void {
  assert.ok(session.finished && session.now < session.end, `${what}: the programs have ended by themselves`);
  const { integrityErrors, lost, duplicated, messages: received } = totals(session);
  assert.deepEqual([integrityErrors, lost, duplicated, received], [0, 0, 0, messages], what);
  const { guests } = session.cluster;
  assert.equal(guests.reduce((sum, { meter }) => sum + meter.sentMessages, 0), messages, what);
  assert.deepEqual(session.drain(), [], what);
  session.release();
}

for (const [title, { work, messages }] of Object.entries(FEW)) {
  for (const path of ["native", "xen2mx"]) {
    const groups = path === "native" ? [[2, 2], [3, 1], [7, 4]] : [[2, 1], [3, 3], [5, 2]];
    Deno.test(`${path}: ${title}, of an even and of odd numbers of ranks, on one host and on several`, () => {
      for (const [guests, hosts] of groups) {
        sound(run({ path, guests, hosts, workload: work }), messages(guests), `${guests} on ${hosts}`);
      }
    });
  }
}

Deno.test("other paths carry them too", () => {
  for (const [i, path] of ["iov", "bridged", "virtio", "virtio-user", "emulated"].entries()) {
    for (const [title, { work, messages }] of Object.entries(FEW).filter((_, k) => (i + k) % 3 === 0)) {
      sound(run({ path, guests: 3, hosts: 3, workload: work }), messages(3), `${path}: ${title}`);
    }
  }
});

Deno.test("the same in one go and in slices; another seed is another run", () => {
  for (const [title, { work }] of Object.entries(FEW).filter((_, k) => k % 2 === 0)) {
    const options = { path: "xen2mx", guests: 3, hosts: 2, loss: 0.002, workload: work };
    const once = run(options);
    const sliced = runSliced(options, 777);
    assert.deepEqual([sliced.fingerprint, sliced.now], [once.fingerprint, once.now], title);
    assert.deepEqual(totals(sliced), totals(once), title);
    assert.deepEqual(sliced.rows.rows, once.rows.rows, title);
    assert.notEqual(run({ ...options, seed: 2 }).fingerprint, once.fingerprint, title);
  }
});

Deno.test("frames are lost, and all ends well", () => {
  for (const [i, [title, { work, messages }]] of Object.entries(FEW).entries()) {
    const lossy = { guests: 4, hosts: 3, loss: 0.02, seed: i, durationPs: 300 * SECOND, workload: work };
    sound(run({ ...lossy, path: i % 2 === 0 ? "native" : "xen2mx" }), messages(4), title);
  }
});

/** Without an end. */
const ENDLESS: Record<string, Work> = {
  "incast, synchronized": { kind: "incast", size: "20 KiB" },
  "incast, streaming": { kind: "incast", mode: "streaming", size: "64 B" },
  "all-to-all": { kind: "all-to-all", sizes: ["100 B", "40 KiB"], iterations: 20 },
  "all-reduce": { kind: "all-reduce", sizes: ["8 B", "40 KiB"], iterations: 20 },
  "a ring": { kind: "all-reduce", sizes: ["64 KiB"], algorithm: "ring", iterations: 20 },
  "jacobi": { kind: "jacobi", rows: 16, columns: 30, tolerance: 1e-3, overlap: true },
};

for (const [title, work] of Object.entries(ENDLESS)) {
  for (const path of ["native", "xen2mx"]) {
    Deno.test(`${path}: ${title} is stopped in the middle, at any instant`, () => {
      for (const durationPs of [100_000, 0.2 * MS, 1.234 * MS, 3 * MS]) {
        const own = scenario({ path, guests: 5, hosts: 2, workload: work, durationPs });
        const session = untilTestEnds(new Session(own));
        session.advance(session.end);
        assert.deepEqual(session.drain(), [], `${durationPs / MS} ms`);
        const { integrityErrors, lost, duplicated } = totals(session);
        assert.deepEqual([integrityErrors, lost, duplicated], [0, 0, 0]);
        session.release();
      }
    });

    Deno.test(`${path}: ${title}, a rank crashes, and all begin anew with its next life`, () => {
      const own = scenario({ path, guests: 5, hosts: 2, workload: work, durationPs: 10 * SECOND });
      const session = untilTestEnds(new Session(own, { endless: true }));
      session.advance(2 * MS);
      assert.ok(session.cluster.total.completed > 10);
      const guest = path === "native" ? "vm01" : "vm04";
      assert.equal(session.apply({ kind: "crash", guest, forPs: MS }), null);
      session.advance(26 * MS);
      for (const { meter } of session.cluster.guests) meter.resetRecent();
      session.advance(28 * MS);
      for (const { meter, spec } of session.cluster.guests) {
        assert.ok(meter.recentMessages + meter.recentSentMessages > 5, `${spec.name} is back`);
      }
      const { integrityErrors, lost, duplicated } = totals(session);
      assert.deepEqual([integrityErrors, duplicated], [0, 0]);
      assert.ok(lost <= 40, `${lost} messages lost`);
      assert.deepEqual(session.drain(), []);
    });
  }
}

Deno.test("ranks that crash again and again, at any instant, leave nothing behind", () => {
  for (const [i, work] of Object.values(ENDLESS).entries()) {
    const own = scenario({ path: "xen2mx", guests: 4, hosts: 2, workload: work, durationPs: 10 * SECOND, seed: i });
    const session = untilTestEnds(new Session(own, { endless: true }));
    const random = session.cluster.world.engine.random("test");
    for (let crash = 0; crash < 6; crash++) {
      session.advance(session.now + 1 + random.below(crash % 3 === 0 ? 24 * MS : 2 * MS));
      const guest = `vm0${1 + random.below(4)}`;
      assert.equal(session.apply({ kind: "crash", guest, forPs: 1 + random.below(MS) }), null);
    }
    session.advance(session.now + 28 * MS);
    for (const { meter } of session.cluster.guests) meter.resetRecent();
    session.advance(session.now + 2 * MS);
    const recent = session.cluster.guests.map(({ meter }) => meter.recentMessages + meter.recentSentMessages);
    assert.ok(recent.every((messages) => messages > 5), `${Object.keys(ENDLESS)[i]}: ${recent}`);
    assert.deepEqual([totals(session).integrityErrors, totals(session).duplicated], [0, 0]);
    assert.deepEqual(session.drain(), []);
    session.release();
  }
});

Deno.test("a run with a crash is made again exactly", async () => {
  const make = () => {
    const own = scenario({ path: "native", guests: 3, workload: ENDLESS["all-reduce"], durationPs: 10 * SECOND });
    return untilTestEnds(new Session(own, { endless: true }));
  };
  const original = new Recording(make(), make);
  const { session } = original;
  session.advance(2 * MS);
  assert.equal(original.apply({ kind: "crash", guest: "vm02", forPs: MS }), null);
  session.advance(26 * MS);
  const replay = await original.rewind(session.now);
  let again = replay.advance(999);
  while (again === null) again = replay.advance(999);
  assert.equal(again.session.fingerprint, session.fingerprint);
});

/** Changes a bit in the last byte of a message of 33 to 128 bytes, at the end of its wire: MX has no sum to see it by. */
function damage({ links, world: { frames, mx } }: Cluster, nth: number): void {
  let seen = 0;
  for (const [link, { directions }] of links.entries()) {
    for (const side of [0, 1] as const) {
      const port = directions[side].to as WirePort;
      const receive = port.receive.bind(port);
      port.receive = (frame) => {
        const { name } = readFrame(frames, frame, mx, { link, side, at: 0 });
        const last = frames.at(frame) + frames.linearOf(frame) - 1;
        const { view } = frames.memory;
        if (name === "SMALL" && seen++ === nth) view.setUint8(last, view.getUint8(last) ^ 0x40);
        receive(frame);
      };
    }
  }
}

Deno.test("a damaged message is found, whatever was done with it", () => {
  const works: Work[] = [
    { kind: "incast", size: "100 B", messages: 20 },
    { kind: "incast", size: "100 B", messages: 20, mode: "streaming" },
    { kind: "all-to-all", sizes: ["100 B"], iterations: 10 },
    { kind: "all-reduce", sizes: ["96 B"], iterations: 10 },
    { kind: "all-reduce", sizes: ["256 B"], algorithm: "ring", iterations: 10 },
    { kind: "jacobi", rows: 8, columns: 8, max_iterations: 20 },
  ];
  for (const workload of works) {
    for (const nth of [0, 17]) {
      const session = run({ hosts: 3, guests: 3, workload }, ({ cluster }) => damage(cluster, nth));
      assert.ok(totals(session).integrityErrors > 0, `${JSON.stringify(workload)}, frame ${nth}`);
      assert.deepEqual([totals(session).lost, session.drain()], [0, []]);
      session.release();
    }
  }
});
