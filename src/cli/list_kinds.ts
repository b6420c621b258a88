import { basisOf, type CostEntry } from "../hw/machine_profile.ts";
import { defaultText, MECHANISM_NAMES, MECHANISMS } from "../path/mechanisms.ts";
import { CATALOGUE } from "./catalogue.ts";
import { BUILT_IN } from "./scenarios.ts";

/** Something that can be listed. */
export interface ListKind<Entry> {
  /** In JSON, as they are. */
  entries(): readonly Entry[] | Promise<readonly Entry[]>;
  /** Titles of the columns, where these do not speak for themselves. */
  head?(): readonly string[];
  cells(entry: Entry): readonly string[];
  /** Fills a screen of its own: it is listed when it is asked for. */
  readonly isLong?: true;
}

/** Keeps the type of the entries between their makers and their columns. */
function kind<Entry>(it: ListKind<Entry>): ListKind<unknown> {
  return it as ListKind<unknown>;
}

/** All that `list` knows, beside the taps of a scenario and the schema. */
export const KINDS: Readonly<Record<string, ListKind<unknown>>> = {
  scenarios: kind({
    entries: () => BUILT_IN.map(({ number, name, title }) => ({ number, name, title })),
    cells: ({ number, name, title }) => [String(number), name, title],
  }),
  paths: kind({
    entries: () => CATALOGUE.paths.map(({ name, hypervisor, title }) => ({ name, hypervisor, title })),
    cells: ({ name, hypervisor, title }) => [name, hypervisor, title],
  }),
  workloads: kind({
    entries: () => CATALOGUE.workloads.map(({ kind, title }) => ({ kind, title })),
    cells: ({ kind, title }) => [kind, title],
  }),
  machines: kind({
    entries: () => CATALOGUE.machines.map(({ name, title }) => ({ name, title })),
    cells: ({ name, title }) => [name, title],
  }),
  mechanisms: kind({
    entries: () => MECHANISM_NAMES.map((name) => ({ name, default: defaultText(name), help: MECHANISMS[name].help })),
    cells: (mechanism) => [mechanism.name, mechanism.default, mechanism.help],
  }),
  costs: kind({ entries: costs, head: costHead, cells: costCells, isLong: true }),
  metrics: kind({
    entries: async () => (await import("../report/metrics.ts")).allMetrics(),
    head: () => ["metric", "unit", "what it is"],
    cells: ({ name, unit, help }) => [name, unit === "" ? "-" : unit, help],
    isLong: true,
  }),
};

interface Cost {
  readonly cost: string;
  readonly unit: string;
  /** What the figure is on each machine, and what it rests on. */
  readonly machines: Readonly<Record<string, ReturnType<typeof onMachine>>>;
}

/** Every figure of every profile. Names are what `--set costs.NAME=` takes. */
function costs(): Cost[] {
  const { machines } = CATALOGUE;
  const figuresOf = ({ costs, limits }: typeof machines[number]) =>
    ({ ...costs, ...limits }) as Readonly<Record<string, CostEntry>>;
  return Object.entries(figuresOf(machines[0])).map(([cost, { unit }]) => ({
    cost,
    unit,
    machines: Object.fromEntries(machines.map((machine) => [machine.name, onMachine(figuresOf(machine)[cost])])),
  }));
}

function onMachine(entry: CostEntry) {
  const { value, source, fittedTo } = entry;
  const fitted = fittedTo === undefined ? {} : { fitted_to: fittedTo };
  return { value, basis: basisOf(entry), source, ...fitted };
}

/** The source is that of the first machine. */
function costHead(): string[] {
  const names = CATALOGUE.machines.map(({ name }) => name);
  return ["cost", "unit", ...names, `source of ${names[0]}'s figure`];
}

function costCells({ cost, unit, machines }: Cost): string[] {
  const figures = Object.values(machines);
  const [{ source, fitted_to }] = figures;
  return [
    cost,
    unit,
    ...figures.map(({ value }) => figureText(value)),
    fitted_to === undefined ? source : `${source}; fitted to: ${fitted_to}`,
  ];
}

/** Four digits are all that any figure has. */
function figureText(value: number): string {
  return String(Number(value.toPrecision(4)));
}
