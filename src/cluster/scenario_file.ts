import type { z } from "zod";
import type { MachineProfile } from "../hw/machine_profile.ts";
import { formatSize } from "../base/quantity.ts";
import { GIB, MIB, TIME_LIMIT_PS, US } from "../base/units.ts";
import { queueBytes } from "../mx/driver/event_queues.ts";
import type { Environment } from "../mx/environment.ts";
import type { PacketLossSpec } from "../mx/driver/packet_loss.ts";
import { mxLimits } from "../mx/limits.ts";
import { NET_QUEUE_BYTES } from "../path/mechanisms.ts";
import { NATIVE_ENTRIES } from "../path/native.ts";
import { type Workload, WorkloadError } from "../workload/workload.ts";
import { PROGRAM_KIND } from "../guest/program.ts";
import type { ProgramSpec, Scenario } from "./scenario.ts";
import { checkGuests, resolveGuests, resolveHosts } from "./scenario_layout.ts";
import { resolveFaults } from "./scenario_faults.ts";
import { ProblemList } from "./scenario_problem.ts";
import { type Catalogue, type PathInfo, scenarioSchema, workloadKindSchema } from "./scenario_schema.ts";
import { objectSchema } from "./scenario_shape.ts";
import { type Override, ScenarioSource } from "./scenario_source.ts";
import { checkTables } from "./scenario_tables.ts";
import { metricsIn } from "./tour.ts";

export { type Problem, ScenarioError } from "./scenario_problem.ts";
export { type Catalogue, GUEST_LIMIT, HOST_LIMIT, type PathInfo, scenarioJsonSchema } from "./scenario_schema.ts";
export { type Override, parseSet } from "./scenario_source.ts";

/** A scenario file as its schema delivers it. */
export type ScenarioFile = z.infer<ReturnType<typeof scenarioSchema>>;
type EnvironmentBlock = NonNullable<ScenarioFile["environment"]>;

/** What a scenario is read with: the names that it may use, and what stands in the place of its own values. */
export interface LoadOptions extends Catalogue {
  /** Name of the file, for messages. */
  readonly file: string;
  /** Values of options, put in place of the file's before anything is checked. */
  readonly overrides?: readonly Override[];
  /** What is known of the guest program that the scenario names, once it has been read. */
  readonly program?: { readonly source: string; readonly memoryBytes: number };
  /** Says what is wrong with a threshold expression, or null. The metrics belong to a layer above this one. */
  readonly checkThreshold?: (expression: string, scenario: Scenario) => string | null;
}

/**
 * Reads a scenario: YAML, options, schema, and what the parts mean together. Throws {@link ScenarioError} with every
 * problem found, each with its file, line and column (or its option), the value found and what is wanted.
 */
export function loadScenario(text: string, options: LoadOptions): Scenario {
  const source = new ScenarioSource(text, options.file, options.overrides ?? []);
  const problems = new ProblemList(source);
  const { file, params } = checkSchema(source, problems, options);
  problems.raise();
  const scenario = resolve(file!, params, options, problems);
  problems.raise();
  for (const [i, expression] of scenario.thresholds.entries()) {
    const wrong = options.checkThreshold?.(expression, scenario) ?? null;
    if (wrong !== null) problems.add(["thresholds", i], wrong);
  }
  checkTour(scenario, options, problems);
  checkWorkload(scenario, options, problems);
  checkTables(scenario, options.paths, machineOf(scenario.machine, options), workloadOf(scenario, options), problems);
  problems.raise();
  return scenario;
}

/** A caption names metrics as thresholds do. */
function checkTour(scenario: Scenario, { checkThreshold }: LoadOptions, problems: ProblemList): void {
  for (const [i, step] of (scenario.tour ?? []).entries()) {
    for (const key of ["text", "ask", "answer"] as const) {
      for (const metric of metricsIn(step[key] ?? "")) {
        const wrong = checkThreshold?.(`${metric} >= 0`, scenario) ?? null;
        if (wrong !== null) problems.add(["tour", i, key], wrong);
      }
    }
    if ((step.ask === undefined) !== (step.answer === undefined)) {
      problems.add(["tour", i], "found one of ask and answer, wanted both or none");
    }
  }
}

type FileSchema = ReturnType<typeof scenarioSchema>;

/** The schema of the registries that were asked for last: it takes milliseconds to make, and a sweep has many scenarios. */
let lastSchema: { readonly parts: readonly unknown[]; readonly schema: FileSchema } | null = null;

function schemaOf({ paths, workloads, machines }: Catalogue): FileSchema {
  const parts = [...paths, ...workloads, ...machines];
  const isSame = lastSchema !== null && lastSchema.parts.length === parts.length &&
    parts.every((part, i) => part === lastSchema!.parts[i]);
  if (!isSame) {
    const catalogue = { paths, workloads, machines };
    lastSchema = { parts, schema: scenarioSchema(catalogue, workloadKindSchema(catalogue)) };
  }
  return lastSchema!.schema;
}

/** A schema writes and compiles a function for each of its blocks, which takes longer than to read one scenario without. */
const ONCE = { jitless: true };

/** A value of the wrong kind in one place does not hide mistakes in another: both schemas run before anything is said. */
function checkSchema(source: ScenarioSource, problems: ProblemList, options: LoadOptions) {
  const schema = schemaOf(options);
  const checked = schema.safeParse(source.value, ONCE);
  if (!checked.success) problems.addIssues(schema, checked.error.issues);
  const [hasWorkload, hasProgram] = ["workload", "program"].map((key) => source.valueAt([key]) !== undefined);
  if (hasWorkload && hasProgram) problems.add(["program"], "found a workload too, wanted one of the two");
  const isBlock = typeof source.value === "object" && source.value !== null && !Array.isArray(source.value);
  if (isBlock && !hasWorkload && !hasProgram) {
    problems.add(["workload"], "missing; wanted a block of keys (or a program)");
  }
  return { file: checked.data, params: checkParams(source, problems, options) };
}

function checkParams(source: ScenarioSource, problems: ProblemList, options: LoadOptions): unknown {
  const block = source.valueAt(["workload"]);
  const kind = source.valueAt(["workload", "kind"]);
  const workload = options.workloads.find((known) => known.kind === kind);
  // An unknown or missing kind is already among the problems.
  if (workload === undefined || typeof block !== "object" || block === null) return undefined;
  const known = objectSchema(workload.params)?.shape;
  const { kind: _, ...params } = block as Record<string, unknown>;
  const checked = workload.params.safeParse(known !== undefined && "kind" in known ? block : params, ONCE);
  const reported = new Set<string>();
  if (!checked.success) {
    problems.addIssues(workload.params, checked.error.issues, ["workload"]);
    for (const issue of checked.error.issues) if (issue.code === "unrecognized_keys") reported.add(String(issue.path));
  }
  // A schema that is not strict would drop a misspelt parameter without a word.
  if (known !== undefined && !reported.has("")) {
    for (const key of Object.keys(params)) {
      if (!Object.hasOwn(known, key)) problems.unknownKey(["workload", key], Object.keys(known));
    }
  }
  return checked.data;
}

function resolve(file: ScenarioFile, params: unknown, options: LoadOptions, problems: ProblemList): Scenario {
  const machine = machineOf(file.machine, options);
  const path = file.path ?? defaultPath(options);
  const costs = { ...coalescingCost(file, problems), ...file.costs };
  const mechanisms = file.mechanisms ?? {};
  const paths = options.paths.map((known): PathInfo => ({
    name: known.name,
    title: known.title,
    hypervisor: known.hypervisorWith?.(mechanisms) ?? known.hypervisor,
    hasBackEnd: known.hasBackEnd,
    guestsPerHost: known.guestsPerHost,
  }));
  const hosts = resolveHosts(file, path, paths, problems);
  const guests = resolveGuests(file, path, hosts, paths, cpusOf(machine, costs), problems);
  checkGuests(guests, hosts, paths, problems);
  const warmupPs = file.warmup ?? 0;
  const durationPs = file.duration ?? 1e12;
  if (warmupPs + durationPs > TIME_LIMIT_PS) {
    problems.add(["duration"], "warm-up and duration together pass 9007 s (2^53 ps), the end of virtual time");
  }
  return {
    name: file.name ?? baseName(options.file),
    title: file.title ?? "",
    description: file.description ?? "",
    machine: machine.name,
    costs,
    hosts,
    boards: file.boards ?? 1,
    guests,
    path,
    link: resolveLink(file.link, (costs.nicRateGbps ?? machine.limits.nicRateGbps.value) * 1e9, problems),
    mechanisms,
    // What is as always is left out: a scenario that says nothing of it keeps its hash.
    ...(file.discovery === "omxoed" ? { discovery: "omxoed" as const } : {}),
    ...(hasEntries(file.environment) ? { environment: texts(file.environment) } : {}),
    ...(losesFrames(file.packet_loss) ? { packetLoss: file.packet_loss } : {}),
    workload: { kind: (file.workload as { kind: string } | undefined)?.kind ?? PROGRAM_KIND, params },
    ...(file.program === undefined ? {} : { program: programSpec(file.program, options) }),
    warmupPs,
    durationPs,
    seed: file.seed ?? 1,
    ...resolveFaults(file, hosts, guests, paths, problems),
    thresholds: file.thresholds ?? [],
    ...(file.tour === undefined ? {} : { tour: file.tour.map(({ at = 0, ...step }) => ({ atPs: at, ...step })) }),
  };
}

/** `boardBps` is the rate of the boards: a link has that, unless the file says another. */
function resolveLink(link: ScenarioFile["link"], boardBps: number, problems: ProblemList): Scenario["link"] {
  const { rate = boardBps, mtu = 9000, latency = null, loss = 0, wire } = link ?? {};
  if (wire === "mx" && mtu !== 9000) {
    problems.add(["link", "wire"], "frames of MX 1.2 have up to 4144 bytes: wanted link.mtu 9000 with wire mx");
  }
  return { rateBps: rate, mtu, latencyPs: latency, loss, ...(wire === "mx" ? { wire } : {}) };
}

function machineOf(name: string | undefined, { machines }: LoadOptions): MachineProfile {
  return machines.find((known) => known.name === name) ?? machines[0];
}

/** `coalescing` is another name, with a unit, of the machine's `coalesceUs`. */
function coalescingCost({ coalescing, costs }: ScenarioFile, problems: ProblemList): Record<string, number> {
  if (coalescing === undefined) return {};
  if (costs?.coalesceUs !== undefined) {
    problems.add(["coalescing"], "found costs.coalesceUs too, wanted one of the two");
  }
  return { coalesceUs: coalescing / US };
}

function hasEntries(environment: EnvironmentBlock | undefined): environment is EnvironmentBlock {
  return environment !== undefined && Object.keys(environment).length > 0;
}

/** An environment holds texts. */
function texts(environment: EnvironmentBlock): Environment {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
}

function losesFrames(loss: PacketLossSpec | undefined): loss is PacketLossSpec {
  return loss !== undefined && Object.values(loss).some((period) => period > 0);
}

function programSpec(block: NonNullable<ScenarioFile["program"]>, { program }: LoadOptions): ProgramSpec {
  const { file, args = {} } = typeof block === "string" ? { file: block } : block;
  return { file, args, source: program?.source ?? "", memoryBytes: program?.memoryBytes ?? 0 };
}

function defaultPath({ paths }: Catalogue): string {
  return (paths.find(({ name }) => name === "xen2mx") ?? paths[0]).name;
}

function cpusOf(machine: MachineProfile, costs: Readonly<Record<string, number>>): number {
  return costs.cpusPerHost ?? machine.limits.cpusPerHost.value;
}

/** Buffers of all guests together, at most: the emulated world has queues and rings beside them, see MEMORY_LIMIT. */
export const BUFFER_LIMIT_BYTES = 12 * GIB;

/** Queues of all network devices of a guest, at most: its grant table holds the rings and buffers of so many. */
const NET_QUEUE_LIMIT = 16;

/** None for a guest program. */
function workloadOf({ workload: { kind } }: Scenario, { workloads }: LoadOptions): Workload | undefined {
  return workloads.find((known) => known.kind === kind);
}

/** Asks the workload whether these guests, on these hosts, can run it, and whether their buffers fit. */
function checkWorkload(scenario: Scenario, options: LoadOptions, problems: ProblemList): void {
  const { guests, boards, mechanisms: { netQueues = 1 }, program, workload: { params } } = scenario;
  const workload = workloadOf(scenario, options);
  try {
    workload?.check(params, { ranks: guests.length, boards, hostIndexOf: (rank) => guests[rank].host });
  } catch (error) {
    if (!(error instanceof WorkloadError)) throw error;
    // It begins with the field that is wrong.
    const [, field = "", text = ""] = /^(\w+): (.*)$/s.exec(error.message) ?? [];
    if (Object.hasOwn(params as object, field)) problems.add(["workload", field], text);
    else if (field === "guests") problems.add(["guests"], text);
    else problems.add(["workload"], error.message);
  }
  if (netQueues * boards > NET_QUEUE_LIMIT) {
    const found = `found ${netQueues} on each of ${boards} boards`;
    problems.add(["mechanisms", "netQueues"], `${found}, wanted at most ${NET_QUEUE_LIMIT} in all`);
  }
  const wanted = program?.memoryBytes ?? workload!.memoryBytes(params, guests.length);
  // Queues of one board's endpoint have their place beside the buffers.
  const perGuest = wanted + (netQueues * boards - 1) * NET_QUEUE_BYTES +
    (boards - 1) * queueBytes(mxLimits(scenario.link.mtu, scenario.link.wire === "mx"), NATIVE_ENTRIES);
  const needed = Math.ceil(perGuest * guests.length / MIB);
  if (needed * MIB > BUFFER_LIMIT_BYTES) {
    const most = formatSize(BUFFER_LIMIT_BYTES);
    problems.add(
      [program === undefined ? "workload" : "program"],
      `found ${needed} MiB of buffers in ${guests.length} guests, wanted at most ${most}`,
    );
  }
}

function baseName(file: string): string {
  const name = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1).replace(/\.ya?ml$/i, "");
  return name.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 32) || "scenario";
}
