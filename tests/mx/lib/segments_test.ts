import fc from "fast-check";
import { SECOND, US } from "../../../src/base/units.ts";
import type { MxEndpoint, Segment } from "../../../src/mx/api.ts";
import { STATUS_SUCCESS, STATUS_TRUNCATED } from "../../../src/mx/status.ts";
import type { Wait } from "../../../src/hw/thread.ts";
import { equal, ok } from "./expect.ts";
import { ALL, idle, linger, pair } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

/** Lengths around every limit: of a segment's own, of tiny, small, a fragment, the threshold. */
const piece = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(0, 1, 31, 33, 128, 4096, 8191, 8192, 8193));
const pieces = fc.array(piece, { maxLength: 7 });
const message = fc.record({
  send: pieces,
  receive: pieces,
  /** The receive comes late, so that the message waits for it; or the message's frames come out of order. */
  late: fc.boolean(),
  shuffled: fc.boolean(),
  synchronous: fc.boolean(),
});

type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

/** Memory in stretches with guard bytes between them; each byte's value depends on its place in the message. */
class Stretches {
  readonly segments: Segment[] = [];
  readonly length: number;
  readonly #cluster: ToyCluster;

  constructor(cluster: ToyCluster, lengths: readonly number[], seed: number | null) {
    this.#cluster = cluster;
    this.length = lengths.reduce((sum, length) => sum + length, 0);
    let at = 0;
    for (const length of lengths) {
      const address = cluster.alloc(length + 16) + 8;
      cluster.memory.u8.fill(GUARD, address - 8, address + length + 8);
      if (seed !== null) { for (let i = 0; i < length; i++) cluster.memory.u8[address + i] = byteOf(seed, at++); }
      this.segments.push({ address, length });
    }
  }

  bytes(): number[] {
    return this.segments.flatMap(({ address, length }) => [
      ...this.#cluster.memory.u8.subarray(address, address + length),
    ]);
  }

  guarded(): boolean {
    const { u8 } = this.#cluster.memory;
    const isGuard = (from: number) => u8.subarray(from, from + 8).every((byte) => byte === GUARD);
    return this.segments.every(({ address, length }) => isGuard(address - 8) && isGuard(address + length));
  }
}

const GUARD = 0xee;
const byteOf = (seed: number, at: number) => (seed * 37 + at * 31 + (at >> 8)) & 0xff;

function check(cluster: ToyCluster, seed: number, from: Stretches, into: Stretches, outcome: number[]): void {
  const transfer = Math.min(from.length, into.length);
  const code = transfer < from.length ? STATUS_TRUNCATED : STATUS_SUCCESS;
  equal(outcome, [code, from.length, transfer], "outcome");
  const expected = Array.from({ length: into.length }, (_, i) => i < transfer ? byteOf(seed, i) : GUARD);
  equal(into.bytes(), expected, `bytes of ${transfer}`);
  ok(into.guarded(), "bytes beside the segments are as they were");
  ok(from.guarded() && cluster.memory.usedBytes > 0);
}

function* receive(ep: MxEndpoint, into: Stretches, n: number): Generator<Wait, number[]> {
  const request = yield* ep.irecvv(into.segments, 0, n, ALL, ALL);
  ok(yield* ep.wait(request));
  return [request.code, request.messageLength, request.transferLength];
}

/** Sends `messages` from a to b with every length and class that comes of them. */
function exchange(messages: readonly Message[], mediumSendQueue: boolean): void {
  const cluster = new ToyCluster();
  cluster.fate = ({ nth }) => ({ extraPs: messages[nth % messages.length].shuffled ? ((nth * 7) % 5) * 20 * US : 0 });
  const from = messages.map(({ send }, i) => new Stretches(cluster, send, i));
  const into = messages.map(({ receive }) => new Stretches(cluster, receive, null));
  for (const stretches of into) {
    for (const { address, length } of stretches.segments) cluster.memory.u8.fill(GUARD, address, address + length);
  }
  const result = pair(cluster, {
    *a(ep, to) {
      const sends = [];
      for (const [i, { synchronous }] of messages.entries()) {
        sends.push(yield* ep.isendv(from[i].segments, synchronous, to, 0, i));
      }
      for (const request of sends) ok(yield* ep.wait(request));
    },
    *b(ep, _to, mx) {
      for (const [i, { late }] of messages.entries()) {
        if (late) yield* linger(ep, mx, mx.now + 600 * US);
        check(cluster, i, from[i], into[i], yield* receive(ep, into[i], i));
      }
    },
  }, { library: { mediumSendQueue } });
  cluster.run(3 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
}

for (const mediumSendQueue of [true, false]) {
  Deno.test(`segments: any lists on both sides carry the same bytes, medium ${mediumSendQueue ? "by queue" : "va"}`, () => {
    const messages = fc.array(message, { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(messages, (some) => exchange(some, mediumSendQueue)), { numRuns: 25 });
  });
}

Deno.test("segments: a message to the own endpoint, posted before or after its receive", () => {
  fc.assert(
    fc.property(pieces, pieces, fc.boolean(), (send, receiving, early) => {
      const cluster = new ToyCluster(1);
      const from = new Stretches(cluster, send, 3);
      const into = new Stretches(cluster, receiving, null);
      for (const { address, length } of into.segments) cluster.memory.u8.fill(GUARD, address, address + length);
      let finished = false;
      cluster.hosts[0].start(function* (mx) {
        const ep = (yield* mx.openEndpoint(1, 5))!;
        const posted = early ? yield* ep.irecvv(into.segments, 0, 1, ALL, ALL) : null;
        const sent = yield* ep.isendv(from.segments, false, ep.address()!, 0, 1);
        const request = posted ?? (yield* ep.irecvv(into.segments, 0, 1, ALL, ALL));
        ok(request.done && sent.done);
        const outcome = [request.code, request.messageLength, request.transferLength];
        check(cluster, 3, from, into, outcome);
        equal([sent.code, sent.messageLength, sent.transferLength], outcome, "the send has the same outcome");
        finished = true;
      });
      cluster.run(1 * SECOND);
      ok(finished);
    }),
    { numRuns: 40 },
  );
});

Deno.test("medium by one command: done when acknowledged, and repeated when a fragment is lost", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(30_000, 4);
  const into = cluster.alloc(30_000);
  cluster.fate = ({ command, nth }) => ({ drop: command.fragment === 2 && nth === 2 });
  const result = pair(cluster, {
    *a(ep, to, mx) {
      const request = yield* ep.isend(data, 30_000, to, 0, 1);
      equal([request.done, yield* ep.ibuffered(request)], [false, false], "nothing is buffered");
      const before = mx.now;
      ok(yield* ep.wait(request));
      ok(mx.now - before > 0.4 * SECOND, "the resend timer has run");
      equal([request.code, request.transferLength, ep.counters.retransmits], [0, 30_000, 1]);
      const commands = [...cluster.hosts[0].drivers.values()][0].commands;
      equal(commands.filter((name) => name === "MEDIUMVA").length, 2);
      ok(!commands.includes("MEDIUM"));
    },
    *b(ep) {
      const request = yield* ep.irecv(into, 30_000, 0, 1, ALL, ALL);
      ok(yield* ep.wait(request));
      ok(cluster.same(into, data, 30_000));
    },
  }, { library: { mediumSendQueue: false } });
  cluster.run(3 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
});

Deno.test("medium by one command: a driver without resources gets it again, and a partner that is gone ends it", () => {
  const cluster = new ToyCluster();
  const data = cluster.alloc(30_000, 4);
  let refusals = 3;
  cluster.hosts[0].refuse = ({ kind }) => kind === 12 && refusals-- > 0;
  const result = pair(cluster, {
    *a(ep, to) {
      const request = yield* ep.isend(data, 30_000, to, 0, 1);
      ok(yield* ep.wait(request));
      equal([request.code, ep.counters.refused], [0, 3]);
      const second = yield* ep.isend(data, 30_000, to, 0, 1);
      yield* ep.disconnect(to);
      ok(yield* ep.wait(second));
      equal(second.code, 9, "unreachable");
      equal(ep.occupancy().eventCredits, cluster.entries - (cluster.entries / 4 - 1));
    },
    *b(ep, _to, mx) {
      yield* ep.wait(yield* ep.irecv(data, 0, 0, 1, ALL, ALL));
      yield* linger(ep, mx, 5 * SECOND);
    },
  }, { library: { mediumSendQueue: false }, until: 5 * SECOND });
  cluster.run(10 * SECOND);
  equal(result.finished, 2);
});

Deno.test("more than 256 segments are refused, and so are bad ones", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(4096);
  const many = (count: number) => Array.from({ length: count }, (_, i) => ({ address: at + i, length: 1 }));
  const result = pair(cluster, {
    *a(ep, to) {
      equal((yield* ep.isendv(many(257), false, to, 0, 1)).returnCode, 12);
      equal((yield* ep.irecvv(many(257), 0, 1, ALL, ALL)).returnCode, 12);
      equal((yield* ep.isendv([{ address: at, length: -1 }], false, to, 0, 1)).returnCode, 10);
      equal((yield* ep.isendv([{ address: 2 ** 40, length: 1 }], false, to, 0, 1)).returnCode, 11);
      equal((yield* ep.isendv([{ address: 2 ** 40, length: 0 }], false, to, 0, 1)).returnCode, 0);
      const all = yield* ep.isendv(many(256), true, to, 0, 1);
      ok(yield* ep.wait(all));
      equal([all.code, all.messageLength], [0, 256]);
    },
    *b(ep) {
      yield* ep.wait(yield* ep.irecv(at, 0, 0, 1, ALL, ALL));
      const request = yield* ep.irecvv(many(256), 0, 1, ALL, ALL);
      ok(yield* ep.wait(request));
      equal(request.transferLength, 256);
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
});
