import assert from "node:assert/strict";
import { SECOND } from "../../src/base/units.ts";
import { PATHS } from "../../src/path/registry.ts";
import { run, totals } from "../support/scenario.ts";

Deno.test("on every path boards that know only themselves find each other, over cable and switch and inside a host", () => {
  for (const { name: path } of PATHS) {
    for (const hosts of [1, 2, 3]) {
      const pairs = hosts === 1 ? "same-host" : "cross-host";
      const workload = { kind: "stream", size: "20000 B", messages: 2, pairs };
      const session = run({ path, hosts, guests: 2 * hosts, discovery: "omxoed", workload });
      assert.ok(session.finished && session.now < session.end, `${path}, ${hosts} hosts`);
      assert.deepEqual([totals(session).messages, totals(session).lost], [2 * hosts, 0], path);
      // Those who had nothing to say to each other have found each other too, with one query repeated at most.
      const { engine } = session.cluster.world;
      engine.run(engine.now + 6 * SECOND);
      const boards = session.cluster.hosts.flatMap((host) => [...host.paths.values()].flatMap((one) => one.boards));
      for (const { driver } of boards) {
        for (const peer of driver.peers.peers) assert.notEqual(peer.name, null, `${path}: all have names`);
        assert.equal(driver.peers.peers.length, boards.length, path);
      }
      assert.deepEqual(session.drain(), [], path);
    }
  }
});

Deno.test("what boards ask everybody does not pile up in a host that has no guests, and so no driver", () => {
  for (const { name: path } of PATHS) {
    const workload = { kind: "stream", size: "20000 B", messages: 2 };
    const session = run({ path, hosts: 3, guests: 2, discovery: "omxoed", workload });
    const idle = session.cluster.hosts[2].nic;
    assert.ok(session.finished && idle.filtered > 0, path);
    assert.equal(idle.counters.rxFrames, 0, path);
    assert.deepEqual(session.drain(), [], path);
  }
});
