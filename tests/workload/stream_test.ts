import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { PATHS } from "../../src/path/registry.ts";
import { run, totals } from "../support/scenario.ts";

Deno.test("a sender of few messages may be through before its receiver has connected: that one takes them all the same", () => {
  for (const { name: path } of PATHS) {
    for (const messages of [1, 3, 20]) {
      const workload = { kind: "stream", size: "16 B", messages };
      const session = run({ path, workload, durationPs: 50 * MS });
      assert.ok(session.finished && session.now < 2 * MS, `${path}, ${messages}: ${session.now / MS} ms`);
      assert.deepEqual([totals(session).messages, totals(session).lost], [messages, 0], path);
      assert.deepEqual(session.drain(), [], path);
    }
  }
});
