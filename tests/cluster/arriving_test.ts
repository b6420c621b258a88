import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { arriving } from "../../src/cluster/arriving.ts";
import { Session } from "../../src/cluster/session.ts";
import { PATHS } from "../../src/path/registry.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { scenario, type ScenarioOptions } from "../support/scenario.ts";

/* Payload counts as it arrives: at any event of a run, whatever its messages are at. */

const SIZE = 300 * 1024;

const stream: ScenarioOptions = {
  workload: { kind: "stream", size: `${SIZE} B`, outstanding: 2, messages: 3 },
};

const sum = (bytes: Float64Array) => bytes.reduce((a, b) => a + b, 0);

/** Payload that all guests have received, and that all have sent, complete messages and parts of others. */
function payloadOf({ cluster }: Session): { received: number; sent: number } {
  const { received, sent } = arriving(cluster);
  const meters = cluster.guests.map(({ meter }) => meter);
  return {
    received: sum(received) + meters.reduce((bytes, meter) => bytes + meter.bytes, 0),
    sent: sum(sent) + meters.reduce((bytes, meter) => bytes + meter.sentBytes, 0),
  };
}

function wireBytes({ cluster }: Session): number {
  return cluster.links[0].directions.reduce((bytes, { wireBytes }) => bytes + wireBytes, 0);
}

/** Runs event by event; returns how often some payload had come. */
function watch(session: Session): number {
  let last = 0;
  let changes = 0;
  while (!session.finished) {
    session.step();
    const { received, sent } = payloadOf(session);
    assert.ok(received >= last, `at ${session.now} ps, ${session.lastEvent}: ${received} bytes after ${last}`);
    assert.equal(sent, received, `at ${session.now} ps, ${session.lastEvent}: sent and received`);
    if (received > last) changes++;
    last = received;
  }
  assert.equal(last, 3 * SIZE * session.cluster.guests.length / 2);
  return changes;
}

for (const { name: path } of PATHS) {
  Deno.test(`${path}: payload that has arrived never becomes less, and is all of every message in the end`, () => {
    for (const wait of ["poll", "block"]) {
      const session = new Session(scenario({ ...stream, path, workload: { ...stream.workload, wait } }));
      const changes = watch(session);
      assert.ok(changes > 3 * SIZE / 9000, `it comes by frames: ${changes} times`);
      session.release();
    }
  });
}

Deno.test("within one host, with losses, and of many guests it is the same", () => {
  for (const path of ["native", "xen2mx"]) {
    for (
      const options of [
        { hosts: 1, workload: { ...stream.workload, pairs: "same-host" } },
        { loss: 0.02, workload: { ...stream.workload, outstanding: 1 } },
        { guests: 6 },
      ]
    ) {
      const session = new Session(scenario({ ...stream, path, ...options }));
      watch(session);
      session.release();
    }
  }
});

Deno.test("no window, wherever it begins, has more payload than the wire has carried", () => {
  for (let i = 0; i < 12; i++) {
    const options = { ...stream, guests: 16, workload: { kind: "stream", size: "1 MiB", outstanding: 1 } };
    // Messages that began together end together: whole messages would be 0 or some times 1192 MB/s here.
    const session = new Session(scenario({ ...options, warmupPs: (9 + i / 2) * MS, durationPs: 2 * MS }));
    session.advance(session.measuringPs);
    const before = wireBytes(session);
    session.advance(session.end);
    const { totals, guests } = takeSnapshot(session, { command: "", version: "", wallMs: 1, partial: false });
    const carried = (wireBytes(session) - before) / 2e3; // bytes in 2 ms, as MB/s
    // What is between the wire and memory at either end: some frames.
    assert.ok(totals.throughput_MBps <= carried + 20, `${totals.throughput_MBps} of ${carried} MB/s`);
    assert.ok(totals.throughput_MBps >= 0.95 * carried, `${totals.throughput_MBps} of ${carried} MB/s`);
    const sent = guests.reduce((all, guest) => all + guest.sent.throughput_MBps, 0);
    assert.ok(Math.abs(sent - totals.throughput_MBps) < 0.01, "what is sent is what is received");
    session.release();
  }
});
