import {
  type Call,
  type mx_endpoint_addr_t,
  MX_ERRORS_RETURN,
  MX_PARAM_CONTEXT_ID,
  MX_RECV_CONTINUE,
  MX_RECV_FINISHED,
} from "../../src/guest/mx_types.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";
import { equal, KEY, NONE, ok, pair, returns, run, segment, status } from "./mx_support.ts";

/** Matching, unexpected messages and what a program may still do with a request (reference 2.4 and 3). */

const CONTEXT = [{ key: MX_PARAM_CONTEXT_ID, val: { bits: 4, shift: 60 } }] as const;
const CONTEXT_MASK = 0xf000_0000_0000_0000n;
const id = (context: number, info: number) => (BigInt(context) << 60n) | BigInt(info);

Deno.test("context ids: a receive names one, queries may go over all", () => {
  run([function* ({ mx, alloc }) {
    mx.mx_set_error_handler(MX_ERRORS_RETURN);
    yield* mx.mx_init();
    const ep = (yield* mx.mx_open_endpoint(0, 1, KEY, CONTEXT, 1)).endpoint!;
    const self = mx.mx_get_endpoint_addr(ep).address!;
    const list = [segment(alloc(8), 8)];
    const receive = (info: bigint, mask: bigint) => mx.mx_irecv(ep, list, 1, info, mask, info);
    returns("bad matching for context id mask", (yield* receive(1n, 0xfn)).code);
    returns("bad matching for context id mask", (yield* receive(0n, CONTEXT_MASK >> 1n)).code);
    // Three messages wait, of contexts 1, 2 and 1.
    for (const info of [id(1, 5), id(2, 5), id(1, 6)]) {
      returns("success", (yield* mx.mx_isend(ep, list, 1, self, info, `send ${info}`)).code);
    }
    const probe = function* (info: bigint, mask: bigint): Call<bigint | undefined> {
      return (yield* mx.mx_iprobe(ep, info, mask)).status?.match_info;
    };
    ok((yield* probe(0n, 0n)) === id(1, 5), "over all contexts: the oldest");
    ok((yield* probe(6n, 0xfn)) === id(1, 6));
    ok((yield* probe(id(2, 0), CONTEXT_MASK)) === id(2, 5), "in one context");
    equal(yield* probe(id(3, 0), CONTEXT_MASK), undefined);
    const first = yield* receive(id(2, 0), CONTEXT_MASK);
    const second = yield* receive(id(1, 0), CONTEXT_MASK);
    ok((yield* mx.mx_test(ep, first.request!)).status!.match_info === id(2, 5));
    ok((yield* mx.mx_test(ep, second.request!)).status!.match_info === id(1, 5), "the first of its context");
    // The two sends are done too, in the order in which they were matched.
    ok((yield* mx.mx_test_any(ep, id(1, 0), CONTEXT_MASK)).status!.match_info === id(1, 5));
    ok((yield* mx.mx_test_any(ep, 0n, 0n)).status!.match_info === id(2, 5));
    equal((yield* mx.mx_test_any(ep, 0n, 0n)).result, false);
    yield* mx.mx_finalize();
  }]);
});

Deno.test("mx_probe shows the oldest message that fits, and leaves it", () => {
  pair({
    *a({ mx, ep, to, alloc }) {
      for (const [info, length] of [[1n, 100], [2n, 20_000], [1n, 200_000]] as const) {
        yield* mx.mx_isend(ep, [segment(alloc(length), length)], 1, to, info, null);
      }
      yield* mx.mx_probe(ep, 500, 0xffffn, NONE);
    },
    *b({ mx, ep, to, alloc }) {
      yield* mx.mx_probe(ep, 5, 0xffffn, NONE); // until all are there
      const seen = function* (info: bigint, mask: bigint): Call<number> {
        const { status: message } = yield* mx.mx_probe(ep, 0, info, mask);
        ok(message!.source === to && message!.context === null);
        return message!.msg_length;
      };
      equal([yield* seen(0n, 0n), yield* seen(2n, NONE), yield* seen(1n, 1n)], [100, 20_000, 100]);
      const { request } = yield* mx.mx_irecv(ep, [segment(alloc(100), 100)], 1, 1n, NONE, null);
      equal((yield* mx.mx_test(ep, request!)).result, true);
      equal(yield* seen(1n, NONE), 200_000);
    },
  });
});

Deno.test("an unexpected handler: payload of messages in one packet, and both answers", () => {
  const lengths = [0, 20, 100, 5000, 20_000, 50_000];
  const seen: unknown[] = [];
  pair({
    *a({ mx, ep, to, alloc }) {
      const data = alloc(50_000, 3);
      for (const length of lengths) {
        const { request } = yield* mx.mx_isend(ep, [segment(data, length)], 1, to, BigInt(length), null);
        status(length === 50_000 ? "truncated" : "success", (yield* mx.mx_wait(ep, request!, 0)).status!.code);
      }
      yield* mx.mx_isend(ep, [segment(data, 7)], 1, to, 99n, null);
    },
    *b({ mx, ep, to, alloc, cluster }) {
      const expected = cluster.memory.u8;
      let from: mx_endpoint_addr_t | null = null;
      yield* mx.mx_register_unexp_handler(ep, (context, source, info, length, data) => {
        from = source;
        seen.push([context, info === BigInt(length), length, data?.length ?? null, data?.[1] ?? null]);
        return info === 99n ? MX_RECV_CONTINUE : MX_RECV_FINISHED;
      }, "mine");
      while (seen.length < lengths.length + 1) yield* mx.mx_probe(ep, 10, 0xffffn, NONE);
      ok(from === to && expected.length > 0);
      // What it has finished is gone, what it has not waits.
      equal((yield* mx.mx_iprobe(ep, 20n, NONE)).result, false);
      yield* mx.mx_register_unexp_handler(ep, null, null);
      const { request } = yield* mx.mx_irecv(ep, [segment(alloc(7), 7)], 1, 99n, NONE, null);
      equal((yield* mx.mx_test(ep, request!)).status!.xfer_length, 7);
    },
  });
  const byte = (31 + 21) & 0xff;
  equal(seen, [
    ["mine", true, 0, 0, null],
    ["mine", true, 20, 20, byte],
    ["mine", true, 100, 100, byte],
    ["mine", true, 5000, 5000, byte],
    ["mine", true, 20_000, null, null],
    ["mine", true, 50_000, null, null],
    ["mine", false, 7, 7, byte],
  ]);
});

Deno.test("an unexpected handler may look at addresses, and may not call: closing is refused with a code of its own", () => {
  const codes: number[] = [];
  pair({
    *a({ mx, ep, to, alloc }) {
      yield* mx.mx_isend(ep, [segment(alloc(8), 8)], 1, to, 1n, null);
    },
    *b({ mx, ep, to, alloc }) {
      yield* mx.mx_register_unexp_handler(ep, (_context, source) => {
        codes.push(mx.mx_close_endpoint(ep).next().value as number);
        codes.push(mx.mx_progress(ep).next().value as number);
        codes.push(mx.mx_wakeup(ep));
        codes.push(mx.mx_set_endpoint_addr_context(source, "known"));
        return MX_RECV_CONTINUE;
      }, null);
      const message = yield* mx.mx_probe(ep, 0, 1n, NONE);
      equal(mx.mx_get_endpoint_addr_context(message.status!.source!).context, "known");
      equal(mx.mx_get_endpoint_addr_context(to).context, "known");
      yield* mx.mx_register_unexp_handler(ep, null, null);
      const { request } = yield* mx.mx_irecv(ep, [segment(alloc(8), 8)], 1, 1n, NONE, null);
      ok((yield* mx.mx_test(ep, request!)).result);
    },
  });
  equal(codes, [41, 20, 20, 0]);
});

Deno.test("mx_cancel: a receive that nothing has matched, and a connect without an answer", () => {
  const cluster = new ToyCluster(2);
  cluster.fate = ({ command }) => ({ drop: command.endpoint === 60, extraPs: command.fragment === 3 ? 10e9 : 0 });
  pair({
    *a({ mx, ep, to, alloc }) {
      yield* mx.mx_isend(ep, [segment(alloc(30_000), 30_000)], 1, to, 1n, null);
    },
    *b({ mx, ep, to, alloc }) {
      const list = [segment(alloc(30_000), 30_000)];
      const receive = function* (info: bigint) {
        return (yield* mx.mx_irecv(ep, list, 1, info, NONE, null)).request!;
      };
      const [taken, free] = [yield* receive(1n), yield* receive(2n)];
      yield* mx.mx_probe(ep, 2, 0xffffn, NONE);
      equal(yield* mx.mx_cancel(ep, taken), { code: 0, result: false }, "three of four fragments are there");
      equal(yield* mx.mx_cancel(ep, free), { code: 0, result: true });
      equal((yield* mx.mx_wait(ep, free, 1)).code, 13, "it is gone");
      equal((yield* mx.mx_wait(ep, taken, 0)).status!.xfer_length, 30_000);
      const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(to);
      const silent = (yield* mx.mx_iconnect(ep, nic_id, 60, KEY, 0n, null)).request!;
      equal(yield* mx.mx_cancel(ep, silent), { code: 0, result: true });
      const answered = (yield* mx.mx_iconnect(ep, nic_id, endpoint_id, KEY, 0n, null)).request!;
      yield* mx.mx_peek(ep, 0);
      equal(yield* mx.mx_cancel(ep, answered), { code: 0, result: false });
    },
  }, cluster);
});

Deno.test("mx_forget: nothing is reported, sent or received all the same", () => {
  pair({
    *a({ mx, ep, to, alloc }) {
      for (const length of [8, 100_000]) {
        const { request } = yield* mx.mx_isend(ep, [segment(alloc(length, 2), length)], 1, to, 1n, null);
        equal(yield* mx.mx_forget(ep, request!), 0);
      }
      equal((yield* mx.mx_wait_any(ep, 50, 0n, 0n)).result, false);
    },
    *b({ mx, ep, alloc, cluster }) {
      const into = alloc(100_000);
      for (const length of [8, 100_000]) {
        const { request } = yield* mx.mx_irecv(ep, [segment(into, length)], 1, 1n, NONE, null);
        equal(yield* mx.mx_forget(ep, request!), 0);
        equal((yield* mx.mx_wait_any(ep, 20, 0n, 0n)).result, false);
        equal(cluster.memory.u8[into + length - 1], ((length - 1) * 31 + 14) & 0xff);
      }
    },
  });
});

Deno.test("mx_ibuffered: what was copied is, what waits for its receiver is not", () => {
  pair({
    *a({ mx, ep, to, alloc }) {
      const list = [segment(alloc(100_000), 100_000)];
      const buffered = function* (call: "mx_isend" | "mx_issend", length: number, dest: mx_endpoint_addr_t) {
        const { request } = yield* mx[call](ep, [segment(list[0].segment_ptr, length)], 1, dest, 1n, null);
        return (yield* mx.mx_ibuffered(ep, request!)).result;
      };
      const self = mx.mx_get_endpoint_addr(ep).address!;
      equal([yield* buffered("mx_isend", 8, to), yield* buffered("mx_isend", 100, to)], [true, true]);
      equal([yield* buffered("mx_isend", 30_000, to), yield* buffered("mx_isend", 100_000, to)], [true, false]);
      equal([yield* buffered("mx_issend", 8, to), yield* buffered("mx_isend", 8, self)], [false, true]);
    },
    *b({ mx, ep, alloc }) {
      for (let i = 0; i < 5; i++) {
        const { request } = yield* mx.mx_irecv(ep, [segment(alloc(100_000), 100_000)], 1, 1n, NONE, null);
        yield* mx.mx_wait(ep, request!, 0);
      }
    },
  });
});

Deno.test("mx_disconnect: the address is refused afterwards, and connecting gives another one", () => {
  pair({
    *a({ mx, ep, to, alloc }) {
      const list = [segment(alloc(8), 8)];
      mx.mx_set_endpoint_addr_context(to, "old");
      const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(to);
      returns("success", yield* mx.mx_disconnect(ep, to));
      returns("bad address list", (yield* mx.mx_isend(ep, list, 1, to, 1n, null)).code);
      returns("bad address list", yield* mx.mx_disconnect(ep, to));
      returns("bad address list", mx.mx_decompose_endpoint_addr(to).code);
      const { address } = yield* mx.mx_connect(ep, nic_id, endpoint_id, KEY, 0);
      ok(address !== to);
      equal(mx.mx_get_endpoint_addr_context(address!).context, null);
    },
    *b() {},
  });
});

Deno.test("mx_disconnect: connected again by either side, messages of all sizes pass both ways, and none comes twice", () => {
  for (const isFirst of [true, false]) {
    const says: (string | number)[] = [];
    pair({
      *a({ mx, ep, to, alloc, low }) {
        const list = [segment(alloc(100_000), 100_000)];
        const wanted = (yield* mx.mx_irecv(ep, list, 1, 1n, NONE, null)).request!;
        says.push((yield* mx.mx_wait(ep, wanted, 1000)).status!.xfer_length);
        const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(to);
        returns("success", yield* mx.mx_disconnect(ep, to));
        let source = isFirst ? (yield* mx.mx_connect(ep, nic_id, endpoint_id, KEY, 1000)).address : null;
        for (const length of [10, 20_000, 90_000]) {
          const { request } = yield* mx.mx_irecv(ep, list, 1, 2n, NONE, null);
          if (isFirst) yield* mx.mx_isend(ep, [segment(alloc(length), length)], 1, source!, 3n, null);
          const { status } = yield* mx.mx_wait(ep, request!, 1000);
          source = status!.source;
          says.push(status!.xfer_length);
          if (!isFirst) yield* mx.mx_isend(ep, [segment(alloc(length), length)], 1, source!, 3n, null);
        }
        yield* mx.mx_probe(ep, 700, 9n, NONE); // longer than a resend takes
        ok(!(yield* mx.mx_iprobe(ep, 1n, NONE)).result, "it has come twice");
        says.push(low.endpoints[0].counters.retransmits);
      },
      *b({ mx, ep, to, alloc, low }) {
        const list = [segment(alloc(100_000), 100_000)];
        yield* mx.mx_isend(ep, [segment(alloc(8), 8)], 1, to, 1n, null);
        yield* mx.mx_probe(ep, 1, 9n, NONE); // not long enough for an acknowledgement
        const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(to);
        if (!isFirst) ok((yield* mx.mx_connect(ep, nic_id, endpoint_id, KEY, 1000)).address === to);
        for (const length of [10, 20_000, 90_000]) {
          const { request } = yield* mx.mx_irecv(ep, list, 1, 3n, NONE, null);
          if (!isFirst) yield* mx.mx_isend(ep, [segment(alloc(length), length)], 1, to, 2n, null);
          const { status } = yield* mx.mx_wait(ep, request!, 1000);
          says.push(status!.xfer_length);
          if (isFirst) yield* mx.mx_isend(ep, [segment(alloc(length), length)], 1, to, 2n, null);
        }
        yield* mx.mx_probe(ep, 700, 9n, NONE);
        says.push(low.endpoints[0].counters.retransmits);
      },
    });
    equal(says.sort((x, y) => Number(x) - Number(y)), [0, 0, 8, 10, 10, 20_000, 20_000, 90_000, 90_000]);
  }
});
