import assert from "node:assert/strict";
import { Memory } from "../../src/hw/memory.ts";
import { run, totals } from "../support/scenario.ts";

/** What `build` makes memory know as rings of packets: their addresses and bytes. */
function ringsOf<T>(build: () => T): { made: T; rings: { address: number; length: number }[] } {
  const rings: { address: number; length: number }[] = [];
  const { deferPackets } = Memory.prototype;
  Memory.prototype.deferPackets = function (address, length) {
    rings.push({ address, length });
    deferPackets.call(this, address, length);
  };
  try {
    return { made: build(), rings };
  } finally {
    Memory.prototype.deferPackets = deferPackets;
  }
}

Deno.test("frames of large messages go round the guests' receive rings without touching a page of them", () => {
  const workload = { kind: "stream", size: "200000 B", messages: 80 };
  for (const path of ["bridged", "virtio", "virtio-user", "emulated"]) {
    for (const mtu of [1500, 9000]) {
      const { made: session, rings } = ringsOf(() => run({ path, mtu, guests: 2, workload }));
      assert.deepEqual([totals(session).messages, totals(session).lost], [80, 0], path);
      const { memory } = session.cluster.world;
      assert.equal(rings.length, 2, path);
      const pages = Math.min(...rings.map(({ length }) => length / 4096));
      assert.ok(80 * (200_000 / mtu) * Math.ceil(mtu / 4096) > 2 * pages, "the receiver's was gone round");
      for (const { address, length } of rings) {
        const written = memory.u8.subarray(address, address + length).findIndex((byte) => byte !== 0);
        assert.equal(written, -1, `${path} at MTU ${mtu}: byte ${written} of a ring was written`);
      }
    }
  }
});
