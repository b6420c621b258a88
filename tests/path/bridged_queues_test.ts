import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import type { Netback } from "../../src/xen/netback.ts";
import { connectVif, isVifConnected } from "../../src/xen/netback_connect.ts";
import { NetfrontQueues, queueOf } from "../../src/xen/net_queues.ts";
import { Netfront } from "../../src/xen/netfront.ts";
import { GUEST_MAC, type Mac, NetHost, OUTSIDE_MAC, splitAt64 } from "../xen/net_support.ts";
import { integrityErrors, type Options, run, SIZES, totalBytes } from "./bridged_support.ts";

for (const netQueues of [2, 4, 8]) {
  for (const pairs of ["cross-host", "same-host"]) {
    Deno.test(`${netQueues} queues: every size arrives intact both ways, ${pairs}, and nothing is left behind`, () => {
      const options: Options = {
        workload: { kind: "pingpong", sizes: SIZES, iterations: 2, warmup_iterations: 1, pairs },
        hosts: pairs === "cross-host" ? 2 : 1,
        guests: 4,
        mtu: netQueues === 4 ? 1500 : 9000,
        mechanisms: { netQueues },
      };
      const ran = run(options);
      assert.ok(ran.finished && ran.now < ran.end, "the programs have ended");
      assert.equal(integrityErrors(ran), 0);
      for (const { meter } of ran.cluster.guests) assert.equal(meter.messages, SIZES.length * 2);
      assert.equal(ran.retransmits(0) + ran.retransmits(1), 0);
      const { fingerprint } = ran;
      assert.deepEqual(ran.drain(), []);
      for (const { port } of ran.cluster.guests) {
        const { ring, grants } = port.figures();
        assert.equal(ring!.size, 512 * netQueues);
        assert.equal(grants!.mapped, 2 * netQueues, "the rings");
      }
      assert.equal(ran.cluster.world.frames.used, 0);
      assert.equal(run(options).fingerprint, fingerprint);
    });
  }
}

Deno.test("one queue is what there is by default, to the event", () => {
  const options = (netQueues?: number): Options => ({
    workload: { kind: "stream", size: "100 KiB", outstanding: 4 },
    guests: 4,
    durationPs: 5 * MS,
    mechanisms: netQueues === undefined ? {} : { netQueues },
  });
  const { fingerprint } = run(options());
  assert.equal(run(options(1)).fingerprint, fingerprint);
  assert.notEqual(run(options(4)).fingerprint, fingerprint);
});

for (const netbackMap of [false, true]) {
  Deno.test(`4 queues: lost frames are sent again and nothing leaks, ${netbackMap ? "mapped" : "copied"}`, () => {
    const ran = run({
      workload: { kind: "stream", size: "32 KiB", outstanding: 4, direction: "both-ways" },
      loss: 0.01,
      durationPs: 0.6 * SECOND,
      mechanisms: { netQueues: 4, netbackMap },
    });
    assert.ok(ran.retransmits(0) + ran.retransmits(1) > 0);
    assert.equal(integrityErrors(ran), 0);
    assert.deepEqual(ran.drain(), []);
  });
}

Deno.test("40 guests with 8 queues each stream at once, on dom0s of 2 VCPUs", () => {
  const ran = run({
    workload: { kind: "stream", size: "64 KiB", outstanding: 4 },
    guests: 40,
    dom0Vcpus: 2,
    durationPs: 3 * MS,
    mechanisms: { netQueues: 8 },
  });
  assert.equal(integrityErrors(ran), 0);
  assert.ok(totalBytes(ran) > 1e6);
  assert.deepEqual(ran.drain(), []);
});

Deno.test("the queue of a pair of hosts is fixed, and many pairs spread over all queues", () => {
  for (let queues = 1; queues <= 8; queues++) {
    const counts = new Array<number>(queues).fill(0);
    for (let host = 0; host < 16; host++) {
      for (let guest = 0; guest < 40; guest++) {
        const queue = queueOf(0x57000000 + host * 0x10000 + guest, 0x57010001, queues);
        assert.equal(queueOf(0x57000000 + host * 0x10000 + guest, 0x57010001, queues), queue);
        counts[queue]++;
      }
    }
    const fair = 16 * 40 / queues;
    for (const count of counts) assert.ok(count > 0.7 * fair && count < 1.3 * fair, `${queues} queues: ${counts}`);
  }
  assert.equal(queueOf(0x57000001 | 0, 0x97000001 | 0, 8), queueOf(0x57000001, 0x97000001, 8), "signed or not");
});

/** A guest with `count` queues, and `peers` hosts outside. */
function device(count: number, peers: number) {
  const host = new NetHost(4, 64);
  const { guest, dom0, frames, bridge, stack } = host;
  const more = Array.from(
    { length: count - 1 },
    () => new Netfront({ domain: guest, frames, receiver: stack, ...GUEST_MAC, split: splitAt64, queueLimit: 64 }),
  );
  const front = new NetfrontQueues(frames, [host.front, ...more]);
  let backs: Netback[] = [];
  connectVif(front.queues, {
    dom0,
    frames,
    bridge,
    split: splitAt64,
    vcpu: 1,
    connected: (...connected) => backs = connected,
  });
  host.engine.run(0);
  assert.ok(isVifConnected(dom0, guest));
  const others: Mac[] = Array.from({ length: peers }, (_, i) => ({
    macHigh: OUTSIDE_MAC.macHigh,
    macLow: OUTSIDE_MAC.macLow + i,
  }));
  for (const { macLow } of others) bridge.learn(macLow, 0);
  return { host, front, backs, others };
}

/** Bytes by the address at `offset`, which is where the frame is from or for. */
function byPeer(frames: readonly Uint8Array[], offset: number): Map<string, Uint8Array[]> {
  return Map.groupBy(frames, (bytes) => bytes.subarray(offset, offset + 6).join(":"));
}

Deno.test("one guest and several peers: all threads work, and each peer's frames stay in order", () => {
  const { host, front, backs, others } = device(4, 12);
  const sent: Uint8Array[] = [];
  const arrived: Uint8Array[] = [];
  for (let round = 0; round < 10; round++) {
    const at = (1 + round) * 400 * US;
    const lengths = others.map((_, i) => 60 + (i * 977 + round * 131) % 8900);
    sent.push(...host.send(at, others.map((to, i) => host.frame(to, GUEST_MAC, lengths[i])), front));
    arrived.push(...host.arrive(at, others.map((from, i) => host.frame(GUEST_MAC, from, lengths[i]))));
  }
  host.engine.run(10 * MS);
  assert.equal(host.outside.left.length, 120);
  assert.deepEqual(byPeer(host.outside.left, 0), byPeer(sent, 0));
  assert.deepEqual(byPeer(host.stack.received, 6), byPeer(arrived, 6));

  assert.deepEqual(backs.map(({ name }) => name.split(" ").pop()), [
    "vif1.0-q0",
    "vif1.0-q1",
    "vif1.0-q2",
    "vif1.0-q3",
  ]);
  for (const { tx, rx, wakes, name } of backs) {
    assert.ok(wakes > 0 && tx.counters.frames > 0 && rx.counters.frames > 0, name);
  }
  assert.equal(new Set(backs.map(({ bridgePort }) => bridgePort)).size, 1, "one port of the bridge");
  assert.equal(host.bridge.counters.flooded, 0);
  for (const [i, { processor }] of backs.map(({ thread }) => thread).entries()) {
    assert.equal(processor, host.dom0.processors[(1 + i) % 2], "on consecutive VCPUs");
  }

  assert.equal(host.frames.used, 0);
  assert.equal(front.slotsInUse + front.waiting, 0);
  assert.equal(front.posted, 4 * 256);
  assert.equal(host.guest.grantTable.activeGrants, 4 * (2 + 256));
  assert.equal(host.guest.grantTable.mappedGrants, 4 * 2);
});

Deno.test("a frame for all stations reaches a guest with several queues once", () => {
  const { host, backs, others } = device(4, 1);
  host.arrive(10 * US, [host.frame({ macHigh: 0xffff, macLow: 0xffffffff }, others[0], 100)]);
  host.engine.run(2 * MS);
  assert.equal(host.stack.received.length, 1);
  assert.equal(backs.reduce((sum, { rx }) => sum + rx.counters.frames, 0), 1);
});
