import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { GIB } from "../src/base/units.ts";
import { openScenario, overridesOf } from "../src/cli/catalogue.ts";
import { buildProgram } from "../src/cli/program.ts";
import { JSON_LIMIT } from "../src/cli/series_output.ts";
import { RUN_LIMIT } from "../src/cli/sweep/over.ts";
import { planSensitivity } from "../src/cli/sensitivity/plan.ts";
import { planSweep } from "../src/cli/sweep/plan.ts";
import { BUILT_IN } from "../src/cli/scenarios.ts";
import { V8_FLAGS } from "../src/cli/v8.ts";
import { LIMIT_EVENTS } from "../src/cluster/drain.ts";
import { BUFFER_LIMIT_BYTES } from "../src/cluster/scenario_file.ts";
import { GUEST_LIMIT, HOST_LIMIT } from "../src/cluster/scenario_schema.ts";
import { TURN_LIMIT } from "../src/guest/guard.ts";
import { OUTPUT_LINE_LENGTH, OUTPUT_LINES } from "../src/guest/output.ts";
import { basisOf, COST_NAMES, type CostName, LIMIT_NAMES } from "../src/hw/machine_profile.ts";
import { MACHINES } from "../src/hw/profiles/registry.ts";
import { MECHANISM_NAMES } from "../src/path/mechanisms.ts";
import { PATHS } from "../src/path/registry.ts";
import { SERIES_COLUMNS } from "../src/report/csv_series.ts";
import { explainPath } from "../src/report/explain.ts";
import { explainTable } from "../src/report/explain_text.ts";
import { templateInterval } from "../src/report/template.ts";
import { TRACE_LIMIT } from "../src/report/trace/tracer.ts";
import { Series } from "./cli/spawn.ts";
import { blocks, PAGES, read, ROOT } from "./support/docs.ts";

/*
 * What README.md and docs/ say is true: commands run, listings are what the program prints, names and links lead somewhere
 * (for the example of a workload see docs_example_test.ts, for names docs_names_test.ts). After a change of costs:
 *
 *   deno test -A --no-check tests/docs_test.ts -- --update      renews the listings of `explain`
 */

const UPDATE = Deno.args.includes("--update");

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

/** Options that a command does not know are usage errors; the dashboard's scenario, and all runs of many, must be good. */
async function checkParsing({ text, args }: Shown): Promise<void> {
  const program = await buildProgram(() => {}, []);
  const [name = "dash", ...rest] = args;
  const command = program.commands.find((known) => known.name() === name);
  assert.ok(command !== undefined, `${text}: no command ${name}`);
  const { operands, unknown } = command.parseOptions(rest);
  assert.deepEqual(unknown, [], `${text}: unknown options`);
  const [scenario] = operands;
  if (name === "sweep") await planSweep(scenario, command.opts());
  if (name === "sensitivity") await planSensitivity(scenario, { by: "10 %", ...command.opts() });
  if (name !== "dash" || !BUILT_IN.some((known) => known.name === scenario)) return;
  openScenario(scenario, overridesOf(command.opts()));
}

const OWN_FILE = "my.yaml";

/** Where commands run; empty at the begin of each page. */
const cwd = Deno.makeTempDirSync();
/** A process for each set of permissions. */
const processes = new Map<string, Series>();

Deno.test.afterAll(async () => {
  for (const series of processes.values()) await series[Symbol.asyncDispose]();
  Deno.removeSync(cwd, { recursive: true });
});

/** Runs a command with the permissions that are shown, and no others. */
function mxtop(args: readonly string[], permissions: readonly string[]) {
  const key = permissions.join(" ");
  if (!processes.has(key)) processes.set(key, new Series({ permissions, cwd }));
  return processes.get(key)!.run(args);
}

/** What makes a run that is shown shorter: what it has to say, it says after a few messages. */
function shorter(args: readonly string[]): string[] {
  const [, scenario] = args;
  if (args.includes("--program")) return [];
  const text = BUILT_IN.find(({ name }) => name === scenario)?.text ?? "";
  if (/\bkind: pingpong\b/.test(text)) return ["--set", "workload.iterations=50"];
  if (args.includes("--duration")) return ["--set", "warmup=10 ms"];
  // The eight messages under way of a throughput of 4 MiB take 27 ms.
  const [duration, warmup] = /\bsize: 4 MiB\b/.test(text) ? ["20 ms", "10 ms"] : ["8 ms", "4 ms"];
  return ["--duration", duration, "--set", `warmup=${warmup}`];
}

async function run(shown: Shown): Promise<void> {
  const [, scenario] = shown.args;
  const args = [...shown.args];
  const permissions = [...shown.permissions];
  if (args.includes(OWN_FILE) && permissions.length === 0) permissions.push("--allow-read"); // a user says yes
  if (args[0] === "run" && (scenario === OWN_FILE || BUILT_IN.some(({ name }) => name === scenario))) {
    args.push(...shorter(args));
  }
  const { code, stdout, stderr } = await mxtop(args, permissions);
  assert.equal(code, 0, `${shown.page}: ${shown.text}\nexit code ${code}\n${stderr}`);
  // Of a sensitivity the page has the table of the first metric.
  if (args[0] === "sensitivity") assert.ok(read(shown.page).includes(stdout.split("\n\n")[1]), shown.text);
}

for (const page of PAGES) {
  const commands = commandsOf(page);
  if (commands.length === 0) continue;
  const name = `${page}: every command that it shows works`;
  // Processes go on from page to page.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
    try {
      Deno.symlinkSync(fileURLToPath(new URL("examples", ROOT)), `${cwd}/examples`);
      Deno.writeTextFileSync(`${cwd}/${OWN_FILE}`, blocks("README.md", "yaml")[0]);
      for (const shown of commands) await checkParsing(shown);
      // The dashboard wants a terminal, and the whole study takes minutes.
      const short = commands.filter(({ args: [name] }) => ["run", "list", "explain", "sensitivity"].includes(name));
      // What the runs have captured, and written down.
      const reading = commands.filter(({ args }) =>
        args[0] === "decode" || args[0] === "replay" && !args.includes("--screen")
      );
      await Promise.all(short.map(run));
      for (const shown of reading) await run(shown);
    } finally {
      for (const { name } of Deno.readDirSync(cwd)) Deno.removeSync(`${cwd}/${name}`, { recursive: true });
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
  const derived = blockAfter(read("docs/costs.md"), "- **Derived**").split("\n- ")[0];
  const own = MACHINES[0].costs;
  const said = [...derived.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  for (const name of said) assert.equal(basisOf(own[name as CostName]), "derived", name);
  // Those of vhost, tap and QEMU it does not name.
  const named = COST_NAMES.filter((name) => basisOf(own[name]) === "derived" && !/^(vhost|tap|qemu)/.test(name));
  assert.deepEqual(said.sort(), [...named].sort());
});

Deno.test("docs: limits are those of the program", () => {
  const said = (page: string, text: string) => assert.ok(read(page).replace(/\s+/g, " ").includes(text), text);
  const spaced = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, " ");
  said("README.md", `A scenario may have ${HOST_LIMIT} hosts and ${GUEST_LIMIT} guests`);
  said("README.md", `at most ${RUN_LIMIT} runs`);
  said("docs/series.md", `at most ${spaced(JSON_LIMIT)} intervals times guests`);
  said("docs/guest-programs.md", `all guests together for ${BUFFER_LIMIT_BYTES / GIB} GiB`);
  said("docs/guest-programs.md", `after ${spaced(TURN_LIMIT)} turns`);
  said("docs/guest-programs.md", `${spaced(OUTPUT_LINES)} lines of ${OUTPUT_LINE_LENGTH} characters`);
  assert.deepEqual([LIMIT_EVENTS, TRACE_LIMIT], [4e6, 2e6], "in words in docs/guest-programs.md and docs/traces.md");
});

Deno.test("docs: pages name the flags for V8 that the hint of a slow run names", () => {
  const set = PAGES.map((page) => [page, read(page)]).flatMap(([page, text]) =>
    [...text.matchAll(/DENO_V8_FLAGS=(-\S+)/g)].map(([, flags]) => [page, flags])
  );
  assert.ok(set.length > 0);
  for (const [page, flags] of set) assert.equal(flags, V8_FLAGS, page);
});

Deno.test("docs: a time series has the fields and the columns that are told, in that order", () => {
  const names = (start: string) =>
    blockAfter(read("docs/series.md"), start).split("\n").slice(2).flatMap((row) =>
      [...row.split("|")[1].matchAll(/`(\w+)/g)].map(([, name]) => name)
    );
  assert.deepEqual(names("| field "), ["type", "scenario", ...Object.keys(templateInterval())]);
  assert.deepEqual(names("| column "), [...SERIES_COLUMNS]);
});

Deno.test("docs: every mechanism has a row, and no other thing", () => {
  const rows = [...read("docs/mechanisms.md").matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  assert.deepEqual(rows.sort(), [...MECHANISM_NAMES].sort());
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
