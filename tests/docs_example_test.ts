import assert from "node:assert/strict";
import { CATALOGUE } from "../src/cli/catalogue.ts";
import { loadScenario } from "../src/cluster/scenario_file.ts";
import { Session } from "../src/cluster/session.ts";
import { PATHS } from "../src/path/registry.ts";
import { takeSnapshot } from "../src/report/take_snapshot.ts";
import { checkThreshold } from "../src/report/thresholds.ts";
import { WORKLOADS } from "../src/workload/registry.ts";
import type { Workload } from "../src/workload/workload.ts";
import { blocks, ROOT } from "./support/docs.ts";
import { ring } from "./support/ring_workload.ts";

/* The example of a workload in docs/ works. A copy of it is a file, so that its types are checked with all the others. */

const GUIDE = "docs/adding-a-workload.md";
const OWN = new URL("tests/support/ring_workload.ts", ROOT);

/** The example as it would stand in src/workload, with its imports as they are from tests/support. */
function example(): string {
  return blocks(GUIDE, "ts")[0].replace(
    /from "(\.[^"]+)"/g,
    (_, specifier) => `from "../../src/${new URL(specifier, "file:///workload/").pathname.slice(1)}"`,
  );
}

Deno.test("docs: the example of a workload is the file whose types are checked", () => {
  assert.equal(Deno.readTextFileSync(OWN), example());
});

Deno.test("docs: the example of a workload runs on every path without a loss or a leak", () => {
  // deno-lint-ignore no-explicit-any
  const registry = WORKLOADS as Workload<any>[];
  try {
    registry.push(ring);
    const text = blocks(GUIDE, "yaml")[0];
    const load = (settings: Record<string, unknown>) => {
      const overrides = Object.entries(settings).map(([key, value]) => ({
        option: `--set ${key}`,
        path: key.split("."),
        value,
      }));
      return loadScenario(text, { ...CATALOGUE, file: GUIDE, overrides, checkThreshold });
    };
    const cases = [
      {},
      { "workload.size": "64 KiB", "workload.laps": 5 },
      { guests: 2, "workload.size": "1 B" },
      { duration: "2 ms" },
      { duration: "3 ms" }, // in the middle of waits
      { duration: "8 ms", "link.loss": "1 %" },
      ...PATHS.map(({ name }) => ({ path: name, "workload.laps": 20 })),
    ];
    for (const settings of cases) {
      const session = new Session(load(settings));
      while (!session.finished) session.advance(session.end);
      const meta = { command: "docs", version: "0", wallMs: 0, partial: false };
      const { totals: { messages, integrity_errors, lost, duplicated }, guests } = takeSnapshot(session, meta);
      const about = JSON.stringify(settings);
      assert.ok(messages > 0, about);
      assert.equal(guests.reduce((sum, { sent }) => sum + sent.messages, 0), messages, about);
      assert.deepEqual({ integrity_errors, lost, duplicated }, { integrity_errors: 0, lost: 0, duplicated: 0 }, about);
      assert.deepEqual(session.drain(), [], about);
    }
    assert.throws(() => load({ guests: 1, hosts: 1 }), /ring wants 2 or more, found 1/);
  } finally {
    const at = registry.findIndex(({ kind }) => kind === "ring");
    if (at >= 0) registry.splice(at, 1);
  }
});
