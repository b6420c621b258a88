import {
  type Call,
  type mx_endpoint_t,
  MX_ERRORS_ARE_FATAL,
  MX_ERRORS_RETURN,
  type MxLibrary,
} from "../../src/guest/mx_types.ts";
import { MxFatalError } from "../../src/mx/fatal.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";
import { equal, KEY, NONE, ok, pair, run, segment, status } from "./mx_support.ts";

/** Error handlers (reference 3; lib/omx_error.c:38-134). */

function fatal(program: (mx: MxLibrary) => Call<void>): MxFatalError {
  try {
    run([({ mx }) => program(mx)]);
  } catch (error) {
    if (error instanceof MxFatalError) return error;
    throw error;
  }
  throw new Error("the program should have ended");
}

Deno.test("without a handler an error ends the program and names guest, call and code", () => {
  const error = fatal(function* (mx) {
    yield* mx.mx_init();
    yield* mx.mx_open_endpoint(3, 1, KEY, [], 0);
  });
  equal([error.guest, error.call, error.code], ["a0", "mx_open_endpoint", 8]);
  equal(error.message, "guest a0: mx_open_endpoint: board 3, endpoint 1: board unknown (code 8)");
});

Deno.test("MX_ERRORS_ARE_FATAL is the default by name, for the library and for one endpoint", () => {
  const library = fatal(function* (mx) {
    mx.mx_set_error_handler(MX_ERRORS_RETURN);
    equal(yield* mx.mx_finalize(), 4);
    mx.mx_set_error_handler(MX_ERRORS_ARE_FATAL);
    yield* mx.mx_finalize();
  });
  equal(library.code, 4);
  const endpoint = fatal(function* (mx) {
    mx.mx_set_error_handler(MX_ERRORS_RETURN);
    yield* mx.mx_init();
    const ep = (yield* mx.mx_open_endpoint(0, 1, KEY, [{ key: 0, val: MX_ERRORS_ARE_FATAL }], 1)).endpoint!;
    equal((yield* mx.mx_open_endpoint(0, 1, KEY, [], 0)).code, 20);
    yield* mx.mx_test_any(ep, 1n, 0n);
  });
  equal([endpoint.call, endpoint.code], ["mx_test_any", 14]);
});

Deno.test("what Open-MX does not implement ends the program whatever the handler", () => {
  for (const name of ["mx_iput", "mx_iget", "mx_buffered", "mx_register_unexp_callback"] as const) {
    const error = fatal(function* (mx) {
      mx.mx_set_error_handler(MX_ERRORS_RETURN);
      yield* mx.mx_init();
      mx[name]();
    });
    equal([error.guest, error.call], ["a0", name]);
    ok(error.message.startsWith(`guest a0: ${name}: Open-MX does not have it`));
  }
});

Deno.test("OMX_FATAL_ERRORS=0: codes are returned though no handler is set", () => {
  run(
    [function* ({ mx }) {
      equal(yield* mx.mx_finalize(), 4);
    }],
    new ToyCluster(1),
    { fatalErrors: false },
  );
});

Deno.test("the endpoint's handler is asked before the library's, and its answer is what the call returns", () => {
  run([function* ({ mx }) {
    const seen: (string | number)[] = [];
    mx.mx_set_error_handler((text, code) => {
      seen.push("library", text, code);
      return code;
    });
    yield* mx.mx_init();
    const own = { key: 0 as const, val: (_text: string, code: number) => seen.push("endpoint", code) && 77 };
    const ep = (yield* mx.mx_open_endpoint(0, 1, KEY, [own], 1)).endpoint!;
    equal((yield* mx.mx_iprobe(ep, 1n, 0n)).code, 77);
    equal(yield* mx.mx_close_endpoint(null as unknown as mx_endpoint_t), 9);
    equal(seen, ["endpoint", 14, "library", "mx_close_endpoint: null is no open endpoint", 9]);
    const nothing = { key: 0 as const, val: (() => undefined) as unknown as () => number };
    const other = (yield* mx.mx_open_endpoint(0, 2, KEY, [nothing], 1)).endpoint!;
    equal((yield* mx.mx_iprobe(other, 1n, 0n)).code, 14, "an answer that is no code");
    yield* mx.mx_finalize();
  }]);
});

Deno.test("a request that ends without success goes through the handler, which may turn its status", () => {
  pair({
    *a({ mx, ep, to, alloc }) {
      const buffer = [segment(alloc(100_000), 100_000)];
      for (let i = 0; i < 3; i++) yield* mx.mx_forget(ep, (yield* mx.mx_isend(ep, buffer, 1, to, 1n, null)).request!);
    },
    *b({ mx, ep, alloc }) {
      const seen: unknown[] = [];
      let answer = 95;
      mx.mx_set_error_handler((text, code) => {
        seen.push(text, code);
        return answer;
      });
      const receive = function* (): Call<number> {
        const { request } = yield* mx.mx_irecv(ep, [segment(alloc(10), 10)], 1, 1n, NONE, null);
        return (yield* mx.mx_wait(ep, request!, 0)).status!.code;
      };
      status("truncated", yield* receive());
      answer = 0;
      status("success", yield* receive());
      answer = 30;
      status("timeout", yield* receive());
      equal(seen, ["receive request", 95, "receive request", 95, "receive request", 95]);
      mx.mx_set_error_handler(MX_ERRORS_RETURN);
    },
  });
});

Deno.test("a failed request interrupts a wait for another, and the wait goes on when the handler has returned", () => {
  const cluster = new ToyCluster(2);
  let cut = false;
  cluster.fate = () => ({ drop: cut });
  pair({
    *a({ mx, ep, to, alloc, low }) {
      let failedAt = 0;
      mx.mx_set_error_handler((_text, code) => {
        failedAt = low.now;
        return code;
      });
      cut = true;
      const { request } = yield* mx.mx_issend(ep, [segment(alloc(8), 8)], 1, to, 1n, null);
      mx.mx_set_request_timeout(ep, request!, 1);
      const before = low.now;
      equal((yield* mx.mx_probe(ep, 2000, 0x99n, NONE)).result, false);
      const [failed, ended] = [failedAt - before, low.now - before];
      ok(failed > 0.9e12 && failed < 1.1e12, "the handler was called while the program waited");
      ok(ended > 1.99e12 && ended < 2.01e12, "the wait had its own time");
      status("endpoint unreachable", (yield* mx.mx_test(ep, request!)).status!.code);
      mx.mx_set_error_handler(MX_ERRORS_RETURN);
      cut = false;
    },
    *b() {},
  }, cluster);
});

Deno.test("a request that fails while the program connects to somebody else does not end the connect", () => {
  const cluster = new ToyCluster(3);
  let cut = false;
  cluster.fate = ({ command, from }) => ({ drop: cut && (command.peer === 1 || from.host.peer !== 0) });
  const answer = function* ({ mx }: { mx: MxLibrary }): Call<void> {
    yield* mx.mx_init();
    const ep = (yield* mx.mx_open_endpoint(0, 1, KEY, [], 0)).endpoint!;
    yield* mx.mx_probe(ep, 5000, 0xffffn, NONE);
  };
  run([
    function* ({ mx, low, alloc }) {
      const codes: number[] = [];
      mx.mx_set_error_handler((_text, code) => codes.push(code) && code);
      yield* mx.mx_init();
      const ep = (yield* mx.mx_open_endpoint(0, 1, KEY, [], 0)).endpoint!;
      const nic = function* (name: string) {
        return (yield* mx.mx_hostname_to_nic_id(name)).nic_id;
      };
      yield* mx.mx_probe(ep, 1, 0xffffn, NONE);
      const { address } = yield* mx.mx_connect(ep, yield* nic("b"), 1, KEY, 0);
      cut = true;
      const { request } = yield* mx.mx_issend(ep, [segment(alloc(8), 8)], 1, address!, 1n, null);
      mx.mx_set_request_timeout(ep, request!, 1);
      const before = low.now;
      cluster.engine.at(before + 2e12, cluster.engine.handler("repair", () => cut = false));
      const { code } = yield* mx.mx_connect(ep, yield* nic("c"), 1, KEY, 9000);
      equal([code, codes, low.now - before > 2e12], [0, [92], true]);
    },
    answer,
    answer,
  ], cluster);
});
