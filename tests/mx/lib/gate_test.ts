import { MS, SECOND, US } from "../../../src/base/units.ts";
import { mxLimits } from "../../../src/mx/limits.ts";
import { equal } from "./expect.ts";
import { linger, pair } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

/* Which packets a partner's state lets in (omx_recv.c:737-837): session number, piggyack, then distance. */

const TINY = 0x13;
const MEDIUM = 0x15;
const NOTIFY = 0x17;

Deno.test("a packet is taken in turn, kept when it is up to 255 early, and obsolete beyond that or of another session number", () => {
  const cluster = new ToyCluster(2, { entries: 1024 });
  const result = pair(cluster, {
    *a() {},
    *b(ep, _to, mx) {
      const driver = cluster.hosts[1].drivers.get(2)!;
      const packet = function* (seq: number, piggyack = 1) {
        const { obsolete, early, duplicates, receivedTiny } = ep.counters;
        driver.inject(TINY, { peer: 0, endpoint: 1, seq, piggyack, session: ep.session });
        yield* linger(ep, mx, mx.now + 50 * US);
        const now = ep.counters;
        return [
          now.receivedTiny - receivedTiny,
          now.early - early,
          now.duplicates - duplicates,
          now.obsolete - obsolete,
        ];
      };
      equal(yield* packet(1 + 256), [0, 0, 0, 1], "too early");
      equal(yield* packet(1 + 255), [0, 1, 0, 0], "just not too early");
      equal(yield* packet(1 + 255), [0, 0, 1, 0], "early, and there already");
      equal(yield* packet(0x4001), [0, 0, 0, 1], "another session number");
      equal(yield* packet(1, 0x4001), [0, 0, 0, 1], "an ack of another session number");
      const { acksImmediate } = ep.counters;
      equal(yield* packet(1), [1, 0, 0, 0], "in turn");
      equal(yield* packet(1), [0, 0, 1, 0], "the newest, once more");
      equal(ep.counters.acksImmediate, acksImmediate + 1, "is acknowledged at once: its ack was lost");
      equal(yield* packet(0x3ff0), [0, 0, 0, 1], "long past");
      for (let seq = 2; seq < 1 + 255; seq++) driver.inject(TINY, { peer: 0, endpoint: 1, seq, piggyack: 1 });
      yield* linger(ep, mx, mx.now + MS);
      equal([ep.counters.receivedTiny, ep.occupancy().early], [256, 0], "what was early follows");
    },
  }, { until: 100 * MS });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
});

Deno.test("an early packet is kept once, whatever its event slot held before, and those behind it follow", () => {
  const cluster = new ToyCluster(2, { entries: 1024 });
  const result = pair(cluster, {
    *a() {},
    *b(ep, _to, mx) {
      const driver = cluster.hosts[1].drivers.get(2)!;
      // A tiny message has no fragment number: the byte of its event is left from another event in the slot.
      for (const [seq, small] of [[3, 9], [3, 0], [4, 7], [3, 200], [2, 5], [2, 1], [1, 0]]) {
        driver.inject(TINY, { peer: 0, endpoint: 1, seq, small, piggyack: 1 });
      }
      yield* linger(ep, mx, mx.now + 100 * US);
      const { receivedTiny, early, duplicates } = ep.counters;
      equal([receivedTiny, early, duplicates, ep.occupancy().early], [4, 3, 3, 0]);
      equal(ep.library.core.partners.all[0].nextMatch, 5);
    },
  }, { until: 100 * MS });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
});

Deno.test("compat: a NOTIFY is acknowledged at once only when all before it is there", () => {
  const cluster = new ToyCluster(2, { compat: true, entries: 1024 });
  const bytes = mxLimits(4144, true).mediumFragmentBytes;
  const result = pair(cluster, {
    *a() {},
    *b(ep, _to, mx) {
      const driver = cluster.hosts[1].drivers.get(2)!;
      const acks = function* (type: number, fields: Record<string, number>) {
        const before = ep.counters.acksImmediate;
        driver.inject(type, { peer: 0, endpoint: 1, piggyack: 1, ...fields });
        yield* linger(ep, mx, mx.now + 50 * US);
        return ep.counters.acksImmediate - before;
      };
      const half = (small: number) => ({ seq: 2, length: 2 * bytes, small, extra: bytes });
      equal(yield* acks(NOTIFY, { seq: 1 }), 1, "nothing is missing");
      equal(yield* acks(MEDIUM, half(0)), 0);
      equal(yield* acks(NOTIFY, { seq: 3 }), 0, "an ack would say nothing new");
      equal(yield* acks(MEDIUM, half(1)), 0);
    },
  }, { until: 100 * MS });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
});
