import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { mxLimits } from "../../src/mx/limits.ts";
import { describe } from "../../src/mx/wire/mod.ts";
import { run, totals } from "../support/scenario.ts";
import { record, type WireFrame } from "../support/wire.ts";

/* Open-MX built for MX 1.2 on the wire (reference 1.5): other fragments, blocks, PULL fields, and acks of NOTIFY. */

function frames(size: string, wire: "mx" | undefined): WireFrame[] {
  let seen: WireFrame[] = [];
  const workload = { kind: "stream", size, messages: 3, outstanding: 1 };
  const session = run({ path: "native", wire, workload }, ({ cluster }) => seen = record(cluster));
  assert.deepEqual([totals(session).messages, totals(session).integrityErrors], [3, 0]);
  return seen;
}

Deno.test("32 KiB is eight fragments of 4 KiB, one byte more a rendezvous", () => {
  const mediums = frames("32 KiB", "mx").filter(({ name }) => name === "MEDIUM");
  assert.equal(mediums.length, 24);
  assert.ok(mediums.every(({ length }) => length === 4144));
  const large = frames("32769 B", "mx");
  assert.equal(large.filter(({ name }) => name === "MEDIUM").length, 0);
  assert.equal(large.filter(({ name }) => name === "RNDV").length, 3);
});

Deno.test("a large message is pulled in blocks of eight replies of 4 KiB, by requests with narrow fields", () => {
  const all = frames("300 KiB", "mx");
  const pulls = all.filter(({ name }) => name === "PULL").slice(0, 10);
  assert.deepEqual(pulls.map(({ fields }) => fields.blockLength), [...Array(9).fill(32768), 12288]);
  assert.deepEqual(pulls.map(({ fields }) => fields.frameIndex), [0, 8, 16, 24, 32, 40, 48, 56, 64, 72]);
  assert.ok(pulls.every(({ length, bytes }) => length === 60 && bytes.subarray(48).every((byte) => byte === 0)));
  assert.equal(all.filter(({ name }) => name === "PULL_REPLY").length, 3 * 75);
  const view = new DataView(pulls[0].bytes.buffer);
  const words = (compat: boolean) => describe(view, 0, pulls[0].bytes.length, mxLimits(9000, compat));
  assert.match(words(true), /block 32768 of length 307200/);
  assert.doesNotMatch(words(false), /block 32768 of length 307200/, "the other layout reads other fields");
});

Deno.test("messages of every class survive losses, and pass between endpoints of one host", () => {
  for (const path of ["native", "xen2mx"]) {
    for (const size of ["32 B", "32 KiB", "300 KiB"]) {
      const workload = { kind: "stream", size, messages: 12, direction: "both-ways" };
      const lossy = run({ path, wire: "mx", loss: 0.02, workload });
      const inside = run({ path, wire: "mx", hosts: 1, workload: { ...workload, pairs: "same-host" } });
      for (const session of [lossy, inside]) {
        const { messages, integrityErrors, lost, duplicated } = totals(session);
        assert.deepEqual([messages, integrityErrors, lost, duplicated], [24, 0, 0, 0], `${path} ${size}`);
        assert.deepEqual(session.drain(), []);
      }
    }
  }
});

Deno.test("a NOTIFY is acknowledged at once for MX, and when it suits between Open-MX", () => {
  for (const wire of ["mx", undefined] as const) {
    const all = frames("100 KiB", wire);
    const last = all.findLastIndex(({ name }) => name === "NOTIFY");
    const ack = all.slice(last).find(({ name, side }) => name === "TRUC" && side !== all[last].side);
    const delay = ack === undefined ? Infinity : ack.at - all[last].at;
    assert.equal(delay < MS, wire === "mx", `${wire}: ${delay} ps`);
  }
});
