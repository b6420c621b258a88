import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { COST_NAMES } from "../../src/hw/machine_profile.ts";
import { Session } from "../../src/cluster/session.ts";
import { STEAL } from "../../src/metrics/stage.ts";
import { run, scenario, totals, untilTestEnds } from "../support/scenario.ts";

/** Sums of a host's counters over its paths. */
function counters(session: Session, host: number): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const path of session.cluster.hosts[host].paths.values()) {
    for (const [name, value] of Object.entries(path.counters?.() ?? {})) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

/** Mean round trip of a message of 0 bytes, microseconds: one guest against a native node. */
function roundTripUs(path: string): number {
  const workload = { kind: "pingpong", sizes: ["0 B"], iterations: 200, warmup_iterations: 10 };
  const session = run({ path: [path, "native"], workload });
  const us = session.rows.rows[0].rttUs!;
  assert.deepEqual(session.drain(), []);
  return us;
}

Deno.test("small messages: Xen2MX is far ahead of vhost, and vhost of QEMU", () => {
  const [xen2mx, vhost, qemu] = ["xen2mx", "virtio", "virtio-user"].map(roundTripUs);
  assert.ok(vhost > 2 * xen2mx, `vhost ${vhost} us, Xen2MX ${xen2mx} us`);
  assert.ok(vhost <= 44, `vhost ${vhost} us: not above the Xen bridge`);
  assert.ok(qemu > vhost, `QEMU ${qemu} us`);
});

Deno.test("exits are counted by reason; a stream needs few kicks", () => {
  const workload = { kind: "stream", size: "256 KiB", messages: 40, outstanding: 4, wait: "block" };
  const session = run({ path: "virtio", workload });
  const sender = counters(session, 0);
  const receiver = counters(session, 1);
  assert.ok(sender["driver txFrames"] > 1000);
  assert.ok(sender["exits, kick"] < sender["driver txFrames"] / 4, `${sender["exits, kick"]} kicks`);
  assert.ok(receiver["exits, hlt"] > 0, "who blocks halts");
  assert.equal(receiver["exits, eoi"], receiver["interrupts injected"]);
  assert.equal(receiver["exits, user space"], 0);
  assert.ok(receiver["interrupts injected"] < receiver["driver rxFrames"], "the guest polls while frames come");
  const user = counters(run({ path: "virtio-user", workload }), 0);
  assert.ok(user["exits, user space"] > 0);
  assert.equal(user["exits, kick"], 0);
});

Deno.test("every frame between NIC, bridge, taps and drivers is accounted for", () => {
  // Two CPUs for twenty guests and their back ends.
  const workload = { kind: "stream", size: "20000 B", messages: 15, outstanding: 16, direction: "both-ways" };
  const session = run({ path: "virtio", guests: 40, cpus: 2, workload });
  const { integrityErrors, lost, duplicated, messages } = totals(session);
  assert.deepEqual([integrityErrors, lost, duplicated, messages], [0, 0, 0, 600]);
  for (const host of [0, 1]) {
    const { rxFrames, txFrames } = session.cluster.hosts[host].nic.counters;
    const seen = counters(session, host);
    assert.equal(seen["bridge forwarded"] + seen["bridge flooded"], rxFrames + txFrames);
    // Floods reach every other guest, in copies.
    assert.ok(seen["tap toGuest"] + seen["tap drops"] >= rxFrames);
    assert.equal(seen["driver rxFrames"], seen["tap toGuest"]);
    assert.equal(seen["tap fromGuest"], seen["driver txFrames"]);
  }
  assert.deepEqual(session.drain(), []);
});

Deno.test("40 guests on 8 CPUs: all get through, and wait for CPUs", () => {
  const workload = { kind: "stream", size: "64 KiB", outstanding: 4 };
  for (const path of ["virtio", "virtio-user"]) {
    const session = untilTestEnds(new Session(scenario({ path, guests: 40, cpus: 8, durationPs: 20 * MS, workload })));
    session.advance(session.end);
    session.settle();
    const { integrityErrors, messages } = totals(session);
    assert.equal(integrityErrors, 0);
    assert.ok(messages > 100, `${path}: ${messages} messages`);
    const stolen = session.cluster.guests.filter(({ site }) => site.processor.time[STEAL] > 0);
    assert.equal(stolen.length, 40);
    assert.deepEqual(session.drain(), []);
  }
});

Deno.test("guests with vhost and guests with QEMU share a host's bridge and NIC", () => {
  const workload = { kind: "pingpong", sizes: ["1 B", "100 KB"], iterations: 5, warmup_iterations: 1 };
  const base = scenario({ path: "virtio", guests: 4, workload });
  const guests = base.guests.map((guest, i) => ({ ...guest, path: i < 2 ? "virtio" : "virtio-user" }));
  const session = untilTestEnds(new Session({ ...base, guests }));
  session.advance(session.end);
  assert.equal(session.cluster.hosts[0].paths.size, 2);
  assert.equal(totals(session).integrityErrors, 0);
  assert.equal(totals(session).messages, 40);
  assert.deepEqual(session.drain(), []);
});

Deno.test("with every cost at zero only the wire takes time", () => {
  const costs = Object.fromEntries(COST_NAMES.map((name) => [name, 0]));
  const workload = { kind: "pingpong", sizes: ["0 B"], iterations: 20, warmup_iterations: 2 };
  for (const path of ["virtio", "virtio-user"]) {
    const session = run({ path, costs, latencyPs: 500_000, workload });
    // A minimum frame is 84 bytes on the wire: 67.2 ns at 10 Gb/s, and the propagation; both ways.
    assert.equal(session.rows.rows[0].rttUs, 2 * (0.0672 + 0.5));
    assert.deepEqual(session.drain(), []);
  }
});
