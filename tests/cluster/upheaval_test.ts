import assert from "node:assert/strict";
import { MS, US } from "../../src/base/units.ts";
import { Prng } from "../../src/base/prng.ts";
import { loadChecked } from "../../src/cli/catalogue.ts";
import type { Input } from "../../src/cluster/input.ts";
import { Recording } from "../../src/cluster/recording.ts";
import { parseSet } from "../../src/cluster/scenario_file.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { untilTestEnds } from "../support/scenario.ts";

/* Thirty inputs of every kind, at any instant: the run goes on, is made again exactly, and leaves nothing behind. */

const TEXT = `
hosts: 2
guests: 4
path: xen2mx
workload: {kind: stream, size: 16 KiB, outstanding: 3, direction: both-ways}
`;
const resolve = (assignments: readonly string[]) => loadChecked(TEXT, "my.yaml", assignments.map(parseSet));
const make = () => untilTestEnds(new Session(resolve([]), { endless: true, resolve }));

const CHANGES = [
  "path=xen2mx",
  "path=xen2mx-plain",
  "path=bridged",
  "path=virtio",
  "path=virtio-user",
  "path=emulated",
  "path=iov",
  "path=native",
  "guests=2",
  "guests=6",
  "hosts=3",
  "hosts=2",
  "workload.size=1 KiB",
  "workload.size=64 KiB",
  "workload={kind: pingpong, sizes: [2 KiB, 40 KiB], iterations: 30}",
  "link.mtu=1500",
  "link.mtu=9000",
  "costs.hypercall=9000",
  "dom0_vcpus=2",
  "coalescing=20 us",
  "seed=9",
];

function anyInput(random: Prng): Input {
  const pick = <T>(values: readonly T[]) => values[random.below(values.length)];
  const forPs = pick([1, 50 * US, MS, 3 * MS]);
  const host = pick(["a", "b", "c"]);
  switch (random.below(6)) {
    case 0:
      return { kind: "stall", host, forPs };
    case 1:
      return { kind: "hog", host, cpus: 1 + random.below(30), forPs: pick([forPs, null]) };
    case 2:
      return {
        kind: "fault",
        link: pick(["a-b", "a-switch"]),
        ...pick([{ loss: 0.05 }, { corrupt: 0.1 }, { cut: true }]),
        forPs,
      };
    case 3:
      return { kind: "set", assignments: [pick(CHANGES)] };
    default:
      return { kind: "crash", guest: `vm0${1 + random.below(5)}`, forPs };
  }
}

const SEEDS = Deno.args.length > 0 ? Deno.args.map(Number) : [2, 11];
for (const seed of SEEDS) {
  Deno.test(`thirty inputs of every kind, seed ${seed}`, async () => {
    const random = new Prng(seed, "upheaval");
    const original = new Recording(make(), make);
    const { session } = original;
    const view = new LiveView(session, { command: "test", version: "0" });
    const kinds = new Set<string>();
    while (original.inputs.length < 30) {
      if (random.below(2) === 0) session.advance(session.end, random.below(3000));
      else session.advance(session.now + random.below(2 * MS));
      const input = anyInput(random);
      if (original.apply(input) === null) kinds.add(input.kind);
      view.live();
      assert.ok(!session.finished);
    }
    assert.ok(kinds.size >= 3);
    session.advance(session.now + MS);
    const replay = await original.rewind(session.now);
    let again = replay.advance(1234);
    while (again === null) again = replay.advance(1234);
    for (const one of [again.session, session]) one.advance(one.now + MS);
    // Not every seed changes the cluster; those of the suite do.
    if (Deno.args.length === 0) assert.ok(session.generation > 0);
    const seen = ({ generation, now, events, fingerprint, notes }: Session) => ({
      generation,
      now,
      events,
      fingerprint,
      notes,
    });
    assert.deepEqual(seen(again.session), seen(session));
    // What is lost is sent again half a second later, and the last change may still be under way.
    let flows = false;
    for (let i = 0; i < 25 && !flows; i++) {
      const { total } = session.cluster;
      const before = total.completed;
      session.advance(session.now + 100 * MS);
      flows = session.cluster.total === total && total.completed > before;
    }
    assert.ok(flows, "messages flow");
    assert.deepEqual(session.drain(), []);
  });
}
