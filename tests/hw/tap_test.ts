import assert from "node:assert/strict";
import { FrameTap, INBOUND, lossText, LOST_BY_CHANCE, OUTBOUND } from "../../src/hw/tap.ts";
import { run, scenario, type ScenarioOptions, untilTestEnds } from "../support/scenario.ts";
import { Session } from "../../src/cluster/session.ts";
import { PATHS } from "../../src/path/registry.ts";

Deno.test("a tap tells all its listeners, in order, and is active only while it has one", () => {
  const tap = new FrameTap("x", "a place");
  const seen: string[] = [];
  assert.equal(tap.active, false);
  const first = tap.listen((way, frame, now) => void seen.push(`1 ${way} ${frame} ${now}`));
  const second = tap.listen(() => void seen.push("2"), (reason) => void seen.push(lossText(reason)));
  tap.see(OUTBOUND, 7, 100);
  tap.lose(LOST_BY_CHANCE);
  assert.deepEqual(seen.splice(0), ["1 0 7 100", "2", "lost on the wire"]);
  first();
  first(); // a second time changes nothing
  assert.equal(tap.active, true);
  tap.see(INBOUND, 7, 100);
  assert.deepEqual(seen.splice(0), ["2"]);
  second();
  assert.equal(tap.active, false);
});

const names = (options: ScenarioOptions) =>
  untilTestEnds(new Session(scenario(options))).cluster.taps.map(({ name }) => name);
const workload = { kind: "stream", size: "20000 B", messages: 4 };

Deno.test("a cluster lists the places where frames can be looked at", () => {
  assert.deepEqual(names({ path: "xen2mx", workload }), ["a-b", "a/nic", "b/nic"]);
  for (const path of ["bridged", "iov", "virtio", "virtio-user", "emulated"]) {
    assert.deepEqual(names({ path, workload }), ["a-b", "a/nic", "b/nic", "vm01/eth0", "vm02/eth0"], path);
  }
  assert.deepEqual(names({ hosts: 3, guests: 4, workload }), [
    ...["a-switch", "b-switch", "c-switch", "a/nic", "b/nic", "c/nic", "switch/a", "switch/b", "switch/c"],
  ]);
});

Deno.test("listeners change nothing of a run, and see what the counters count", () => {
  for (const { name: path } of PATHS) {
    for (const hosts of [2, 4]) {
      const options = { path, hosts, guests: hosts, workload: { ...workload, pairs: "cross-host" } };
      const counts = new Map<string, [number, number]>();
      const session = run(options, ({ cluster }) => {
        for (const tap of cluster.taps) {
          counts.set(tap.name, [0, 0]);
          tap.listen((way) => void counts.get(tap.name)![way]++);
        }
      });
      assert.equal(session.fingerprint, run(options).fingerprint, `${path}, ${hosts} hosts`);
      for (const { name, nic } of session.cluster.hosts) {
        assert.deepEqual(counts.get(`${name}/nic`), [nic.counters.txFrames, nic.counters.rxFrames], path);
      }
      for (const link of session.cluster.links) {
        assert.deepEqual(counts.get(link.name), link.directions.map(({ frames }) => frames), path);
      }
      // A guest alone on its host: what its interface has sent has left the host, but for what is on its way.
      const [first] = session.cluster.hosts;
      const eth0 = counts.get("vm01/eth0");
      if (eth0 === undefined) continue;
      const { txFrames, rxFrames } = first.nic.counters;
      assert.ok(eth0[0] > 4 && eth0[0] - txFrames < 4 && eth0[0] >= txFrames, `${path}: ${eth0}, ${txFrames} sent`);
      assert.ok(eth0[1] > 1 && rxFrames - eth0[1] < 4 && eth0[1] <= rxFrames, `${path}: ${eth0}, ${rxFrames} received`);
    }
  }
});
