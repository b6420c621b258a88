import assert from "node:assert/strict";
import fc from "fast-check";
import { pairOf, pairRanks } from "../../src/workload/pairs.ts";
import { type Crew, WorkloadError } from "../../src/workload/workload.ts";

/** As the rule is said: sort all hosts anew for each pair. */
function slowPairs(hosts: number[]): number[][] | null {
  const left = new Map<number, number[]>();
  for (const host of [...new Set(hosts)].sort((x, y) => x - y)) {
    left.set(host, hosts.flatMap((of, rank) => of === host ? [rank] : []));
  }
  const pairs: number[][] = [];
  for (;;) {
    const [most, next] = [...left.keys()].sort((x, y) => left.get(y)!.length - left.get(x)!.length || x - y);
    if (left.get(most)!.length === 0) return pairs;
    if (next === undefined || left.get(next)!.length === 0) return null;
    pairs.push([Math.min(most, next), Math.max(most, next)].map((host) => left.get(host)!.shift()!));
  }
}

Deno.test("cross-host pairs are those of the hosts with the most ranks left", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 60 }), (hosts) => {
      const crew: Crew = { ranks: hosts.length, boards: 1, hostIndexOf: (rank) => hosts[rank] };
      const expected = slowPairs(hosts);
      if (expected === null) return void assert.throws(() => pairRanks(crew, "cross-host"), WorkloadError);
      const pairs = pairRanks(crew, "cross-host");
      assert.deepEqual(pairs, expected);
      for (const [number, [a, b]] of pairs.entries()) {
        assert.deepEqual(pairOf(pairs, a), { number, partner: b, isFirst: true });
        assert.deepEqual(pairOf(pairs, b), { number, partner: a, isFirst: false });
      }
    }),
  );
});
