import type { z } from "zod";
import { formatFraction, formatRate, formatTime } from "../base/quantity.ts";
import { kindOf } from "../cluster/cluster.ts";
import type { InputRecord } from "../cluster/input.ts";
import type { Scenario } from "../cluster/scenario.ts";
import { objectSchema, writtenAs } from "../cluster/scenario_shape.ts";
import { COST_NAMES, LIMIT_NAMES, withOverrides } from "../hw/machine_profile.ts";
import { MACHINES } from "../hw/profiles/registry.ts";
import { MECHANISM_NAMES, MECHANISMS } from "../path/mechanisms.ts";
import type { Setting } from "../tui/settings.ts";
import { CATALOGUE } from "./catalogue.ts";

/** What can be set of a running scenario, each with its present value: the scenario's, or what an input has made it. */
export function settingsOf(scenario: Scenario, inputs: readonly InputRecord[]): Setting[] {
  const settings = new Map(ofScenario(scenario).map((setting) => [setting.key, setting]));
  for (const { input } of inputs) {
    if (input.kind !== "set") continue;
    for (const assignment of input.assignments) {
      const equals = assignment.indexOf("=");
      const [key, value] = [assignment.slice(0, equals).trim(), assignment.slice(equals + 1).trim()];
      settings.set(key, { ...settings.get(key) ?? { key, unit: "", help: "set before" }, value });
    }
  }
  return [...settings.values()];
}

function ofScenario(scenario: Scenario): Setting[] {
  const { link, hosts, guests, path } = scenario;
  const plain = (key: string, value: string, help: string, choices?: readonly string[]): Setting => ({
    ...{ key, value, unit: "", help },
    ...(choices === undefined ? {} : { choices }),
  });
  return [
    plain("guests", String(guests.length), "number of guests"),
    plain("path", path, "I/O path of the guests", CATALOGUE.paths.map(({ name }) => name)),
    ...parameters(scenario),
    ...mechanisms(scenario),
    ...hosts.flatMap(({ name, dom0Vcpus, cpus }, i) =>
      kindOf(scenario, i) !== "xen" ? [] : [
        plain(
          `hosts[${i}].dom0_vcpus`,
          String(dom0Vcpus ?? cpus ?? figure(scenario, "cpusPerHost")),
          `VCPUs of dom0 on host ${name}`,
        ),
      ]
    ),
    plain("link.rate", formatRate(link.rateBps), "rate of every link"),
    plain("link.latency", link.latencyPs === null ? "" : formatTime(link.latencyPs), "propagation of every link"),
    plain("link.loss", formatFraction(link.loss), "loss of every link"),
    ...costs(scenario),
  ];
}

/** Parameters of the workload that are one value or a list of them, written as in a scenario file. */
function parameters({ workload }: Scenario): Setting[] {
  const known = CATALOGUE.workloads.find(({ kind }) => kind === workload.kind);
  const fields = known === undefined ? {} : objectSchema(known.params)?.shape ?? {};
  const params = typeof workload.params === "object" && workload.params !== null ? workload.params : {};
  return Object.entries(params).flatMap(([name, value]) => {
    const isList = Array.isArray(value) &&
      value.every((entry) => typeof entry === "number" || typeof entry === "string");
    if (!isList && !["string", "number", "boolean"].includes(typeof value)) return [];
    const field = fields[name];
    const show = (one: unknown) => field === undefined ? String(one) : writtenAs(field as z.ZodType, one);
    const text = isList ? `[${value.map(show).join(", ")}]` : show(value);
    return [{ key: `workload.${name}`, value: text, unit: "", help: `of the workload ${workload.kind}` }];
  });
}

/** Switches first, then counts. */
function mechanisms({ mechanisms }: Scenario): Setting[] {
  const settings = MECHANISM_NAMES.map((name): Setting => {
    const { short, most } = MECHANISMS[name];
    const value = mechanisms[name] ?? (most === undefined ? "" : 1);
    const setting = { key: `mechanisms.${name}`, value: String(value), unit: "", help: short };
    return most === undefined ? { ...setting, choices: ["true", "false"] } : setting;
  });
  return [...settings.filter(({ choices }) => choices), ...settings.filter(({ choices }) => !choices)];
}

function costs(scenario: Scenario): Setting[] {
  const machine = withOverrides(machineOf(scenario), scenario.costs);
  return [
    ...COST_NAMES.map((name) => ({ name, entry: machine.costs[name] })),
    ...LIMIT_NAMES.map((name) => ({ name, entry: machine.limits[name] })),
  ].map(({ name, entry }) => ({
    key: `costs.${name}`,
    value: String(entry.value),
    unit: entry.unit === "count" ? "" : entry.unit,
    help: `of the machine ${machine.name}`,
  }));
}

function figure(scenario: Scenario, name: "cpusPerHost"): number {
  return scenario.costs[name] ?? machineOf(scenario).limits[name].value;
}

function machineOf({ machine }: Scenario) {
  return MACHINES.find(({ name }) => name === machine) ?? MACHINES[0];
}
