import assert from "node:assert/strict";
import { MS, US } from "../../src/base/units.ts";
import type { Session } from "../../src/cluster/session.ts";
import { HYP, KERNEL, USER } from "../../src/metrics/stage.ts";
import type { PathHost } from "../../src/path/path.ts";
import { run, runSliced, type ScenarioOptions, totals } from "../support/scenario.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZES = [0, 1, 32, 33, 128, 129, 1500, 4096, 8968, 8969, 32 * KIB, 32 * KIB + 1, 100_000, MIB];

const pingpong = (sizes: readonly number[], iterations = 3, more: Record<string, unknown> = {}) => ({
  kind: "pingpong",
  sizes,
  iterations,
  warmup_iterations: 1,
  ...more,
});

/** Runs to the end; the payload was what was sent, stages add up, and everything was given back. */
function sound(options: ScenarioOptions): Session {
  const session = run(options);
  const { integrityErrors, lost, duplicated } = totals(session);
  assert.deepEqual({ integrityErrors, lost, duplicated }, { integrityErrors: 0, lost: 0, duplicated: 0 });
  const { journeys } = session.cluster.world;
  assert.ok(Math.abs(journeys.sums.reduce((x, y) => x + y, 0) - journeys.total) < 1);
  assert.deepEqual(session.drain(), []);
  return session;
}

function countersOf(session: Session, host: number): Record<string, number> {
  const path = session.cluster.hosts[host].paths.get("emulated") as PathHost & { counters(): Record<string, number> };
  return path.counters();
}

for (const mtu of [9000, 1500]) {
  Deno.test(`every size passes both ways between hosts, MTU ${mtu}`, () => {
    sound({ path: "emulated", mtu, workload: pingpong(SIZES) });
  });

  Deno.test(`every size passes both ways between guests of one host, over its bridge, MTU ${mtu}`, () => {
    const session = sound({ path: "emulated", mtu, guests: 4, workload: pingpong(SIZES, 3, { pairs: "same-host" }) });
    for (const { frames } of session.cluster.links[0].directions) assert.equal(frames, 0);
  });
}

Deno.test("register accesses make it slower than virtio-net in QEMU", () => {
  const rtt = (path: string) => run({ path: [path, "native"], workload: pingpong([0], 100) }).rows.rows[0].rttUs!;
  assert.ok(rtt("emulated") > 1.5 * rtt("virtio-user"), `${rtt("emulated")} against ${rtt("virtio-user")} us`);
});

Deno.test("every access is an exit: one for a packet's tail, six for an interrupt with buffers to give back", () => {
  const rounds = 200;
  const session = sound({ path: ["emulated", "native"], workload: pingpong([0], rounds) });
  const counters = countersOf(session, 0);
  const registers = ["TDT", "RDT", "ICR", "IMC", "IMS", "STATUS"].map((name) => counters[`register ${name}`]);
  const [tdt, rdt, icr, imc, ims, status] = registers;
  assert.equal(counters["exits, user space"], registers.reduce((x, y) => x + y, 0));
  assert.equal(tdt, counters["driver txFrames"]);
  assert.ok(rdt >= rounds && rdt <= counters["driver rxFrames"]);
  assert.ok(icr >= 2 * rounds, "one interrupt for a packet sent, one for a packet received");
  assert.deepEqual([imc, ims, status], [icr - counters["driver spurious"], imc, 2 * imc]);
});

Deno.test("streams both ways, and between guests of one host", () => {
  const workload = { kind: "stream", size: 300_000, outstanding: 4, direction: "both-ways", messages: 8 };
  sound({ path: "emulated", guests: 6, workload });
  sound({ path: "emulated", guests: 8, workload: { ...workload, pairs: "same-host" } });
});

Deno.test("40 guests, and more VCPUs than CPUs, without an integrity error", () => {
  const workload = { kind: "stream", size: 128 * KIB, outstanding: 4 };
  for (const cpus of [24, 4]) {
    const session = run({ path: "emulated", guests: 40, cpus, workload, durationPs: 35 * MS });
    assert.equal(totals(session).integrityErrors, 0);
    assert.ok(totals(session).messages > 40);
    assert.deepEqual(session.drain(), []);
  }
});

Deno.test("lost frames are sent again and nothing is left over", () => {
  sound({ path: "emulated", loss: 0.02, workload: pingpong([0, 100, 5000, 100_000], 20) });
});

Deno.test("the same scenario gives the same events, in one go and in slices", () => {
  const options: ScenarioOptions = {
    path: "emulated",
    guests: 4,
    workload: { kind: "stream", size: 100_000, outstanding: 4, messages: 20 },
  };
  const first = run(options).fingerprint;
  assert.equal(run(options).fingerprint, first);
  assert.equal(runSliced(options, 97).fingerprint, first);
});

// ---- the device model in dom0

const XEN = { xenDeviceModel: true };

for (const mtu of [9000, 1500]) {
  Deno.test(`Xen: every size from 0 to 64 KiB passes between hosts and inside one, MTU ${mtu}`, () => {
    const sizes = [...SIZES.slice(0, -1), 64 * KIB];
    const options: ScenarioOptions = { path: "emulated", mtu, workload: pingpong(sizes), mechanisms: XEN };
    const session = sound(options);
    assert.ok(session.cluster.hosts.every(({ kind }) => kind === "xen"));
    const first = run(options).fingerprint;
    assert.equal(run(options).fingerprint, first);
    assert.equal(runSliced(options, 97).fingerprint, first);
    const inside = sound({ ...options, guests: 4, workload: pingpong(sizes, 3, { pairs: "same-host" }) });
    for (const { frames } of inside.cluster.links[0].directions) assert.equal(frames, 0);
  });
}

Deno.test("Xen: every access is a request that costs the guest hvmIoreq, and it is slower than KVM", () => {
  const workload = pingpong([0], 200);
  const rttOf = (session: Session) => session.rows.rows[0].rttUs!;
  const kvm = sound({ path: ["emulated", "native"], workload });
  const xen = sound({ path: ["emulated", "native"], workload, mechanisms: XEN });
  assert.ok(rttOf(xen) > 1.5 * rttOf(kvm), `${rttOf(xen)} against ${rttOf(kvm)} us`);
  const counters = countersOf(xen, 0);
  const accesses = Object.keys(counters).filter((name) => name.startsWith("register "));
  assert.equal(counters["requests to dom0"], accesses.reduce((sum, name) => sum + counters[name], 0));
  assert.ok(counters["requests to dom0"] >= 7 * 200);
  const [guest] = xen.cluster.guests;
  const waited = counters["requests to dom0"] * 18 * US;
  const hypervisor = guest.site.processor.time[HYP];
  assert.ok(hypervisor > waited && hypervisor < 1.3 * waited, `${hypervisor / US} for ${waited / US} us`);
  // QEMU's own work is dom0's: at least a wake-up for each request, and both ways of each packet.
  const dom0 = xen.cluster.hosts[0].kernel.slice(1).reduce((sum, { time }) => sum + time[USER] + time[KERNEL], 0);
  assert.ok(dom0 > counters["requests to dom0"] * 2 * US + 400 * 2 * US, `${dom0 / US} us`);
});

Deno.test("Xen: a dom0 with little CPU sends late, and everything arrives", () => {
  const workload = { kind: "stream", size: 128 * KIB, outstanding: 4 };
  for (const cpus of [24, 4]) {
    const options = { path: "emulated", guests: 40, cpus, workload, durationPs: 35 * MS, mechanisms: XEN };
    const session = run(options);
    assert.equal(totals(session).integrityErrors, 0);
    assert.deepEqual(session.drain(), []);
  }
  sound({ path: "emulated", loss: 0.02, workload: pingpong([0, 100, 5000, 100_000], 20), mechanisms: XEN });
  const both = { kind: "stream", size: 300_000, outstanding: 4, direction: "both-ways", messages: 8 };
  sound({ path: "emulated", guests: 6, workload: both, mechanisms: XEN });
});
