import type { MxDriver } from "../mx/driver/contract.ts";
import { COUNTER_LABELS } from "../mx/driver/counters.ts";
import { MAX_ENDPOINTS, RNDV_THRESHOLD, rndvThreshold, SMALL_MAX } from "../mx/limits.ts";
import * as mx from "../mx/status.ts";
import { MxEndpoints } from "./mx_endpoints.ts";
import { AddressHandle, type EndpointHandle } from "./mx_handles.ts";
import * as types from "./mx_types.ts";
import type { Call, mx_endpoint_addr_t, mx_endpoint_t, mx_return_t } from "./mx_types.ts";
import { isU64, shown } from "./mx_values.ts";

type Info = number | string | readonly (number | bigint | string)[];

/** Bytes of a host name with its end (omx_io.h:174). */
const HOSTNAME_MAX = 80;
/** Requests are memory of the library: there is no limit of the board's. */
const NO_LIMIT = 0xffffffff;
const NO_NUMA_NODE = 0xffffffff;
const NET_ETHER = 1;
const SPEED_10G = 1;
const SPEED_OPEN_MX = 2;

/** Addresses, host names, NIC ids and facts about boards (omx_partner.c:68-104, omx__mx_compat.c:595-688). */
export class MxInfo extends MxEndpoints {
  // ---- addresses

  mx_get_endpoint_addr(endpoint: mx_endpoint_t): { code: mx_return_t; address: mx_endpoint_addr_t | null } {
    const ep = this.useEndpoint("mx_get_endpoint_addr", endpoint);
    const own = ep?.endpoint.address() ?? null;
    if (ep === null || own === null) return { code: this.code, address: null };
    return { code: mx.MX_SUCCESS, address: ep.addressHandle(own).public };
  }

  mx_decompose_endpoint_addr(
    address: mx_endpoint_addr_t,
  ): { code: mx_return_t; nic_id: bigint; endpoint_id: number } {
    const { code, nic_id, endpoint_id } = this.#decompose("mx_decompose_endpoint_addr", address);
    return { code, nic_id, endpoint_id };
  }

  mx_decompose_endpoint_addr2(
    address: mx_endpoint_addr_t,
  ): { code: mx_return_t; nic_id: bigint; endpoint_id: number; session_id: number } {
    return this.#decompose("mx_decompose_endpoint_addr2", address);
  }

  #decompose(call: string, value: unknown) {
    const handle = this.#anyAddress(call, value);
    if (handle === null) return { code: this.code, nic_id: 0n, endpoint_id: 0, session_id: 0 };
    const { owner, address } = handle;
    return {
      code: mx.MX_SUCCESS,
      nic_id: BigInt(Math.max(0, owner.endpoint.peerMac(address.peer))),
      endpoint_id: address.endpoint,
      session_id: owner.endpoint.sessionOf(address),
    };
  }

  mx_set_endpoint_addr_context(address: mx_endpoint_addr_t, context: unknown): mx_return_t {
    const handle = this.#anyAddress("mx_set_endpoint_addr_context", address);
    if (handle === null) return this.code;
    handle.address.context = context;
    return mx.MX_SUCCESS;
  }

  mx_get_endpoint_addr_context(address: mx_endpoint_addr_t): { code: mx_return_t; context: unknown } {
    const handle = this.#anyAddress("mx_get_endpoint_addr_context", address);
    if (handle === null) return { code: this.code, context: null };
    return { code: mx.MX_SUCCESS, context: handle.address.context ?? null };
  }

  /** An address of any open endpoint of this program. */
  #anyAddress(call: string, value: unknown): AddressHandle | null {
    const isOwn = AddressHandle.is(value) && value.owner.endpoint.mx === this.mx && value.owner.endpoint.isOpen &&
      !value.address.freed;
    if (isOwn) return value;
    this.fail(call, null, mx.MX_BAD_ADDR_LIST, `${shown(value)} is no address`);
    return null;
  }

  // ---- host names and NIC ids

  // deno-lint-ignore require-yield
  *mx_hostname_to_nic_id(hostname: string): Call<{ code: mx_return_t; nic_id: bigint }> {
    const call = "mx_hostname_to_nic_id";
    if (!this.checkInitialized(call)) return { code: this.code, nic_id: 0n };
    if (typeof hostname !== "string" || hostname.length === 0 || hostname.length >= HOSTNAME_MAX) {
      return { code: this.fail(call, null, mx.MX_BAD_HOSTNAME_ARGS, `host name ${shown(hostname)}`), nic_id: 0n };
    }
    for (const driver of this.#drivers()) {
      const peer = driver.peerByName(hostname);
      if (peer >= 0) return { code: mx.MX_SUCCESS, nic_id: BigInt(driver.peerMac(peer)) };
    }
    return { code: this.fail(call, null, mx.MX_HOST_NOT_FOUND, `host name ${shown(hostname)}`), nic_id: 0n };
  }

  // deno-lint-ignore require-yield
  *mx_nic_id_to_hostname(nic_id: bigint): Call<{ code: mx_return_t; hostname: string }> {
    const call = "mx_nic_id_to_hostname";
    if (!this.checkInitialized(call)) return { code: this.code, hostname: "" };
    for (const driver of isU64(nic_id) ? this.#drivers() : []) {
      const name = driver.peerName(driver.peerByMac(Number(nic_id)));
      if (name !== null) return { code: mx.MX_SUCCESS, hostname: name };
    }
    return { code: this.fail(call, null, mx.MX_HOST_NOT_FOUND, `nic ${shown(nic_id)}`), hostname: "" };
  }

  // deno-lint-ignore require-yield
  *mx_board_number_to_nic_id(board_number: number): Call<{ code: mx_return_t; nic_id: bigint }> {
    const call = "mx_board_number_to_nic_id";
    if (!this.checkInitialized(call)) return { code: this.code, nic_id: 0n };
    if (this.#isBoard(board_number)) {
      return { code: mx.MX_SUCCESS, nic_id: nicIdOf(this.mx.control(board_number)) };
    }
    return { code: this.fail(call, null, mx.MX_BOARD_UNKNOWN, `board ${shown(board_number)}`), nic_id: 0n };
  }

  // deno-lint-ignore require-yield
  *mx_nic_id_to_board_number(nic_id: bigint): Call<{ code: mx_return_t; board_number: number }> {
    const call = "mx_nic_id_to_board_number";
    if (!this.checkInitialized(call)) return { code: this.code, board_number: 0 };
    const board = this.#drivers().findIndex((driver) => nicIdOf(driver) === nic_id);
    if (board >= 0) return { code: mx.MX_SUCCESS, board_number: board };
    return { code: this.fail(call, null, mx.MX_BOARD_UNKNOWN, `nic ${shown(nic_id)}`), board_number: 0 };
  }

  #isBoard(number: unknown): number is number {
    return Number.isInteger(number) && (number as number) >= 0 && (number as number) < this.mx.boards;
  }

  /** By board: a driver that answers questions. */
  #drivers(): MxDriver[] {
    return Array.from({ length: this.mx.boards }, (_, board) => this.mx.control(board));
  }

  // ---- mx_get_info

  // deno-lint-ignore require-yield
  *mx_get_info(
    endpoint: mx_endpoint_t | null,
    key: number,
    in_val: number,
  ): Call<{ code: mx_return_t; value: Info | null }> {
    const call = "mx_get_info";
    if (!this.checkInitialized(call)) return { code: this.code, value: null };
    const ep = endpoint === null ? null : this.useEndpoint(call, endpoint);
    if (endpoint !== null && ep === null) return { code: this.code, value: null };
    const value = this.#general(ep, key) ?? this.#ofBoard(call, ep, key, in_val);
    return value === null ? { code: this.code, value } : { code: mx.MX_SUCCESS, value };
  }

  /** What does not depend on a board; null for other keys. */
  #general(ep: EndpointHandle | null, key: unknown): Info | null {
    switch (key) {
      case types.MX_NIC_COUNT:
        return this.mx.boards;
      case types.MX_NIC_IDS:
        return this.#drivers().map(nicIdOf);
      case types.MX_MAX_NATIVE_ENDPOINTS:
        return MAX_ENDPOINTS;
      case types.MX_NATIVE_REQUESTS:
        return NO_LIMIT;
      case types.MX_COUNTERS_COUNT:
        return COUNTER_LABELS.length;
      case types.MX_COUNTERS_LABELS:
        return [...COUNTER_LABELS];
      case types.MX_PRODUCT_CODE:
      case types.MX_PART_NUMBER:
      case types.MX_SERIAL_NUMBER:
        return "N/A (Open-MX)";
      case types.MX_PORT_COUNT:
        return 1;
      case types.MX_PIO_SEND_MAX:
        return SMALL_MAX;
      case types.MX_COPY_SEND_MAX:
        return ep?.endpoint.rndvThreshold ??
          rndvThreshold(this.libraryOptions.rndvThreshold ?? RNDV_THRESHOLD, this.mx.control(0).info.limits);
      case types.MX_NET_TYPE:
        return NET_ETHER;
      case types.MX_LINE_SPEED:
        return this.mx.control(0).info.limits.compat ? SPEED_10G : SPEED_OPEN_MX;
    }
    return null;
  }

  /** What is asked of one board: the endpoint's, or the one that `number` names. Null, with {@link code}, if wrong. */
  #ofBoard(call: string, ep: EndpointHandle | null, key: unknown, number: unknown): Info | null {
    if (key !== types.MX_COUNTERS_VALUES && key !== types.MX_NUMA_NODE) {
      this.fail(call, ep, mx.MX_BAD_INFO_KEY, `key ${shown(key)}`);
      return null;
    }
    const board = ep === null ? number : ep.endpoint.board;
    if (!Number.isInteger(board)) {
      this.fail(call, ep, mx.MX_BAD_INFO_VAL, `board ${shown(board)}`);
      return null;
    }
    if (!this.#isBoard(board)) {
      this.fail(call, ep, mx.MX_BOARD_UNKNOWN, `board ${shown(board)}`);
      return null;
    }
    if (key === types.MX_NUMA_NODE) return NO_NUMA_NODE;
    const counters = this.mx.control(board).counters();
    if (counters !== null) return Array.from(counters);
    this.fail(call, ep, mx.MX_NO_PERM, "the counters are the driver domain's");
    return null;
  }
}

function nicIdOf(driver: MxDriver): bigint {
  return BigInt(`0x${driver.info.mac}`);
}
