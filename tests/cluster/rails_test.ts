import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import type { FaultSpec } from "../../src/cluster/scenario.ts";
import { Session } from "../../src/cluster/session.ts";
import { loadScenario, parseSet, ScenarioError } from "../../src/cluster/scenario_file.ts";
import { queueProcessors } from "../../src/path/nic_interrupts.ts";
import type { HostSite } from "../../src/path/path.ts";
import { PATHS } from "../../src/path/registry.ts";
import { bottleneckSince } from "../../src/report/bottleneck.ts";
import { LiveView } from "../../src/report/live.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { checkThreshold } from "../../src/report/thresholds.ts";
import { WORKLOADS } from "../../src/workload/registry.ts";
import { run, runSliced, scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";
import { CATALOGUE } from "./catalogue.ts";

/* Hosts with several boards: one network for each number of board, and every path on each of them. */

const META = { command: "", version: "", wallMs: 0, partial: false };

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
}

/** Frames that each link has carried, both ways. */
function carried(session: Session): Record<string, number> {
  return Object.fromEntries(
    session.cluster.links.map(({ name, directions }) => [name, directions[0].frames + directions[1].frames]),
  );
}

/** Every address and every name in the cluster is there once. */
function identities(session: Session) {
  const boards = session.cluster.hosts.flatMap(({ paths }) => [...paths.values()].flatMap((path) => [...path.boards]));
  const addresses = boards.map(({ macHigh, macLow }) => macHigh * 2 ** 32 + macLow);
  return { names: boards.map(({ hostname }) => hostname), addresses };
}

Deno.test("names of links, NICs and boards: the first rail's are those of a host with one board", () => {
  const workload = { kind: "stream", messages: 1 };
  const two = untilTestEnds(new Session(scenario({ boards: 3, workload })));
  assert.deepEqual(two.cluster.links.map(({ name }) => name), ["a-b", "a-b/1", "a-b/2"]);
  assert.deepEqual(two.cluster.hosts[0].boards.map(({ nic }) => nic.name), ["a nic", "a nic1", "a nic2"]);
  assert.deepEqual(identities(two).names, ["a", "a:1", "a:2", "b", "b:1", "b:2"]);
  const three = untilTestEnds(
    new Session(scenario({ hosts: 3, boards: 2, path: "bridged", guests: 3, workload: { kind: "noisy" } })),
  );
  assert.deepEqual(
    three.cluster.links.map(({ name }) => name),
    ["a-switch", "b-switch", "c-switch", "a-switch/1", "b-switch/1", "c-switch/1"],
  );
  assert.deepEqual(identities(three).names, ["vm01", "vm01:1", "vm02", "vm02:1", "vm03", "vm03:1"]);
  assert.equal(new Set(identities(three).addresses).size, 6);
});

Deno.test("boards know those of their own rail and no others", () => {
  const { cluster } = untilTestEnds(
    new Session(scenario({ hosts: 3, boards: 2, guests: 3, workload: { kind: "noisy" } })),
  );
  for (const host of cluster.hosts) {
    for (const { index, paths } of host.boards) {
      const [{ peers }] = paths[0].boards;
      for (const other of cluster.hosts) {
        for (const { name, index: rail } of other.boards) {
          assert.equal(peers.byName(name) !== undefined, rail === index, `${host.boards[index].name} and ${name}`);
        }
      }
    }
  }
});

for (const { name: path } of PATHS) {
  Deno.test(`${path}: a stream over two rails, half of it on each, between hosts and inside one`, () => {
    for (const [i, size] of ["64 B", "8 KiB", "100 KiB"].entries()) {
      const workload = { kind: "stream", size, boards: 2, direction: "both-ways", messages: 12, outstanding: 4 };
      const wait = i % 2 === 0 ? "poll" : "block";
      const between = run({ path, guests: 4, boards: 2, workload: { ...workload, wait } });
      const frames = carried(between);
      sound(between, 48, size);
      const [one, other] = [frames["a-b"], frames["a-b/1"]];
      // The pairs send as much by each; acknowledgements are not so regular.
      assert.ok(Math.abs(one - other) <= 0.25 * one, `${size}: ${one} and ${other} frames`);
    }
    const inside = { kind: "stream", size: "40 KiB", boards: 3, pairs: "same-host", messages: 9, outstanding: 4 };
    sound(run({ path, hosts: 1, guests: 4, boards: 3, workload: inside }), 18, "inside a host");
  });

  Deno.test(`${path}: two rails that lose 2 %, the same run in one go and in slices`, () => {
    const options: ScenarioOptions = {
      path,
      hosts: 3,
      guests: 6,
      boards: 2,
      loss: 0.02,
      durationPs: 120 * SECOND,
      workload: { kind: "stream", size: "70 KiB", boards: 2, messages: 8, direction: "both-ways" },
    };
    const once = run(options);
    const sliced = runSliced(options, 1000);
    assert.deepEqual([sliced.fingerprint, sliced.events, sliced.now], [once.fingerprint, once.events, once.now]);
    sound(once, 48);
    assert.ok(Object.values(carried(once)).every((frames) => frames > 0));
    assert.equal(new Set(identities(once).addresses).size, identities(once).addresses.length);
  });
}

Deno.test("a program that opens no endpoint on the second board leaves its rail alone", () => {
  for (const path of ["native", "xen2mx", "bridged"]) {
    const session = run({ path, boards: 2, workload: { kind: "pingpong", sizes: ["1 KiB"], iterations: 5 } });
    const frames = carried(session);
    assert.ok(frames["a-b"] > 0);
    assert.equal(frames["a-b/1"], 0);
    assert.deepEqual(session.drain(), []);
  }
});

const fault = (link: string, what: Partial<FaultSpec>): FaultSpec => ({
  atPs: 2 * MS,
  forPs: null,
  link,
  loss: 0,
  delayPs: 0,
  cut: false,
  ...what,
});

Deno.test("a fault of one rail's link does nothing to the other's", () => {
  const workload = { kind: "stream", size: "32 KiB", boards: 2, messages: 400 };
  const { cluster } = run({ boards: 2, faults: [fault("a-b/1", { loss: 0.2 })], workload });
  const lost = cluster.links.map(({ directions }) => directions[0].lost + directions[1].lost);
  assert.equal(lost[0], 0);
  assert.ok(lost[1] > 0);
});

Deno.test("where one rail is cut its messages fill the window: nothing fails over to the other", () => {
  const workload = { kind: "stream", size: "64 KiB", boards: 2, outstanding: 8 };
  const options = { boards: 2, durationPs: 20 * MS, workload };
  const session = untilTestEnds(new Session(scenario({ ...options, faults: [fault("a-b/1", { cut: true })] })));
  const [atOnce, later, atEnd] = [2, 8, 20].map((ms) => {
    session.advance(ms * MS);
    return totals(session).messages;
  });
  assert.ok(atOnce > 0 && later > atOnce, "what was under way on the other goes through");
  assert.equal(atEnd, later);
  const { links } = session.cluster;
  assert.equal(links[0].directions[0].lost, 0);
  assert.ok(links[1].directions[0].lost > 0);
});

Deno.test("two rails double a stream that fills one; the figures are those of all NICs, and of each", () => {
  for (const path of ["native", "xen2mx"]) {
    const stream = { kind: "stream", size: "1 MiB" };
    const options = { path, warmupPs: 10 * MS, durationPs: 30 * MS };
    const [one, two] = [1, 2].map((boards) => run({ ...options, boards, workload: { ...stream, boards } }));
    const [single, double] = [one, two].map((session) => takeSnapshot(session, META));
    const ratio = double.totals.throughput_MBps / single.totals.throughput_MBps;
    assert.ok(ratio > 1.9 && ratio < 2.1, `${path}: ${ratio}`);
    assert.deepEqual(double.links.map(({ name }) => name), ["a-b", "a-b/1"]);
    assert.ok(
      double.links.every(({ directions: [to] }) => to.utilisation > 0.95),
      `${path}: ${JSON.stringify(double.links)}`,
    );
    assert.match(bottleneckSince(two, two.baseline)!.what, /^link a-b(\/1)?$/);
    for (const { nic, nics } of double.hosts) {
      assert.equal(nics.length, 2);
      for (const key of ["tx_frames", "rx_frames", "tx_bytes", "rx_bytes", "interrupts"] as const) {
        assert.equal(nics[0][key] + nics[1][key], nic[key]);
        assert.ok(nics.every((one) => one[key] > 0), key);
      }
    }
    const [{ ring }] = double.guests;
    if (path === "xen2mx") assert.equal(ring!.size, 2 * single.guests[0].ring!.size);
  }
});

Deno.test("the dashboard's link is that of all rails", () => {
  for (const [hosts, boards] of [[2, 1], [2, 3], [3, 2]]) {
    const workload = { kind: "stream", size: "100 KiB", boards };
    const session = untilTestEnds(new Session(scenario({ hosts, guests: 2 * hosts, boards, workload })));
    const view = new LiveView(session, META);
    session.advance(4 * MS);
    const { link_limit_MBps, samples: [sample] } = view.live();
    assert.equal(link_limit_MBps, 1250 * boards);
    assert.ok(sample.link_MBps > 1000 * boards && sample.link_MBps <= 1250 * boards, `${boards}: ${sample.link_MBps}`);
  }
});

Deno.test("interrupts of the same queue of a host's NICs are for different CPUs, and all CPUs have some", () => {
  for (const path of ["native", "bridged"]) {
    for (const [boards, cpus] of [[1, 24], [2, 24], [4, 24], [2, 3], [3, 4]]) {
      const workload = { kind: "stream", messages: 1 };
      const { hosts: [host] } = untilTestEnds(new Session(scenario({ path, boards, cpus, workload }))).cluster;
      const { length } = host.kernel;
      const site = { processors: host.kernel, boards } as unknown as HostSite;
      const orders = host.boards.map(({ index }) =>
        queueProcessors({ ...site, board: index }).map((processor) => processor.index)
      );
      for (let queue = 0; queue < length; queue++) {
        const used = orders.map((order) => order[queue]);
        assert.equal(new Set(used).size, Math.min(boards, length), `${boards} boards, ${cpus} CPUs, queue ${queue}`);
      }
      assert.equal(new Set(orders.flat()).size, length);
      if (boards === 1) assert.deepEqual(orders[0], host.kernel.map(({ index }) => index));
    }
  }
});

// ---- in a scenario file

function load(text: string, ...sets: string[]) {
  const catalogue = { ...CATALOGUE, workloads: WORKLOADS };
  return loadScenario(text, { ...catalogue, file: "my.yaml", overrides: sets.map(parseSet), checkThreshold });
}

function complaint(text: string, ...sets: string[]): string {
  try {
    load(text, ...sets);
  } catch (error) {
    assert.ok(error instanceof ScenarioError, `not a scenario error: ${error}`);
    return error.message;
  }
  return "";
}

const STREAM = "workload: {kind: stream}\n";

Deno.test("boards of a scenario: 1 by default, up to 4; a fault names a rail's link from either end", () => {
  assert.equal(load(STREAM).boards, 1);
  const faults = "faults: [{at: 1 ms, link: b-a/1, cut: true}, {at: 2 ms, link: a-b, cut: true}]\n";
  assert.deepEqual(load(`boards: 2\n${faults}${STREAM}`).faults.map(({ link }) => link), ["a-b/1", "a-b"]);
  const star = "hosts: 3\nguests: 6\nboards: 4\nfaults: [{at: 1 ms, link: switch-c/3, cut: true}]\n";
  assert.deepEqual(load(star + STREAM).faults.map(({ link }) => link), ["c-switch/3"]);
  assert.deepEqual(load(STREAM, "boards=2", "workload.boards=2").workload.params, {
    size: 524288,
    outstanding: 8,
    direction: "one-way",
    pairs: "cross-host",
    wait: "block",
    boards: 2,
  });
});

Deno.test("boards that there are not are refused, with what is wanted", () => {
  assert.equal(complaint(`boards: 5\n${STREAM}`), "my.yaml:1:9: boards: found 5, wanted 1 to 4");
  assert.match(
    complaint(`boards: 2\nfaults: [{at: 1 ms, link: a-b/2, cut: true}]\n${STREAM}`),
    /a-b\/2.*a-b or a-b\/1/,
  );
  assert.match(complaint(`faults: [{at: 1 ms, link: a-b/1, cut: true}]\n${STREAM}`), /wanted a link: a-b/);
  assert.match(complaint(STREAM, "workload.boards=2"), /boards: found 2, wanted at most 1, the boards of each host/);
  assert.match(complaint(STREAM, "boards=4", "workload.boards=4", "workload.outstanding=3"), /at most 3, the messages/);
  assert.match(
    complaint(STREAM, "boards=4", "mechanisms.netQueues=5"),
    /found 5 on each of 4 boards, wanted at most 16/,
  );
});

Deno.test("thresholds know the links of every rail and the NICs of every host", () => {
  const wanted = [
    'thresholds: ["links[a-b/1].directions[0].lost == 0", "hosts[b].nics[1].drops == 0"]',
    "boards: 2",
  ];
  assert.equal(complaint(`${wanted.join("\n")}\n${STREAM}`), "");
  assert.match(complaint(`${wanted[0]}\n${STREAM}`), /links\[a-b\/1\]/);
});
