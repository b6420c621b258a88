import * as types from "../../src/guest/mx_types.ts";
import type { Call, mx_endpoint_t, mx_param_t } from "../../src/guest/mx_types.ts";
import { type Connected, equal, KEY, NONE, segment } from "./mx_support.ts";

/*
 * Every function's return codes, as the reference documents them: the function, the situation, the code. Each row makes
 * one call in a program that is connected to another.
 */

export interface Side extends Connected {
  /** An endpoint that was closed, an address that was given up, and requests that are over. */
  readonly closed: mx_endpoint_t;
  readonly segments: readonly types.mx_segment_t[];
  /** NIC and endpoint number of the other side. */
  readonly nic: bigint;
  readonly other: number;
  receive(): Call<types.mx_request_t>;
  send(): Call<types.mx_request_t>;
}

export type Row = readonly [name: string, situation: string, code: string, call: (side: Side) => Call<number>];

/** An endpoint number that no packet reaches. */
export const DEAF = 66;

const many = (count: number) => Array.from({ length: count }, () => segment(8192, 1));
export const of = function* (call: Call<{ code: number }>): Call<number> {
  return (yield* call).code;
};
// deno-lint-ignore require-yield
const now = function* (code: number): Call<number> {
  return code;
};
const open = (
  { mx }: Side,
  board: number,
  id: number,
  params: readonly mx_param_t[] = [],
  count = params.length,
) => of(mx.mx_open_endpoint(board, id, KEY, params, count));
const odd = <T>(value: unknown) => value as T;

export const ROWS: readonly Row[] = [
  ["mx_init", "a second time", "already initialized", ({ mx }) => mx.mx_init()],

  ["mx_open_endpoint", "a free number", "success", (s) => open(s, 0, 30)],
  ["mx_open_endpoint", "the same again", "busy", (s) => open(s, 0, 30)],
  ["mx_open_endpoint", "number 256", "bad endpoint", (s) => open(s, 0, 256)],
  ["mx_open_endpoint", "board 1 of 1", "board unknown", (s) => open(s, 1, 31)],
  ["mx_open_endpoint", "any board, any number", "success", (s) => open(s, types.MX_ANY_NIC, types.MX_ANY_ENDPOINT)],
  ["mx_open_endpoint", "null for 1 parameter", "bad parameter list", (s) => open(s, 0, 31, odd(null), 1)],
  ["mx_open_endpoint", "null for 0 parameters", "success", (s) => open(s, 0, 32, odd(null), 0)],
  ["mx_open_endpoint", "key 3", "bad parameter name", (s) => open(s, 0, 31, [odd({ key: 3, val: 0 })])],
  ["mx_open_endpoint", "UNEXP_QUEUE_MAX", "success", (s) => open(s, 0, 33, [{ key: 1, val: 1 << 20 }])],
  ["mx_open_endpoint", "16 context bits", "success", (s) => open(s, 0, 34, [{ key: 2, val: { bits: 16, shift: 48 } }])],
  [
    "mx_open_endpoint",
    "17 of them",
    "bad parameter value",
    (s) => open(s, 0, 31, [{ key: 2, val: { bits: 17, shift: 0 } }]),
  ],
  [
    "mx_open_endpoint",
    "2 at bit 63",
    "bad parameter value",
    (s) => open(s, 0, 31, [{ key: 2, val: { bits: 2, shift: 63 } }]),
  ],
  ["mx_open_endpoint", "a number as handler", "bad parameter value", (s) => open(s, 0, 31, [odd({ key: 0, val: 5 })])],
  ["mx_close_endpoint", "twice", "bad endpoint", ({ mx, closed }) => mx.mx_close_endpoint(closed)],
  ["mx_close_endpoint", "null", "bad endpoint", ({ mx }) => mx.mx_close_endpoint(odd(null))],

  [
    "mx_connect",
    "an endpoint that is closed",
    "connection failed",
    ({ mx, ep, nic }) => of(mx.mx_connect(ep, nic, 77, KEY, 1000)),
  ],
  [
    "mx_connect",
    "another key",
    "bad connection key",
    ({ mx, ep, nic, other }) => of(mx.mx_connect(ep, nic, other, KEY + 1, 1000)),
  ],
  [
    "mx_connect",
    "number 256 there",
    "bad endpoint id",
    ({ mx, ep, nic }) => of(mx.mx_connect(ep, nic, 256, KEY, 1000)),
  ],
  ["mx_connect", "an unknown NIC", "NIC not found", ({ mx, ep }) => of(mx.mx_connect(ep, 5n, 1, KEY, 1000))],
  ["mx_connect", "nobody answers", "timeout", ({ mx, ep, nic }) => of(mx.mx_connect(ep, nic, DEAF, KEY, 600))],
  ["mx_connect", "to itself", "success", ({ mx, ep }) => {
    const { nic_id, endpoint_id } = mx.mx_decompose_endpoint_addr(mx.mx_get_endpoint_addr(ep).address!);
    return of(mx.mx_connect(ep, nic_id, endpoint_id, KEY, 1000));
  }],
  [
    "mx_connect",
    "on a closed endpoint",
    "bad endpoint",
    ({ mx, closed, nic }) => of(mx.mx_connect(closed, nic, 1, KEY, 1)),
  ],
  ["mx_iconnect", "an unknown NIC", "NIC not found", ({ mx, ep }) => of(mx.mx_iconnect(ep, 5n, 1, KEY, 0n, null))],
  [
    "mx_iconnect",
    "number 256 there",
    "bad endpoint id",
    ({ mx, ep, nic }) => of(mx.mx_iconnect(ep, nic, 256, KEY, 0n, null)),
  ],
  ["mx_disconnect", "something else", "bad address list", ({ mx, ep }) => mx.mx_disconnect(ep, odd(7))],

  ["mx_isend", "no segments", "success", ({ mx, ep, to }) => of(mx.mx_isend(ep, odd(null), 0, to, 1n, null))],
  ["mx_isend", "256 segments", "success", ({ mx, ep, to }) => of(mx.mx_isend(ep, many(256), 256, to, 1n, null))],
  [
    "mx_isend",
    "257 segments",
    "bad segment count",
    ({ mx, ep, to }) => of(mx.mx_isend(ep, many(257), 257, to, 1n, null)),
  ],
  [
    "mx_isend",
    "null for 1 segment",
    "bad segment list",
    ({ mx, ep, to }) => of(mx.mx_isend(ep, odd(null), 1, to, 1n, null)),
  ],
  [
    "mx_isend",
    "2 of 1 segments",
    "bad segment list",
    ({ mx, ep, to }) => of(mx.mx_isend(ep, many(1), 2, to, 1n, null)),
  ],
  [
    "mx_isend",
    "a length of -1",
    "bad segment list",
    ({ mx, ep, to }) => of(mx.mx_isend(ep, [segment(8192, -1)], 1, to, 1n, null)),
  ],
  [
    "mx_isend",
    "memory that is not there",
    "bad segment memory",
    ({ mx, ep, to }) => of(mx.mx_isend(ep, [segment(2 ** 40, 8)], 1, to, 1n, null)),
  ],
  [
    "mx_isend",
    "no address",
    "bad address list",
    ({ mx, ep, segments }) => of(mx.mx_isend(ep, segments, 1, odd(null), 1n, null)),
  ],
  [
    "mx_isend",
    "match information of 65 bits",
    "bad match mask",
    ({ mx, ep, to, segments }) => of(mx.mx_isend(ep, segments, 1, to, 1n << 64n, null)),
  ],
  [
    "mx_issend",
    "257 segments",
    "bad segment count",
    ({ mx, ep, to }) => of(mx.mx_issend(ep, many(257), 257, to, 1n, null)),
  ],
  [
    "mx_irecv",
    "257 segments",
    "bad segment count",
    ({ mx, ep }) => of(mx.mx_irecv(ep, many(257), 257, 1n, NONE, null)),
  ],
  [
    "mx_irecv",
    "bits outside the mask",
    "bad match mask",
    ({ mx, ep, segments }) => of(mx.mx_irecv(ep, segments, 1, 3n, 1n, null)),
  ],
  [
    "mx_irecv",
    "on a closed endpoint",
    "bad endpoint",
    ({ mx, closed, segments }) => of(mx.mx_irecv(closed, segments, 1, 1n, NONE, null)),
  ],

  ["mx_test", "a receive that waits", "success", function* ({ mx, ep, receive }) {
    const { code, result } = yield* mx.mx_test(ep, yield* receive());
    equal(result, false);
    return code;
  }],
  ["mx_test", "a request that was reported", "bad request", function* ({ mx, ep, send }) {
    const request = yield* send();
    equal((yield* mx.mx_test(ep, request)).result, true);
    return (yield* mx.mx_test(ep, request)).code;
  }],
  ["mx_wait", "1 ms for nothing", "success", function* ({ mx, ep, receive }) {
    const { code, result, status } = yield* mx.mx_wait(ep, yield* receive(), 1);
    equal([result, status], [false, null]);
    return code;
  }],
  ["mx_wait", "a timeout of -1", "failure", function* ({ mx, ep, receive }) {
    return (yield* mx.mx_wait(ep, yield* receive(), -1)).code;
  }],
  ["mx_wait", "something else", "bad request", ({ mx, ep }) => of(mx.mx_wait(ep, odd("request"), 1))],
  ["mx_test_any", "bits outside the mask", "bad match mask", ({ mx, ep }) => of(mx.mx_test_any(ep, 2n, 1n))],
  ["mx_wait_any", "bits outside the mask", "bad match mask", ({ mx, ep }) => of(mx.mx_wait_any(ep, 1, 2n, 1n))],
  ["mx_iprobe", "bits outside the mask", "bad match mask", ({ mx, ep }) => of(mx.mx_iprobe(ep, 2n, 1n))],
  ["mx_probe", "bits outside the mask", "bad match mask", ({ mx, ep }) => of(mx.mx_probe(ep, 1, 2n, 1n))],
  ["mx_ipeek", "a closed endpoint", "bad endpoint", ({ mx, closed }) => of(mx.mx_ipeek(closed))],
  ["mx_peek", "a closed endpoint", "bad endpoint", ({ mx, closed }) => of(mx.mx_peek(closed, 1))],
  ["mx_ibuffered", "a receive", "bad request", function* ({ mx, ep, receive }) {
    return (yield* mx.mx_ibuffered(ep, yield* receive())).code;
  }],
  ["mx_cancel", "a send", "bad request", function* ({ mx, ep, send }) {
    return (yield* mx.mx_cancel(ep, yield* send())).code;
  }],
  ["mx_cancel", "a cancelled receive", "bad request", function* ({ mx, ep, receive }) {
    const request = yield* receive();
    equal(yield* mx.mx_cancel(ep, request), { code: 0, result: true });
    return (yield* mx.mx_cancel(ep, request)).code;
  }],
  ["mx_forget", "a forgotten send", "bad request", function* ({ mx, ep, send }) {
    const request = yield* send();
    equal(yield* mx.mx_forget(ep, request), 0);
    return yield* mx.mx_forget(ep, request);
  }],
  ["mx_context", "a send", "success", function* ({ mx, send }) {
    const { code, context } = mx.mx_context(yield* send());
    equal(context, "context");
    return code;
  }],
  ["mx_context", "null", "bad request", ({ mx }) => now(mx.mx_context(odd(null)).code)],
  ["mx_progress", "a closed endpoint", "bad endpoint", ({ mx, closed }) => mx.mx_progress(closed)],
  [
    "mx_disable_progression",
    "a closed endpoint",
    "bad endpoint",
    ({ mx, closed }) => mx.mx_disable_progression(closed),
  ],
  ["mx_reenable_progression", "enabled already", "success", ({ mx, ep }) => mx.mx_reenable_progression(ep)],
  ["mx_wakeup", "nobody sleeps", "success", ({ mx, ep }) => now(mx.mx_wakeup(ep))],
  ["mx_wakeup", "a closed endpoint", "bad endpoint", ({ mx, closed }) => now(mx.mx_wakeup(closed))],
  ["mx_register_unexp_handler", "null", "success", ({ mx, ep }) => mx.mx_register_unexp_handler(ep, null, null)],
  ["mx_register_unexp_handler", "a number", "failure", ({ mx, ep }) => mx.mx_register_unexp_handler(ep, odd(1), null)],
  [
    "mx_set_request_timeout",
    "all requests",
    "success",
    ({ mx, ep }) => now(mx.mx_set_request_timeout(ep, null, 500_000)),
  ],
  [
    "mx_set_request_timeout",
    "a lost request",
    "bad request",
    ({ mx, ep }) => now(mx.mx_set_request_timeout(ep, odd({}), 1000)),
  ],

  ["mx_get_endpoint_addr", "an open endpoint", "success", ({ mx, ep }) => now(mx.mx_get_endpoint_addr(ep).code)],
  [
    "mx_get_endpoint_addr",
    "a closed endpoint",
    "bad endpoint",
    ({ mx, closed }) => now(mx.mx_get_endpoint_addr(closed).code),
  ],
  [
    "mx_decompose_endpoint_addr",
    "null",
    "bad address list",
    ({ mx }) => now(mx.mx_decompose_endpoint_addr(odd(null)).code),
  ],
  [
    "mx_decompose_endpoint_addr2",
    "null",
    "bad address list",
    ({ mx }) => now(mx.mx_decompose_endpoint_addr2(odd(null)).code),
  ],
  [
    "mx_set_endpoint_addr_context",
    "null",
    "bad address list",
    ({ mx }) => now(mx.mx_set_endpoint_addr_context(odd(null), 1)),
  ],
  [
    "mx_get_endpoint_addr_context",
    "null",
    "bad address list",
    ({ mx }) => now(mx.mx_get_endpoint_addr_context(odd(null)).code),
  ],
  ["mx_hostname_to_nic_id", "an unknown name", "host not found", ({ mx }) => of(mx.mx_hostname_to_nic_id("z"))],
  [
    "mx_hostname_to_nic_id",
    "80 letters",
    "bad hostname arguments",
    ({ mx }) => of(mx.mx_hostname_to_nic_id("z".repeat(80))),
  ],
  ["mx_hostname_to_nic_id", "a number", "bad hostname arguments", ({ mx }) => of(mx.mx_hostname_to_nic_id(odd(1)))],
  ["mx_nic_id_to_hostname", "an unknown NIC", "host not found", ({ mx }) => of(mx.mx_nic_id_to_hostname(5n))],
  ["mx_board_number_to_nic_id", "board 1 of 1", "board unknown", ({ mx }) => of(mx.mx_board_number_to_nic_id(1))],
  [
    "mx_nic_id_to_board_number",
    "another host's",
    "board unknown",
    ({ mx, nic }) => of(mx.mx_nic_id_to_board_number(nic)),
  ],
  ["mx_get_info", "key 17", "bad info key", ({ mx }) => of(mx.mx_get_info(null, 17, 0))],
  [
    "mx_get_info",
    "counters of a board 0.5",
    "bad info value",
    ({ mx }) => of(mx.mx_get_info(null, types.MX_COUNTERS_VALUES, 0.5)),
  ],
  [
    "mx_get_info",
    "counters of board 1 of 1",
    "board unknown",
    ({ mx }) => of(mx.mx_get_info(null, types.MX_COUNTERS_VALUES, 1)),
  ],
  ["mx_get_info", "a closed endpoint", "bad endpoint", ({ mx, closed }) => of(mx.mx_get_info(closed, 1, 0))],
  ["mx_set_error_handler", "a number", "failure", ({ mx }) => now(mx.mx_set_error_handler(odd(1)))],
];
