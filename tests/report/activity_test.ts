import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import type { GuestFigures, Snapshot } from "../../src/report/snapshot.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { openPorts } from "../xen/support.ts";
import { scenario, type ScenarioOptions, untilTestEnds } from "../support/scenario.ts";

const META = { command: "test", version: "0" };

/** A run without warm-up, so that everything counted is in the figures, and its snapshot at the end. */
function run(options: ScenarioOptions): { session: Session; snapshot: Snapshot; before: Before[] } {
  const session = untilTestEnds(new Session(scenario({ warmupPs: 0, durationPs: 5 * MS, ...options })));
  const before = session.cluster.guests.map((guest) => ({
    ...published(guest),
    active: guest.site.domain?.grantTable.activeGrants ?? 0,
    ended: guest.site.domain?.grantTable.counters.ended ?? 0,
  }));
  while (!session.finished) session.advance(session.end);
  return { session, snapshot: takeSnapshot(session, { ...META, wallMs: 0, partial: false }), before };
}

/** What setting the guests up has done, which is not in the figures. */
interface Before {
  toBackend: number;
  toGuest: number;
  active: number;
  ended: number;
}

/** Publishings of all rings of a guest. */
function published({ ports: [port] }: Session["cluster"]["guests"][number]): { toBackend: number; toGuest: number } {
  const total = { toBackend: 0, toGuest: 0 };
  for (const { toBackend, toGuest } of port.rings?.() ?? []) {
    total.toBackend += toBackend?.published ?? 0;
    total.toGuest += toGuest?.published ?? 0;
  }
  return total;
}

const STREAM = { kind: "stream", size: 65536, outstanding: 4 };
const PINGPONG = { kind: "pingpong", size: 32 };

const sum = (guests: readonly GuestFigures[], pick: (guest: GuestFigures) => number | undefined) =>
  guests.reduce((total, guest) => total + (pick(guest) ?? 0), 0);

for (const path of ["xen2mx", "xen2mx-plain", "bridged", "virtio"]) {
  Deno.test(`${path}: notifications sent and suppressed are the publishings of the rings`, () => {
    const { session, snapshot, before } = run({ path, guests: 4, workload: STREAM });
    for (const [i, guest] of session.cluster.guests.entries()) {
      const { notifications } = snapshot.guests[i];
      assert.ok(notifications !== null);
      const { toBackend, toGuest } = published(guest);
      assert.equal(
        notifications.to_backend.sent + notifications.to_backend.suppressed,
        toBackend - before[i].toBackend,
      );
      assert.equal(notifications.to_guest.sent + notifications.to_guest.suppressed, toGuest - before[i].toGuest);
      for (const ring of guest.ports[0].rings!()) {
        // Every publishing moves the index by one entry at least.
        for (const end of [ring.toBackend!, ring.toGuest!]) {
          assert.ok(end.entries >= end.published && end.published > 0);
        }
      }
    }
  });
}

Deno.test("xen2mx-plain: a ping-pong's notifications are the events that its domains send and receive", () => {
  const { session, snapshot } = run({ path: "xen2mx-plain", guests: 2, workload: PINGPONG });
  for (const [i, { notifications, events, event_ports }] of snapshot.guests.entries()) {
    const { domain } = session.cluster.guests[i].site;
    assert.ok(notifications !== null && events !== null && domain !== null);
    assert.equal(event_ports, openPorts(domain.eventChannels).length);
    // Two rings of one device ask for it in one burst, now and then: that is one event.
    assert.ok(events.sent <= notifications.to_backend.sent);
    assert.ok(events.sent > notifications.to_backend.sent * 0.5);
    // One event without a cause comes with binding the port; the last one may still be on its way.
    assert.ok(events.received <= notifications.to_guest.sent + 1);
    assert.ok(events.received > notifications.to_guest.sent * 0.5);
    assert.equal(snapshot.guests[i].library.sent_tiny, session.cluster.guests[i].mx!.endpoints[0].counters.sentTiny);
  }
});

Deno.test("polling suppresses what the plain driver sends", () => {
  const suppressed = (path: string) => {
    const { guests } = run({ path, guests: 4, workload: STREAM }).snapshot;
    const all = sum(
      guests,
      ({ notifications }) =>
        notifications === null ? 0 : notifications.to_backend.sent + notifications.to_backend.suppressed,
    );
    return sum(guests, ({ notifications }) => notifications?.to_backend.suppressed) / all;
  };
  assert.ok(suppressed("xen2mx") > suppressed("xen2mx-plain"));
});

Deno.test("grants: what is granted and not ended is active, and what dom0 maps and copies is the guests'", () => {
  for (const path of ["xen2mx", "xen2mx-plain", "bridged"]) {
    const { session, snapshot, before } = run({ path, guests: 4, workload: STREAM });
    const { guests } = snapshot;
    for (const [i, { grant_counts, grants }] of guests.entries()) {
      const { ended } = session.cluster.guests[i].site.domain!.grantTable.counters;
      const { active, ended: endedBefore } = before[i];
      assert.equal(active + grant_counts!.granted - (ended - endedBefore), grants!.active, path);
    }
    const dom0 = session.cluster.hosts.map(({ hypervisor }) => hypervisor!.domain(0)!.mappings.counters);
    assert.equal(
      sum(guests, (guest) => guest.grant_counts?.copies),
      dom0.reduce((total, { copies }) => total + copies, 0),
      path,
    );
    assert.equal(
      sum(guests, (guest) => guest.grant_counts?.copied_bytes),
      dom0.reduce((total, { copiedBytes }) => total + copiedBytes, 0),
      path,
    );
    assert.equal(sum(guests, (guest) => guest.grant_counts?.reused) > 0, path === "xen2mx", path);
  }
});

Deno.test("a NIC's queues add up to it, and each received frame has an interrupt of its own or is coalesced", () => {
  const { snapshot } = run({ path: "native", guests: 4, workload: STREAM, loss: 0.001 });
  for (const { nic, nics } of snapshot.hosts) {
    const [{ rx_queues }] = nics;
    const total = (pick: (queue: typeof rx_queues[number]) => number) => rx_queues.reduce((t, q) => t + pick(q), 0);
    assert.equal(total((queue) => queue.frames), nic.rx_frames);
    assert.equal(total((queue) => queue.drops), nic.rx_drops);
    assert.equal(total((queue) => queue.interrupts), nic.interrupts);
    assert.equal(total((queue) => queue.coalesced), nic.coalesced);
    assert.equal(nic.rx_drops + nic.tx_drops, nic.drops);
    assert.ok(nic.coalesced > 0 && nic.coalesced < nic.rx_frames);
  }
  // What a NIC has sent is received or lost, but for what is on the wire.
  const [{ directions }] = snapshot.links;
  for (const [side, { frames, lost }] of directions.entries()) {
    const { nic } = snapshot.hosts[1 - side];
    const flying = frames - lost - nic.rx_frames - nic.rx_drops;
    assert.ok(flying >= 0 && flying <= 2, `${flying} frames are on the wire`);
  }
});

Deno.test("iov: functions count their frames, which are those of the NIC", () => {
  const { snapshot } = run({ path: "iov", guests: 4, workload: STREAM });
  const { guests, hosts } = snapshot;
  for (const host of hosts) {
    const own = guests.filter((guest) => guest.host === host.name);
    assert.equal(sum(own, (guest) => guest.interface?.rx_frames), host.nic.rx_frames);
    assert.equal(sum(own, (guest) => guest.interface?.interrupts), host.nic.interrupts);
    assert.ok(host.nic.coalesced > 0);
    for (const guest of own) assert.equal(guest.notifications, null);
  }
});

Deno.test("CPUs: what owners do and what classes say is the same; dom0's VCPUs are dom0's time", () => {
  const { snapshot } = run({ path: "xen2mx", guests: 4, workload: STREAM });
  for (const { per_cpu, dom0_vcpus, cpu, cpus } of snapshot.hosts) {
    for (const { host, dom0, guest, hypervisor, idle, user, kernel, irq, polling } of per_cpu) {
      assert.ok(Math.abs(host + dom0 + guest + hypervisor - (user + kernel + irq + hypervisor)) < 1e-5);
      assert.ok(Math.abs(user + kernel + irq + hypervisor + idle - 1) < 1e-5);
      assert.ok(polling >= 0 && polling <= 1 - idle + 1e-6);
    }
    const own = dom0_vcpus.reduce((total, { user, kernel, irq }) => total + user + kernel + irq, 0);
    assert.ok(Math.abs(own - cpus * (cpu.dom0.user + cpu.dom0.kernel + cpu.dom0.irq)) < 2e-3);
  }
});

Deno.test("live: rates of the intervals add up to the counts of the whole, and the history is bounded", () => {
  const session = untilTestEnds(
    new Session(
      scenario({ path: "bridged", guests: 4, workload: STREAM, warmupPs: 0, durationPs: 40 * MS }),
    ),
  );
  const view = new LiveView(session, META);
  let granted = 0;
  let frames = 0;
  // Sixteen looks in ten milliseconds: the rates of every sixteenth are of the time since the one before that.
  for (let at = 0.625; at <= 40; at += 0.625) {
    session.advance(at * MS);
    const { recent, recent_hosts, recent_links, history } = view.live();
    const seconds = at % 10 === 0 ? 0.01 : 0;
    granted += recent.reduce((total, { activity }) => total + activity.grant_counts!.granted, 0) * seconds;
    frames += recent_hosts[0].nic_per_s.tx_frames * seconds;
    for (const { rings } of recent) {
      for (const { mean, highest } of rings) {
        assert.ok(mean === null || mean <= 256 && mean >= 0);
        assert.ok(highest <= 256);
      }
    }
    for (const { utilisation } of recent_links.flat()) assert.ok(utilisation >= 0 && utilisation <= 1);
    assert.ok(history.length <= 60);
    assert.equal(history.at(-1)!.guests, recent);
  }
  const { snapshot, history } = view.live();
  assert.equal(history.length, 60);
  const all = sum(snapshot.guests, (guest) => guest.grant_counts?.granted);
  assert.ok(Math.abs(granted - all) < 1e-3 * all, `${granted} ${all}`);
  assert.ok(Math.abs(frames - snapshot.hosts[0].nic.tx_frames) < 1e-3 * frames);
});

Deno.test("peers: a stream's pairs name each other, on every path", () => {
  for (const path of ["native", "iov", "bridged", "virtio", "emulated", "xen2mx"]) {
    const { guests } = run({ path, guests: 4, workload: STREAM }).snapshot;
    const names = new Map(guests.map(({ name, peers }) => [name, peers.map((peer) => peer.name)]));
    for (const { name, peer_count } of guests) {
      assert.equal(peer_count, 1, `${path}: ${name}`);
      const [peer] = names.get(name)!;
      assert.deepEqual(names.get(peer), [name], `${path}: ${name} and ${peer}`);
    }
  }
});

Deno.test("peers on two boards are known on either", () => {
  const { guests } = run({ path: "xen2mx", guests: 2, boards: 2, workload: { ...STREAM, boards: 2 } }).snapshot;
  const [{ peers, peer_count, rings }] = guests;
  assert.equal(peer_count, 2);
  assert.deepEqual(peers.map(({ name }) => name), [guests[1].name, guests[1].name]);
  assert.deepEqual(rings.map(({ name }) => name), [
    "command ring",
    "event ring",
    "command ring, board 1",
    "event ring, board 1",
  ]);
});
