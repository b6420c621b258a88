import assert from "node:assert/strict";
import { US } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { scenario, totals } from "../support/scenario.ts";

const workload = { kind: "stream", size: 49152, outstanding: 1, pairs: "cross-host" };

for (const path of ["native", "iov", "xen2mx", "bridged", "virtio"]) {
  Deno.test(`240 guests of 12 hosts exchange messages through one switch: ${path}`, () => {
    const session = new Session(scenario({ path, hosts: 12, guests: 240, mtu: 1500, workload, durationPs: 1500 * US }));
    session.advance(session.end);
    const { messages, integrityErrors, lost } = totals(session);
    assert.ok(messages > 10, `${messages} messages`);
    assert.deepEqual([integrityErrors, lost], [0, 0]);
    // Every host's guests have their share of the wire: nothing depends on a host's number.
    const { cluster } = session;
    assert.ok(cluster.links.every(({ directions }) => directions.some(({ frames }) => frames > 100)));
    assert.equal(cluster.world.frames.exhausted, 0);
    session.release();
  });
}
