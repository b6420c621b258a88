import { counted } from "../base/counted.ts";
import { hash64 } from "../base/hash.ts";
import { machineHash, scenarioHash } from "../cluster/scenario_hash.ts";
import type { Session } from "../cluster/session.ts";
import type { MachineProfile } from "../hw/machine_profile.ts";
import type { SensitivityHead } from "./sensitivity/sensitivity.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Sweep } from "./sweep/sweep.ts";

/** A machine profile with the figures that it had: overridden costs make another hash. */
export interface MachineStamp {
  readonly profile: string;
  readonly hash: string;
}

/**
 * What made a result, as every export carries it: enough to make it again, and to tell two apart that bear the same
 * name.
 */
export interface Provenance {
  readonly version: string;
  readonly command: string;
  /** Null where no scenario ran, but experiments of mxtop's own: `explain`, `reproduce`. */
  readonly scenario: { readonly name: string; readonly hash: string; readonly seed: string } | null;
  readonly machines: readonly MachineStamp[];
  /** That of the one run, null where there were several. */
  readonly fingerprint: string | null;
}

type Result = Omit<Snapshot, "wall">;

export function provenanceOf({ tool, command, scenario, machine, fingerprint }: Result): Provenance {
  const { name, hash, seed } = scenario;
  return {
    version: tool.version,
    command,
    scenario: { name, hash, seed: String(seed) },
    machines: [machine],
    fingerprint,
  };
}

/** That of a session as it stands, for what is written beside its result. */
export function sessionProvenance({ scenario, cluster, fingerprint }: Session, made: Made): Provenance {
  const { name, seed } = scenario;
  return {
    ...made,
    scenario: { name, hash: scenarioHash(scenario), seed: String(seed) },
    machines: [machineStamp(cluster.profile)],
    fingerprint,
  };
}

/**
 * That of many runs in one table. Each has hashes of its own (json and csv tell them): here stands the hash of them all,
 * in the order of the runs, which changes when any of them does.
 */
export function sweepProvenance(
  { tool, command, scenario, runs }: Pick<Sweep, "tool" | "command" | "scenario" | "runs">,
): Provenance {
  const results = runs.map(({ result }) => result);
  const profiles = distinct(results.map(({ machine }) => machine.profile));
  return {
    version: tool.version,
    command,
    scenario: {
      name: scenario.name,
      hash: hashOfAll(results.map((result) => result.scenario.hash)),
      seed: fewOf(distinct(results.map((result) => String(result.scenario.seed)))),
    },
    machines: profiles.map((profile) => ({
      profile,
      hash: hashOfAll(results.filter(({ machine }) => machine.profile === profile).map(({ machine }) => machine.hash)),
    })),
    fingerprint: null,
  };
}

/** That of a scenario as it is, whose costs were changed one by one. */
export function sensitivityProvenance(
  { tool, command, scenario, machine, machine_hash }: SensitivityHead,
): Provenance {
  const { name, hash, seed } = scenario;
  return {
    version: tool.version,
    command,
    scenario: { name, hash, seed: String(seed) },
    machines: [{ profile: machine, hash: machine_hash }],
    fingerprint: null,
  };
}

/** Who made something, and by which command. */
export type Made = Pick<Provenance, "version" | "command">;

/** That of experiments of mxtop's own, on machines as their profiles have them. */
export function ownProvenance(made: Made, machines: readonly MachineStamp[]): Provenance {
  return { ...made, scenario: null, machines, fingerprint: null };
}

export function machineStamp(profile: MachineProfile): MachineStamp {
  return { profile: profile.name, hash: machineHash(profile) };
}

/** Everything by name, in the order of every export; what there is none of is left out. */
export function provenanceEntries(from: Provenance): [name: string, text: string][] {
  const { version, command, scenario, machines, fingerprint } = from;
  const entries: [string, string | undefined | null][] = [
    ["version", version],
    ["command", command],
    ["scenario", scenario?.name],
    ["scenario_hash", scenario?.hash],
    ["seed", scenario?.seed],
    ["machine", inOne(machines.map(({ profile }) => profile))],
    ["machine_hash", inOne(machines.map(({ hash }) => hash))],
    ["fingerprint", fingerprint],
  ];
  return entries.filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "");
}

/** The closing line of a Markdown report. */
export function provenanceMarkdown({ version, command, scenario, machines, fingerprint }: Provenance): string {
  const parts = [
    ...(scenario === null ? [] : [`scenario ${scenario.name} (hash ${scenario.hash}, seed ${scenario.seed})`]),
    ...machines.map(({ profile, hash }) => `machine ${profile} (hash ${hash})`),
    ...(fingerprint === null ? [] : [`fingerprint ${fingerprint}`]),
  ];
  return `Made by mxtop ${version}: ${codeSpan(command)}${parts.map((part) => `, ${part}`).join("")}\n`;
}

/** Text as it stands, whatever marks are in it; a longer fence holds one that has the usual fence inside. */
function codeSpan(text: string): string {
  const longest = (text.match(/`+/g) ?? []).reduce((most, { length }) => Math.max(most, length), 0);
  const fence = "`".repeat(longest + 1);
  const pad = longest > 0 ? " " : "";
  return `${fence}${pad}${text.replace(/\s+/g, " ")}${pad}${fence}`;
}

/** Several values in one cell: none of them has a space. */
function inOne(values: readonly string[]): string {
  return values.join(" ");
}

/** One hash for several: the one that all have, or that of all in their order. */
function hashOfAll(hashes: readonly string[]): string {
  return distinct(hashes).length <= 1 ? hashes[0] ?? "" : hash64(hashes.join(" "));
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Values that a line has room for. */
const FEW = 4;

function fewOf(values: readonly string[]): string {
  if (values.length <= FEW) return values.join(" ");
  return `${values.slice(0, FEW - 1).join(" ")} and ${counted(values.length - FEW + 1, "other")}`;
}
