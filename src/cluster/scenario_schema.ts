import { z } from "zod";
import { fractionField, rateField, showValue, timeField } from "../base/quantity.ts";
import { didYouMean } from "../base/suggest.ts";
import { COST_NAMES, type CostUnit, LIMIT_NAMES, type LimitName, type MachineProfile } from "../hw/machine_profile.ts";
import { LOSS_TYPES, type LossType } from "../mx/driver/packet_loss.ts";
import { VARIABLE_NAMES, variableOf } from "../mx/environment.ts";
import { MAX_ENDPOINTS } from "../mx/limits.ts";
import { MECHANISM_NAMES, type MechanismName, MECHANISMS, type Mechanisms } from "../path/mechanisms.ts";
import type { Build, Dom0Share } from "../path/path.ts";
import type { Workload } from "../workload/workload.ts";
import { oneOf } from "./scenario_problem.ts";
import { objectSchema } from "./scenario_shape.ts";
import { TOUR_PANES, TOUR_SPEEDS, type TourPane } from "./tour.ts";

/*
 * The scenario file as a schema: what may be written, with the words for what is wanted. What the parts mean together
 * (names, hosts of guests, links of faults) is checked in scenario_file.ts.
 */

/** What the scenario layer must know of a path. */
export interface PathInfo {
  readonly name: string;
  readonly title: string;
  /** `none` runs on native hosts, the others on hosts with that hypervisor. */
  readonly hypervisor: "none" | "xen" | "kvm";
  /** Guests of one host, at most, where the path says so. */
  readonly guestsPerHost?: number;
  /** The hypervisor with these mechanisms, of a path that has flavours. */
  hypervisorWith?(mechanisms: Mechanisms): "xen" | "kvm";
  /** What each of its guests takes of dom0's tables, where there is a dom0 that serves them. */
  dom0Share?(build: Build): Dom0Share;
  /** Whether something of the host's stands between guest and NIC, which can stall; by default it does. */
  readonly hasBackEnd?: boolean;
}

/** The names that a scenario may use. */
export interface Catalogue {
  readonly paths: readonly PathInfo[];
  readonly workloads: readonly Workload[];
  readonly machines: readonly MachineProfile[];
}

/** Guests of one scenario, at most. */
export const GUEST_LIMIT = 4096;
/** Hosts of one scenario, at most: one byte of their addresses names them. */
export const HOST_LIMIT = 256;
/** CPUs of a host, and VCPUs of its dom0, at most. */
const CPU_LIMIT = 1024;
/** CPUs' worth of computation that a hog adds to a host, at most. */
export const HOG_LIMIT = 256;
/** NICs of a host, at most. */
const BOARD_LIMIT = 4;

const whole = (min: number, max: number, description: string) => {
  const error = `wanted ${min} to ${max}`;
  return z.number({ error: `wanted a whole number, ${min} to ${max}` }).int({ error }).min(min, { error }).max(max, {
    error,
  })
    .meta({ description });
};

const flag = (description: string) => z.boolean().meta({ description });

/** Text that goes to terminals and into files: without control characters. */
const text = (max: number, description: string) =>
  z.string().max(max).regex(/^[^\p{Cc}]*$/u, { error: "wanted text without control characters" }).meta({ description });

const name = (description: string) =>
  z.string({ error: "wanted a name" }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, {
    error: "wanted a name of 1 to 32 letters, digits, dots or dashes (in quotes if it is a number)",
  }).meta({ description });

const choice = (names: readonly string[], what: string, description: string) =>
  z.enum(names as [string, ...string[]], {
    error: ({ input }) =>
      typeof input === "string"
        ? `found ${showValue(input)}, wanted ${what}: ${oneOf(names)}${didYouMean(input, names)}`
        : `wanted ${what}: ${oneOf(names)}`,
  }).meta({ description });

const link = z.strictObject({
  rate: rateField({ min: 1e6 }).optional().meta({
    description: "bits a second, also inside a NIC that functions share; the machine's NIC by default",
  }),
  mtu: z.union([z.literal(1500), z.literal(9000)], { error: "wanted 1500 or 9000" }).optional()
    .meta({ description: "largest frame payload in bytes; 9000 by default" }),
  wire: z.enum(["open-mx", "mx"], { error: "wanted open-mx or mx" }).optional()
    .meta({ description: "frame format: Open-MX's own, or compatible with MX 1.2; open-mx by default" }),
  latency: timeField().optional().meta({ description: "propagation beyond serialisation; the machine's by default" }),
  loss: fractionField().optional().meta({ description: "probability that a frame is lost; 0 by default" }),
}).meta({ description: "every link of the cluster" });

const host = z.strictObject({
  name: name("unique among the hosts"),
  cpus: whole(1, CPU_LIMIT, "physical CPUs; the machine's by default").optional(),
  native: flag("no hypervisor: its guests are processes of its own kernel").optional(),
  dom0_vcpus: whole(1, CPU_LIMIT, "VCPUs of dom0; one for each CPU by default").optional(),
});

const packetLoss = z.strictObject(
  Object.fromEntries(
    LOSS_TYPES.map((type) => [
      type,
      whole(0, 1e9, `every Nth ${type === "all" ? "frame of any type" : `${type} frame`} is lost; 0 is none`),
    ]),
  ) as Record<LossType, z.ZodNumber>,
).partial().meta({
  description:
    "frames that every driver loses on purpose, as a debug build of Open-MX does: by counting, so that what " +
    "is sent again may be lost again each time; link.loss and faults lose by chance",
});

const fault = z.strictObject({
  at: timeField().meta({ description: "virtual time at which it begins" }),
  for: timeField({ min: 1 }).optional().meta({ description: "how long it lasts; for good by default" }),
  link: z.string().optional()
    .meta({ description: "a link by the names of its ends, such as a-b, or a-b/1 on the second rail" }),
  host: z.string().optional().meta({ description: "a host, to stall or to hog" }),
  guest: z.string().optional().meta({ description: "a guest, to crash" }),
  loss: fractionField().optional().meta({ description: "probability that a frame is lost" }),
  corrupt: fractionField().optional()
    .meta({ description: "probability that a frame arrives with bytes changed, and is dropped for its FCS" }),
  delay: timeField().optional().meta({ description: "added to every frame, without taking bandwidth" }),
  cut: flag("nothing passes").optional(),
  stall: flag("the host's back end does nothing: dom0, or the host's vhost and QEMU threads").optional(),
  hog: whole(1, HOG_LIMIT, "how many CPUs' worth of somebody else's computation is on the host").optional(),
  crash: flag("the guest dies, and is booted again when the time is over").optional(),
});

const mechanisms = z.strictObject(
  Object.fromEntries(
    MECHANISM_NAMES.map((name): [string, z.ZodType] => {
      const { help, most } = MECHANISMS[name];
      return [name, most === undefined ? flag(help) : whole(1, most, help)];
    }),
  ) as { [Name in MechanismName]: z.ZodType<Required<Mechanisms>[Name]> },
).partial().meta({ description: "switches of a path's mechanisms; the path's own by default" });

/** Counts that are the number of something built, each with CPUs, interrupts and event channels of its own. */
const MOST: Partial<Record<LimitName, number>> = {
  cpusPerHost: CPU_LIMIT,
  nicQueues: MAX_ENDPOINTS, // frames are told apart by endpoint: there is no use for more
};

/** Of a poll loop's turns a number is counted: turns of no time are over at once, and nobody has polled. */
const backendPoll = z.number().min(1, {
  error: "wanted at least 1: the worker sleeps after 1,000,000 turns; mechanisms.polling=false for none",
}).max(1e9).meta({ description: "ns" });

/** The profile's figures by name; what a figure may be follows from its unit. */
function costs({ machines }: Catalogue): z.ZodType<Record<string, number>> {
  const figure = (unit: CostUnit, most = 1e6) =>
    unit === "count" ? whole(1, most, unit) : unit === "Gb/s"
      // The slowest link that a session still gets somewhere on, and one beyond any that there is.
      ? z.number().min(0.001).max(10_000).meta({ description: unit })
      : z.number().min(0).max(1e9).meta({ description: unit });
  const [{ costs, limits }] = machines;
  const shape = Object.fromEntries([
    ...COST_NAMES.map((name) => [name, figure(costs[name].unit).optional()]),
    ...LIMIT_NAMES.map((name) => [name, figure(limits[name].unit, MOST[name]).optional()]),
    ["backendPoll", backendPoll.optional()],
  ]) as Record<string, z.ZodOptional<z.ZodNumber>>;
  return z.strictObject(shape).meta({
    description: "figures of the machine profile to replace, in the profile's units",
  }) as z.ZodType<Record<string, number>>;
}

/** Open-MX's environment variables, each in its range. */
const environment: z.ZodType<Readonly<Record<string, number>>> = z.strictObject(Object.fromEntries(
  VARIABLE_NAMES.map((name) => {
    const { min, max, what } = variableOf(name)!;
    return [name, whole(min, max, what).optional()];
  }),
)).meta({ description: "what Open-MX's library finds in the environment of each process" }) as never;

/** What `program` may say: the file, or the file and what the program finds in `guest.args`. */
const program = (() => {
  const file = text(1000, "TypeScript module, relative to this file").min(1, { error: "wanted the name of a file" });
  const value = z.union([z.string().max(10_000), z.number(), z.boolean()]);
  const args = z.record(z.string().max(100), value).optional().meta({ description: "what the program finds in args" });
  return z.union([file, z.strictObject({ file, args })]).meta({
    description: "a guest program in TypeScript, in the place of a workload",
  });
})();

/** One caption of a guided tour. */
function tourStep(path: z.ZodType<string>) {
  return z.strictObject({
    at: timeField().optional().meta({ description: "virtual time at which it appears; 0 by default" }),
    title: text(60, "a few words"),
    text: text(500, "what there is to see; metrics of the result stand in braces, such as {rtt_us.p50}"),
    look: (choice(TOUR_PANES, "a pane", "the pane that gets the focus") as unknown as z.ZodType<TourPane>).optional(),
    ask: text(200, "a question").optional(),
    answer: text(500, "comes with the next press of the tour's key").optional(),
    press: text(10, "a key of the dashboard that goes on with the tour").min(1).optional(),
    path: path.optional(),
    speed: z.union(TOUR_SPEEDS.map((speed) => z.literal(speed)), { error: `wanted one of ${TOUR_SPEEDS.join(", ")}` })
      .optional().meta({ description: "times wall time, until the caption appears" }),
  });
}

/** A guest of the list of those; `path` is the schema of its path. */
function guestSchema(path: z.ZodType<string>) {
  return z.strictObject({
    name: name("unique among the guests").optional(),
    host: z.string().optional().meta({ description: "name of its host; round robin by default" }),
    path: path.optional(),
    vcpus: whole(1, 64, "virtual CPUs; 1 by default").optional(),
    weight: whole(1, 65535, "share of CPU for the hypervisor's scheduler; 256 by default").optional(),
    pin: z.array(whole(0, 1023, "number of a physical CPU")).min(1).optional()
      .meta({ description: "physical CPUs it may run on; all by default" }),
  });
}

/** The schema of a scenario file; `workload` checks its block of that name. Which of the two is there is not its matter. */
export function scenarioSchema(catalogue: Catalogue, workload: z.ZodType) {
  const { paths, machines } = catalogue;
  const path = (description: string) => choice(paths.map((known) => known.name), "a path", description);
  const guest = guestSchema(path("the scenario's by default"));
  return z.strictObject({
    name: name("short, for lists and file names").optional(),
    title: text(120, "one line").optional(),
    description: z.string().max(4000).optional().meta({ description: "for whoever reads the file" }),
    machine: choice(
      machines.map((known) => known.name),
      "a machine",
      `the cost profile; ${machines[0].name} by default`,
    )
      .optional(),
    costs: costs(catalogue).optional(),
    hosts: z.union([whole(1, HOST_LIMIT, "how many; they are named a, b, ..."), z.array(host).min(1).max(HOST_LIMIT)])
      .optional().meta({ description: "2 by default" }),
    boards: whole(1, BOARD_LIMIT, "NICs of each host, each on a network of its own (a rail); 1 by default").optional(),
    guests: z.union([
      whole(1, GUEST_LIMIT, "how many, over the hosts in turn"),
      z.array(guest).min(1, { error: `wanted 1 to ${GUEST_LIMIT}` }).max(GUEST_LIMIT, {
        error: `wanted 1 to ${GUEST_LIMIT}`,
      }),
    ]).optional().meta({ description: "2 by default" }),
    dom0_vcpus: whole(1, CPU_LIMIT, "VCPUs of dom0 on hosts that do not say; one for each CPU by default").optional(),
    coalescing: timeField().optional()
      .meta({
        description:
          "least time between two interrupts of a NIC's queue, for frames received and sent; the machine's by default",
      }),
    path: path("the I/O path of guests that name none; xen2mx by default").optional(),
    link: link.optional(),
    mechanisms: mechanisms.optional(),
    discovery: z.enum(["static", "omxoed"], { error: "wanted static or omxoed" }).optional()
      .meta({ description: "whether boards know each other from the start, or find each other; static by default" }),
    packet_loss: packetLoss.optional(),
    environment: environment.optional(),
    workload: workload.optional(),
    program: program.optional(),
    warmup: timeField().optional().meta({ description: "virtual time before figures are taken; 0 by default" }),
    duration: timeField({ min: 1 }).optional().meta({ description: "measured virtual time, at most; 1 s by default" }),
    seed: whole(0, Number.MAX_SAFE_INTEGER, "of every random choice; 1 by default").optional(),
    faults: z.array(fault).optional().meta({ description: "what goes wrong, and when; nothing by default" }),
    thresholds: z.array(z.string().max(200)).optional()
      .meta({ description: "expressions that the result must satisfy, such as throughput_MBps > 1100" }),
    tour: z.array(tourStep(path("the step begins with a run on it"))).max(50).optional()
      .meta({ description: "captions of a guided tour, for the dashboard" }),
  });
}

/** The `workload` block as far as it is the same for all: which one. */
export function workloadKindSchema({ workloads }: Catalogue) {
  return z.looseObject({
    kind: choice(workloads.map((known) => known.kind), "a workload", "which message-passing program"),
  });
}

/** The JSON Schema of scenario files, for editors. */
export function scenarioJsonSchema(catalogue: Catalogue): unknown {
  const blocks = catalogue.workloads.map((workload) => {
    const kind = z.literal(workload.kind).meta({ description: workload.title });
    const shape = objectSchema(workload.params)?.shape ?? {};
    return z.strictObject({ kind, ...shape });
  });
  const schema = scenarioSchema(catalogue, z.union(blocks));
  const json = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => limitsApart(jsonSchema),
  });
  // Strict validators want to know what is required.
  const either = ["workload", "program"].map((key) => ({ properties: { [key]: {} }, required: [key] }));
  return { title: "mxtop scenario", ...json, oneOf: either };
}

/** Limits of quantities with the type that each is of: strict validators want them apart. */
function limitsApart(json: Record<string, unknown>): void {
  const { anyOf, pattern, minimum, maximum, multipleOf, ...rest } = json;
  if (pattern === undefined || !Array.isArray(anyOf)) return;
  for (const key of Object.keys(json)) delete json[key];
  const numbers = Object.entries({ minimum, maximum, multipleOf }).filter(([, limit]) => limit !== undefined);
  Object.assign(json, rest, {
    anyOf: [{ type: "string", pattern }, { type: "number", ...Object.fromEntries(numbers) }],
  });
}
