import { MS } from "../../src/base/units.ts";
import { type Call, MX_INFINITE } from "../../src/guest/mx_types.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";
import { type Connected, equal, NONE, ok, pair, segment } from "./mx_support.ts";

/** Waiting, waking and progress (reference 2.6, 3; lib/omx_test.c). */

const idle = function* (): Call<void> {};

function* after(side: Connected, ms: number, call: () => Call<{ result: boolean }>): Call<void> {
  const before = side.low.now;
  equal((yield* call()).result, false);
  const waited = (side.low.now - before) / MS;
  ok(waited >= ms && waited < ms + 0.1, `waited ${waited} ms instead of ${ms}`);
}

for (const waitMode of ["poll", "block"] as const) {
  Deno.test(`every blocking call ends at its timeout, without a result (${waitMode})`, () => {
    pair(
      {
        *a(side) {
          const { mx, ep, alloc } = side;
          const { request } = yield* mx.mx_irecv(ep, [segment(alloc(8), 8)], 1, 1n, NONE, null);
          yield* after(side, 5, () => mx.mx_wait(ep, request!, 5));
          yield* after(side, 5, () => mx.mx_wait_any(ep, 5, 0n, 0n));
          yield* after(side, 5, () => mx.mx_probe(ep, 5, 0n, 0n));
          yield* after(side, 0.25, () => mx.mx_peek(ep, 0.25));
        },
        b: idle,
      },
      new ToyCluster(2),
      { waitMode },
    );
  });

  Deno.test(`mx_wakeup ends a wait that is going on, and no later one (${waitMode})`, () => {
    const cluster = new ToyCluster(2);
    const alarm = cluster.engine.handler("alarm", () => wake());
    let wake = () => {};
    pair(
      {
        *a(side) {
          const { mx, ep, low } = side;
          wake = () => equal(mx.mx_wakeup(ep), 0);
          for (const call of [() => mx.mx_probe(ep, 0, 0n, 0n), () => mx.mx_peek(ep, 0)]) {
            cluster.engine.at(low.now + 3 * MS, alarm);
            yield* after(side, 3, call);
          }
          cluster.engine.at(low.now + 3 * MS, alarm);
          yield* after(side, 3, () => mx.mx_wait_any(ep, 50, 0n, 0n));
          equal(mx.mx_wakeup(ep), 0);
          yield* after(side, 5, () => mx.mx_wait_any(ep, 5, 0n, 0n));
        },
        b: idle,
      },
      cluster,
      { waitMode },
    );
  });
}

Deno.test("a sleeping wait leaves the CPU, a polling one occupies it", () => {
  const busy = (waitMode: "poll" | "block") => {
    const cluster = new ToyCluster(2);
    let share = 0;
    pair(
      {
        *a({ mx, ep, low }) {
          const { processor } = low.thread;
          yield* mx.mx_probe(ep, 1, 0n, 0n);
          const before = processor.time[0] + processor.time[1];
          yield* mx.mx_probe(ep, 100, 0n, 0n);
          share = (processor.time[0] + processor.time[1] - before) / (100 * MS);
        },
        b: idle,
      },
      cluster,
      { waitMode },
    );
    return share;
  };
  ok(busy("poll") > 0.95);
  ok(busy("block") < 0.01);
});

Deno.test("a program that only tests lets time pass, and gets its message", () => {
  pair({
    *a({ mx, ep, to, alloc }) {
      yield* mx.mx_probe(ep, 1, 0xffffn, NONE);
      yield* mx.mx_isend(ep, [segment(alloc(8), 8)], 1, to, 1n, null);
    },
    *b({ mx, ep, low, alloc }) {
      const before = low.now;
      let turns = 0;
      const { request } = yield* mx.mx_irecv(ep, [segment(alloc(8), 8)], 1, 1n, NONE, null);
      while (!(yield* mx.mx_test(ep, request!)).result) turns++;
      const waited = low.now - before;
      // One turn takes a look at the queue: 100 ns on this machine.
      ok(turns > 100 && Math.abs(waited / turns - 100_000) < 20_000, `${turns} turns in ${waited} ps`);
      const looks = [
        () => mx.mx_iprobe(ep, 5n, NONE),
        () => mx.mx_test_any(ep, 5n, NONE),
        () => mx.mx_ipeek(ep),
        () => mx.mx_progress(ep),
      ];
      for (const look of looks) {
        const at = low.now;
        yield* look() as Call<unknown>;
        ok(low.now > at, "a look in vain takes time");
      }
    },
  });
});

Deno.test("mx_wait_any and mx_test_any report in order of completion, sends and connects too, by match information", () => {
  pair({
    *a({ mx, ep, to, alloc }) {
      const buffer = [segment(alloc(8), 8)];
      const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(to);
      const sent = yield* mx.mx_isend(ep, buffer, 1, to, 0x10n, "send");
      yield* mx.mx_iconnect(ep, nic_id, endpoint_id, 0x1234, 0x20n, "connect");
      yield* mx.mx_irecv(ep, buffer, 1, 0x30n, NONE, "receive");
      const first = yield* mx.mx_peek(ep, 0);
      ok(first.request === sent.request, "the oldest done request");
      equal(mx.mx_context(first.request!).context, "send");
      const found: unknown[] = [];
      for (const info of [0x20n, 0x10n, 0x30n]) {
        found.push((yield* mx.mx_wait_any(ep, 100, info, 0xf0n)).status!.context);
      }
      equal(found, ["connect", "send", "receive"]);
      equal((yield* mx.mx_test_any(ep, 0n, 0n)).result, false, "all are reported");
      equal((yield* mx.mx_test(ep, sent.request!)).code, 13, "and gone");
    },
    *b({ mx, ep, to, alloc }) {
      yield* mx.mx_isend(ep, [segment(alloc(8), 8)], 1, to, 0x30n, null);
    },
  });
});

Deno.test("nothing comes while progression is disabled; enabling it makes progress at once", () => {
  pair({
    *a(side) {
      const { mx, ep, alloc } = side;
      const { request } = yield* mx.mx_irecv(ep, [segment(alloc(8), 8)], 1, 1n, NONE, null);
      equal(yield* mx.mx_disable_progression(ep), 0);
      yield* after(side, 20, () => mx.mx_wait(ep, request!, 20));
      for (let i = 0; i < 5; i++) equal(yield* mx.mx_progress(ep), 0);
      equal((yield* mx.mx_test(ep, request!)).result, false);
      equal(yield* mx.mx_reenable_progression(ep), 0);
      const { result, status } = yield* mx.mx_test(ep, request!);
      equal([result, status!.xfer_length], [true, 8]);
    },
    *b({ mx, ep, to, alloc }) {
      yield* mx.mx_isend(ep, [segment(alloc(8), 8)], 1, to, 1n, null);
    },
  });
});

Deno.test("a timeout of 0 is MX_INFINITE: the wait goes on until the message is there", () => {
  equal(MX_INFINITE, 0);
  pair({
    *a(side) {
      const { mx, ep, low, alloc } = side;
      const { request } = yield* mx.mx_irecv(ep, [segment(alloc(8), 8)], 1, 1n, NONE, null);
      const before = low.now;
      const { code, result } = yield* mx.mx_wait(ep, request!, 0);
      equal([code, result, low.now - before > 900 * MS], [0, true, true]);
    },
    *b(side) {
      const { mx, ep, to, alloc } = side;
      yield* mx.mx_probe(ep, 900, 0xffffn, NONE);
      yield* mx.mx_isend(ep, [segment(alloc(8), 8)], 1, to, 1n, null);
    },
  });
});
