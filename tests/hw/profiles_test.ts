import assert from "node:assert/strict";
import {
  basisOf,
  COST_NAMES,
  LIMIT_NAMES,
  resolveCosts,
  watchedCosts,
  withOverrides,
} from "../../src/hw/machine_profile.ts";
import { MACHINES } from "../../src/hw/profiles/registry.ts";

/** The text of all sources but the profiles themselves. */
function sources(directory: URL): string {
  return [...Deno.readDirSync(directory)].filter(({ name }) => name !== "profiles" && name !== "machine_profile.ts")
    .map(
      ({ name, isDirectory }) =>
        isDirectory ? sources(new URL(`${name}/`, directory)) : Deno.readTextFileSync(new URL(name, directory)),
    ).join("\n");
}

const UNITS = ["ns", "ns/page", "ns/B", "us", "count", "Gb/s"];

for (const machine of MACHINES) {
  Deno.test(`profile ${machine.name}: every figure has a value, a unit and a source`, () => {
    for (const [names, entries] of [[COST_NAMES, machine.costs], [LIMIT_NAMES, machine.limits]] as const) {
      assert.deepEqual(Object.keys(entries).sort(), [...names].sort(), "no figure is missing, none is too many");
      for (const [name, { value, unit, source }] of Object.entries(entries)) {
        assert.ok(Number.isFinite(value) && value >= 0, `${name}: ${value}`);
        assert.ok(UNITS.includes(unit), `${name}: unit ${unit}`);
        assert.ok(source.trim().length >= 5, `${name} has no source`);
      }
    }
    const costs = resolveCosts(machine);
    for (const name of COST_NAMES) {
      const isWhole = machine.costs[name].unit === "ns/B" || Number.isInteger(costs[name]);
      assert.ok(isWhole, `${name}: a cost is a whole number of picoseconds`);
    }
  });
}

Deno.test("an overridden figure says so, and nothing else changes", () => {
  const [machine] = MACHINES;
  const changed = withOverrides(machine, { upcall: 1000, nicTxRing: 256 });
  assert.deepEqual(changed.costs.upcall, { ...machine.costs.upcall, value: 1000, source: "set by the user" });
  assert.equal(changed.limits.nicTxRing.value, 256);
  assert.deepEqual([basisOf(changed.costs.upcall), changed.costs.upcall.fittedTo], ["set", undefined]);
  assert.equal(withOverrides(machine, { doorbell: 1 }).costs.doorbell.fittedTo, undefined, "nobody has fitted that");
  assert.deepEqual({ ...changed.costs, upcall: machine.costs.upcall }, machine.costs);
});

Deno.test("what a figure rests on is told by its entry", () => {
  const { hypercall, doorbell, pollPickup } = MACHINES[0].costs;
  assert.deepEqual([hypercall, doorbell, pollPickup].map(basisOf), ["derived", "fitted", "published"]);
});

Deno.test("watched costs are the same, and each is told once, when it is read", () => {
  const costs = resolveCosts(MACHINES[0]);
  const read: string[] = [];
  const watched = watchedCosts(costs, (name) => read.push(name));
  assert.deepEqual([watched.upcall, watched.syscall, watched.upcall], [costs.upcall, costs.syscall, costs.upcall]);
  assert.deepEqual(read, ["upcall", "syscall"]);
  assert.deepEqual({ ...watched }, costs);
});

Deno.test("what profile modern takes from the testbed of 2012 by half is work, not a scheduler's period", () => {
  const [vhpc12] = MACHINES;
  const modern = MACHINES.find(({ name }) => name === "modern")!;
  const halved = COST_NAMES.filter((name) => modern.costs[name].source.includes("half of the 2012 testbed's"));
  assert.ok(halved.length > 20);
  for (const name of halved) {
    const { value, unit } = modern.costs[name];
    assert.deepEqual([name, unit, value], [name, unit.replace(/^us$/, "ns"), vhpc12.costs[name].value / 2]);
  }
});

Deno.test("every cost is charged somewhere", () => {
  const text = sources(new URL("../../src/", import.meta.url));
  const isRead = (name: string) =>
    new RegExp(`[cC]osts\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\} = [^;]*[cC]osts\\b`).test(text);
  assert.deepEqual(COST_NAMES.filter((name) => !isRead(name)), []);
});
