import { MS, SECOND, US } from "../../src/base/units.ts";
import { IDLE, KERNEL, POLL, USER, WAKEUP } from "../../src/metrics/stage.ts";
import type { MxRequest } from "../../src/mx/api.ts";
import { mxStrError, mxStrStatus } from "../../src/mx/status.ts";
import { equal, ok } from "./lib/expect.ts";
import { ALL, idle, linger, pair } from "./lib/pair.ts";
import { ToyCluster } from "./lib/toy_cluster.ts";

Deno.test("a poller uses the CPU, a sleeper does not; the waiting shows in the journey", () => {
  const stages: number[][] = [];
  for (const mode of ["poll", "block"] as const) {
    const cluster = new ToyCluster();
    const at = cluster.alloc(64);
    const result = pair(cluster, {
      *a(ep, to, mx) {
        yield* linger(ep, mx, 40 * MS);
        yield* ep.isend(at, 8, to, 0, 0);
      },
      *b(ep) {
        const request = yield* ep.irecv(at, 8, 0, 0, 0, 0);
        const { processor } = ep.mx.thread;
        const before = processor.time.slice();
        ok(yield* ep.wait(request, { mode }));
        processor.settle();
        const busy = processor.time[USER] + processor.time[KERNEL] - before[USER] - before[KERNEL];
        if (mode === "poll") ok(busy > 38 * MS && processor.time[IDLE] < 1 * MS, "busy");
        else ok(busy < 100 * US && processor.time[IDLE] > 38 * MS, "asleep");
      },
    });
    cluster.run(1 * SECOND);
    equal(result.finished, 2);
    const { sums, total } = cluster.journeys;
    equal(sums.reduce((sum, stage) => sum + stage), total);
    stages.push([sums[POLL], sums[WAKEUP]]);
    idle(cluster, result);
  }
  equal(stages[0], [100_000, 0]); // the pick-up alone
  equal(stages[1], [0, 3 * US + 1_500_000]); // leaving the idle state, and the switch to the process
});

Deno.test("flush waits for sends that have no region yet", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(65536);
  const messages = 150; // more than an endpoint has regions for at a time
  let left = -1;
  const result = pair(cluster, {
    *a(ep, to) {
      for (let i = 0; i < messages; i++) yield* ep.forget(yield* ep.isend(at, 65536, to, 0, i));
      ok(ep.library.core.delayed.size > 0, "some wait for a region");
      yield* ep.flush({ mode: "block" });
      left = ep.library.core.delayed.size;
    },
    *b(ep, _to, mx) {
      yield* linger(ep, mx, 20 * MS);
      for (let i = 0; i < messages; i++) {
        ok(yield* ep.wait(yield* ep.irecv(at, 65536, 0, i, ALL, ALL), { mode: "block" }));
      }
    },
  });
  cluster.run(60 * SECOND);
  equal([result.finished, left], [2, 0]);
});

Deno.test("waits end by timeout and by wakeup", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64);
  let woken = 0;
  const wakeup = cluster.engine.handler("test wakeup", () => result.endpoints[1].wakeup());
  const result = pair(cluster, {
    *a() {},
    *b(ep, _to, mx) {
      const request = yield* ep.irecv(at, 8, 0, 0, 0, 0);
      for (const mode of ["poll", "block"] as const) {
        const from = mx.now;
        equal(yield* ep.wait(request, { mode, timeoutPs: 3 * MS }), false);
        ok(mx.now - from >= 3 * MS && mx.now - from < 3 * MS + 10 * US, `${mx.now - from}`);
      }
      equal(yield* ep.wait(request, { timeoutPs: 0 }), false);
      cluster.engine.at(mx.now + 5 * MS, wakeup);
      const from = mx.now;
      equal(yield* ep.waitAny(0, 0, 0, 0, { mode: "block" }), null);
      woken = mx.now - from;
      ok(yield* ep.cancel(request));
      equal(ep.occupancy().posted, 0);
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  ok(woken >= 5 * MS && woken < 5 * MS + 10 * US);
});

Deno.test("completions are found in their order, by match, and once", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(65536);
  const into = cluster.alloc(65536);
  const result = pair(cluster, {
    *a(ep, to) {
      const requests: MxRequest[] = [];
      for (const i of [1, 2, 3]) requests.push(yield* ep.isend(at, 8, to, i, i, `send ${i}`));
      equal((yield* ep.ipeek())!.context, "send 1");
      equal((yield* ep.peek())!.context, "send 1");
      equal((yield* ep.testAny(3, 0, ALL, 0))!.context, "send 3");
      equal(yield* ep.testAny(3, 0, ALL, 0), null);
      equal([yield* ep.testAny(4, 0, 3, 0), ep.code], [null, 14]);
      equal((yield* ep.waitAny())!.context, "send 1");
      ok(yield* ep.test(requests[1]));
      equal(yield* ep.ipeek(), null);
      for (const request of requests) ep.release(request);
      // A request that was given back is refused, whatever is asked of it.
      equal([yield* ep.test(requests[0]), ep.code], [false, 13]);
      equal([yield* ep.wait(requests[0]), ep.code], [false, 13]);
      ep.release(requests[0]);
      equal(ep.code, 13);
    },
    *b(ep) {
      for (const i of [1, 2, 3]) {
        const request = yield* ep.irecv(into, 8, i, 0, ALL, 0);
        ok(yield* ep.wait(request));
        equal(request.matchB, i);
        ep.release(request);
      }
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
});

Deno.test("buffered, cancelled and forgotten requests", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(65536);
  const into = cluster.alloc(65536);
  const result = pair(cluster, {
    *a(ep, to, mx) {
      const small = yield* ep.isend(at, 100, to, 0, 1);
      const large = yield* ep.isend(at, 50000, to, 0, 2);
      equal([yield* ep.ibuffered(small), yield* ep.ibuffered(large)], [true, false]);
      ok((yield* ep.peek()) === small);
      ok(yield* ep.test(small));
      ok((yield* ep.peek()) === large);
      equal([large.done, yield* ep.ibuffered(large)], [true, false], "done, and never buffered");
      equal([yield* ep.cancel(large), ep.code], [false, 13]);
      const receive = yield* ep.irecv(into, 8, 5, 5, ALL, ALL);
      equal([yield* ep.ibuffered(receive), ep.code], [false, 13]);
      yield* ep.forget(large);
      yield* ep.forget(small);
      ok(yield* ep.cancel(receive));
      yield* linger(ep, mx, mx.now + 100 * MS);
      equal(yield* ep.ipeek(), null);
      ep.disableProgression();
      const late = yield* ep.irecv(into, 8, 0, 3, ALL, ALL);
      yield 200 * MS;
      equal(yield* ep.test(late), false);
      yield* ep.reenableProgression();
      ok(yield* ep.test(late));
      equal([yield* ep.cancel(late), late.done], [false, true]);
    },
    *b(ep, to, mx) {
      for (const match of [1, 2]) {
        const request = yield* ep.irecv(into + 4096, 60000, 0, match, ALL, ALL);
        ok(yield* ep.wait(request));
        ep.release(request);
      }
      yield* linger(ep, mx, mx.now + 200 * MS);
      yield* ep.forget(yield* ep.isend(at, 8, to, 0, 3));
    },
  });
  cluster.run(2 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
});

Deno.test("requests are reused, and only 512 eager sends count as done before they are acknowledged", () => {
  const cluster = new ToyCluster(2, { entries: 1024 });
  const at = cluster.alloc(64);
  const seen = new Set<MxRequest>();
  const result = pair(cluster, {
    *a(ep, to) {
      const sends: MxRequest[] = [];
      let early = 0;
      for (let i = 0; i < 600; i++) {
        const request = yield* ep.isend(at, 8, to, 0, i);
        if (request.done) early++;
        if (request.done) ok(yield* ep.test(request));
        sends.push(request);
      }
      equal([early, ep.occupancy().zombies], [512, 512]);
      for (const request of sends) {
        if (!request.done) ok(yield* ep.wait(request));
        ep.release(request);
      }
      const answer = yield* ep.irecv(at + 32, 8, 9, 0, ALL, 0);
      ok(yield* ep.wait(answer));
    },
    *b(ep, to) {
      yield 50 * MS; // looks late, so nothing is acknowledged
      for (let i = 0; i < 600; i++) {
        const request = yield* ep.irecv(at + 32, 8, 0, i, ALL, ALL);
        ok(yield* ep.wait(request));
        seen.add(request);
        ep.release(request);
      }
      ok(seen.size < 600, "pooled");
      yield* ep.isend(at, 8, to, 9, 0);
    },
  });
  cluster.run(2 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
});

Deno.test("what is forgotten before it is done counts as a zombie: then eager sends are done when they are acknowledged", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64);
  const result = pair(cluster, {
    *a(ep, to) {
      for (const match of [1, 2]) yield* ep.forget(yield* ep.irecv(at, 8, 0, match, ALL, ALL));
      equal(ep.occupancy().zombies, 2);
      const late = yield* ep.isend(at, 8, to, 0, 1);
      equal([late.done, ep.occupancy().unacked], [false, 1]);
      ok(yield* ep.wait(late));
      equal([late.code, ep.occupancy().unacked, ep.occupancy().zombies], [0, 0, 2]);
      ep.release(late);
      yield* ep.forget(yield* ep.isend(at, 8, to, 0, 2));
      yield* ep.probe(ALL, ALL, ALL, ALL, { timeoutPs: 100 * MS }); // the answers come
      equal(ep.occupancy().zombies, 0);
      const early = yield* ep.isend(at, 8, to, 0, 3);
      ok(early.done && (yield* ep.test(early)));
      ep.release(early);
    },
    *b(ep, to) {
      for (const match of [1, 2, 3]) {
        const request = yield* ep.irecv(at + 32, 8, 0, match, ALL, ALL);
        ok(yield* ep.wait(request));
        ep.release(request);
        if (match === 2) { for (const answer of [1, 2]) yield* ep.forget(yield* ep.isend(at, 8, to, 0, answer)); }
      }
    },
  }, { library: { zombieSends: 2 } });
  cluster.run(2 * SECOND);
  equal(result.finished, 2);
  idle(cluster, result);
});

Deno.test("the library's timer costs one event, not one per message", () => {
  const cluster = new ToyCluster();
  const at = cluster.alloc(64);
  const rounds = 500;
  let events = 0;
  const result = pair(cluster, {
    *a(ep, to) {
      const before = cluster.engine.events;
      for (let i = 0; i < rounds; i++) {
        const receive = yield* ep.irecv(at, 8, 0, i, ALL, ALL);
        ep.release(yield* ep.isend(at, 8, to, 0, i));
        ok(yield* ep.wait(receive));
        ep.release(receive);
      }
      events = cluster.engine.events - before;
    },
    *b(ep, to) {
      for (let i = 0; i < rounds; i++) {
        const receive = yield* ep.irecv(at + 32, 8, 0, i, ALL, ALL);
        ok(yield* ep.wait(receive));
        ep.release(receive);
        ep.release(yield* ep.isend(at, 8, to, 0, i));
      }
    },
  });
  cluster.run(1 * SECOND);
  equal(result.finished, 2);
  // Per message: one arrival and the ends of the bursts it sets off.
  ok(events < rounds * 2 * 4, `${events / rounds} events a round`);
});

Deno.test("codes have names", () => {
  equal([mxStrError(0), mxStrError(36), mxStrError(99)], ["success", "NIC not found", "unknown return code"]);
  equal([mxStrStatus(5), mxStrStatus(9), mxStrStatus(17)], ["truncated", "endpoint unreachable", "unknown status"]);
});
