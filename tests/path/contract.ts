import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import type { Session } from "../../src/cluster/session.ts";
import { Session as NewSession } from "../../src/cluster/session.ts";
import { HYP, IDLE, IRQ, STEAL, USER } from "../../src/metrics/stage.ts";
import { DMA_RECV_PULL_REPLY } from "../../src/mx/driver/counters.ts";
import { PATHS } from "../../src/path/registry.ts";
import { payloadOf } from "../support/protocol.ts";
import { run, runSliced, scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";
import { meddle, record, type WireFrame } from "../support/wire.ts";

/*
 * What every I/O path owes its users, whatever is inside it. A new path is tested by being in the registry. Two files
 * share the paths between them (contract_kvm_test.ts, contract_test.ts), so that they can be tested at the same time.
 */

type Path = (typeof PATHS)[number];

/** Tests the paths that `mine` chooses. */
export function testContract(mine: (path: Path) => boolean): void {
  const paths = PATHS.filter(mine);
  assert.ok(paths.length > 0);
  for (const path of paths) testPath(path);
}

/** Both sides of every threshold: class, fragment, rendezvous, reply, block. */
const SIZES = [0, 1, 32, 33, 128, 129, 8192, 8193, 32768, 32769, 65536, 286976, 286977, 1 << 20].map((n) => `${n} B`);

/** The same where frames are those of MX 1.2. */
const COMPAT_SIZES = [32, 33, 128, 129, 4096, 4097, 32768, 32769, 131072, 131073, 1 << 18].map((n) => `${n} B`);

/** Nothing lost, repeated or damaged, and nothing left behind. Its memory is given back. */
function sound(session: Session, messages: number, what = ""): void {
  assert.ok(session.finished && session.now < session.end, `${what}: the programs have ended by themselves`);
  const { integrityErrors, lost, duplicated, ...rest } = totals(session);
  assert.deepEqual({ integrityErrors, lost, duplicated, messages: rest.messages }, {
    integrityErrors: 0,
    lost: 0,
    duplicated: 0,
    messages,
  }, what);
  assert.deepEqual(session.drain(), [], what);
  session.release();
}

function everyProcessor(session: Session) {
  const kernels = session.cluster.hosts.flatMap((host) => [...host.kernel]);
  return [...kernels, ...session.cluster.guests.flatMap((guest) => [...guest.site.vcpus])];
}

/** Every picosecond of every CPU that has passed is in exactly one account, and no other is. */
function accountsAgree(session: Session): void {
  session.settle();
  const { now, cluster } = session;
  for (const processor of everyProcessor(session)) {
    const sum = processor.time.reduce((all, part) => all + part, 0);
    assert.equal(sum, now, `${processor.name}: picoseconds in its accounts`);
    for (const part of processor.time) assert.ok(part >= 0, `${processor.name}: no account is negative`);
  }
  for (const host of cluster.hosts) {
    for (const cpu of host.cpus) assert.ok(cpu.busy <= now, `${host.name} cpu${cpu.index} above 100 %`);
    const processors = everyProcessor(session).filter(({ name }) => name.startsWith(`${host.name} `));
    for (let cls = USER; cls <= IRQ; cls++) {
      const charged = processors.reduce((sum, { time }) => sum + time[cls], 0);
      const spent = host.cpus.reduce((sum, cpu) => sum + [0, 1, 2].reduce((s, o) => s + cpu.charged(o, cls), 0), 0);
      assert.equal(charged, spent, `${host.name}: class ${cls} of processors and of physical CPUs`);
    }
  }
  for (const link of cluster.links) {
    for (const direction of link.directions) assert.ok(direction.busyPs <= now, `${link.name} above 100 %`);
  }
}

function testPath({ name: path, hypervisor }: Path): void {
  Deno.test(`${path}: ping-pong across every threshold, between hosts and inside one`, () => {
    for (const mtu of [9000, 1500]) {
      const workload = { kind: "pingpong", sizes: SIZES, iterations: 2, warmup_iterations: 1 };
      sound(run({ path, mtu, workload }), 2 * 2 * SIZES.length, `MTU ${mtu}`);
      const inside = run({ path, mtu, hosts: 1, workload: { ...workload, pairs: "same-host" } });
      sound(inside, 2 * 2 * SIZES.length, `inside a host, MTU ${mtu}`);
      assert.equal(inside.cluster.links.length, 0);
    }
    // Compatible with MX 1.2: other fragments, replies and blocks.
    const workload = { kind: "pingpong", sizes: COMPAT_SIZES, iterations: 1, warmup_iterations: 0 };
    let frames: WireFrame[] = [];
    const session = run({ path, wire: "mx", workload }, ({ cluster }) => frames = record(cluster));
    sound(session, 2 * COMPAT_SIZES.length, "wire-compatible");
    assert.ok(frames.every(({ length }) => length <= 4144), "no frame is longer than MX 1.2 takes");
  });

  Deno.test(`${path}: stream both ways across every threshold, polling and asleep`, () => {
    for (const [i, size] of SIZES.entries()) {
      const wait = i % 2 === 0 ? "block" : "poll";
      const workload = { kind: "stream", size, direction: "both-ways", messages: 9, outstanding: 4, wait };
      sound(run({ path, guests: 4, mtu: i % 3 === 0 ? 1500 : 9000, workload }), 4 * 9, size);
    }
  });

  Deno.test(`${path}: every payload byte on the wire is one that a guest received`, () => {
    for (const size of [32, 128, 20_000, 100_000]) {
      let frames: WireFrame[] = [];
      const workload = { kind: "stream", size: `${size} B`, messages: 15 };
      const session = run({ path, guests: 4, workload }, ({ cluster }) => frames = record(cluster));
      sound(session, 30);
      assert.equal(frames.reduce((sum, frame) => sum + payloadOf(frame), 0), totals(session).bytes);
      const onWire = session.cluster.links.flatMap(({ directions }) => directions)
        .reduce((sum, { wireBytes }) => sum + wireBytes, 0);
      assert.equal(onWire, frames.reduce((sum, { length }) => sum + length + 24, 0));
      assert.ok(onWire >= totals(session).bytes);
      assert.equal(session.cluster.world.journeys.finished, 32, "each message is followed to its end, once");
    }
  });

  Deno.test(`${path}: 2 % of frames lost`, () => {
    for (const [i, size] of ["0 B", "128 B", "8193 B", "100 KiB", "600 KiB"].entries()) {
      const workload = { kind: "stream", size, direction: "both-ways", messages: 20 };
      const session = run({ path, guests: 4, loss: 0.02, seed: 5 + i, durationPs: 120 * SECOND, workload });
      sound(session, 80, size);
    }
    const pingpong = { kind: "pingpong", sizes: SIZES, iterations: 1, warmup_iterations: 1 };
    sound(run({ path, loss: 0.02, durationPs: 120 * SECOND, workload: pingpong }), 2 * SIZES.length);
  });

  Deno.test(`${path}: a quarter of the frames doubled, and some held back`, () => {
    for (const size of ["16 B", "30000 B", "300000 B"]) {
      const workload = { kind: "stream", size, direction: "both-ways", messages: 12 };
      const session = run({ path, workload }, ({ cluster }) => {
        const random = cluster.world.engine.random("meddler");
        meddle(cluster, () => ({ copies: random.below(4) === 0 ? 2 : 1, holdPs: random.below(4) * 30 * US }));
      });
      sound(session, 24, size);
    }
  });

  const mixed: ScenarioOptions = {
    path,
    guests: 6,
    loss: 0.005,
    workload: { kind: "stream", size: "70 KiB", messages: 25, direction: "both-ways" },
  };

  Deno.test(`${path}: the same run twice, in one go and in slices; another seed is another run`, () => {
    const once = run(mixed);
    const again = run(mixed);
    const sliced = runSliced(mixed, 1000);
    for (const other of [again, sliced]) {
      assert.deepEqual([other.fingerprint, other.events, other.now], [once.fingerprint, once.events, once.now]);
      assert.deepEqual(totals(other), totals(once));
      assert.deepEqual([...other.cluster.world.journeys.sums], [...once.cluster.world.journeys.sums]);
    }
    assert.notEqual(run({ ...mixed, seed: 2 }).fingerprint, once.fingerprint);
  });

  Deno.test(`${path}: large buffers stay registered, and replies are copied by the engine, where that is asked for`, () => {
    const large: ScenarioOptions = { path, workload: { kind: "pingpong", sizes: ["1 MiB"], iterations: 5 } };
    const rttOf = (session: Session) => session.rows.rows[0].rttUs;
    const plain = run(large);
    // Dom0 of Xen2MX registers with grants, and has its own ways to keep them (`grantReuse`).
    if (!path.startsWith("xen2mx")) {
      const cached = run({ ...large, mechanisms: { registrationCache: true } });
      assert.ok(rttOf(cached) < rttOf(plain), `${rttOf(cached)} < ${rttOf(plain)}`);
    }
    const offloaded = run({ ...large, mechanisms: { copyOffload: true } });
    const replies = (session: Session) => {
      const boards = session.cluster.hosts.flatMap((host) => [...host.paths.values()].flatMap((it) => it.boards));
      return boards.reduce((sum, { driver }) => sum + driver.counters[DMA_RECV_PULL_REPLY], 0);
    };
    assert.equal(replies(plain), 0);
    assert.ok(replies(offloaded) > 0);
  });

  Deno.test(`${path}: CPU accounts add up to time, and stages to latency`, () => {
    const session = untilTestEnds(new NewSession(scenario({ ...mixed, loss: 0, cpus: 3, guests: 8 })));
    for (let slice = 1; slice < 20 && !session.finished; slice++) {
      session.advance(slice * 100 * US);
      accountsAgree(session);
    }
    session.advance(session.end);
    sound(session, 200);
    accountsAgree(session);
    const { journeys } = session.cluster.world;
    assert.equal(journeys.sums.reduce((sum, part) => sum + part, 0), journeys.total);
    assert.ok(journeys.sums.every((part) => part >= 0));
    const stolen = session.cluster.guests.reduce((sum, { site }) => sum + site.processor.time[STEAL], 0);
    if (hypervisor === "none") assert.equal(stolen, 0, "nobody takes a native CPU away");
    for (const { site } of session.cluster.guests) assert.ok(site.processor.time[IDLE] > 0);
    assert.ok(session.cluster.hosts.every(({ cpus }) => cpus.every((cpu) => cpu.charged(2, HYP) >= 0)));
  });

  Deno.test(`${path}: programs that never end are stopped in the middle, and nothing is left`, () => {
    for (const size of ["64 B", "16 KiB", "80 KiB"]) {
      const workload = { kind: "stream", size, direction: "both-ways" };
      const session = run({ path, guests: 4, workload, warmupPs: MS, durationPs: 3 * MS });
      assert.equal(session.now, 4 * MS);
      const { integrityErrors, messages } = totals(session);
      assert.ok(messages > 0);
      assert.equal(integrityErrors, 0);
      assert.deepEqual(session.drain(), [], size);
      assert.equal(totals(session).lost, 0, size);
      session.release();
    }
  });
}
