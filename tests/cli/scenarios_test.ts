import assert from "node:assert/strict";
import { CATALOGUE, openScenario } from "../../src/cli/catalogue.ts";
import { BUILT_IN } from "../../src/cli/scenarios.ts";
import { scenarioJsonSchema } from "../../src/cluster/scenario_schema.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));

for (const { name, title, number, text } of BUILT_IN) {
  Deno.test(`built-in scenario ${number}: ${name}`, () => {
    const scenario = openScenario(name);
    assert.deepEqual([scenario.name, scenario.title], [name, title]);
    assert.equal(text, read(`scenarios/${name}.yaml`));
    assert.match(text, /^# What to watch: /m);
    // YAML 1.2 wants what closes deeper than the key; not every parser does, and the formatter does not write it.
    assert.doesNotMatch(text, /^ *[\]}]/m);
    for (const path of CATALOGUE.paths) {
      const changed = openScenario(name, [{ option: "--path", path: ["path"], value: path.name }]);
      assert.equal(changed.path, path.name);
    }
  });
}

Deno.test("every file in scenarios/ is built in, and numbered; the first nine have keys", () => {
  const files = [...Deno.readDirSync(new URL("../../scenarios", import.meta.url))].map(({ name }) => name);
  const names = files.filter((file) => file.endsWith(".yaml")).map((file) => file.replace(".yaml", ""));
  assert.deepEqual(names.sort(), BUILT_IN.map(({ name }) => name).sort());
  assert.deepEqual(BUILT_IN.map(({ number }) => number), BUILT_IN.map((_, i) => i + 1));
});

/** What the schema says of a quantity, as a validator would. */
function allows(quantity: { anyOf: Record<string, unknown>[] }, value: string | number): boolean {
  const found = typeof value;
  return quantity.anyOf.some(({ type, pattern, minimum, maximum = Infinity, multipleOf = 0 }) => {
    if (type !== found) return false;
    if (typeof value === "string") return new RegExp(pattern as string, "u").test(value);
    return value >= Number(minimum) && value <= Number(maximum) && (multipleOf === 0 || Number.isInteger(value));
  });
}

Deno.test("the schema takes quantities as mxtop does: with their units", () => {
  const { properties, oneOf } = scenarioJsonSchema(CATALOGUE) as any;
  const stream = properties.workload.anyOf.find(({ properties: { kind } }: any) => kind.const === "stream");
  const cases: [quantity: Parameters<typeof allows>[0], good: (string | number)[], bad: (string | number)[]][] = [
    [properties.duration, ["10 ms", "1.5us", " .5 s ", "1e3 ns", "0", 0], ["10", 10, "10 min", "ms", "-1 s", "1,5 s"]],
    [properties.link.properties.rate, ["10 Gb/s", "100Mb/s"], [1e10, "10 GB/s"]],
    [properties.link.properties.loss, ["1 %", 0.01, "0.01"], [-1, "1 pct"]],
    [stream.properties.size, ["512 KiB", "4kB", 4096, "4096"], [-1, 1.5, "512 K", ""]],
  ];
  for (const [quantity, good, bad] of cases) {
    for (const value of good) assert.ok(allows(quantity, value), `${value}`);
    for (const value of bad) assert.ok(!allows(quantity, value), `${value}`);
  }
  // A strict validator refuses what is required and not among the properties.
  for (const { required, properties } of oneOf) assert.ok(required.every((key: string) => key in properties));
});

Deno.test("scenarios/schema.json is up to date (deno task schema)", () => {
  assert.deepEqual(JSON.parse(read("scenarios/schema.json")), scenarioJsonSchema(CATALOGUE));
});
