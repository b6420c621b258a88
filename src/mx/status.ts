/*
 * Return codes of library calls (mx_return_t, myriexpress.h:65-155) and completion codes of requests
 * (mx_status_code_t, :184-220), with MX's own numbers.
 */
export const MX_SUCCESS = 0;
export const MX_BAD_BAD_BAD = 1;
export const MX_FAILURE = 2;
export const MX_ALREADY_INITIALIZED = 3;
export const MX_NOT_INITIALIZED = 4;
export const MX_NO_DEV = 5;
export const MX_NO_DRIVER = 6;
export const MX_NO_PERM = 7;
export const MX_BOARD_UNKNOWN = 8;
export const MX_BAD_ENDPOINT = 9;
export const MX_BAD_SEG_LIST = 10;
export const MX_BAD_SEG_MEM = 11;
export const MX_BAD_SEG_CNT = 12;
export const MX_BAD_REQUEST = 13;
export const MX_BAD_MATCH_MASK = 14;
export const MX_NO_RESOURCES = 15;
export const MX_BAD_ADDR_LIST = 16;
export const MX_BAD_ADDR_COUNT = 17;
export const MX_BAD_ROOT = 18;
export const MX_NOT_COMPLETED = 19;
export const MX_BUSY = 20;
export const MX_BAD_INFO_KEY = 21;
export const MX_BAD_INFO_VAL = 22;
export const MX_BAD_NIC = 23;
export const MX_BAD_PARAM_LIST = 24;
export const MX_BAD_PARAM_NAME = 25;
export const MX_BAD_PARAM_VAL = 26;
export const MX_BAD_HOSTNAME_ARGS = 27;
export const MX_HOST_NOT_FOUND = 28;
export const MX_REQUEST_PENDING = 29;
export const MX_TIMEOUT = 30;
export const MX_NO_MATCH = 31;
export const MX_BAD_ENDPOINT_ID = 32;
export const MX_CONNECTION_FAILED = 33;
export const MX_BAD_CONNECTION_KEY = 34;
export const MX_BAD_INFO_LENGTH = 35;
export const MX_NIC_NOT_FOUND = 36;
export const MX_BAD_KERNEL_VERSION = 37;
export const MX_BAD_LIB_VERSION = 38;
export const MX_NIC_DEAD = 39;
export const MX_CANCEL_NOT_SUPPORTED = 40;
export const MX_CLOSE_IN_HANDLER = 41;
export const MX_BAD_MATCHING_FOR_CONTEXT_ID_MASK = 42;
export const MX_NOT_SUPPORTED_WITH_CONTEXT_ID = 43;

const RETURN_NAMES = [
  "success",
  "bad bad bad",
  "failure",
  "already initialized",
  "not initialized",
  "no device",
  "no driver",
  "no permission",
  "board unknown",
  "bad endpoint",
  "bad segment list",
  "bad segment memory",
  "bad segment count",
  "bad request",
  "bad match mask",
  "no resources",
  "bad address list",
  "bad address count",
  "bad root",
  "not completed",
  "busy",
  "bad info key",
  "bad info value",
  "bad NIC",
  "bad parameter list",
  "bad parameter name",
  "bad parameter value",
  "bad hostname arguments",
  "host not found",
  "request pending",
  "timeout",
  "no match",
  "bad endpoint id",
  "connection failed",
  "bad connection key",
  "bad info length",
  "NIC not found",
  "bad kernel version",
  "bad library version",
  "NIC dead",
  "cancel not supported",
  "close in handler",
  "bad matching for context id mask",
  "not supported with context id",
] as const;

/** mx_strerror. */
export function mxStrError(code: number): string {
  return RETURN_NAMES[code] ?? "unknown return code";
}

export const STATUS_SUCCESS = 0;
export const STATUS_PENDING = 1;
export const STATUS_BUFFERED = 2;
/** The call itself was refused; its return code says why. */
export const STATUS_REJECTED = 3;
export const STATUS_TIMEOUT = 4;
export const STATUS_TRUNCATED = 5;
export const STATUS_CANCELLED = 6;
export const STATUS_ENDPOINT_UNKNOWN = 7;
export const STATUS_ENDPOINT_CLOSED = 8;
export const STATUS_ENDPOINT_UNREACHABLE = 9;
export const STATUS_BAD_SESSION = 10;
export const STATUS_BAD_KEY = 11;
export const STATUS_BAD_ENDPOINT = 12;
export const STATUS_BAD_RDMAWIN = 13;
export const STATUS_ABORTED = 14;
export const STATUS_EVENTQ_FULL = 15;
export const STATUS_NO_RESOURCES = 16;

const STATUS_NAMES = [
  "success",
  "pending",
  "buffered",
  "rejected",
  "timeout",
  "truncated",
  "cancelled",
  "endpoint unknown",
  "endpoint closed",
  "endpoint unreachable",
  "bad session",
  "bad key",
  "bad endpoint",
  "bad RDMA window",
  "aborted",
  "event queue full",
  "no resources",
] as const;

/** mx_strstatus. */
export function mxStrStatus(code: number): string {
  return STATUS_NAMES[code] ?? "unknown status";
}
