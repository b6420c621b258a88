import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CATALOGUE } from "../src/cli/catalogue.ts";
import { loadScenario } from "../src/cluster/scenario_file.ts";
import { Session } from "../src/cluster/session.ts";
import { PATHS } from "../src/path/registry.ts";
import { takeSnapshot } from "../src/report/take_snapshot.ts";
import { checkThreshold } from "../src/report/thresholds.ts";
import { WORKLOADS } from "../src/workload/registry.ts";
import type { Workload } from "../src/workload/workload.ts";
import { blocks, ROOT } from "./support/docs.ts";

/* The example of a workload in docs/ compiles and works. */

const CONFIG = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
const GUIDE = "docs/adding-a-workload.md";

/** The example as a file somewhere else, with its imports leading into src/workload. */
function writeExample(directory: string): string {
  const file = `${directory}/ring.ts`;
  const home = new URL("src/workload/", ROOT);
  const text = blocks(GUIDE, "ts")[0].replace(/from "([^"]+)"/g, (_, specifier) => {
    const target = specifier.startsWith(".") ? new URL(specifier, home).href : CONFIG.imports[specifier];
    return `from "${target}"`;
  });
  Deno.writeTextFileSync(file, text);
  return file;
}

async function check(file: string): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "-q", "--config", fileURLToPath(new URL("deno.json", ROOT)), file],
    env: { NO_COLOR: "1" },
    stderr: "piped",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

Deno.test("docs: the example of a workload compiles, and runs on every path without a loss or a leak", async () => {
  const directory = Deno.makeTempDirSync();
  // deno-lint-ignore no-explicit-any
  const registry = WORKLOADS as Workload<any>[];
  try {
    const file = writeExample(directory);
    await check(file);
    const { ring } = await import(new URL(`file://${file}`).href);
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
      ...PATHS.map(({ name }) => ({ path: name, "workload.laps": 20 })),
    ];
    for (const settings of cases) {
      const session = new Session(load(settings));
      while (!session.finished) session.advance(session.end);
      const meta = { command: "docs", version: "0", wallMs: 0, partial: false };
      const { messages, integrity_errors, lost, duplicated } = takeSnapshot(session, meta).totals;
      const about = JSON.stringify(settings);
      assert.ok(messages > 0, about);
      assert.deepEqual({ integrity_errors, lost, duplicated }, { integrity_errors: 0, lost: 0, duplicated: 0 }, about);
      assert.deepEqual(session.drain(), [], about);
    }
    assert.throws(() => load({ guests: 1, hosts: 1 }), /ring wants 2 or more, found 1/);
  } finally {
    const at = registry.findIndex(({ kind }) => kind === "ring");
    if (at >= 0) registry.splice(at, 1);
    Deno.removeSync(directory, { recursive: true });
  }
});
