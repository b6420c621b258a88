import assert from "node:assert/strict";
import { parseSet, ScenarioSource } from "../../src/cluster/scenario_source.ts";

/* Texts of scenarios that a parser trips over. */

const TOO_DEEP = "found lists or blocks that go too deep, or contain themselves";

Deno.test("aliases that would multiply without end are refused", () => {
  let text = "a0: &a0 [x, x]\n";
  for (let i = 1; i < 20; i++) text += `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]\n`;
  const message = /^my\.yaml:1:1: not valid YAML: Excessive alias count/;
  assert.throws(() => new ScenarioSource(text, "my.yaml", []), { message });
});

Deno.test("what goes too deep is said in one line, however it does", () => {
  for (const text of ["[*a]", "[".repeat(20_000), "[".repeat(4000) + "]".repeat(4000)]) {
    const whole = `a: &a ${text}\n`;
    assert.throws(() => new ScenarioSource(whole, "my.yaml", []), { message: `my.yaml:1:1: ${TOO_DEEP}` });
  }
  assert.throws(() => parseSet(`title=${"[".repeat(20_000)}`), { message: `--set title: ${TOO_DEEP}` });
});
