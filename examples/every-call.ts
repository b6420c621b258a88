import type { Guest, mx_endpoint_addr_t, mx_endpoint_t, mx_request_t, mx_status_t } from "mxtop";
import * as mxtop from "mxtop";

/*
 * Calls every function of MX, with what it is meant for and with what it refuses, and prints return codes and statuses.
 * Each line says what MX documents too: "ok" at its end, or what was wanted. Rank 0 does most of it, rank 1 is the
 * partner.
 *
 *   deno run --allow-read main.ts run --program examples/every-call.ts
 */

const KEY = 0x12345;
const EXACT = mxtop.MX_MATCH_MASK_NONE;

export const guests = 2;

export default function* main(guest: Guest) {
  const log = new Log(guest);
  yield* life(guest, log);
  const { mx } = guest;
  mx.mx_set_error_handler(mxtop.MX_ERRORS_RETURN);
  const opened = yield* mx.mx_open_endpoint(0, guest.endpoint(guest.rank), KEY, [], 0);
  log.code("mx_open_endpoint", opened.code);
  const endpoint = opened.endpoint!;
  if (guest.rank === 0) {
    yield* opening(guest, log, endpoint);
    yield* names(guest, log, endpoint);
    const partner = yield* connecting(guest, log, endpoint);
    yield* information(guest, log, endpoint);
    yield* messages(guest, log, endpoint, partner);
    yield* completions(guest, log, endpoint, partner);
    yield* unexpected(guest, log, endpoint, partner);
    yield* ending(guest, log, endpoint, partner);
  } else if (guest.rank === 1) yield* partnerOf(guest, endpoint);
  log.code("mx_close_endpoint", yield* mx.mx_close_endpoint(endpoint));
  log.code("mx_close_endpoint of a closed endpoint", yield* mx.mx_close_endpoint(endpoint), mxtop.MX_BAD_ENDPOINT);
  log.code("mx_finalize", yield* mx.mx_finalize());
  log.code("mx_finalize again", yield* mx.mx_finalize(), mxtop.MX_NOT_INITIALIZED);
}

/** Prints what came and what MX documents; counts an error where they differ. Only rank 0 is heard. */
class Log {
  readonly #guest: Guest;

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  code(call: string, code: number, wanted: number = mxtop.MX_SUCCESS): void {
    const { mx } = this.#guest;
    const text = `${call} = ${code} (${mx.mx_strerror(code)})`;
    this.#say(code === wanted, text, `${wanted} (${mx.mx_strerror(wanted)})`);
  }

  status(call: string, status: mx_status_t | null, wanted: number, bytes: number): void {
    const { mx } = this.#guest;
    const found = status === null ? "no status" : `${status.code} (${mx.mx_strstatus(status.code)}), ` +
      `${status.xfer_length} of ${status.msg_length} bytes, match ${status.match_info.toString(16)}`;
    const good = status !== null && status.code === wanted && status.xfer_length === bytes;
    this.#say(good, `  status of ${call}: ${found}`, `${wanted} (${mx.mx_strstatus(wanted)}), ${bytes} bytes`);
  }

  value(call: string, found: unknown, good: boolean): void {
    this.#say(good, `${call}: ${String(found)}`, "something else");
  }

  #say(good: boolean, text: string, wanted: string): void {
    if (this.#guest.rank === 0) this.#guest.print(`${text}${good ? "  ok" : `  WANTED ${wanted}`}`);
    this.#guest.check(good, `${text}, wanted ${wanted}`);
  }
}

function* life(guest: Guest, log: Log) {
  const { mx } = guest;
  mx.mx_set_error_handler(mxtop.MX_ERRORS_RETURN);
  const early = yield* mx.mx_open_endpoint(0, 0, KEY, [], 0);
  log.code("mx_open_endpoint before mx_init", early.code, mxtop.MX_NOT_INITIALIZED);
  log.code("mx_init", yield* mx.mx_init());
  log.code("mx_init again", yield* mx.mx_init(), mxtop.MX_ALREADY_INITIALIZED);
  log.value("mx_strerror(20)", mx.mx_strerror(20), mx.mx_strerror(20) !== "");
  log.value("mx_strstatus(5)", mx.mx_strstatus(5), mx.mx_strstatus(5) !== "");
}

function* opening(guest: Guest, log: Log, endpoint: mx_endpoint_t) {
  const { mx } = guest;
  const mine = guest.endpoint(0);
  const open = (board: number, id: number, params: readonly mxtop.mx_param_t[] = []) =>
    mx.mx_open_endpoint(board, id, KEY, params, params.length);
  log.code("mx_open_endpoint of a number in use", (yield* open(0, mine)).code, mxtop.MX_BUSY);
  log.code("mx_open_endpoint on board 9", (yield* open(9, mine + 50)).code, mxtop.MX_BOARD_UNKNOWN);
  log.code("mx_open_endpoint number 4000", (yield* open(0, 4000)).code, mxtop.MX_BAD_ENDPOINT);
  const bits = { key: mxtop.MX_PARAM_CONTEXT_ID, val: { bits: 17, shift: 0 } } as const;
  log.code("mx_open_endpoint with 17 bits of context id", (yield* open(0, 60, [bits])).code, mxtop.MX_BAD_PARAM_VAL);
  const strange = { key: 99, val: 0 } as unknown as mxtop.mx_param_t;
  log.code("mx_open_endpoint with parameter 99", (yield* open(0, 60, [strange])).code, mxtop.MX_BAD_PARAM_NAME);
  const any = yield* open(mxtop.MX_ANY_NIC, mxtop.MX_ANY_ENDPOINT, [
    { key: mxtop.MX_PARAM_ERROR_HANDLER, val: mxtop.MX_ERRORS_RETURN },
    { key: mxtop.MX_PARAM_UNEXP_QUEUE_MAX, val: 1 << 20 },
    { key: mxtop.MX_PARAM_CONTEXT_ID, val: { bits: 8, shift: 56 } },
  ]);
  log.code("mx_open_endpoint anywhere, with parameters", any.code);
  const shared = any.endpoint!;
  const open_mask = yield* mx.mx_irecv(shared, [], 0, 0n, 0n, null);
  log.code("mx_irecv across context ids", open_mask.code, mxtop.MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK);
  log.code("mx_close_endpoint of that one", yield* mx.mx_close_endpoint(shared));
  void endpoint;
}

function* names(guest: Guest, log: Log, endpoint: mx_endpoint_t) {
  const { mx } = guest;
  const board = yield* mx.mx_board_number_to_nic_id(0);
  log.code("mx_board_number_to_nic_id", board.code);
  const none = yield* mx.mx_board_number_to_nic_id(9);
  log.code("mx_board_number_to_nic_id of board 9", none.code, mxtop.MX_BOARD_UNKNOWN);
  const number = yield* mx.mx_nic_id_to_board_number(board.nic_id);
  log.code("mx_nic_id_to_board_number", number.code);
  log.value("  which is board", number.board_number, number.board_number === 0);
  const stranger = yield* mx.mx_nic_id_to_board_number(1n);
  log.code("mx_nic_id_to_board_number of nobody", stranger.code, mxtop.MX_BOARD_UNKNOWN);
  const host = yield* mx.mx_nic_id_to_hostname(board.nic_id);
  log.code("mx_nic_id_to_hostname", host.code);
  log.value("  which is", host.hostname, host.hostname === guest.hostname(0));
  const id = yield* mx.mx_hostname_to_nic_id(host.hostname);
  log.code("mx_hostname_to_nic_id", id.code);
  log.value("  which is", id.nic_id.toString(16), id.nic_id === board.nic_id);
  const nowhere = yield* mx.mx_hostname_to_nic_id("nowhere");
  log.code("mx_hostname_to_nic_id of nowhere", nowhere.code, mxtop.MX_HOST_NOT_FOUND);
  const own = mx.mx_get_endpoint_addr(endpoint);
  log.code("mx_get_endpoint_addr", own.code);
  const parts = mx.mx_decompose_endpoint_addr(own.address!);
  log.code("mx_decompose_endpoint_addr", parts.code);
  log.value("  endpoint", parts.endpoint_id, parts.endpoint_id === guest.endpoint(0) && parts.nic_id === board.nic_id);
  const more = mx.mx_decompose_endpoint_addr2(own.address!);
  log.code("mx_decompose_endpoint_addr2", more.code);
  log.value("  session", more.session_id.toString(16), more.session_id > 0);
}

function* connecting(guest: Guest, log: Log, endpoint: mx_endpoint_t) {
  const { mx } = guest;
  const { nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(1));
  const id = guest.endpoint(1);
  yield* guest.sleep(300); // the partner is open by then
  const connect = (nic: bigint, number: number, key: number) => mx.mx_connect(endpoint, nic, number, key, 2000);
  log.code("mx_connect to nobody", (yield* connect(1n, id, KEY)).code, mxtop.MX_NIC_NOT_FOUND);
  log.code("mx_connect to a closed endpoint", (yield* connect(nic_id, 77, KEY)).code, mxtop.MX_CONNECTION_FAILED);
  log.code("mx_connect with another key", (yield* connect(nic_id, id, 1)).code, mxtop.MX_BAD_CONNECTION_KEY);
  const connected = yield* connect(nic_id, id, KEY);
  log.code("mx_connect", connected.code);
  const partner = connected.address!;
  const again = yield* mx.mx_iconnect(endpoint, nic_id, id, KEY, 0x77n, "context of a connect");
  log.code("mx_iconnect", again.code);
  const done = yield* mx.mx_wait(endpoint, again.request!, 2000);
  log.code("mx_wait for it", done.code);
  log.status("mx_iconnect", done.status, mxtop.MX_STATUS_SUCCESS, 0);
  log.code("mx_set_endpoint_addr_context", mx.mx_set_endpoint_addr_context(partner, "partner"));
  const context = mx.mx_get_endpoint_addr_context(done.status!.source!);
  log.code("mx_get_endpoint_addr_context", context.code);
  log.value("  which is", context.context, context.context === "partner");
  return partner;
}

function* information(guest: Guest, log: Log, endpoint: mx_endpoint_t) {
  const keys = { MX_NIC_COUNT: 1, MX_NIC_IDS: 2, MX_MAX_NATIVE_ENDPOINTS: 3, MX_NATIVE_REQUESTS: 4 } as const;
  const counters = { MX_COUNTERS_COUNT: 5, MX_COUNTERS_LABELS: 6, MX_COUNTERS_VALUES: 7 } as const;
  const board = { MX_PRODUCT_CODE: 8, MX_PART_NUMBER: 9, MX_SERIAL_NUMBER: 10, MX_PORT_COUNT: 11 } as const;
  const limits = { MX_PIO_SEND_MAX: 12, MX_COPY_SEND_MAX: 13, MX_NUMA_NODE: 14, MX_NET_TYPE: 15, MX_LINE_SPEED: 16 };
  for (const [name, key] of Object.entries({ ...keys, ...counters, ...board, ...limits })) {
    const { code, value } = yield* guest.mx.mx_get_info(endpoint, key, 0);
    const text = Array.isArray(value) ? `${value.length} of them` : String(value);
    // The counters of a Xen2MX guest's board are dom0's, and its ring has no handler for them.
    const isHidden = key === mxtop.MX_COUNTERS_VALUES && value === null;
    log.code(`mx_get_info ${name} = ${text}, code`, code, isHidden ? mxtop.MX_NO_PERM : mxtop.MX_SUCCESS);
  }
  const bad = yield* guest.mx.mx_get_info(endpoint, 99, 0);
  log.code("mx_get_info of key 99", bad.code, mxtop.MX_BAD_INFO_KEY);
}

/** Numbers of the messages between the two ranks, as match information. */
const TINY = 1n;
const SYNC = 2n;
const LARGE = 3n;
const PROBED = 4n;
const CUT = 5n;
const SILENT = 6n;
const HANDLED = 7n;
const BYE = 8n;

function* messages(guest: Guest, log: Log, endpoint: mx_endpoint_t, partner: mx_endpoint_addr_t) {
  const { mx } = guest;
  const buffer = guest.alloc(100_000);
  const many = Array.from({ length: 257 }, () => buffer.segment(0, 1));
  const send = (segments: readonly mxtop.mx_segment_t[], match: bigint) =>
    mx.mx_isend(endpoint, segments, segments.length, partner, match, match);
  log.code("mx_isend of 257 segments", (yield* send(many, 0n)).code, mxtop.MX_BAD_SEG_CNT);
  const outside = { segment_ptr: 2 ** 40, segment_length: 8 };
  log.code("mx_isend of memory that is not there", (yield* send([outside], 0n)).code, mxtop.MX_BAD_SEG_MEM);
  const bits = yield* mx.mx_irecv(endpoint, [], 0, 0xffn, 0x0fn, null);
  log.code("mx_irecv with match bits outside the mask", bits.code, mxtop.MX_BAD_MATCH_MASK);
  buffer.write("hello");
  const tiny = yield* send([buffer.segment(0, 3), buffer.segment(3, 2)], TINY);
  log.code("mx_isend in two segments", tiny.code);
  const buffered = yield* mx.mx_ibuffered(endpoint, tiny.request!);
  log.code("mx_ibuffered", buffered.code);
  log.value("  buffered", buffered.result, buffered.result);
  const context = mx.mx_context(tiny.request!);
  log.code("mx_context", context.code);
  log.value("  which is", context.context, context.context === TINY);
  yield* end(guest, log, endpoint, "mx_isend", tiny.request, mxtop.MX_STATUS_SUCCESS, 5);
  const sync = yield* mx.mx_issend(endpoint, [], 0, partner, SYNC, null);
  log.code("mx_issend of 0 bytes", sync.code);
  yield* end(guest, log, endpoint, "mx_issend", sync.request, mxtop.MX_STATUS_SUCCESS, 0);
  const large = yield* send([buffer.segment()], LARGE);
  log.code("mx_isend of 100000 bytes", large.code);
  log.code("mx_set_request_timeout", mx.mx_set_request_timeout(endpoint, large.request!, 5000));
  log.code("mx_set_request_timeout of the endpoint", mx.mx_set_request_timeout(endpoint, null, 60_000));
  log.code("mx_cancel of a send", (yield* mx.mx_cancel(endpoint, large.request!)).code, mxtop.MX_BAD_REQUEST);
  yield* end(guest, log, endpoint, "mx_isend", large.request, mxtop.MX_STATUS_SUCCESS, 100_000);
  const used = yield* mx.mx_test(endpoint, large.request!);
  log.code("mx_test of a request that is used up", used.code, mxtop.MX_BAD_REQUEST);
  const cut = yield* send([buffer.segment()], CUT);
  yield* end(guest, log, endpoint, "mx_isend that is cut", cut.request, mxtop.MX_STATUS_TRUNCATED, 1000);
}

function* completions(guest: Guest, log: Log, endpoint: mx_endpoint_t, partner: mx_endpoint_addr_t) {
  const { mx } = guest;
  const receive = yield* mx.mx_irecv(endpoint, [], 0, PROBED, EXACT, "wanted");
  log.code("mx_irecv", receive.code);
  const early = yield* mx.mx_test(endpoint, receive.request!);
  log.code("mx_test", early.code);
  log.value("  result", early.result, !early.result);
  const waited = yield* mx.mx_wait(endpoint, receive.request!, 1);
  log.code("mx_wait for 1 ms", waited.code);
  log.value("  result", waited.result, !waited.result);
  guest.alarm(200, () => log.code("mx_wakeup", mx.mx_wakeup(endpoint)));
  const woken = yield* mx.mx_wait_any(endpoint, mxtop.MX_INFINITE, 0x999n, EXACT);
  log.code("mx_wait_any until it is woken", woken.code);
  log.value("  result", woken.result, !woken.result);
  log.code("mx_ipeek", (yield* mx.mx_ipeek(endpoint)).code);
  yield* mx.mx_isend(endpoint, [], 0, partner, PROBED, null); // answered by what `receive` waits for
  const peeked = yield* mx.mx_peek(endpoint, 2000);
  log.code("mx_peek", peeked.code);
  const any = yield* mx.mx_wait_any(endpoint, 2000, PROBED, EXACT);
  log.code("mx_wait_any", any.code);
  log.status("mx_wait_any", any.status, mxtop.MX_STATUS_SUCCESS, 0);
  const rest = yield* mx.mx_wait_any(endpoint, 2000, PROBED, EXACT);
  log.code("mx_wait_any of the other", rest.code);
  log.code("mx_test_any of nothing", (yield* mx.mx_test_any(endpoint, 0x999n, EXACT)).code);
  const silent = yield* mx.mx_isend(endpoint, [], 0, partner, SILENT, null);
  log.code("mx_forget", yield* mx.mx_forget(endpoint, silent.request!));
  log.code("mx_test of a forgotten request", (yield* mx.mx_test(endpoint, silent.request!)).code, mxtop.MX_BAD_REQUEST);
  const unwanted = yield* mx.mx_irecv(endpoint, [], 0, 0x555n, EXACT, null);
  const cancelled = yield* mx.mx_cancel(endpoint, unwanted.request!);
  log.code("mx_cancel", cancelled.code);
  log.value("  result", cancelled.result, cancelled.result);
  log.code("mx_disable_progression", yield* mx.mx_disable_progression(endpoint));
  log.code("mx_reenable_progression", yield* mx.mx_reenable_progression(endpoint));
  log.code("mx_progress", yield* mx.mx_progress(endpoint));
}

function* unexpected(guest: Guest, log: Log, endpoint: mx_endpoint_t, partner: mx_endpoint_addr_t) {
  const { mx } = guest;
  yield* mx.mx_isend(endpoint, [], 0, partner, HANDLED, null); // twice answered: one to probe, one for the handler
  const probed = yield* mx.mx_probe(endpoint, 2000, HANDLED, EXACT);
  log.code("mx_probe", probed.code);
  log.status("mx_probe", probed.status, probed.status?.code ?? 0, probed.status?.xfer_length ?? 0);
  const there = yield* mx.mx_iprobe(endpoint, HANDLED, EXACT);
  log.code("mx_iprobe", there.code);
  log.value("  result", there.result, there.result);
  const into = guest.alloc(16);
  const receive = yield* mx.mx_irecv(endpoint, [into.segment()], 1, HANDLED, EXACT, null);
  yield* end(guest, log, endpoint, "mx_irecv", receive.request, mxtop.MX_STATUS_SUCCESS, 4);
  let seen = 0;
  const code = yield* mx.mx_register_unexp_handler(endpoint, (_context, _source, _match, length, data) => {
    seen = data === null ? -1 : length;
    return mxtop.MX_RECV_FINISHED;
  }, null);
  log.code("mx_register_unexp_handler", code);
  yield* mx.mx_isend(endpoint, [], 0, partner, HANDLED, null);
  for (let i = 0; i < 100 && seen === 0; i++) yield* mx.mx_wait_any(endpoint, 1, 0x999n, EXACT);
  log.value("  the handler saw a message of", `${seen} bytes`, seen === 4);
  log.code("mx_register_unexp_handler of nothing", yield* mx.mx_register_unexp_handler(endpoint, null, null));
}

function* ending(guest: Guest, log: Log, endpoint: mx_endpoint_t, partner: mx_endpoint_addr_t) {
  const { mx } = guest;
  const bye = yield* mx.mx_issend(endpoint, [], 0, partner, BYE, null);
  yield* end(guest, log, endpoint, "the last mx_issend", bye.request, mxtop.MX_STATUS_SUCCESS, 0);
  log.code("mx_disconnect", yield* mx.mx_disconnect(endpoint, partner));
  const gone = yield* mx.mx_isend(endpoint, [], 0, partner, 0n, null);
  log.code("mx_isend to an address that is gone", gone.code, mxtop.MX_BAD_ADDR_LIST);
  log.code("mx_set_error_handler", mx.mx_set_error_handler(mxtop.MX_ERRORS_RETURN));
  for (const name of ["mx_iput", "mx_iget", "mx_buffered", "mx_register_unexp_callback"] as const) {
    let ended = "";
    try {
      mx[name]();
    } catch (error) {
      ended = (error as Error).message;
    }
    log.value(`${name}, which Open-MX does not implement, would end the program`, ended, ended !== "");
  }
}

function* end(
  guest: Guest,
  log: Log,
  endpoint: mx_endpoint_t,
  call: string,
  request: mx_request_t | null,
  wanted: number,
  bytes: number,
) {
  const { code, status } = yield* guest.mx.mx_wait(endpoint, request!, 5000);
  log.code(`mx_wait for ${call}`, code);
  log.status(call, status, wanted, bytes);
}

/** The other side: takes what rank 0 sends, and answers where rank 0 waits for something. */
function* partnerOf(guest: Guest, endpoint: mx_endpoint_t) {
  const { mx } = guest;
  const { nic_id } = yield* mx.mx_hostname_to_nic_id(guest.hostname(0));
  let address: mx_endpoint_addr_t | null = null;
  while (address === null) {
    // Rank 0 may not be open yet.
    ({ address } = yield* mx.mx_connect(endpoint, nic_id, guest.endpoint(0), KEY, mxtop.MX_INFINITE));
    if (address === null) yield* guest.sleep(100);
  }
  const buffer = guest.alloc(100_000);
  const take = function* (match: bigint, bytes: number) {
    const { request } = yield* mx.mx_irecv(endpoint, [buffer.segment(0, bytes)], 1, match, EXACT, null);
    return (yield* mx.mx_wait(endpoint, request!, mxtop.MX_INFINITE)).status!;
  };
  const answer = function* (match: bigint, bytes: number) {
    const { request } = yield* mx.mx_isend(endpoint, [buffer.segment(0, bytes)], 1, address, match, null);
    yield* mx.mx_wait(endpoint, request!, mxtop.MX_INFINITE);
  };
  yield* take(TINY, 100);
  guest.check(buffer.text(5) === "hello", "the two segments have arrived");
  yield* take(SYNC, 0);
  yield* take(LARGE, 100_000);
  yield* take(CUT, 1000);
  yield* take(PROBED, 0);
  yield* answer(PROBED, 0);
  yield* take(SILENT, 0);
  yield* take(HANDLED, 0);
  yield* answer(HANDLED, 4);
  yield* take(HANDLED, 0);
  yield* answer(HANDLED, 4);
  yield* take(BYE, 0);
  // The partner's last messages may still want an answer.
  for (let i = 0; i < 20; i++) yield* mx.mx_wait_any(endpoint, 1, 0x999n, EXACT);
}
