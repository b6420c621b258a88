import { formatSize } from "../base/quantity.ts";
import { KIB, MIB, MS, SECOND } from "../base/units.ts";
import { assert } from "../base/assert.ts";
import type { Scenario } from "../cluster/scenario.ts";
import { Session } from "../cluster/session.ts";
import { type StageName, STAGES } from "../metrics/stage.ts";
import type { Path } from "../path/path.ts";
import { linkRateOf as linkRate } from "../hw/profiles/registry.ts";
import { WORKLOADS } from "../workload/registry.ts";

/** What happens in a stage, in the words of the study's slides. */
const WORDS: Readonly<Record<StageName, string>> = {
  library: "Open-MX library",
  syscall: "system call",
  driver: "Open-MX driver",
  frontend: "frontend",
  notification: "notification: event channel, kick or interrupt",
  hypervisor: "hypervisor, or waiting for a physical CPU",
  backend: "backend",
  bridge: "software bridge",
  copy: "payload copy",
  grant: "grant, map, unmap or grant copy",
  pin: "pin and register user pages",
  nic: "NIC and DMA",
  wire: "wire",
  interrupt: "interrupt and packet dispatch",
  wakeup: "wake-up and thread switch",
  poll: "a poller looks",
  queueing: "waiting behind other work",
  application: "waiting for the receive to be posted",
};

/** One step of a message, microseconds from the send call. */
export interface ExplainedStep {
  who: string;
  stage: StageName;
  what: string;
  start_us: number;
  us: number;
  /** Running total. */
  until_us: number;
}

/** One message of a class on a path. */
export interface Explanation {
  class: "tiny" | "medium" | "large";
  size: number;
  size_text: string;
  /** Send call to receive completion; the steps add up to it exactly. */
  latency_us: number;
  steps: ExplainedStep[];
  /** Microseconds by stage, largest first. */
  stages: { stage: StageName; us: number }[];
}

const CLASSES = [
  { name: "tiny", size: 16 },
  { name: "medium", size: 8 * KIB },
  { name: "large", size: MIB },
] as const;

export interface ExplainOptions {
  readonly machine: string;
  readonly costs: Readonly<Record<string, number>>;
  readonly mtu: number;
}

/** Follows one message of each class from one guest to another on a second host, on an otherwise idle cluster. */
export function explainPath(path: Path, options: ExplainOptions): Explanation[] {
  return CLASSES.map(({ name, size }) => explainOne(path, options, name, size));
}

function explainOne(path: Path, options: ExplainOptions, name: Explanation["class"], size: number): Explanation {
  const session = new Session(pingPongOnce(path, options, size));
  const { journeys } = session.cluster.world;
  journeys.record();
  while (!session.finished) session.advance(session.end);
  const steps = journeys.lastSteps;
  assert(steps.length > 0, "explain: the last message was followed");
  const start = steps[0].from;
  const sums = new Map<StageName, number>();
  let total = 0;
  const explained = steps.map(({ stage, place, from, duration }) => {
    const stageName = STAGES[stage];
    sums.set(stageName, (sums.get(stageName) ?? 0) + duration);
    total += duration;
    return {
      who: place,
      stage: stageName,
      what: WORDS[stageName],
      start_us: (from - start) / 1e6,
      us: duration / 1e6,
      until_us: total / 1e6,
    };
  });
  return {
    class: name,
    size,
    size_text: formatSize(size),
    latency_us: total / 1e6,
    steps: explained,
    stages: [...sums].map(([stage, ps]) => ({ stage, us: ps / 1e6 })).sort((x, y) => y.us - x.us),
  };
}

function pingPongOnce(path: Path, { machine, costs, mtu }: ExplainOptions, size: number): Scenario {
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
    link: { rateBps: linkRate(machine), mtu, latencyPs: null, loss: 0 },
    mechanisms: {},
    workload: {
      kind: "pingpong",
      params: pingpong.params.parse({ sizes: [size], iterations: 1, warmup_iterations: 4 }),
    },
    warmupPs: 0,
    durationPs: 10 * SECOND + MS,
    seed: 1,
    faults: [],
    thresholds: [],
  };
}
