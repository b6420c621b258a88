import { SECOND } from "../../src/base/units.ts";
import { createMxLibrary, type MxLibraryOptions } from "../../src/guest/mx.ts";
import {
  type Call,
  type mx_endpoint_addr_t,
  type mx_endpoint_t,
  MX_ERRORS_RETURN,
  MX_MATCH_MASK_NONE,
  type mx_segment_t,
  type MxLibrary,
} from "../../src/guest/mx_types.ts";
import type { Mx } from "../../src/mx/api.ts";
import { mxStrError, mxStrStatus } from "../../src/mx/status.ts";
import { equal, ok } from "../mx/lib/expect.ts";
import { ToyCluster } from "../mx/lib/toy_cluster.ts";

export { equal, ok };
export const KEY = 0x1234;
export const NONE = MX_MATCH_MASK_NONE;

/** One rank of a test: its library, and memory to send from. */
export interface Rank {
  readonly mx: MxLibrary;
  readonly cluster: ToyCluster;
  readonly low: Mx;
  alloc(bytes: number, seed?: number): number;
}

export type Program = (rank: Rank) => Call<void>;

/** Runs a program for each host of a cluster to its end. */
export function run(programs: Program[], cluster = new ToyCluster(programs.length), options: Options = {}): ToyCluster {
  let ended = 0;
  programs.forEach((program, host) =>
    cluster.hosts[host].start(function* (low) {
      const mx = createMxLibrary({ mx: low, ...options });
      yield* program({ mx, cluster, low, alloc: (bytes, seed) => cluster.alloc(bytes, seed) });
    }, () => ended++)
  );
  cluster.run(options.untilPs ?? 20 * SECOND);
  equal(ended, programs.length, "programs that came to their end");
  return cluster;
}

type Options = Partial<MxLibraryOptions> & { readonly untilPs?: number };

/** An endpoint with an address of the other side's, and what a test wants to send. */
export interface Connected extends Rank {
  readonly ep: mx_endpoint_t;
  readonly to: mx_endpoint_addr_t;
}

/** Two ranks that have connected both ways and return errors instead of ending. */
export function pair(
  scripts: { a: (side: Connected) => Call<void>; b: (side: Connected) => Call<void> },
  cluster = new ToyCluster(2),
  options: Options = {},
): ToyCluster {
  const side = (own: number, script: (side: Connected) => Call<void>): Program =>
    function* (rank) {
      const { mx } = rank;
      mx.mx_set_error_handler(MX_ERRORS_RETURN);
      returns("success", yield* mx.mx_init());
      const { endpoint } = yield* mx.mx_open_endpoint(0, own + 1, KEY, [], 0);
      const { nic_id } = yield* mx.mx_hostname_to_nic_id(cluster.hosts[1 - own].name);
      const { code, address } = yield* mx.mx_connect(endpoint!, nic_id, 2 - own, KEY, 5000);
      returns("success", code);
      // Until the other side has connected too.
      yield* mx.mx_probe(endpoint!, 1, 0xffffn, NONE);
      yield* script({ ...rank, ep: endpoint!, to: address! });
      yield* mx.mx_probe(endpoint!, 1500, 0xffffn, NONE);
      returns("success", yield* mx.mx_close_endpoint(endpoint!));
      returns("success", yield* mx.mx_finalize());
    };
  return run([side(0, scripts.a), side(1, scripts.b)], cluster, options);
}

export function segment(segment_ptr: number, segment_length: number): mx_segment_t {
  return { segment_ptr, segment_length };
}

/** A return code by its name. */
export function returns(name: string, code: number): void {
  equal(mxStrError(code), name, "return code");
}

export function status(name: string, code: number): void {
  equal(mxStrStatus(code), name, "status");
}
