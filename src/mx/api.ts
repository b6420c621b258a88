/*
 * What a guest program calls: MX's functions as generators. A program is a generator itself and calls
 * `yield* endpoint.isend(...)`; what passes through it are the ways its thread waits. Calls never throw for what a
 * program, a peer or the network gets wrong: `endpoint.code` has the return code of the last call, a request its status.
 * Times are picoseconds, lengths bytes, addresses byte offsets in `memory`; 64-bit match information is two unsigned
 * words, A the upper. Progress is made only inside calls, as in MX.
 */

export { connectCode } from "./connecting.ts";
export { PendingAny, PendingWait, WAIT_OVER } from "./lib/completion.ts";
export { MxEndpoint } from "./endpoint.ts";
export { ANY_NUMBER, Mx, type MxOptions, type OpenOptions } from "./process.ts";
export { UNEXP_CONTINUE, UNEXP_FINISHED, type UnexpectedHandler } from "./lib/core.ts";
export type { Segment } from "./driver/contract.ts";
export type { MxAddress, MxMessage, MxRequest } from "./lib/types.ts";
export type { QuickCall, WaitOptions } from "./lib/calls.ts";
export type { LibraryOptions } from "./lib/core.ts";
export type { LibraryCounters, LibraryOccupancy } from "./lib/counters.ts";
