import { noisy } from "./noisy.ts";
import { pingpong } from "./pingpong.ts";
import { stream } from "./stream.ts";
import type { Workload } from "./workload.ts";

/** Every workload by name. */
// deno-lint-ignore no-explicit-any
export const WORKLOADS: readonly Workload<any>[] = [pingpong, stream, noisy];
