import { MS, SECOND } from "../base/units.ts";
import type { LinkSpec, Scenario } from "../cluster/scenario.ts";
import { linkRateOf as linkRate } from "../hw/profiles/registry.ts";
import type { Mechanisms } from "../path/mechanisms.ts";
import type { Path } from "../path/path.ts";
import { WORKLOADS } from "../workload/registry.ts";

/** On what a single message is followed. */
export interface OneMessageOptions {
  readonly machine: string;
  readonly costs: Readonly<Record<string, number>>;
  readonly mtu: number;
  readonly mechanisms?: Mechanisms;
  /** Replaces `mtu`; nothing is lost on it. Without it: the machine's rate and wire. */
  readonly link?: LinkSpec;
  readonly environment?: Scenario["environment"];
  /** Round trips before the one to look at: 4, or 0 for the first message that comes out of its buffer. */
  readonly warmUps?: number;
}

/** A message on what a scenario runs on, as it is set there. */
export function optionsOf({ machine, costs, mechanisms, link, environment }: Scenario): OneMessageOptions {
  return { machine, costs, mechanisms, link, environment, mtu: link.mtu };
}

/**
 * Two guests of two otherwise idle hosts bounce a message of `sizeBytes` a few times; the one to follow is the last, from
 * the second guest to the first. By then buffers are registered, caches warm, and pollers awake if they ever are.
 */
export function oneMessage(path: Path, options: OneMessageOptions, sizeBytes: number): Scenario {
  const { machine, costs, mtu, mechanisms = {}, link, environment, warmUps = 4 } = options;
  const pingpong = WORKLOADS.find(({ kind }) => kind === "pingpong")!;
  const native = path.hypervisor === "none";
  return {
    name: `explain-${path.name}`,
    title: `one message on ${path.name}`,
    description: "",
    machine,
    costs,
    hosts: ["a", "b"].map((name) => ({ name, cpus: null, native, dom0Vcpus: null })),
    boards: 1,
    guests: [0, 1].map((host) => ({ name: `vm0${host + 1}`, host, path: path.name, vcpus: 1, weight: 256, pin: null })),
    path: path.name,
    link: link === undefined ? { rateBps: linkRate(machine), mtu, latencyPs: null, loss: 0 } : { ...link, loss: 0 },
    mechanisms,
    workload: {
      kind: "pingpong",
      params: pingpong.params.parse({ sizes: [sizeBytes], iterations: 1, warmup_iterations: warmUps }),
    },
    warmupPs: 0,
    durationPs: 10 * SECOND + MS,
    seed: 1,
    faults: [],
    thresholds: [],
    ...(environment === undefined ? {} : { environment }),
  };
}
