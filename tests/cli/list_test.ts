import assert from "node:assert/strict";
import { KINDS } from "../../src/cli/list_kinds.ts";
import { MECHANISM_NAMES } from "../../src/path/mechanisms.ts";
import { COST_NAMES, LIMIT_NAMES } from "../../src/hw/machine_profile.ts";
import { read } from "../support/docs.ts";
import { Series } from "./spawn.ts";

/*
 * `list`: what it shows of each kind, as a table and as JSON.
 */

let plain: Series;
Deno.test.beforeAll(() => {
  plain = new Series();
});
Deno.test.afterAll(() => plain[Symbol.asyncDispose]());

const list = async (...args: string[]) => {
  const { code, stdout, stderr } = await plain.run(["list", ...args]);
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return stdout;
};

Deno.test("every list as JSON: the same entries as its table has lines", async () => {
  const all = JSON.parse(await list("--format", "json"));
  assert.deepEqual(Object.keys(all), Object.keys(KINDS));
  for (const [kind, { head }] of Object.entries(KINDS)) {
    const entries = JSON.parse(await list(kind, "--format", "json"));
    assert.deepEqual(entries, all[kind]);
    const lines = (await list(kind)).trimEnd().split("\n").slice(head === undefined ? 0 : 1);
    assert.equal(lines.length, entries.length, kind);
    for (const [i, entry] of entries.entries()) {
      const name = entry.name ?? entry.kind ?? entry.cost;
      assert.match(lines[i], new RegExp(`^(\\d+ +)?${name.replace(/[[\].]/g, "\\$&")} `));
    }
  }
  const taps = JSON.parse(await list("taps", "pingpong-tiny", "--format", "json"));
  assert.deepEqual(taps[0], { name: "a-b", comment: "wire from a nic to b nic" });
  assert.equal(await list("schema", "--format", "json"), await list("schema"));
});

Deno.test("a cost says what it rests on, on each machine", async () => {
  const costs = JSON.parse(await list("costs", "--format", "json"));
  assert.deepEqual(costs.map(({ cost }: { cost: string }) => cost), [...COST_NAMES, ...LIMIT_NAMES]);
  const upcall = costs.find(({ cost }: { cost: string }) => cost === "upcall");
  assert.deepEqual([upcall.unit, upcall.machines.vhpc12.value, upcall.machines.vhpc12.basis], ["ns", 650, "derived"]);
  assert.match(costs[0].machines.vhpc12.fitted_to, /^native half round trip/);
});

Deno.test("mechanisms have the defaults that their page says", async () => {
  const mechanisms: { name: string; default: string }[] = JSON.parse(await list("mechanisms", "--format", "json"));
  assert.deepEqual(mechanisms.map(({ name }) => name), MECHANISM_NAMES);
  const rows = [...read("docs/mechanisms.md").matchAll(/^\| `(\w+)` *\|[^|]*\| ([^|]*?) *\|/gm)];
  const said = Object.fromEntries(rows.map(([, name, text]) => [name, text.replaceAll("`", "")]));
  for (const { name, default: own } of mechanisms) assert.equal(said[name], own, name);
});
