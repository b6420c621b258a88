import assert from "node:assert/strict";
import { openRunInput, openSession } from "../../src/cli/run_input.ts";
import { logText } from "../../src/cli/log_file.ts";
import { SERIES_COLUMNS } from "../../src/report/csv_series.ts";
import type { IntervalFigures } from "../../src/report/interval_figures.ts";
import { Series } from "./spawn.ts";

/* `--interval`, through the real program. */

const STREAM = ["run", "throughput-4m", "--set", "workload.size=64 KiB", "--set", "warmup=1 ms", "--duration", "5 ms"];
const LONG = ["run", "stream-both-ways", "--duration", "1000 s", "--interval", "200 us"];

const main = new URL("../../main.ts", import.meta.url).pathname;
const directory = await Deno.makeTempDir();
let plain: Series;
Deno.test.beforeAll(() => {
  plain = new Series({ permissions: ["--allow-read", "--allow-write"], cwd: directory });
});
Deno.test.afterAll(async () => {
  await plain[Symbol.asyncDispose]();
  await Deno.remove(directory, { recursive: true });
});

// deno-lint-ignore no-explicit-any
const linesOf = (text: string): any[] => text.trimEnd().split("\n").map((line) => JSON.parse(line));
const messagesOf = (intervals: readonly IntervalFigures[]) =>
  intervals.reduce((sum, { totals }) => sum + totals.messages, 0);

Deno.test("ndjson: a line for each interval, then the lines that there are without", async () => {
  const [streamed, alone] = [
    await plain.run([...STREAM, "--format", "ndjson", "--interval", "2 ms"]),
    await plain.run([...STREAM, "--format", "ndjson"]),
  ];
  assert.deepEqual([streamed.code, streamed.stderr], [0, ""]);
  const lines = linesOf(streamed.stdout);
  assert.deepEqual(lines.map(({ type }) => type), [...Array(3).fill("interval"), "guest", "guest", "summary"]);
  const summary = lines.at(-1);
  const rest = (text: string) => text.replace(/"wall":\{[^}]*\}/, "");
  assert.equal(rest(streamed.stdout.split("\n").slice(3).join("\n")), rest(alone.stdout));
  assert.deepEqual(lines.slice(0, 3).map(({ to_ns }) => to_ns), [3e6, 5e6, 6e6]);
  assert.deepEqual(lines[0].scenario, summary.scenario);
  assert.equal(messagesOf(lines.slice(0, 3)), summary.totals.messages);
});

Deno.test("csv is the series alone, json has it as an array, and all three say the same", async () => {
  const [csv, json, ndjson] = await Promise.all(
    ["csv", "json", "ndjson"].map((format) => plain.run([...STREAM, "--format", format, "--interval", "2 ms"])),
  );
  const { series, command, ...result } = JSON.parse(json.stdout);
  assert.equal(Object.keys(result).at(-1), "wall");
  assert.doesNotMatch(command, /interval/);
  assert.deepEqual(
    series,
    linesOf(ndjson.stdout).slice(0, 3).map(({ type: _, scenario: __, ...interval }) => interval),
  );
  const [head, ...records] = csv.stdout.trimEnd().split("\r\n").map((line) => line.split(","));
  assert.deepEqual(head, SERIES_COLUMNS);
  const cell = (record: string[], name: string) => Number(record[head.indexOf(name)]);
  for (const [i, record] of records.entries()) {
    const { from_ns, totals, links: [{ directions }] }: IntervalFigures = series[i];
    assert.equal(cell(record, "from_ns"), from_ns);
    assert.equal(cell(record, "messages"), totals.messages);
    assert.equal(cell(record, "latency_us_p99"), totals.latency_us?.p99);
    assert.equal(cell(record, "link_utilisation"), Math.max(directions[0].utilisation, directions[1].utilisation));
    assert.ok(cell(record, "host_cpu") > cell(record, "guest_cpu"));
  }
});

Deno.test("a log that is replayed has the same series, whatever else is written", async () => {
  const input = await openRunInput("throughput-4m", { set: ["workload.size=64 KiB", "warmup=1 ms"], duration: "5 ms" });
  const session = await openSession(input);
  session.advance(session.end);
  await Deno.writeTextFile(`${directory}/s.log`, logText(input, { session, inputs: [], endless: false }));
  session.release();
  const options = ["--format", "ndjson", "--interval", "2 ms", "--out", "s.ndjson", "--trace", "t.json"];
  const { code, stderr } = await plain.run(["replay", "s.log", ...options]);
  assert.equal(code, 0, stderr);
  const run = await plain.run([...STREAM, "--format", "ndjson", "--interval", "2 ms"]);
  const head = (text: string) => text.split("\n").slice(0, 5);
  assert.deepEqual(head(await Deno.readTextFile(`${directory}/s.ndjson`)), head(run.stdout));
});

Deno.test("a signal leaves whole lines in a file that grows with the run, and the partial result", async () => {
  const out = `${directory}/long.ndjson`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-q", "-A", main, ...LONG, "--format", "ndjson", "--out", out],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const watch = setInterval(() => {
    // Some intervals: without a message it would not be ok.
    if (sizeOf(out) < 50_000) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 20);
  const hang = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(hang);
  clearInterval(watch);
  assert.deepEqual([code, stdout.length], [143, 0]);
  assert.deepEqual(new TextDecoder().decode(stderr).trimEnd().split("\n"), [
    "mxtop: stopped before the end; the result is partial",
    `mxtop: ok so far; result in ${out}`,
  ]);
  const lines = linesOf(await Deno.readTextFile(out));
  const intervals = lines.filter(({ type }) => type === "interval");
  const { partial, totals } = lines.at(-1);
  assert.deepEqual([partial, intervals.at(-1).partial, intervals[0].partial], [true, true, false]);
  assert.equal(messagesOf(intervals), totals.messages);
});

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

/** Runs the program in a shell that does something with its stdout. */
async function inShell(after: string, args: readonly string[]) {
  const command = `"$0" run --no-check -q -A "$@" ${after}`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-o", "pipefail", "-c", command, Deno.execPath(), main, ...args],
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test(
  "a reader who has seen enough ends a run of hours, quietly",
  { ignore: Deno.build.os === "windows" },
  async () => {
    const { code, stdout, stderr } = await inShell("| head -n 1", [...LONG, "--format", "csv"]);
    assert.deepEqual([code, stdout, stderr], [0, `${SERIES_COLUMNS.join(",")}\r\n`, ""]);
  },
);

Deno.test("lines that cannot be saved are printed", { ignore: Deno.build.os !== "linux" }, async () => {
  const args = [...STREAM, "--format", "ndjson", "--interval", "2 ms", "--out", "/dev/full"];
  const { code, stdout, stderr } = await inShell("", args);
  assert.equal(code, 2);
  assert.match(stderr, /^mxtop: \/dev\/full: /);
  assert.equal(linesOf(stdout).length, 6);
});
