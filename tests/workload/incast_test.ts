import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import { incast } from "../../src/workload/incast.ts";
import { run, totals } from "../support/scenario.ts";

const crew = (ranks: number) => ({ ranks, boards: 1, hostIndexOf: (rank: number) => rank });

Deno.test("one sender is enough, and the root is one of the ranks", () => {
  const check = (root: number, ranks: number) => incast.check(incast.params.parse({ root }), crew(ranks));
  check(1, 2);
  assert.throws(() => check(0, 1), { name: "WorkloadError", message: "guests: incast wants 2 or more, found 1" });
  assert.throws(() => check(2, 2), { name: "WorkloadError", message: "root: found 2, wanted a rank from 0 to 1" });
});

Deno.test("a round takes as long as the root's link needs for all blocks, and not much longer", () => {
  for (const path of ["native", "xen2mx"]) {
    for (const servers of [2, 4]) {
      const workload = { kind: "incast", size: "256 KiB", messages: 8 };
      const session = run({ path, hosts: servers + 1, guests: servers + 1, workload });
      const rtt = session.cluster.total.rtt.distribution()!;
      const wireUs = (servers * 262144 * 8) / 10e3;
      assert.ok(rtt.min > wireUs && rtt.p50 < 1.3 * wireUs, `${path} ${servers}: ${rtt.p50} us of ${wireUs}`);
      assert.equal(session.cluster.guests[0].meter.rtt.count, 8, "a round each");
      assert.equal(session.cluster.total.rtt.count, 8, "at the root alone");
    }
  }
});

Deno.test("more servers than the port of the switch has room for: frames are dropped, and rounds wait for a second", () => {
  const workload = { kind: "incast", size: "256 KiB" };
  const of = (servers: number) => {
    const session = run({ hosts: servers + 1, guests: servers + 1, durationPs: 20 * MS, workload });
    const { directions } = session.cluster.links[0];
    return { drops: directions[1].from.queue!.drops, messages: totals(session).messages, session };
  };
  const few = of(8);
  const many = of(12);
  assert.deepEqual([few.drops, many.messages], [0, 0]);
  assert.ok(few.messages > 60 && many.drops > 10, `${few.messages} messages, ${many.drops} drops`);
  many.session.advance(many.session.now + 3 * SECOND);
  assert.deepEqual(many.session.drain(), [], "MX asks again for what is missing");
  assert.deepEqual([totals(many.session).integrityErrors, totals(many.session).lost], [0, 0]);
  assert.ok(totals(many.session).messages >= 12);
});

Deno.test("a stream goes in windows: what nobody has asked for yet does not pile up at the root", () => {
  const workload = { kind: "incast", mode: "streaming", size: "64 B", outstanding: 8 };
  const session = run({ path: "xen2mx", hosts: 2, guests: 9, durationPs: 4 * MS, workload });
  const { p99 } = session.cluster.total.latency.distribution()!;
  assert.ok(totals(session).messages > 500 && p99 < 200, `${totals(session).messages} messages, ${p99} us`);
  assert.deepEqual([session.drain(), totals(session).retransmits], [[], 0]);
  assert.equal(session.cluster.total.rtt.count, 0, "there are no rounds");
});
