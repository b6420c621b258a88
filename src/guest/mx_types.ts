import type { Wait } from "../hw/thread.ts";

/*
 * MX's C interface (myriexpress.h) as a guest program sees it. Functions and types have MX's names, parameters MX's
 * order. What C returns through pointers comes back in an object beside the return code. Whatever may enter the kernel,
 * make progress or wait is a generator: call it with `yield*`. Times are milliseconds where MX has milliseconds.
 */

/** A library call under way: `const { code, request } = yield* mx.mx_isend(...)`. */
export type Call<T> = Generator<Wait, T, void>;

/** MX_SUCCESS or another of the return codes in `mx/status.ts` (myriexpress.h:65-155). */
export type mx_return_t = number;

/** Any board, any endpoint number (mx_open_endpoint). */
export const MX_ANY_NIC = 0xffffffff;
export const MX_ANY_ENDPOINT = 0xffffffff;
/** No timeout. It is 0, so a wait of 0 ms cannot be asked for; use mx_test (myriexpress.h:63). */
export const MX_INFINITE = 0;
/** The mask that leaves nothing open, and the one that leaves everything open. */
export const MX_MATCH_MASK_NONE = 0xffff_ffff_ffff_ffffn;
export const MX_MATCH_MASK_ALL = 0n;

/** Answers of an unexpected handler. */
export const MX_RECV_CONTINUE = 0;
export const MX_RECV_FINISHED = 1;

/** Keys of mx_param_t (myriexpress.h:159-182). */
export const MX_PARAM_ERROR_HANDLER = 0;
export const MX_PARAM_UNEXP_QUEUE_MAX = 1;
export const MX_PARAM_CONTEXT_ID = 2;

/** Keys of mx_get_info (myriexpress.h:309-327). */
export const MX_NIC_COUNT = 1;
export const MX_NIC_IDS = 2;
export const MX_MAX_NATIVE_ENDPOINTS = 3;
export const MX_NATIVE_REQUESTS = 4;
export const MX_COUNTERS_COUNT = 5;
export const MX_COUNTERS_LABELS = 6;
export const MX_COUNTERS_VALUES = 7;
export const MX_PRODUCT_CODE = 8;
export const MX_PART_NUMBER = 9;
export const MX_SERIAL_NUMBER = 10;
export const MX_PORT_COUNT = 11;
export const MX_PIO_SEND_MAX = 12;
export const MX_COPY_SEND_MAX = 13;
export const MX_NUMA_NODE = 14;
export const MX_NET_TYPE = 15;
export const MX_LINE_SPEED = 16;

/** A stretch of the guest's memory: address and bytes. */
export interface mx_segment_t {
  readonly segment_ptr: number;
  readonly segment_length: number;
}

export type mx_param_t =
  | { readonly key: typeof MX_PARAM_ERROR_HANDLER; readonly val: mx_error_handler_t }
  | { readonly key: typeof MX_PARAM_UNEXP_QUEUE_MAX; readonly val: number }
  | { readonly key: typeof MX_PARAM_CONTEXT_ID; readonly val: { readonly bits: number; readonly shift: number } };

/** Opaque handles. They are used up as MX's are: a closed endpoint or a completed request is refused. */
declare const handle: unique symbol;
export interface mx_endpoint_t {
  readonly [handle]: "endpoint";
}
export interface mx_request_t {
  readonly [handle]: "request";
}
export interface mx_endpoint_addr_t {
  readonly [handle]: "address";
}

/** The outcome of a request (myriexpress.h:224-237). */
export interface mx_status_t {
  /** MX_STATUS_* of `mx/status.ts`. */
  readonly code: number;
  /** Sender of a received message; destination of a send or connect. */
  readonly source: mx_endpoint_addr_t | null;
  readonly match_info: bigint;
  /** Bytes sent, and bytes that arrived. */
  readonly msg_length: number;
  readonly xfer_length: number;
  readonly context: unknown;
}

/**
 * Called with what went wrong, by call or by request (lib/omx_error.c:38-134); what it returns is what the call returns.
 */
export type mx_error_handler_t = (text: string, code: mx_return_t) => mx_return_t;

/**
 * Called for a message that no posted receive matches. `data` is a copy of the payload where the message came whole in
 * one packet, else null. Returns MX_RECV_CONTINUE or MX_RECV_FINISHED; it may not call the library.
 */
export type mx_unexp_handler_t = (
  context: unknown,
  source: mx_endpoint_addr_t,
  match_info: bigint,
  length: number,
  data: Uint8Array | null,
) => number;

/** The MX library of one process. */
export interface MxLibrary {
  mx_init(): Call<mx_return_t>;
  mx_finalize(): Call<mx_return_t>;

  mx_open_endpoint(
    board_number: number,
    endpoint_id: number,
    endpoint_key: number,
    params_array: readonly mx_param_t[],
    params_count: number,
  ): Call<{ code: mx_return_t; endpoint: mx_endpoint_t | null }>;
  mx_close_endpoint(endpoint: mx_endpoint_t): Call<mx_return_t>;

  mx_connect(
    endpoint: mx_endpoint_t,
    nic_id: bigint,
    endpoint_id: number,
    key: number,
    timeout: number,
  ): Call<{ code: mx_return_t; address: mx_endpoint_addr_t | null }>;
  mx_iconnect(
    endpoint: mx_endpoint_t,
    nic_id: bigint,
    endpoint_id: number,
    key: number,
    match_info: bigint,
    context: unknown,
  ): Call<{ code: mx_return_t; request: mx_request_t | null }>;
  mx_disconnect(endpoint: mx_endpoint_t, address: mx_endpoint_addr_t): Call<mx_return_t>;

  mx_isend(
    endpoint: mx_endpoint_t,
    segments_list: readonly mx_segment_t[],
    segments_count: number,
    dest_endpoint: mx_endpoint_addr_t,
    match_info: bigint,
    context: unknown,
  ): Call<{ code: mx_return_t; request: mx_request_t | null }>;
  mx_issend: MxLibrary["mx_isend"];
  mx_irecv(
    endpoint: mx_endpoint_t,
    segments_list: readonly mx_segment_t[],
    segments_count: number,
    match_info: bigint,
    match_mask: bigint,
    context: unknown,
  ): Call<{ code: mx_return_t; request: mx_request_t | null }>;

  mx_test(endpoint: mx_endpoint_t, request: mx_request_t): Call<Outcome>;
  mx_wait(endpoint: mx_endpoint_t, request: mx_request_t, timeout: number): Call<Outcome>;
  mx_test_any(endpoint: mx_endpoint_t, match_info: bigint, match_mask: bigint): Call<Outcome>;
  mx_wait_any(endpoint: mx_endpoint_t, timeout: number, match_info: bigint, match_mask: bigint): Call<Outcome>;
  mx_ipeek(endpoint: mx_endpoint_t): Call<{ code: mx_return_t; request: mx_request_t | null; result: boolean }>;
  mx_peek(
    endpoint: mx_endpoint_t,
    timeout: number,
  ): Call<{ code: mx_return_t; request: mx_request_t | null; result: boolean }>;
  mx_iprobe(endpoint: mx_endpoint_t, match_info: bigint, match_mask: bigint): Call<Outcome>;
  mx_probe(endpoint: mx_endpoint_t, timeout: number, match_info: bigint, match_mask: bigint): Call<Outcome>;
  mx_ibuffered(endpoint: mx_endpoint_t, request: mx_request_t): Call<{ code: mx_return_t; result: boolean }>;
  mx_cancel(endpoint: mx_endpoint_t, request: mx_request_t): Call<{ code: mx_return_t; result: boolean }>;
  mx_forget(endpoint: mx_endpoint_t, request: mx_request_t): Call<mx_return_t>;
  mx_context(request: mx_request_t): { code: mx_return_t; context: unknown };

  mx_progress(endpoint: mx_endpoint_t): Call<mx_return_t>;
  mx_disable_progression(endpoint: mx_endpoint_t): Call<mx_return_t>;
  mx_reenable_progression(endpoint: mx_endpoint_t): Call<mx_return_t>;
  /** Ends a wait that is going on in the endpoint: it returns without a result. From an alarm (see Guest.alarm). */
  mx_wakeup(endpoint: mx_endpoint_t): mx_return_t;
  mx_register_unexp_handler(
    endpoint: mx_endpoint_t,
    handler: mx_unexp_handler_t | null,
    context: unknown,
  ): Call<mx_return_t>;
  mx_set_request_timeout(endpoint: mx_endpoint_t, request: mx_request_t | null, milli_seconds: number): mx_return_t;

  mx_get_endpoint_addr(endpoint: mx_endpoint_t): { code: mx_return_t; address: mx_endpoint_addr_t | null };
  mx_decompose_endpoint_addr(
    address: mx_endpoint_addr_t,
  ): { code: mx_return_t; nic_id: bigint; endpoint_id: number };
  mx_decompose_endpoint_addr2(
    address: mx_endpoint_addr_t,
  ): { code: mx_return_t; nic_id: bigint; endpoint_id: number; session_id: number };
  mx_set_endpoint_addr_context(address: mx_endpoint_addr_t, context: unknown): mx_return_t;
  mx_get_endpoint_addr_context(address: mx_endpoint_addr_t): { code: mx_return_t; context: unknown };

  mx_hostname_to_nic_id(hostname: string): Call<{ code: mx_return_t; nic_id: bigint }>;
  mx_nic_id_to_hostname(nic_id: bigint): Call<{ code: mx_return_t; hostname: string }>;
  mx_board_number_to_nic_id(board_number: number): Call<{ code: mx_return_t; nic_id: bigint }>;
  mx_nic_id_to_board_number(nic_id: bigint): Call<{ code: mx_return_t; board_number: number }>;
  /** `value` is a number, a list of numbers, NIC ids or labels, or a text, as the key asks for. */
  mx_get_info(
    endpoint: mx_endpoint_t | null,
    key: number,
    in_val: number,
  ): Call<{ code: mx_return_t; value: number | string | readonly (number | bigint | string)[] | null }>;

  mx_set_error_handler(handler: mx_error_handler_t): mx_return_t;
  mx_strerror(code: mx_return_t): string;
  mx_strstatus(code: number): string;

  /** Declared in MX's header and not implemented by Open-MX: a call ends the program (lib/omx__mx_compat.c:842-872). */
  mx_register_unexp_callback(...args: unknown[]): never;
  mx_iput(...args: unknown[]): never;
  mx_iget(...args: unknown[]): never;
  mx_buffered(...args: unknown[]): never;
}

/** What test, wait and probe give: `status` is there when `result` is true. */
export interface Outcome {
  readonly code: mx_return_t;
  readonly result: boolean;
  readonly status: mx_status_t | null;
}

/** Return the code instead of ending the program: for mx_set_error_handler. */
export const MX_ERRORS_RETURN: mx_error_handler_t = (_text, code) => code;

/** End the program, as without a handler: for mx_set_error_handler and MX_PARAM_ERROR_HANDLER. Known by itself. */
export const MX_ERRORS_ARE_FATAL: mx_error_handler_t = (_text, code) => code;
