import assert from "node:assert/strict";
import { ProgramFault } from "../../../src/base/assert.ts";
import { UsageError } from "../../../src/cli/exit.ts";
import { toError, toFailure } from "../../../src/cli/jobs/messages.ts";
import { ScenarioError } from "../../../src/cluster/scenario_file.ts";
import { MemoryError } from "../../../src/hw/memory.ts";

Deno.test("an error that comes from a Worker is of the class that it was there: the exit code goes by it", () => {
  const errors = [
    new UsageError("u"),
    new ScenarioError([{ where: "a.yaml:1:2", message: "m" }]),
    new MemoryError(2 ** 50),
    new MemoryError(2 ** 33),
    new ProgramFault("f"),
    new TypeError("t"),
  ];
  for (const error of errors) {
    const arrived = toError(structuredClone(toFailure(error)));
    assert.deepEqual([arrived.name, arrived.message, arrived.stack], [error.name, error.message, error.stack]);
    if (!(error instanceof TypeError)) assert.equal(arrived.constructor, error.constructor);
  }
});
