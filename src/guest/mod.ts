/*
 * What a guest program imports as "mxtop": the types of the contract, MX's constants by their names, and the
 * collective layer. Nothing else of mxtop is for programs.
 */
export * from "./mx_types.ts";
export type { Guest, GuestBuffer, GuestMain } from "./guest.ts";
export * from "./mx_codes.ts";
export { ANY_RANK, Communicator, type Operation, type Received } from "./collective.ts";
