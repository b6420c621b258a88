import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { evaluateThresholds } from "../../src/report/thresholds.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import type { CpuFractions, Snapshot } from "../../src/report/snapshot.ts";
import { scenario, untilTestEnds } from "../support/scenario.ts";

/** A short run of many guests, as the headless command would report it. */
function snapshotOf(path: string): Snapshot {
  const session = untilTestEnds(
    new Session(scenario({
      path,
      guests: 12,
      workload: { kind: "stream", size: 65536, outstanding: 4 },
      warmupPs: 10 * MS,
      durationPs: 20 * MS,
    })),
  );
  while (!session.finished) session.advance(session.end);
  return takeSnapshot(session, { command: "test", version: "0", wallMs: 0, partial: false });
}

/** A burst that runs when the figures are taken is booked whole: a few microseconds of the 20 ms. */
const EDGE = 1e-3;
const near = (a: number, b: number, what: string, within = 1e-5) =>
  assert.ok(Math.abs(a - b) <= within * Math.max(1, a, b), `${what}: ${a} and ${b}`);
const busy = (cpu: CpuFractions) => cpu.user + cpu.kernel + cpu.irq;

for (const path of ["native", "xen2mx", "bridged", "iov", "virtio"]) {
  Deno.test(`${path}: figures of guests, hosts and links agree with each other`, () => {
    const { totals, guests, hosts, links, stages, measured_ns } = snapshotOf(path);
    const sum = (value: (guest: Snapshot["guests"][number]) => number) =>
      guests.reduce((total, guest) => total + value(guest), 0);
    assert.equal(sum((guest) => guest.bytes), totals.bytes);
    assert.equal(sum((guest) => guest.sent.bytes), totals.bytes);
    assert.equal(sum((guest) => guest.messages), totals.messages);
    near(sum((guest) => guest.throughput_MBps), totals.throughput_MBps, "throughputs add up");
    for (const guest of guests) {
      assert.ok(guest.latency_us !== null, `${guest.name} has a latency`);
      assert.ok(guest.throughput_MBps + guest.sent.throughput_MBps > 0, `${guest.name} has a throughput`);
      const { user, kernel, irq, hypervisor, steal, idle } = guest.cpu;
      near(user + kernel + irq + hypervisor + steal + idle, 1, `${guest.name}'s CPU time is all of the time`, EDGE);
    }
    for (const cls of ["user", "kernel", "irq", "hypervisor", "steal", "idle"] as const) {
      near(sum(({ cpu }) => cpu[cls]) / guests.length, totals.cpu[cls], `the mean of ${cls}`, EDGE);
    }
    for (const { name, vm_exits } of hosts) {
      if (path !== "virtio") assert.equal(vm_exits, null, `nothing exits on ${name}`);
      // Guests of the first host send: each kick is an exit. Those of the second are woken up.
      else assert.ok(name === "a" ? vm_exits!.kick > 0 : vm_exits!.hlt > 0, JSON.stringify(vm_exits));
    }
    // What guests say of their CPU is what their hosts say; switching to a VCPU is the hypervisor's own time.
    for (const host of hosts.filter(({ native }) => !native)) {
      const mine = guests.filter((guest) => guest.host === host.name);
      near(
        mine.reduce((total, guest) => total + busy(guest.cpu), 0),
        host.cpus * busy(host.cpu.guest),
        host.name,
        EDGE,
      );
    }
    // One way: payload and headers of what was delivered, give or take what is in flight at either end.
    const [direction] = links[0].directions;
    const inFlight = 6 * 4 * 65536;
    assert.ok(direction.wire_bytes > totals.bytes - inFlight, "nothing arrives that the link has not carried");
    assert.ok(direction.wire_bytes < 1.05 * totals.bytes + inFlight, "the link carries little else");
    const wireNs = direction.wire_bytes * 8 / links[0].rate_Gbps;
    near(direction.utilisation, wireNs / measured_ns, "bits on the wire", 0.001);
    // The sender's NIC sets pages up, for which the wire waits.
    assert.ok(direction.utilisation < direction.port_busy && direction.port_busy <= 1);
    const mean = stages.reduce((total, { us }) => total + us, 0);
    assert.ok(mean > 0);
  });
}

Deno.test("VM exits are those since the warm-up, by every reason, and a threshold can ask for them", () => {
  const options = { path: "virtio-user", workload: { kind: "pingpong", sizes: ["16 B"], iterations: 1e6 } };
  const session = untilTestEnds(new Session(scenario({ ...options, warmupPs: 1 * MS, durationPs: 2 * MS })));
  const exits = () => session.cluster.hosts.map(({ paths }) => [...paths.values()][0].exits!());
  session.advance(1 * MS);
  const before = exits();
  session.advance(session.end);
  const snapshot = takeSnapshot(session, { command: "test", version: "0", wallMs: 0, partial: false });
  const since = exits().map((host, i) => host.map((count, reason) => count - before[i][reason]));
  assert.deepEqual(snapshot.hosts.map(({ vm_exits }) => Object.values(vm_exits!)), since);
  // QEMU is entered for each frame, and each interrupt is injected and acknowledged.
  assert.ok(since.every(([, , , window, eoi, user]) => window > 20 && eoi > 20 && user > 20), JSON.stringify(since));
  const [more, fewer] = evaluateThresholds(["hosts[a].vm_exits.user_space > 20", "totals.cpu.steal > 2"], snapshot);
  assert.deepEqual([more.ok, fewer.ok], [true, false]);
});
