import { MS, SECOND } from "../base/units.ts";
import type { MxAddress, MxEndpoint, WaitOptions } from "../mx/api.ts";
import { MX_NIC_NOT_FOUND } from "../mx/status.ts";
import { assert } from "../base/assert.ts";
import type { Wait } from "../hw/thread.ts";
import type { ProcessContext } from "./workload.ts";

/** Application key of the built-in workloads (mx_pingpong's filter). */
export const KEY = 0x12345;
/**
 * How long the library repeats a connect that is not answered. Giving up early is not harmless: it resets this side's
 * sequences, and a partner that has our session already does not hear of it.
 */
const PATIENCE = 60 * SECOND;
/** Before the next look for a host that the driver does not know yet. */
const UNKNOWN_PAUSE = 10 * MS;
/** Rounds of connecting before a workload gives up. */
const ATTEMPTS = 200;

/** Opens the rank's endpoint. */
export function* openEndpoint(context: ProcessContext): Generator<Wait, MxEndpoint> {
  const endpoint = yield* context.mx.openEndpoint(context.endpointOf(context.rank), KEY);
  assert(endpoint !== null, "workload: every rank has an endpoint number of its own");
  return endpoint;
}

/** Nobody sends this. */
const NOTHING = 0xffffffff;

/**
 * Connects to another rank, which may not have opened its endpoint yet: tries again every half millisecond, asleep in
 * between. `waiting` says how the process waits for the answer, polling by default.
 */
export function* connectTo(
  context: ProcessContext,
  endpoint: MxEndpoint,
  rank: number,
  waiting: WaitOptions = {},
): Generator<Wait, MxAddress> {
  const address = yield* tryConnect(context, endpoint, rank, waiting);
  if (address === null) throw new Error(`${context.name} could not connect to rank ${rank}`);
  return address;
}

/** The same; null when the other rank cannot be reached, or is through with its work and has closed. */
export function* tryConnect(
  context: ProcessContext,
  endpoint: MxEndpoint,
  rank: number,
  waiting: WaitOptions = {},
): Generator<Wait, MxAddress | null> {
  const giveUpAt = context.now() + PATIENCE;
  for (let attempts = 0; attempts < ATTEMPTS;) {
    const host = context.hostOf(rank);
    const { code, address } = yield* endpoint.connect(host, context.endpointOf(rank), KEY, PATIENCE, waiting);
    if (address !== null) return address;
    // Boards that find each other take a while, 5 s if a query has to be repeated.
    const isUnknown = code === MX_NIC_NOT_FOUND && context.now() < giveUpAt;
    if (!isUnknown) attempts++;
    const timeoutPs = isUnknown ? UNKNOWN_PAUSE : MS / 2;
    yield* endpoint.probe(NOTHING, NOTHING, NOTHING, NOTHING, { mode: "block", timeoutPs });
  }
  return null;
}
