import assert from "node:assert/strict";
import { loadScenario } from "../../src/cluster/scenario_file.ts";
import { MACHINES } from "../../src/hw/profiles/registry.ts";
import { PATHS } from "../../src/path/registry.ts";
import { WORKLOADS } from "../../src/workload/registry.ts";

const CATALOGUE = { paths: PATHS, workloads: WORKLOADS, machines: MACHINES };

Deno.test("a scenario whose guests cannot have what they need of dom0's tables is refused before it starts", () => {
  const load = (text: string) => loadScenario(text, { ...CATALOGUE, file: "my.yaml" });
  const xen2mx = "path: xen2mx\nhosts: 2\nworkload: { kind: stream, size: 4 KiB }\n";
  // 1027 pages of an endpoint and two rings: 127 guests of a host fit in 131072 maptrack entries.
  assert.equal(load(`${xen2mx}guests: 254\n`).guests.length, 254);
  assert.throws(
    () => load(`${xen2mx}guests: 256\n`),
    /my.yaml:4:9: guests: found 128 guests on host a that take 131712 pages that dom0 maps, wanted at most 131072, which is 127 such guests: more hosts, or a smaller link.mtu/,
  );
  // Smaller slots, a mechanism that does not care, ranks that open none, and programs, of which nobody knows.
  for (const more of ["link: { mtu: 1500 }\n", "mechanisms: { historical: true }\n"]) {
    assert.equal(load(`${xen2mx}guests: 256\n${more}`).guests.length, 256);
  }
  assert.equal(load(`${xen2mx.replace("stream", "noisy")}guests: 256\n`).guests.length, 256);
  // An endpoint on each of two boards is twice as much.
  const boards = `${xen2mx.replace("}", ", boards: 2 }")}boards: 2\n`;
  assert.equal(load(`${boards}guests: 126\n`).guests.length, 126);
  assert.throws(() => load(`${boards}guests: 128\n`), /found 64 guests on host a that take 131712 pages/);
  // 7 event channels for each guest, and one for each of the NIC's queues.
  const bridged = "path: bridged\nhosts: 1\nworkload: { kind: stream, size: 64 B, pairs: same-host }\n";
  assert.throws(
    () => load(`${bridged}guests: 600\nmechanisms: { netQueues: 7 }\n`),
    /guests: found 600 guests on host a that take 4200 event channels of dom0, wanted at most 40\d\d: more hosts, or fewer netQueues/,
  );
  assert.equal(load(`${bridged}guests: 600\nmechanisms: { netQueues: 6 }\n`).guests.length, 600);
  // An emulated device has a channel for its requests where there is a dom0.
  const emulated = `${bridged.replace("bridged", "emulated")}guests: 4096\n`;
  assert.equal(load(emulated).guests.length, 4096);
  assert.throws(
    () => load(`${emulated}mechanisms: { xenDeviceModel: true }\n`),
    /found 4096 guests on host a that take 4096 event channels of dom0, wanted at most 4087/,
  );
});
