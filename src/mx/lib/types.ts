/*
 * What a guest program sees of addresses and requests; `api.ts` exports it.
 */

/** The address of a remote endpoint (mx_endpoint_addr_t): what connect gives, and the source of a message. */
export interface MxAddress {
  /** Index of the host in the peer table, and the endpoint's number there. */
  readonly peer: number;
  readonly endpoint: number;
  /** Given up by disconnect: no call takes it any more. */
  readonly freed: boolean;
  /** For the program (mx_set_endpoint_addr_context). */
  context: unknown;
}

/**
 * A send, receive or connect under way, then its outcome (mx_request_t and mx_status_t). A successful test or wait has
 * reported it: it leaves the queue of completions, and stays readable until the program gives it back with
 * `endpoint.release`. After that the object may be another request. A program that does not release is correct too, and
 * makes garbage.
 */
export interface MxRequest {
  readonly done: boolean;
  /** STATUS_*: PENDING until done. */
  readonly code: number;
  /** MX_*: why the call itself was refused, MX_SUCCESS otherwise. A refused request is done, with STATUS_REJECTED. */
  readonly returnCode: number;
  /** Sender of a received message; destination of a send or connect. */
  readonly source: MxAddress | null;
  /** Match information of the message. */
  readonly matchA: number;
  readonly matchB: number;
  /** Bytes that were sent, and bytes that arrived in the receive buffer. */
  readonly messageLength: number;
  readonly transferLength: number;
  /** Picoseconds from the send call to the completion of this receive; -1 for anything else. */
  readonly latencyPs: number;
  context: unknown;
}

/** A message that waits for a receive, as probe sees it. */
export type MxMessage = Pick<MxRequest, "source" | "matchA" | "matchB" | "messageLength">;
