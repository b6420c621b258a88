import { allReduce } from "./all_reduce.ts";
import { allToAll } from "./all_to_all.ts";
import { churn } from "./churn.ts";
import { incast } from "./incast.ts";
import { jacobi } from "./jacobi.ts";
import { noisy } from "./noisy.ts";
import { omxPerf } from "./omx_perf.ts";
import { pingpong } from "./pingpong.ts";
import { requestReply } from "./request_reply.ts";
import { stream } from "./stream.ts";
import type { Workload } from "./workload.ts";

/** Every workload by name. */
// deno-lint-ignore no-explicit-any
export const WORKLOADS: readonly Workload<any>[] = [
  pingpong,
  stream,
  noisy,
  requestReply,
  churn,
  omxPerf,
  incast,
  allToAll,
  allReduce,
  jacobi,
];
