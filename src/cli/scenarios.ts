import aggregate256k from "../../scenarios/aggregate-256k.yaml" with { type: "text" };
import allReduce from "../../scenarios/all-reduce.yaml" with { type: "text" };
import allToAll from "../../scenarios/all-to-all.yaml" with { type: "text" };
import bridgeDom0 from "../../scenarios/bridge-dom0.yaml" with { type: "text" };
import churn from "../../scenarios/churn.yaml" with { type: "text" };
import incast from "../../scenarios/incast.yaml" with { type: "text" };
import intraNode from "../../scenarios/intra-node.yaml" with { type: "text" };
import jacobi from "../../scenarios/jacobi.yaml" with { type: "text" };
import latency16k from "../../scenarios/latency-16k.yaml" with { type: "text" };
import noisyNeighbour from "../../scenarios/noisy-neighbour.yaml" with { type: "text" };
import omxPerf from "../../scenarios/omx-perf.yaml" with { type: "text" };
import pingpongSweep from "../../scenarios/pingpong-sweep.yaml" with { type: "text" };
import pingpongTiny from "../../scenarios/pingpong-tiny.yaml" with { type: "text" };
import requestReply from "../../scenarios/request-reply.yaml" with { type: "text" };
import scale400Vms from "../../scenarios/scale-400-vms.yaml" with { type: "text" };
import scale4000Vms from "../../scenarios/scale-4000-vms.yaml" with { type: "text" };
import scale40Vms from "../../scenarios/scale-40-vms.yaml" with { type: "text" };
import smallMessages40 from "../../scenarios/small-messages-40.yaml" with { type: "text" };
import streamBothWays from "../../scenarios/stream-both-ways.yaml" with { type: "text" };
import throughput4m from "../../scenarios/throughput-4m.yaml" with { type: "text" };
import tour40Vms from "../../scenarios/tour-40-vms.yaml" with { type: "text" };
import tourBridge44Us from "../../scenarios/tour-bridge-44-us.yaml" with { type: "text" };
import tourXen2mx from "../../scenarios/tour-xen2mx.yaml" with { type: "text" };
import twoRails from "../../scenarios/two-rails.yaml" with { type: "text" };

/** A scenario that comes with mxtop. Part of the program's modules, so that reading it needs no permission. */
export interface BuiltIn {
  readonly name: string;
  readonly title: string;
  /** The dashboard's key for it. */
  readonly number: number;
  readonly text: string;
}

/** The built-in scenarios, in the order in which the dashboard goes through them; the first nine have keys. */
export const BUILT_IN: readonly BuiltIn[] = [
  pingpongTiny,
  pingpongSweep,
  throughput4m,
  streamBothWays,
  scale40Vms,
  intraNode,
  aggregate256k,
  smallMessages40,
  latency16k,
  bridgeDom0,
  twoRails,
  requestReply,
  churn,
  noisyNeighbour,
  omxPerf,
  incast,
  allToAll,
  allReduce,
  jacobi,
  tourBridge44Us,
  tourXen2mx,
  tour40Vms,
  scale400Vms,
  scale4000Vms,
].map((text, i) => ({ name: field(text, "name"), title: field(text, "title"), number: i + 1, text }));

/** A top-level text of a built-in file, whose form we know: the whole file is read when it is run. */
function field(text: string, key: string): string {
  return new RegExp(`^${key}: (.*)$`, "m").exec(text)?.[1] ?? "";
}
