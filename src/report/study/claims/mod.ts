import type { Claim } from "./claim.ts";
import { LARGE_CLAIMS } from "./large.ts";
import { LATENCY_CLAIMS } from "./latency.ts";
import { SHARING_CLAIMS } from "./sharing.ts";

export type { Claim, ClaimPart } from "./claim.ts";

/** Every claim of the study, in the order of the reference. */
export const CLAIMS: readonly Claim[] = [...LATENCY_CLAIMS, ...LARGE_CLAIMS, ...SHARING_CLAIMS]
  .toSorted((x, y) => (x.id < y.id ? -1 : 1));
