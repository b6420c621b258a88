import { MIB, MS, SECOND } from "../../../src/base/units.ts";
import { STATUS_SUCCESS, STATUS_TRUNCATED } from "../../../src/mx/status.ts";
import { equal, ok } from "./expect.ts";
import { ALL, pair } from "./pair.ts";
import { idle } from "./pair.ts";
import { ToyCluster } from "./toy_cluster.ts";

/** Frames that one message causes on the sender's side and the receiver's. */
function exchange(length: number, options: { synchronous?: boolean; shared?: boolean; mtu?: number } = {}) {
  const cluster = new ToyCluster(2, { mtu: options.mtu });
  cluster.shared = options.shared ?? false;
  const data = cluster.alloc(length, 5);
  const into = cluster.alloc(length + 64);
  let latency = -1;
  let connects = 0;
  const result = pair(cluster, {
    *a(ep, to) {
      connects = cluster.sent.length;
      const request = options.synchronous
        ? yield* ep.issend(data, length, to, 0xdeadbeef, 0x80000001)
        : yield* ep.isend(data, length, to, 0xdeadbeef, 0x80000001);
      ok(yield* ep.wait(request));
      equal([request.code, request.transferLength, request.returnCode], [STATUS_SUCCESS, length, 0]);
      ep.release(request);
    },
    *b(ep) {
      const request = yield* ep.irecv(into, length + 64, 0xdeadbeef, 0x80000001, ALL, ALL);
      ok(yield* ep.wait(request));
      equal([request.code, request.messageLength, request.transferLength], [STATUS_SUCCESS, length, length]);
      equal([request.matchA, request.matchB], [0xdeadbeef, 0x80000001]);
      latency = request.latencyPs;
      ep.release(request);
    },
  });
  cluster.run(3 * SECOND);
  equal(result.finished, 2);
  ok(cluster.same(data, into, length), "payload");
  ok(latency > 5_000_000 && latency < 100 * MS, "latency");
  equal(cluster.journeys.finished, 1);
  idle(cluster, result);
  return cluster.sent.slice(connects).map((f) => f.command);
}

const names = (commands: { kind: number }[]) => commands.map((command) => command.kind);
const TINY = 1, SMALL = 2, MEDIUM = 3, RNDV = 4, PULL = 5, NOTIFY = 6, LIBACK = 9;

Deno.test("class by length", () => {
  for (const length of [0, 1, 32]) equal(names(exchange(length)), [TINY, LIBACK]);
  for (const length of [33, 128]) equal(names(exchange(length)), [SMALL, LIBACK]);
  for (const length of [129, 8192]) equal(names(exchange(length)), [MEDIUM, LIBACK]);
  equal(names(exchange(8193)), [MEDIUM, MEDIUM, LIBACK]);
  for (const length of [32769, MIB]) equal(names(exchange(length)), [RNDV, PULL, NOTIFY, LIBACK]);
});

Deno.test("a medium message's fragments share everything but their part", () => {
  const commands = exchange(32768);
  const fragments = commands.filter((command) => command.kind === MEDIUM);
  equal(fragments.map((f) => [f.fragment, f.fragmentLength, f.seq, f.length, f.matchA, f.matchB]), [
    [0, 8192, 1, 32768, 0xdeadbeef, 0x80000001],
    [1, 8192, 1, 32768, 0xdeadbeef, 0x80000001],
    [2, 8192, 1, 32768, 0xdeadbeef, 0x80000001],
    [3, 8192, 1, 32768, 0xdeadbeef, 0x80000001],
  ]);
  equal(names(commands), [MEDIUM, MEDIUM, MEDIUM, MEDIUM, LIBACK]);
  // A smaller MTU makes more fragments of the same message, and the last one may be short.
  const small = exchange(32768, { mtu: 1500 }).filter((command) => command.kind === MEDIUM);
  equal([small.length, small[0].fragmentLength, small[22].fragmentLength], [23, 1452, 32768 - 22 * 1452]);
});

Deno.test("a synchronous send goes by rendezvous whatever its length", () => {
  for (const length of [1, 128, 5000]) {
    equal(names(exchange(length, { synchronous: true })), [RNDV, PULL, NOTIFY, LIBACK]);
  }
  const empty = exchange(0, { synchronous: true });
  equal(names(empty), [RNDV, NOTIFY, LIBACK]); // nothing to pull
  equal(empty[1].length, 0);
});

Deno.test("the threshold is lower on one host", () => {
  equal(names(exchange(4096, { shared: true })), [MEDIUM, LIBACK]);
  equal(names(exchange(4097, { shared: true })), [RNDV, PULL, NOTIFY, LIBACK]);
});

Deno.test("a receive that is too small is cut, and only the sender of a large message learns it", () => {
  for (const [length, room] of [[20, 10], [100, 0], [20000, 9000], [100000, 5000], [100000, 0]]) {
    const cluster = new ToyCluster();
    const data = cluster.alloc(length, 9);
    const into = cluster.alloc(length);
    let sent: number[] = [];
    let received: number[] = [];
    const result = pair(cluster, {
      *a(ep, to) {
        const request = yield* ep.isend(data, length, to, 0, 1);
        ok(yield* ep.wait(request));
        sent = [request.code, request.transferLength];
      },
      *b(ep) {
        const request = yield* ep.irecv(into, room, 0, 0, 0, 0);
        ok(yield* ep.wait(request));
        received = [request.code, request.messageLength, request.transferLength];
      },
    });
    cluster.run(3 * SECOND);
    equal(received, [STATUS_TRUNCATED, length, room]);
    equal(sent, length > 32768 ? [STATUS_TRUNCATED, room] : [STATUS_SUCCESS, length]);
    ok(cluster.same(data, into, room));
    equal(cluster.memory.u8[into + room], 0, "nothing behind the buffer");
    equal(result.endpoints[1].counters.truncated, 1);
    idle(cluster, result);
  }
});

Deno.test("bad arguments are return codes", () => {
  const cluster = new ToyCluster();
  const codes: number[] = [];
  const result = pair(cluster, {
    *a(ep, to) {
      for (
        const [address, length] of [[4096, -1], [4096, 0.5], [-4096, 16], [1e12, 16], [4096, 2 ** 33]]
      ) {
        const request = yield* ep.isend(address, length, to, 0, 0);
        codes.push(request.returnCode);
        ok(request.done && request.code === 3);
        ok(yield* ep.wait(request));
        ep.release(request);
      }
      const receive = yield* ep.irecv(4096, 16, 1, 0, 0, 0);
      codes.push(receive.returnCode);
      ep.release(receive);
      yield* ep.disconnect(to);
      codes.push((yield* ep.isend(4096, 16, to, 0, 0)).returnCode);
      yield* ep.disconnect(to);
      codes.push(ep.code);
    },
    *b() {},
  });
  cluster.run(3 * SECOND);
  equal(codes, [10, 10, 11, 11, 10, 14, 16, 16]);
  equal(result.finished, 2);
  equal(cluster.journeys.live, 0);
});
