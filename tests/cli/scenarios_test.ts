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

Deno.test("scenarios/schema.json is up to date (deno task schema)", () => {
  assert.deepEqual(JSON.parse(read("scenarios/schema.json")), scenarioJsonSchema(CATALOGUE));
});
