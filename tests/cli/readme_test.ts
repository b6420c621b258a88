import assert from "node:assert/strict";
import { CATALOGUE } from "../../src/cli/catalogue.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { loadScenario } from "../../src/cluster/scenario_file.ts";
import { checkThreshold } from "../../src/report/thresholds.ts";

const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
const CONFIG = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));

Deno.test("README: the scenario that it shows is a good one", () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(README)![1];
  const scenario = loadScenario(text, { ...CATALOGUE, file: "README.md", checkThreshold });
  assert.deepEqual(scenario.guests.map(({ name, path }) => [name, path]), [
    ["web", "xen2mx"],
    ["db", "xen2mx"],
    ["vm03", "native"],
    ["vm04", "native"],
  ]);
});

Deno.test("README: every task and every command that it names is there", async () => {
  const tasks = [...README.matchAll(/(?:deno|deno@[\d.]+) task (\w+)/g)].map(([, name]) => name);
  const commands = [...README.matchAll(/main\.ts (\w+)/g)].map(([, name]) => name);
  assert.ok(tasks.length > 3 && commands.length > 5);
  for (const task of tasks) assert.ok(task in CONFIG.tasks, task);
  const known = (await buildProgram(() => {}, [])).commands.map((command) => command.name());
  for (const command of commands) assert.ok(known.includes(command), command);
  for (const name of known) assert.match(README, new RegExp(`^\\| \`${name}\\b`, "m"), `${name} is not in the table`);
});
