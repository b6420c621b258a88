import assert from "node:assert/strict";
import { MS, SECOND, US } from "../../src/base/units.ts";
import { splitOfMx } from "../../src/path/bridged.ts";
import { integrityErrors, type Options, run, session, SIZES, totalBytes } from "./bridged_support.ts";

for (const mtu of [9000, 1500]) {
  for (const pairs of ["cross-host", "same-host"]) {
    Deno.test(`every size arrives intact both ways, ${pairs}, MTU ${mtu}, and nothing is left behind`, () => {
      const ran = run({
        workload: { kind: "pingpong", sizes: SIZES, iterations: 3, warmup_iterations: 1, pairs },
        hosts: pairs === "cross-host" ? 2 : 1,
        mtu,
      });
      assert.ok(ran.finished && ran.now < ran.end, "the programs have ended");
      assert.equal(integrityErrors(ran), 0);
      for (const { meter } of ran.cluster.guests) assert.equal(meter.messages, SIZES.length * 3);
      assert.equal(ran.retransmits(0) + ran.retransmits(1), 0);
      assert.deepEqual(ran.drain(), []);
    });
  }
}

Deno.test("one bridged guest against a native node: a tiny round trip takes 44 us, and its stages add up", () => {
  const ran = run({
    workload: { kind: "pingpong", sizes: [8], iterations: 200, warmup_iterations: 10 },
    native: true,
  });
  const [guest] = ran.cluster.guests;
  const rtt = guest.meter.rtt.distribution()!.mean;
  assert.ok(Math.abs(rtt / 44 - 1) < 0.04, `${rtt} us`);
  const { journeys } = ran.cluster.world;
  assert.equal(journeys.sums.reduce((sum, stage) => sum + stage, 0), journeys.total);
  assert.deepEqual(ran.drain(), []);
});

Deno.test("the same scenario gives the same events, in one go or in slices", () => {
  const options: Options = {
    workload: { kind: "stream", size: "100 KiB", outstanding: 4 },
    guests: 4,
    durationPs: 5 * MS,
  };
  const whole = run(options);
  const sliced = session(options);
  for (let until = 37 * US; !sliced.finished; until += 37 * US) sliced.advance(until);
  assert.equal(sliced.fingerprint, whole.fingerprint);
  assert.deepEqual(whole.drain(), []);
});

Deno.test("40 guests stream over the bridge without an error, and close the rings they opened", () => {
  const ran = run({
    workload: { kind: "stream", size: "64 KiB", outstanding: 4 },
    guests: 40,
    warmupPs: 5 * MS,
    durationPs: 10 * MS,
  });
  assert.equal(integrityErrors(ran), 0);
  assert.ok(totalBytes(ran) > 5e6);
  for (const { port } of ran.cluster.guests) {
    const { ring, grants } = port.figures();
    assert.equal(ring!.size, 512);
    assert.equal(grants!.mapped, 2);
  }
  assert.deepEqual(ran.drain(), []);
});

Deno.test("lost frames are sent again and nothing leaks", () => {
  const ran = run({
    workload: { kind: "stream", size: "32 KiB", outstanding: 4, direction: "both-ways" },
    loss: 0.01,
    durationPs: 1 * SECOND,
  });
  assert.ok(ran.retransmits(0) + ran.retransmits(1) > 0);
  assert.equal(integrityErrors(ran), 0);
  assert.deepEqual(ran.drain(), []);
});

Deno.test("dom0 saturates: one VCPU is full, and more VCPUs give sub-linear returns", () => {
  const measured = 20 * MS;
  const [one, two, four] = [1, 2, 4].map((dom0Vcpus) => {
    const ran = session({
      workload: { kind: "stream", size: "512 KiB", outstanding: 1 },
      guests: 8,
      mtu: 1500,
      dom0Vcpus,
      warmupPs: 10 * MS,
      durationPs: measured,
    });
    const [, receiver] = ran.cluster.hosts;
    const charged = () => {
      ran.settle();
      return receiver.kernel.map(({ time }) => time[0] + time[1] + time[2] + time[3]);
    };
    ran.advance(10 * MS);
    const before = charged();
    ran.advance(ran.end);
    assert.equal(receiver.nic.counters.rxDrops, 0);
    return { bytes: totalBytes(ran), used: charged().map((time, vcpu) => (time - before[vcpu]) / measured) };
  });
  assert.ok(one.used[0] > 0.97, `one VCPU is used to ${one.used[0]}`);
  // With more, the one that takes the NIC's interrupts is full, and the others have time left.
  assert.ok(four.used[0] > 0.9 && four.used[1] < 0.5, `${four.used}`);
  assert.ok(two.bytes > one.bytes && four.bytes > two.bytes);
  assert.ok(two.bytes < 1.6 * one.bytes && four.bytes < 2 * one.bytes, `${one.bytes} ${two.bytes} ${four.bytes}`);
});

Deno.test("where an MX frame is divided into headers and payload", () => {
  const view = new DataView(new ArrayBuffer(64));
  const split = (type: number, length: number) => {
    view.setUint8(16, type);
    return splitOfMx(view, 0, length);
  };
  assert.equal(split(42, 9000), 32);
  assert.equal(split(39, 8240), 48);
  assert.equal(split(39, 192), 192, "small ones are linear");
  assert.equal(split(38, 168), 168);
  assert.equal(split(0, 5000), 192);
});
