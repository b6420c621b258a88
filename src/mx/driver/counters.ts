/**
 * The driver's counters, in the order and with the meaning of omx_counters (omx_io.h:1022-1295): send counters at
 * transmit, receive counters after the event was delivered, pulls and NACK_MCP at entry; shared counters, in place of
 * both, when the other endpoint of this host has its event.
 */
export const COUNTER_LABELS = [
  "send tiny",
  "send small",
  "send mediumsq frag",
  "send mediumva frag",
  "send rndv",
  "send notify",
  "send connect request",
  "send connect reply",
  "send liback",
  "send nack lib",
  "send nack mcp",
  "send pull request",
  "send pull reply",
  "send raw",
  "send host query",
  "send host reply",
  "recv tiny",
  "recv small",
  "recv medium frag",
  "recv rndv",
  "recv notify",
  "recv connect request",
  "recv connect reply",
  "recv liback",
  "recv nack lib",
  "recv nack mcp",
  "recv pull request",
  "recv pull reply",
  "recv raw",
  "recv host query",
  "recv host reply",
  "dma recv medium",
  "dma recv partial medium",
  "dma recv pull reply",
  "dma recv partial pull reply",
  "dma deferred wait",
  "nonlinear header",
  "expected event queue full",
  "unexpected event queue full",
  "send buffer allocation failed",
  "medium deferred event allocation failed",
  "mediumsq sent linear",
  "pull non-first block done early",
  "pull request not only first block",
  "pull timeout first block",
  "pull timeout non-first block",
  "pull timeout abort",
  "pull reply linear",
  "pull reply fill failed",
  "drop bad header length",
  "drop bad data length",
  "drop bad frame length",
  "drop bad peer address",
  "drop bad peer index",
  "drop bad endpoint",
  "drop bad session",
  "drop bad pull replies",
  "drop bad pull region",
  "drop bad pull offset or length",
  "drop pull reply bad magic",
  "drop pull reply bad handle",
  "drop pull reply bad sequence wrap",
  "drop pull reply bad sequence",
  "drop pull reply duplicate",
  "drop nack mcp bad magic",
  "drop nack mcp bad handle",
  "drop host reply bad magic",
  "drop raw queue full",
  "drop raw too large",
  "drop not implemented type",
  "drop invalid type",
  "drop unknown type",
  "shared tiny",
  "shared small",
  "shared mediumsq frag",
  "shared mediumva",
  "shared rndv",
  "shared notify",
  "shared connect request",
  "shared connect reply",
  "shared liback",
  "shared pull",
  "shared dma medium",
  "shared dma large",
  "shared dma partial large",
] as const;

export const SEND_TINY = 0;
export const SEND_SMALL = 1;
export const SEND_MEDIUM_FRAG = 2;
export const SEND_MEDIUM_VA = 3;
export const SEND_RNDV = 4;
export const SEND_NOTIFY = 5;
export const SEND_CONNECT_REQUEST = 6;
export const SEND_CONNECT_REPLY = 7;
export const SEND_LIBACK = 8;
export const SEND_NACK_LIB = 9;
export const SEND_NACK_MCP = 10;
export const SEND_PULL_REQUEST = 11;
export const SEND_PULL_REPLY = 12;
export const SEND_RAW = 13;
export const SEND_HOST_QUERY = 14;
export const SEND_HOST_REPLY = 15;
export const RECV_TINY = 16;
export const RECV_SMALL = 17;
export const RECV_MEDIUM_FRAG = 18;
export const RECV_RNDV = 19;
export const RECV_NOTIFY = 20;
export const RECV_CONNECT_REQUEST = 21;
export const RECV_CONNECT_REPLY = 22;
export const RECV_LIBACK = 23;
export const RECV_NACK_LIB = 24;
export const RECV_NACK_MCP = 25;
export const RECV_PULL_REQUEST = 26;
export const RECV_PULL_REPLY = 27;
export const RECV_RAW = 28;
export const RECV_HOST_QUERY = 29;
export const RECV_HOST_REPLY = 30;
export const DMA_RECV_PULL_REPLY = 33;
export const DMA_DEFERRED_WAIT = 35;
export const EXP_QUEUE_FULL = 37;
export const UNEXP_QUEUE_FULL = 38;
export const BUFFER_ALLOC_FAILED = 39;
export const MEDIUM_SENT_LINEAR = 41;
export const PULL_NON_FIRST_EARLY = 42;
export const PULL_NOT_ONLY_FIRST = 43;
export const PULL_TIMEOUT_FIRST = 44;
export const PULL_TIMEOUT_NON_FIRST = 45;
export const PULL_TIMEOUT_ABORT = 46;
export const PULL_REPLY_LINEAR = 47;
export const PULL_REPLY_FILL_FAILED = 48;
export const DROP_BAD_HEADER = 49;
export const DROP_BAD_DATALEN = 50;
export const DROP_BAD_FRAMELEN = 51;
export const DROP_BAD_PEER_ADDR = 52;
export const DROP_BAD_PEER_INDEX = 53;
export const DROP_BAD_ENDPOINT = 54;
export const DROP_BAD_SESSION = 55;
export const DROP_PULL_BAD_REPLIES = 56;
export const DROP_PULL_BAD_REGION = 57;
export const DROP_PULL_BAD_OFFSET = 58;
export const DROP_REPLY_BAD_MAGIC = 59;
export const DROP_REPLY_BAD_HANDLE = 60;
export const DROP_REPLY_BAD_WRAP = 61;
export const DROP_REPLY_BAD_SEQ = 62;
export const DROP_REPLY_DUPLICATE = 63;
export const DROP_NACK_BAD_MAGIC = 64;
export const DROP_NACK_BAD_HANDLE = 65;
export const DROP_HOST_REPLY_BAD_MAGIC = 66;
export const DROP_RAW_QUEUE_FULL = 67;
export const DROP_RAW_TOO_LARGE = 68;
export const DROP_NOT_IMPLEMENTED = 69;
export const DROP_INVALID = 70;
export const DROP_UNKNOWN = 71;
export const SHARED_TINY = 72;
export const SHARED_SMALL = 73;
export const SHARED_MEDIUM = 74;
export const SHARED_MEDIUM_VA = 75;
export const SHARED_RNDV = 76;
export const SHARED_NOTIFY = 77;
export const SHARED_CONNECT_REQUEST = 78;
export const SHARED_CONNECT_REPLY = 79;
export const SHARED_LIBACK = 80;
export const SHARED_PULL = 81;
export const SHARED_DMA_LARGE = 83;
