import { MS, SECOND } from "../base/units.ts";
import type { MxAddress, MxEndpoint, WaitOptions } from "../mx/api.ts";
import { MX_NIC_NOT_FOUND, mxStrError, STATUS_SUCCESS } from "../mx/status.ts";
import type { Wait } from "../hw/thread.ts";
import { type ProcessContext, RankFailed } from "./workload.ts";

/** Application key of the built-in workloads (mx_pingpong's filter). */
const KEY = 0x12345;
/**
 * How long the library repeats a connect that is not answered. Giving up early is not harmless: it resets this side's
 * sequences, and a partner that has our session already does not hear of it.
 */
const PATIENCE = 60 * SECOND;
/** Before the next look for a host that the driver does not know yet. */
const UNKNOWN_PAUSE = 10 * MS;
/** Rounds of connecting before a workload gives up. */
const ATTEMPTS = 200;

/** Opens the rank's endpoint on a board. Throws {@link RankFailed} when the driver has no room for another one. */
export function* openEndpoint(context: ProcessContext, board = 0): Generator<Wait, MxEndpoint> {
  const endpoint = yield* context.mx.openEndpoint(context.endpointOf(context.rank), KEY, { board });
  if (endpoint === null) throw new RankFailed(`no endpoint on board ${board}: ${mxStrError(context.mx.code)}`);
  return endpoint;
}

export interface ConnectOptions extends WaitOptions {
  /** The endpoint's board, the first one by default. */
  readonly board?: number;
  /** All endpoints of the rank, which answer others meanwhile; the one that connects by default. */
  readonly endpoints?: readonly MxEndpoint[];
  /** Called before each wait: throws what makes connecting pointless. */
  readonly check?: () => void;
  /** Asked after a refusal: whether the other has been there and is through. Else it may be yet to come. */
  readonly isGone?: () => boolean;
}

/**
 * Connects to another rank, which may not have opened its endpoint yet: tries again every half millisecond, asleep in
 * between. The options say how the process waits for the answer, polling by default. Throws {@link RankFailed}.
 */
export function* connectTo(
  context: ProcessContext,
  endpoint: MxEndpoint,
  rank: number,
  options: ConnectOptions = {},
): Generator<Wait, MxAddress> {
  const began = context.now();
  do {
    const address = yield* tryConnect(context, endpoint, rank, options);
    if (address !== null) return address;
  } while (context.now() < began + PATIENCE); // its back end may be stalled
  throw new RankFailed(`no connection to rank ${rank} after ${(context.now() - began) / SECOND} s of trying`);
}

/** The same; null when the other rank cannot be reached, or is through with its work and has closed. */
export function* tryConnect(
  context: ProcessContext,
  endpoint: MxEndpoint,
  rank: number,
  options: ConnectOptions = {},
): Generator<Wait, MxAddress | null> {
  const { board = 0, endpoints = [endpoint] } = options;
  const host = context.hostOf(rank, board);
  const giveUpAt = context.now() + PATIENCE;
  for (let attempts = 0; attempts < ATTEMPTS;) {
    const request = yield* endpoint.iconnect(host, context.endpointOf(rank), KEY, 0, 0, PATIENCE);
    do options.check?.(); while (!(yield* endpoint.waitAmong(endpoints, request, options)));
    const { returnCode } = request;
    const address = request.code === STATUS_SUCCESS ? request.source : null;
    endpoint.release(request);
    if (address !== null) return address;
    if (options.isGone?.()) return null;
    // Boards that find each other take a while, 5 s if a query has to be repeated.
    const isUnknown = returnCode === MX_NIC_NOT_FOUND && context.now() < giveUpAt;
    if (!isUnknown) attempts++;
    const timeoutPs = isUnknown ? UNKNOWN_PAUSE : MS / 2;
    yield* endpoint.waitAmong(endpoints, null, { mode: "block", timeoutPs });
  }
  return null;
}
