import { MS, SECOND, US } from "../../../src/base/units.ts";
import type { Wait } from "../../../src/hw/thread.ts";
import type { MxAddress, MxEndpoint } from "../../../src/mx/api.ts";
import { CMD_SEND_LIBACK, CMD_SEND_MEDIUM_FRAG, CMD_SEND_TINY } from "../../../src/mx/driver/contract.ts";
import { SEQ_WINDOW } from "../../../src/base/wrap.ts";
import { equal, ok } from "./expect.ts";
import { ALL, idle, linger, pair } from "./pair.ts";
import { type Frame, ToyCluster } from "./toy_cluster.ts";

export function* sendTiny(ep: MxEndpoint, to: MxAddress, at: number, count: number): Generator<Wait, void> {
  for (let i = 0; i < count; i++) ep.release(yield* ep.isend(at, 8, to, 0, i));
}

export function* receive(ep: MxEndpoint, into: number, count: number): Generator<Wait, number[]> {
  const matches: number[] = [];
  for (let i = 0; i < count; i++) {
    const request = yield* ep.irecv(into, 64, 0, 0, 0, 0);
    ok(yield* ep.wait(request));
    matches.push(request.matchB);
    ep.release(request);
  }
  return matches;
}

const acksOf = (cluster: ToyCluster) => cluster.sent.filter((f) => f.command.kind === CMD_SEND_LIBACK);

Deno.test("a ping-pong carries its acks along; the last one is acknowledged after 16 ms", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64, 1);
  let connected = 0;
  const rounds = 20;
  const result = pair(cluster, {
    *a(ep, to) {
      connected = cluster.sent.length;
      for (let i = 0; i < rounds; i++) {
        yield* sendTiny(ep, to, at, 1);
        yield* receive(ep, at + 32, 1);
      }
    },
    *b(ep, to) {
      for (let i = 0; i < rounds; i++) {
        yield* receive(ep, at + 32, 1);
        yield* sendTiny(ep, to, at, 1);
      }
    },
  });
  cluster.run(1 * SECOND);
  const frames = cluster.sent.slice(connected);
  const tiny = frames.filter((f) => f.command.kind === CMD_SEND_TINY);
  equal(tiny.length, 2 * rounds);
  tiny.forEach((f, i) => {
    equal(f.command.seq, 1 + Math.floor(i / 2), "sequence");
    equal(f.command.piggyack, 1 + Math.floor((i + 1) / 2), "piggyack");
  });
  const acks = acksOf(cluster);
  equal(acks.length, 1);
  equal([acks[0].command.seq, acks[0].command.ackNumber, acks[0].from.host.peer], [rounds + 1, 1, 0]);
  const waited = acks[0].time - tiny[tiny.length - 1].time;
  ok(waited >= 16 * MS && waited < 16 * MS + 50 * US, `waited ${waited}`);
  equal(result.endpoints.map((ep) => ep.counters.retransmits), [0, 0]);
  equal(result.endpoints[0].counters.acksDelayed, 1);
  idle(cluster, result);
});

Deno.test("four messages that are not answered make an ack leave at once", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64, 1);
  const result = pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < 8; i++) {
        ep.release(yield* ep.isend(at, 8, to, 0, i));
        yield 20 * US; // computes between the sends
      }
    },
    *b(ep) {
      equal(yield* receive(ep, at + 32, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
    },
  });
  cluster.run(1 * SECOND);
  equal(acksOf(cluster).map((f) => [f.command.seq, f.command.ackNumber]), [[5, 1], [9, 2]]);
  const fourth = cluster.sent.filter((f) => f.command.kind === CMD_SEND_TINY)[3];
  ok(acksOf(cluster)[0].time - fourth.time < 20 * US);
  equal(result.endpoints[1].counters.acksImmediate, 2);
  equal(result.endpoints[0].counters.retransmits, 0);
  idle(cluster, result);
});

Deno.test("a lost message is sent again after half a second, and holds back those behind it", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64, 1);
  const lost: Frame[] = [];
  cluster.fate = (frame) => {
    if (frame.command.kind !== CMD_SEND_TINY || frame.nth !== 1) return {};
    lost.push(frame);
    return { drop: true };
  };
  let order: number[] = [];
  const result = pair(cluster, {
    *a(ep, to) {
      yield* sendTiny(ep, to, at, 3);
    },
    *b(ep) {
      order = yield* receive(ep, at + 32, 3);
    },
  });
  cluster.run(3 * SECOND);
  equal(order, [0, 1, 2]);
  equal(lost.length, 1);
  const tiny = cluster.sent.filter((f) => f.command.kind === CMD_SEND_TINY);
  // The first is acknowledged by the liback at 16 ms; the third waited in the early queue, unacknowledged.
  equal(tiny.map((f) => f.command.seq), [1, 2, 3, 2, 3]);
  const waited = tiny[3].time - lost[0].time;
  ok(waited >= 500 * MS && waited < 501 * MS, `waited ${waited}`);
  equal(result.endpoints[0].counters.retransmits, 2);
  equal([result.endpoints[1].counters.early, result.endpoints[1].counters.duplicates], [1, 1]);
  equal(cluster.journeys.finished, 3);
  idle(cluster, result);
});

Deno.test("a lost ack is repeated when the message comes again", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64, 1);
  cluster.fate = (frame) => ({ drop: frame.command.kind === CMD_SEND_LIBACK && frame.nth === 0 });
  const result = pair(cluster, {
    *a(ep, to) {
      yield* sendTiny(ep, to, at, 1);
    },
    *b(ep) {
      yield* receive(ep, at + 32, 1);
    },
  });
  cluster.run(3 * SECOND);
  equal(acksOf(cluster).map((f) => [f.command.seq, f.command.ackNumber]), [[2, 1], [2, 2]]);
  equal([result.endpoints[0].counters.retransmits, result.endpoints[1].counters.duplicates], [1, 1]);
  equal(result.endpoints[1].counters.acksImmediate, 1);
  idle(cluster, result);
});

Deno.test("an old liback, or one of too much, changes nothing", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64, 1);
  cluster.fate = (frame) => ({ drop: frame.command.kind === CMD_SEND_TINY && frame.nth < 2 });
  const result = pair(cluster, {
    *a(ep, to, mx) {
      yield* sendTiny(ep, to, at, 2);
      const driver = cluster.hosts[0].drivers.get(1)!;
      driver.inject(0x18, { peer: 1, endpoint: 2, seq: 4, extra: 5, session: ep.session }); // one beyond what was sent
      driver.inject(0x18, { peer: 1, endpoint: 2, seq: 3, extra: 5, session: ep.session }); // the same number again
      driver.inject(0x18, { peer: 1, endpoint: 2, seq: 3, extra: 4, session: ep.session }); // older number
      driver.inject(0x18, { peer: 1, endpoint: 2, seq: 0xc003, extra: 6, session: ep.session }); // other session number
      driver.inject(0x18, { peer: 7, endpoint: 2, seq: 2, extra: 9, session: ep.session }); // unknown partner
      yield* linger(ep, mx, mx.now + 1 * MS);
      equal([ep.occupancy().unacked, ep.counters.obsolete, ep.counters.stray], [2, 3, 1]);
    },
    *b(ep) {
      equal(yield* receive(ep, at + 32, 2), [0, 1]);
    },
  });
  cluster.run(3 * SECOND);
  equal(result.finished, 2);
});

Deno.test("at most 8191 messages are unacknowledged; sequences wrap at 14 bits", () => {
  const cluster = new ToyCluster(2, { entries: 1024 });
  const at = cluster.alloc(64, 1);
  const total = 20_000;
  let worst = 0;
  let last = -1;
  const result = pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < total; i++) {
        const request = yield* ep.isend(at, 8, to, 0, i);
        ep.release(request);
        worst = Math.max(worst, ep.occupancy().unacked);
      }
    },
    *b(ep, _to, mx) {
      yield* linger(ep, mx, 2 * MS); // lets the window fill
      yield 20 * MS;
      for (let i = 0; i < total; i++) {
        const request = yield* ep.irecv(at + 32, 64, 0, i, ALL, ALL);
        ok(yield* ep.wait(request));
        last = request.matchB;
        ep.release(request);
      }
    },
  }, { until: 60 * SECOND });
  cluster.run(61 * SECOND);
  equal(result.finished, 2);
  equal(last, total - 1);
  equal(worst, SEQ_WINDOW);
  ok(result.endpoints[0].counters.throttled > 1000);
  const seqs = cluster.sent.filter((f) => f.command.kind === CMD_SEND_TINY).map((f) => f.command.seq);
  ok(Math.max(...seqs) === 0x3fff && seqs.includes(0));
  idle(cluster, result);
});

Deno.test("a partner that never answers is unreachable after the last resend", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64, 1);
  let deaf = false;
  cluster.fate = () => ({ drop: deaf });
  let codes: number[] = [];
  const result = pair(cluster, {
    *a(ep, to) {
      deaf = true;
      const eager = yield* ep.isend(at, 8, to, 0, 0);
      const large = yield* ep.isend(at, 40000, to, 0, 0);
      ok(yield* ep.wait(eager));
      ok(yield* ep.wait(large));
      const after = yield* ep.isend(at, 8, to, 0, 0);
      codes = [eager.code, large.code, after.code];
      for (const request of [eager, large, after]) ep.release(request);
    },
    *b() {},
  }, { library: { resendsMax: 3 }, until: 10 * SECOND });
  cluster.alloc(65536);
  cluster.run(11 * SECOND);
  equal(codes, [0, 9, 10]);
  equal(result.endpoints[0].counters.cleanups, 1);
  // Four transmissions, half a second apart, and the fifth look finds too many.
  equal(cluster.sent.filter((f) => f.command.kind === CMD_SEND_TINY).length, 4);
  idle(cluster, result);
});

Deno.test("a closed endpoint refuses; later sequences are not affected", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(65536, 1);
  let codes: number[] = [];
  const result = pair(cluster, {
    *a(ep, to, mx) {
      yield* linger(ep, mx, 5 * MS);
      const large = yield* ep.isend(at, 40000, to, 0, 0);
      const small = yield* ep.isend(at, 100, to, 0, 0);
      ok(yield* ep.wait(large));
      yield* linger(ep, mx, mx.now + 1 * MS);
      codes = [large.code, small.code, ep.counters.nacks];
      ep.release(large);
      ep.release(small);
      const retry = yield* ep.connect("b", 2, 0x12345678, 2 * SECOND);
      equal([retry.code, retry.address === null], [33, true]);
      equal((yield* ep.connect("b", 77, 0x12345678, 2 * SECOND)).code, 33);
      equal((yield* ep.connect("b", 256, 0)).code, 32);
      equal((yield* ep.connect("zebra", 1, 0)).code, 36);
    },
    *b(ep) {
      yield* ep.close();
      equal(ep.isOpen, false);
      equal((yield* ep.isend(at, 1, ep.address()!, 0, 0)).returnCode, 9);
    },
  });
  cluster.run(5 * SECOND);
  equal(result.finished, 2);
  equal(codes, [8, 0, 2]);
  equal(cluster.journeys.live, 0);
});

Deno.test("refusals make room in the window as acks do: the 8192nd message to a closed endpoint is refused too", () => {
  const cluster = new ToyCluster(2, { entries: 1024 });
  const at = cluster.alloc(64, 1);
  const total = SEQ_WINDOW + 1000;
  // So late that the window is full before the first refusal.
  cluster.fate = ({ command }) => command.kind === CMD_SEND_TINY ? { extraPs: 20 * MS } : {};
  const codes: number[] = [];
  const result = pair(cluster, {
    *a(ep, to, mx) {
      yield* linger(ep, mx, 5 * MS);
      yield* sendTiny(ep, to, at, total);
      equal(ep.occupancy().unacked, SEQ_WINDOW);
      for (const length of [8, 0]) {
        const last = yield* ep.issend(at, length, to, 0, 0);
        ok(yield* ep.wait(last, { timeoutPs: SECOND }), "it is still pending");
        codes.push(last.code);
        ep.release(last);
      }
    },
    *b(ep) {
      yield* ep.close();
    },
  });
  cluster.run(3 * SECOND);
  equal(codes, [8, 8]);
  const { throttled, nacks, retransmits } = result.endpoints[0].counters;
  equal([throttled, nacks, retransmits], [1001, total + 2, 0]); // the first of the synchronous ones waits too
  equal([result.endpoints[0].occupancy().unacked, cluster.journeys.live], [0, 0]);
});

Deno.test("a lost medium message that finds no credits when it is due goes before those that it holds back", () => {
  const bytes = 32768;
  const count = 16; // all 64 slots of the send queue, of which 49 may be on their way at once
  const cluster = new ToyCluster();
  const [at, into] = [cluster.alloc(bytes, 1), cluster.alloc(bytes)];
  cluster.mediumDonePs = 1 * MS;
  cluster.fate = ({ command, nth }) => ({ drop: command.kind === CMD_SEND_MEDIUM_FRAG && nth === 0 });
  const result = pair(cluster, {
    *a(ep, to, mx) {
      const began = mx.now;
      ep.release(yield* ep.isend(at, bytes, to, 0, 0));
      // The others have the credits when the first is due again, then and half a second later each time.
      yield* linger(ep, mx, began + 499.9 * MS);
      for (let i = 1; i < count; i++) ep.release(yield* ep.isend(at, bytes, to, 0, i));
    },
    *b(ep) {
      for (let i = 0; i < count; i++) {
        const request = yield* ep.irecv(into, bytes, 0, 0, 0, 0);
        ok(yield* ep.wait(request));
        equal(request.matchB, i);
        ep.release(request);
      }
    },
  }, { until: 3 * SECOND });
  cluster.run(4 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
});
