import { equal, ok, pair, returns, segment, status } from "./mx_support.ts";
import { MX_MATCH_MASK_NONE } from "../../src/guest/mx_types.ts";

const LENGTHS = [0, 32, 128, 5000, 32768, 100_000];

Deno.test("messages of every class arrive with their length, source, match information and contexts", () => {
  pair({
    *a({ mx, ep, to, alloc, cluster }) {
      const into = alloc(100_000);
      for (const [i, length] of LENGTHS.entries()) {
        const data = alloc(Math.max(1, length), i);
        const info = 0xfeed_0000_0000_0000n + BigInt(i);
        const sent = yield* mx.mx_isend(ep, [segment(data, length)], 1, to, info, `send ${i}`);
        returns("success", sent.code);
        const done = yield* mx.mx_wait(ep, sent.request!, 1000);
        status("success", done.status!.code);
        equal([done.status!.msg_length, done.status!.xfer_length, done.status!.context], [length, length, `send ${i}`]);
        ok(done.status!.match_info === info && done.status!.source === to);
        const back = yield* mx.mx_irecv(ep, [segment(into, 100_000)], 1, info, MX_MATCH_MASK_NONE, i);
        const echo = yield* mx.mx_wait(ep, back.request!, 1000);
        equal([echo.result, echo.status!.context, echo.status!.xfer_length], [true, i, length]);
        ok(echo.status!.source === to, "the address of a sender is the one that connect gave");
        ok(cluster.same(into, data, length));
      }
    },
    *b({ mx, ep, to, alloc }) {
      const into = alloc(100_000);
      for (const length of LENGTHS) {
        const posted = yield* mx.mx_irecv(ep, [segment(into, 100_000)], 1, 0n, 0n, null);
        const { status: got } = yield* mx.mx_wait(ep, posted.request!, 0);
        equal([got!.msg_length, got!.xfer_length, got!.source === to], [length, length, true]);
        const sent = yield* mx.mx_issend(ep, [segment(into, length)], 1, to, got!.match_info, null);
        ok((yield* mx.mx_wait(ep, sent.request!, 0)).result);
      }
    },
  });
});
