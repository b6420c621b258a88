import assert from "node:assert/strict";
import { planSweep, type SweepWish } from "../../src/cli/sweep/plan.ts";
import type { Sweep } from "../../src/report/sweep/sweep.ts";
import { elementsOf, textOf } from "../support/markup.ts";
import { checkPage } from "../support/page.ts";
import { mxtop, Series } from "./spawn.ts";

/*
 * `sweep`: the real program on short scenarios, and what it is asked for, checked before a run begins.
 */

const TINY = ["sweep", "pingpong-tiny", "--set", "workload.iterations=10", "--over", "path=native,xen2mx,bridged"];
const READ = { permissions: ["--allow-read"] };
const ONE_AT_A_TIME = "mxtop: one run at a time; for 2 at a time: deno run -P main.ts ..., or --allow-read\n";

/** Without any permission. */
let plain: Series;
Deno.test.beforeAll(() => {
  plain = new Series();
});
Deno.test.afterAll(() => plain[Symbol.asyncDispose]());

const parse = (text: string) => JSON.parse(text) as Sweep;

Deno.test("two Workers, or none for lack of permission: the same bytes; each result is that of its command alone", async () => {
  const args = [...TINY, "--set", "thresholds=[rtt_us.p50 < 13]", "--format", "ndjson", "--jobs", "2"];
  const [two, none] = await Promise.all([mxtop(args, READ), plain.run(args)]);
  // A failed threshold fails the sweep.
  const failures = ["xen2mx", "bridged"].map((path) => `path=${path}: threshold rtt_us.p50 < 13: found `);
  const told = new RegExp(
    `^${failures.map((it) => `mxtop: failed: ${it}[\\d.]+\n`).join("")}mxtop: failed: 2 of 3 runs\n$`,
  );
  assert.equal(two.code, 1);
  assert.match(two.stderr, told);
  assert.deepEqual(none, { ...two, stderr: ONE_AT_A_TIME + two.stderr });
  const lines = two.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ type, over }) => [type, over.path]), [
    ...[["run", "native"], ["run", "xen2mx"], ["run", "bridged"], ["summary", undefined]],
  ]);
  const { ok, partial, runs_made, runs_planned, command } = lines[3];
  assert.deepEqual([ok, partial, runs_made, runs_planned], [false, false, 3, 3]);
  const what = "pingpong-tiny --set workload.iterations=10 --set 'thresholds=[rtt_us.p50 < 13]'";
  assert.equal(command, `mxtop sweep ${what} --over 'path=native,xen2mx,bridged'`);
  const { type: _type, over: _over, ...result } = lines[1];
  assert.equal(result.command, `mxtop run ${what} --set path=xen2mx`);
  const run = await plain.run([
    ...["run", "pingpong-tiny", "--set", "workload.iterations=10", "--set", "thresholds=[rtt_us.p50 < 13]"],
    ...["--set", "path=xen2mx", "--format", "json"],
  ]);
  const { wall, ...alone } = JSON.parse(run.stdout);
  assert.ok(wall.events > 0);
  assert.deepEqual(result, alone);
});

Deno.test("a guest program is swept over too, and files are written whole", async () => {
  const directory = await Deno.makeTempDir();
  const program = new URL("../../examples/ring.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await mxtop(
    ["sweep", "--program", program, "--over", "guests=2,3", "--format", "csv", "--out", "r.csv", "--junit", "r.xml"],
    { permissions: ["--allow-read", "--allow-write"], cwd: directory },
  );
  assert.deepEqual([code, stdout, stderr], [0, "", "mxtop: ok; result in r.csv\n"]);
  const records = (await Deno.readTextFile(`${directory}/r.csv`)).trimEnd().split("\r\n");
  assert.match(records[0], /^over\.guests,tool_version,scenario,/);
  assert.deepEqual(records.slice(1).map((record) => record.slice(0, 2)), ["2,", "2,", "2,", "3,", "3,", "3,", "3,"]);
  const suites = (await Deno.readTextFile(`${directory}/r.xml`)).match(/<testsuite name=.*>/g)!;
  assert.deepEqual(suites.map((suite) => /guests=\d" tests="2" failures="0"/.test(suite)), [true, true]);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a page has charts of the figures that are asked for", async () => {
  const { code, stdout } = await plain.run([...TINY, "--over", "seed=1,2", "--show", "rtt_us.p50", "--format", "html"]);
  assert.equal(code, 0);
  const page = checkPage(stdout);
  assert.deepEqual(elementsOf(page, "figcaption").map(textOf), ["rtt_us.p50 over seed, by path"]);
  const made = textOf(elementsOf(page, "footer")[0]);
  assert.match(made, /mxtop sweep pingpong-tiny --set workload\.iterations=10 --over .* --show rtt_us\.p50\s/);
  assert.match(made, /machine hash[0-9a-f]{16}\s/);
});

Deno.test("a reader that has seen enough ends a sweep, but not one whose verdicts are wanted", async () => {
  const directory = await Deno.makeTempDir();
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const command = `"$0" run --no-check -q --allow-read --allow-write "$@" | head -c 9`;
  const args = [Deno.execPath(), main, ...TINY, "--format", "ndjson", "--junit", "r.xml", "--jobs", "1"];
  const { code, stdout } = await new Deno.Command("sh", { args: ["-c", command, ...args], cwd: directory }).output();
  assert.deepEqual([code, new TextDecoder().decode(stdout)], [0, '{"type":"']);
  assert.match(await Deno.readTextFile(`${directory}/r.xml`), /<testsuites tests="\d+" failures="0">/);
  assert.equal((await Deno.readTextFile(`${directory}/r.xml`)).match(/<testsuite /g)!.length, 3);
  await Deno.remove(directory, { recursive: true });
});

/** Sends the signal when runs should be under way: on a slow machine that takes more, and so is tried again. */
async function stopped(signal: Deno.Signal) {
  const args = ["sweep", "stream-both-ways", "--over", "seed=1..4", "--duration", "1000 s", "--format", "json"];
  for (const cpuMs of [1700, 5000, 12_000]) {
    const outcome = await mxtop([...args, "--jobs", "2"], { ...READ, signal: [signal, cpuMs] });
    const runs = outcome.stdout === "" ? [] : parse(outcome.stdout).runs;
    if (runs.length > 0 && runs.every(({ result }) => result.virtual_ns > 0)) return outcome;
  }
  return await mxtop([...args, "--jobs", "2"], { ...READ, signal: [signal, 30_000] });
}

Deno.test("SIGINT: exit 130, with what the runs have come to", async () => {
  const { code, stdout, stderr } = await stopped("SIGINT");
  assert.equal(code, 130);
  assert.match(stderr, /^mxtop: stopped after 0 of 4 runs; the result is partial\n$/m);
  const { partial, runs, runs_planned } = parse(stdout);
  assert.deepEqual([partial, runs_planned], [true, 4]);
  // The second Worker may not have got to it.
  assert.ok(runs.length === 1 || runs.length === 2);
  for (const { result } of runs) assert.ok(result.partial && result.virtual_ns > 0 && result.virtual_ns < 1000e9);
});

Deno.test("nothing more is run when nobody reads the lines any more", async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const endless = ["--set", "duration=1000 s", "--over", "workload.iterations=10,1000000000", "--format", "ndjson"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-q", main, "sweep", "pingpong-tiny", ...endless],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const hang = setTimeout(() => child.kill("SIGKILL"), 60_000);
  await child.stdout.cancel(); // long before the first line
  const [{ code, signal }, told] = await Promise.all([child.status, new Response(child.stderr).text()]);
  clearTimeout(hang);
  assert.deepEqual([code, signal, told], [0, null, ""]);
});

Deno.test("what cannot be run is refused before a run begins", async () => {
  const over = (...over: string[]): SweepWish => ({ over });
  const wrong: [SweepWish, RegExp][] = [
    [{}, /^sweep: missing --over; wanted one such as/],
    [over("guests=10,4097"), /^--over guests: found 4097, wanted 1 to 4096$/],
    [over("warmpu=1 ms,2 ms"), /^--over warmpu: unknown key "warmpu"; did you mean warmup\?$/],
    [over("path=native,xen2mxx"), /^--over path: found "xen2mxx", wanted a path: .*; did you mean xen2mx\?$/],
    [over("workload.size=[1"), /^--over workload.size: not valid YAML/],
    [over("guests[0]=1"), /^--over guests\[0\]: guests is 40, wanted a list to set 0 in$/],
    [{ ...over("guests=2,4"), guests: "3" }, /^--over guests: found --guests too, wanted one of the two$/],
    [{ ...over("seed=1,2"), set: ["seed=3"] }, /^--over seed: found --set seed too, wanted one of the two$/],
    [over("seed=1,2,1.0"), /^--over seed: found 1\.0 twice, wanted each value once$/],
    [over("seed=1,2", "seed=3,4"), /^--over seed: found it twice, wanted all its values in one$/],
    [over("hosts[0].cpus=1", "hosts.0.cpus=2"), /^--over hosts.0.cpus: found --over hosts\[0\].cpus too, /],
    [over("workload.size=1 KiB", "workload={kind: stream}"), /^--over workload: found --over workload.size too, /],
    [{ ...over("workload={kind: stream}"), set: ["workload.size=1 KiB"] }, /found --set workload.size too, /],
    [{ ...over("program=a.ts,b.ts"), program: "c.ts" }, /^--over program: found --program too, wanted one of the two$/],
    [{ ...over("program.file=a.ts,b.ts"), program: "c.ts" }, /^--over program.file: found --program too, /],
    [
      { ...over("program.args.n=1,2"), program: "c.ts", programArg: ["n=7"] },
      /^--over program.args.n: found --program-arg n too, wanted one of the two$/,
    ],
    [{ ...over("guests=2,4"), show: ["guests.*.lost"] }, /^--show: found guests.\*.lost, wanted one figure, such as /],
    [
      over("guests=2..40", "seed=1..40"),
      /^--over: found 1560 runs \(39 of guests x 40 of seed\), wanted at most 1000$/,
    ],
    [{ ...over("guests=2,4"), show: ["lost", "lost"] }, /^--show: found lost twice, wanted each metric once$/],
    [{ ...over("guests=2,4"), show: ["rtt"] }, /^--show: unknown metric "rtt": no "rtt"/],
    [{ ...over("guests=2,4"), show: ["guests[vm06].lost"] }, /^--show: .*no "vm06"; did you mean/],
  ];
  for (const [wish, message] of wrong) await assert.rejects(planSweep("scale-40-vms", wish), { message });
  await assert.rejects(planSweep("scale-40-vms", { over: ["path=native,iov", "guests=2,3"] }), {
    message: /^scale-40-vms\.yaml:\d+:\d+: workload\.pairs: .*found 1 without one \(with path=native, guests=3\)$/,
  });
  // A guest of some runs only is good enough.
  const { points } = await planSweep("scale-40-vms", { ...over("guests=2,4"), show: ["guests[vm04].lost"] });
  assert.equal(points.length, 2);
  const { code, stdout, stderr } = await plain.run([...TINY, "--show", "rtt_us.p50", "--format", "csv"]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.equal(stderr, "mxtop: --show goes with --format table, markdown or html, found csv; it has every metric\n");
});
