import fc from "fast-check";
import { SECOND, US } from "../../../src/base/units.ts";
import { Matcher } from "../../../src/mx/lib/matching.ts";
import { RECV_EAGER, RequestPool } from "../../../src/mx/lib/request.ts";
import { type MxRequest, UNEXP_CONTINUE, UNEXP_FINISHED } from "../../../src/mx/api.ts";
import { CMD_SEND_MEDIUM_FRAG, CMD_SEND_NOTIFY } from "../../../src/mx/driver/contract.ts";
import { STATUS_TRUNCATED } from "../../../src/mx/status.ts";
import { equal, ok } from "./expect.ts";
import { ALL, idle, KEY, linger, pair } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

const word = fc.constantFrom(0, 1, 2, 3, 0x80000000, 0x80000001, 0xffffffff);
const step = fc.record({ post: fc.boolean(), a: word, b: word, maskA: word, maskB: word });

Deno.test("matching agrees with an obvious model", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const pool = new RequestPool();
    const matcher = new Matcher();
    // The model: two arrays of 64-bit numbers, searched from the front.
    const posted: { id: number; info: bigint; mask: bigint }[] = [];
    const unexpected: { id: number; info: bigint }[] = [];
    const wide = (a: number, b: number) => (BigInt(a) << 32n) | BigInt(b);
    steps.forEach(({ post, a, b, maskA, maskB }, id) => {
      const request = pool.take(RECV_EAGER);
      request.length = id;
      if (post) {
        const wantA = (a & maskA) >>> 0;
        const wantB = (b & maskB) >>> 0;
        const mask = wide(maskA, maskB);
        const info = wide(wantA, wantB);
        const at = unexpected.findIndex((m) => (m.info & mask) === info);
        const found = matcher.findUnexpected(wantA, wantB, maskA, maskB);
        equal(found === null ? -1 : found.length, at < 0 ? -1 : unexpected[at].id);
        if (found !== null) {
          found.stateLink.unlink();
          unexpected.splice(at, 1);
          return;
        }
        [request.wantA, request.wantB, request.maskA, request.maskB] = [wantA | 0, wantB | 0, maskA | 0, maskB | 0];
        matcher.post(request);
        posted.push({ id, info, mask });
      } else {
        const incoming = wide(a, b);
        const at = posted.findIndex((r) => r.info === (r.mask & incoming));
        const found = matcher.takePosted(a, b);
        equal(found === null ? -1 : found.length, at < 0 ? -1 : posted[at].id);
        if (found !== null) {
          posted.splice(at, 1);
          return;
        }
        request.matchA = a;
        request.matchB = b;
        matcher.keepUnexpected(request);
        unexpected.push({ id, info: incoming });
      }
    });
    equal([matcher.posted.size, matcher.unexpected.size], [posted.length, unexpected.length]);
  }));
});

Deno.test("unexpected messages of every class wait, are seen by probe, and are matched in order", () => {
  const cluster = new ToyCluster();
  const lengths = [0, 20, 100, 5000, 30000, 50000];
  const data = lengths.map((length, i) => cluster.alloc(length, i));
  const into = cluster.alloc(65536);
  let waited = 0;
  const result = pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < lengths.length; i++) {
        const request = yield* ep.isend(data[i], lengths[i], to, 7, i);
        ok(yield* ep.wait(request));
        equal(request.code, 0);
      }
    },
    *b(ep, _to, mx) {
      const first = yield* ep.probe(7, 0, ALL, 0);
      equal([first!.matchA, first!.matchB, first!.messageLength], [7, 0, 0]);
      yield* linger(ep, mx, mx.now + 3000 * US);
      equal(ep.occupancy().unexpected, lengths.length);
      equal(ep.counters.unexpected, lengths.length);
      equal(yield* ep.iprobe(8, 0, ALL, 0), null);
      equal((yield* ep.iprobe(7, 3, ALL, ALL))!.messageLength, 5000);
      // One out of turn, then the others in the order in which they were sent.
      const order = [3, 0, 1, 2, 4, 5];
      for (const i of order) {
        const mask = i === 3 ? ALL : 0;
        const request = yield* ep.irecv(into, 65536, 7, i & mask, ALL, mask);
        ok(yield* ep.wait(request));
        equal([request.matchB, request.messageLength, request.code], [i, lengths[i], 0]);
        ok(cluster.same(into, data[i], lengths[i]));
        ok(request.latencyPs > 3000 * US);
        ep.release(request);
      }
      waited = cluster.journeys.sums[17];
    },
  });
  cluster.run(3 * SECOND);
  equal(result.finished, 2);
  ok(waited > 3000 * US, "the time is the application's");
  idle(cluster, result);
});

Deno.test("posted receives with the same match complete in order of posting", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(64, 3);
  const into = cluster.alloc(4096);
  const result = pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < 4; i++) yield* ep.isend(data, 10 + i, to, 0, 5);
    },
    *b(ep) {
      const receives = [];
      for (let i = 0; i < 4; i++) receives.push(yield* ep.irecv(into + 64 * i, 64, 0, 5, ALL, ALL));
      ok(yield* ep.wait(receives[3]));
      equal(receives.map((r) => r.messageLength), [10, 11, 12, 13]);
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
});

Deno.test("a receive may take a medium message half-way", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(32768, 3);
  const into = cluster.alloc(32768);
  cluster.fate = (frame) => ({ extraPs: frame.command.fragment === 2 ? 400 * US : 0 });
  const result = pair(cluster, {
    *a(ep, to) {
      yield* ep.isend(data, 32768, to, 0, 5);
    },
    *b(ep, _to, mx) {
      ok(yield* ep.probe(0, 0, 0, 0));
      yield* linger(ep, mx, mx.now + 100 * US);
      const request = yield* ep.irecv(into, 32768, 0, 5, ALL, ALL);
      equal([request.done, ep.occupancy().unexpected], [false, 0]);
      ok(yield* ep.wait(request));
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  ok(cluster.same(data, into, 32768));
  idle(cluster, result);
});

Deno.test("the unexpected handler may finish a message", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(65536, 3);
  const seen: number[][] = [];
  const sent: number[][] = [];
  const result = pair(cluster, {
    *a(ep, to) {
      for (const length of [8, 100, 8000, 20000, 50000]) {
        const request = yield* ep.isend(data, length, to, 1, length);
        ok(yield* ep.wait(request));
        sent.push([request.code, request.transferLength]);
      }
      yield* ep.isend(data, 8, to, 2, 0);
    },
    *b(ep, _to, mx) {
      ep.setUnexpectedHandler((source, matchA, matchB, length, address) => {
        seen.push([source.peer, matchB, length, address === 0 ? 0 : cluster.memory.u8[address + 1]]);
        return matchA === 1 ? UNEXP_FINISHED : UNEXP_CONTINUE;
      });
      yield* linger(ep, mx, mx.now + 100_000 * US);
      ep.setUnexpectedHandler(null);
      const request = yield* ep.irecv(data, 8, 2, 0, ALL, ALL);
      ok(request.done);
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  const byte = cluster.memory.u8[data + 1];
  equal(seen.map(([, , length, value]) => [length, value === byte]), [
    [8, true],
    [100, true],
    [8000, true],
    [20000, false],
    [50000, false],
    [8, true],
  ]);
  equal(sent, [[0, 8], [0, 100], [0, 8000], [0, 20000], [5, 0]]);
  idle(cluster, result);
});

Deno.test("the unexpected handler may call another endpoint, which reads its own events meanwhile", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(4096, 3);
  const into = cluster.alloc(4096, 0);
  const SECOND_ID = 5;
  let calls = 0;
  const result = pair(cluster, {
    *a(ep, to, mx) {
      const { code, address } = yield* ep.connect(cluster.hosts[1].name, SECOND_ID, KEY, 10 * SECOND);
      equal(code, 0, "connect");
      yield* linger(ep, mx, mx.now + 1000 * US);
      yield* ep.isend(data + 8, 24, address!, 2, 24);
      yield* ep.isend(data, 100, to, 1, 100);
    },
    *b(ep, _to, mx) {
      const other = yield* mx.openEndpoint(SECOND_ID, KEY);
      ok(other !== null);
      const pending: MxRequest[] = [];
      ep.setUnexpectedHandler((_source, matchA) => {
        const call = other.irecv(into, 24, 2, 24, ALL, ALL);
        ok(call.done);
        pending.push(call.value);
        calls++;
        equal(matchA, 1);
        return UNEXP_CONTINUE;
      });
      yield* linger(other, mx, mx.now + 500 * US); // answers to be connected to, and is not looked at any more
      yield* linger(ep, mx, mx.now + 10_000 * US);
      equal(pending.map(({ done, transferLength }) => [done, transferLength]), [[true, 24]]);
      ok(cluster.same(data + 8, into, 24));
      const request = yield* ep.irecv(into, 4096, 1, 100, ALL, ALL);
      ok(yield* ep.wait(request));
      equal([request.matchB, request.transferLength], [100, 100]);
      ok(cluster.same(data, into, 100));
      yield* other.close();
    },
  });
  cluster.run(1 * SECOND);
  equal([result.finished, calls], [2, 1]);
  idle(cluster, result);
});

Deno.test("a medium message that the handler finishes is received with its first fragment, whatever becomes of the others", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(65536, 3);
  cluster.fate = ({ command }) => ({ drop: command.kind === CMD_SEND_MEDIUM_FRAG && command.fragment === 1 });
  const result = pair(cluster, {
    *a(ep, to, mx) {
      ep.release(yield* ep.isend(data, 20000, to, 1, 0));
      yield* linger(ep, mx, mx.now + 400_000 * US);
      equal([ep.occupancy().unacked, ep.counters.retransmits], [0, 0]);
    },
    *b(ep, _to, mx) {
      ep.setUnexpectedHandler(() => UNEXP_FINISHED);
      yield* linger(ep, mx, mx.now + 400_000 * US);
      equal(ep.counters.duplicates, 1, "the last fragment, for which the ack is said at once");
      equal(ep.counters.acksImmediate, 1);
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
});

Deno.test("the handler sees messages to the own endpoint, and those that it finishes were sent whole", () => {
  const cluster = new ToyCluster(1);
  const data = cluster.alloc(65536, 3);
  const seen: number[][] = [];
  let ran = false;
  cluster.hosts[0].start(function* (mx) {
    const ep = (yield* mx.openEndpoint(1, 5))!;
    const self = ep.address()!;
    ep.setUnexpectedHandler((_source, _matchA, _matchB, length, address) => {
      seen.push([length, address]);
      return UNEXP_FINISHED;
    });
    const whole = yield* ep.isend(data, 50000, self, 0, 1);
    const pieces = [{ address: data, length: 10 }, { address: data + 100, length: 20 }];
    const cut = yield* ep.isendv(pieces, false, self, 0, 2);
    equal([whole, cut].map(({ code, transferLength }) => [code, transferLength]), [[0, 50000], [0, 30]]);
    ran = true;
  });
  cluster.run(1 * SECOND);
  ok(ran);
  equal(seen, [[50000, data], [30, 0]]);
});

Deno.test("that a large message was finished by the handler is said again until it is heard", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(50000, 3);
  cluster.fate = ({ command, nth }) => ({ drop: command.kind === CMD_SEND_NOTIFY && nth < 3 });
  let code = -1;
  const result = pair(cluster, {
    *a(ep, to) {
      const request = yield* ep.isend(data, 50000, to, 1, 0);
      ok(yield* ep.wait(request));
      code = request.code;
      yield* ep.isend(data, 8, to, 2, 0);
    },
    *b(ep) {
      ep.setUnexpectedHandler((_source, matchA) => matchA === 1 ? UNEXP_FINISHED : UNEXP_CONTINUE);
      ok(yield* ep.wait(yield* ep.irecv(data, 8, 2, 0, ALL, ALL)));
      equal(ep.counters.cleanups, 0);
    },
  });
  cluster.run(3 * SECOND);
  equal([result.finished, code], [2, STATUS_TRUNCATED]);
  equal(cluster.frames(1).filter((name) => name === "NOTIFY").length, 4);
  idle(cluster, result);
});
