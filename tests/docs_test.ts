import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CATALOGUE, openScenario, overridesOf } from "../src/cli/catalogue.ts";
import { buildProgram } from "../src/cli/program.ts";
import { planSweep } from "../src/cli/sweep/plan.ts";
import { BUILT_IN } from "../src/cli/scenarios.ts";
import { loadScenario } from "../src/cluster/scenario_file.ts";
import { Session } from "../src/cluster/session.ts";
import { COST_NAMES, LIMIT_NAMES } from "../src/hw/machine_profile.ts";
import { MACHINES } from "../src/hw/profiles/registry.ts";
import { PATHS } from "../src/path/registry.ts";
import { explainPath } from "../src/report/explain.ts";
import { explainTable } from "../src/report/explain_text.ts";
import { takeSnapshot } from "../src/report/take_snapshot.ts";
import { checkThreshold } from "../src/report/thresholds.ts";
import { WORKLOADS } from "../src/workload/registry.ts";
import type { Workload } from "../src/workload/workload.ts";
import { mxtop } from "./cli/spawn.ts";

/*
 * What README.md and docs/ say is true: commands run, listings are what the program prints, the example compiles and
 * works, names and links lead somewhere. After a change of costs:
 *
 *   deno test -A --no-check tests/docs_test.ts -- --update      renews the listings of `explain`
 */

const ROOT = new URL("../", import.meta.url);
const CONFIG = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
const UPDATE = Deno.args.includes("--update");

const PAGES = ["README.md", ...[...Deno.readDirSync(new URL("docs", ROOT))].map(({ name }) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md")).sort();

const read = (page: string) => Deno.readTextFileSync(new URL(page, ROOT));

function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter((match) => match[1] === language)
    .map((match) => match[2]);
}

// ---- commands

interface Shown {
  readonly page: string;
  readonly text: string;
  /** Options of deno before main.ts. */
  readonly permissions: string[];
  readonly args: string[];
}

/** The words of a shell command: quotes are taken off, a comment and a redirection end it. */
function words(text: string): string[] {
  const all = [...text.matchAll(/'([^']*)'|"([^"]*)"|(#.*|>.*)|([^\s'"#>]\S*)/g)];
  const end = all.findIndex((match) => match[3] !== undefined);
  return all.slice(0, end < 0 ? all.length : end).map((match) => match[1] ?? match[2] ?? match[4]);
}

function commandsOf(page: string): Shown[] {
  const lines = blocks(page, "sh").flatMap((block) => block.replace(/\\\n\s*/g, "").split("\n"));
  return lines.map((text) => ({ page, text, all: words(text) })).filter(({ all }) => all.includes("main.ts")).map(
    ({ page, text, all }) => {
      const main = all.indexOf("main.ts");
      const permissions = all.slice(0, main).filter((word) => word.startsWith("--allow"));
      return { page, text, permissions, args: all.slice(main + 1) };
    },
  );
}

/** Options that a command does not know are usage errors; the dashboard's scenario, and all of a sweep, must be good. */
async function checkParsing({ text, args }: Shown): Promise<void> {
  const program = buildProgram(() => {}, []);
  const [name = "dash", ...rest] = args;
  const command = program.commands.find((known) => known.name() === name);
  assert.ok(command !== undefined, `${text}: no command ${name}`);
  const { operands, unknown } = command.parseOptions(rest);
  assert.deepEqual(unknown, [], `${text}: unknown options`);
  const [scenario] = operands;
  if (name === "sweep") await planSweep(scenario, command.opts());
  if (name !== "dash" || !BUILT_IN.some((known) => known.name === scenario)) return;
  openScenario(scenario, overridesOf(command.opts()));
}

const OWN_FILE = "my.yaml";
const AT_A_TIME = 3;

async function run(shown: Shown, cwd: string): Promise<void> {
  const [, scenario] = shown.args;
  const args = [...shown.args];
  const permissions = [...shown.permissions];
  if (args.includes(OWN_FILE) && permissions.length === 0) permissions.push("--allow-read"); // a user says yes
  if (args[0] === "run" && BUILT_IN.some(({ name }) => name === scenario)) {
    // As shown, but shorter.
    if (!args.includes("--duration")) args.push("--duration", "20 ms");
    args.push("--set", "warmup=10 ms");
  }
  const { code, stderr } = await mxtop(args, { permissions, cwd });
  assert.equal(code, 0, `${shown.page}: ${shown.text}\nexit code ${code}\n${stderr}`);
}

for (const page of PAGES) {
  const commands = commandsOf(page);
  if (commands.length === 0) continue;
  Deno.test(`${page}: every command that it shows works`, async () => {
    const cwd = Deno.makeTempDirSync();
    try {
      Deno.symlinkSync(fileURLToPath(new URL("examples", ROOT)), `${cwd}/examples`);
      Deno.writeTextFileSync(`${cwd}/${OWN_FILE}`, blocks("README.md", "yaml")[0]);
      for (const shown of commands) await checkParsing(shown);
      // The dashboard wants a terminal, and the whole study takes minutes.
      const short = commands.filter(({ args: [name] }) => name === "run" || name === "list" || name === "explain");
      // What the runs have captured, and written down.
      const reading = commands.filter(({ args }) =>
        args[0] === "decode" || args[0] === "replay" && !args.includes("--screen")
      );
      while (short.length > 0) await Promise.all(short.splice(0, AT_A_TIME).map((shown) => run(shown, cwd)));
      for (const shown of reading) await run(shown, cwd);
    } finally {
      Deno.removeSync(cwd, { recursive: true });
    }
  });
}

Deno.test("docs: words of a command", () => {
  assert.deepEqual(words("deno run main.ts run x --set 'a=b c' --duration \"20 ms\" > r.json # so"), [
    ...["deno", "run", "main.ts", "run", "x", "--set", "a=b c", "--duration", "20 ms"],
  ]);
});

// ---- listings

const LIFE = "docs/life-of-a-message.md";
const LISTING = /^<!-- explain ([\w-]+) -->\n(?:\n```text\n[\s\S]*?^```$)?/gm;

/** What `explain` prints of a tiny message. */
function listing(name: string): string {
  const path = PATHS.find((known) => known.name === name);
  assert.ok(path !== undefined, `${LIFE} describes a path that does not exist: ${name}`);
  const [tiny] = explainPath(path, { machine: MACHINES[0].name, costs: {}, mtu: 9000 });
  const text = explainTable(name, [tiny]).split("\n").map((line) => line.trimEnd()).join("\n").trim();
  return `<!-- explain ${name} -->\n\n\`\`\`text\n${text.replace("\nby stage: ", "\nby stage:\n  ")}\n\`\`\``;
}

Deno.test("docs: the steps of a message are those that explain shows", () => {
  const text = read(LIFE);
  const renewed = text.replace(LISTING, (_, name) => listing(name));
  if (UPDATE) Deno.writeTextFileSync(new URL(LIFE, ROOT), renewed);
  else assert.equal(text, renewed, "renew them: deno test -A --no-check tests/docs_test.ts -- --update");
});

// ---- the example of a workload

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

// ---- names

Deno.test("docs: every link and every file that is named is there", () => {
  const wrong: string[] = [];
  for (const page of PAGES) {
    const text = read(page);
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]).filter((link) => !/^\w+:/.test(link));
    for (const link of links) {
      const [target, anchor] = link.split("#");
      const file = target === "" ? new URL(page, ROOT) : new URL(target, new URL(page, ROOT));
      if (!exists(file)) wrong.push(`${page}: ${link}`);
      else if (anchor !== undefined && !anchors(Deno.readTextFileSync(file)).includes(anchor)) {
        wrong.push(`${page}: ${link}`);
      }
    }
    for (const [, name] of text.matchAll(/`((?:src|tests|scenarios|bench)\/[\w./-]+)`/g)) {
      const isExample = /NAME|\/ring\.ts$/.test(name);
      if (!isExample && !exists(new URL(name, ROOT))) wrong.push(`${page}: ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("docs: every cost that is set or fitted is one of the profile's", () => {
  const known = new Set<string>([...COST_NAMES, ...LIMIT_NAMES, "NAME"]);
  for (const page of PAGES) {
    for (const [, name] of read(page).matchAll(/\bcosts\.(?!md\b)(\w+)/g)) {
      assert.ok(known.has(name), `${page}: ${name}`);
    }
  }
  const fitted = blockAfter(read("docs/costs.md"), "| fitted to");
  for (const [, name] of fitted.matchAll(/`(\w+)`/g)) {
    if (name === "vhpc12") continue;
    const entry = { ...MACHINES[0].costs, ...MACHINES[0].limits }[name as typeof COST_NAMES[number]];
    assert.ok(entry?.fittedTo !== undefined, `${name} is not a fitted entry`);
  }
});

function blockAfter(text: string, start: string): string {
  const from = text.indexOf(start);
  return text.slice(from, text.indexOf("\n\n", from));
}

function exists(file: URL): boolean {
  try {
    Deno.statSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Anchors of a page's headings, as forges make them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title.toLowerCase().replace(/[^\w\s-]/g, "").replace(/\s/g, "-")
  );
}
