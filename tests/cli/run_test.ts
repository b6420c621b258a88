import assert from "node:assert/strict";
import type { Snapshot } from "../../src/report/snapshot.ts";
import { mxtop, Series } from "./spawn.ts";

/*
 * `run`, through the real program, on scenarios cut short.
 */

const TINY = ["run", "pingpong-tiny", "--set", "workload.iterations=20"];
const STREAM = ["run", "throughput-4m", "--set", "workload.size=64 KiB", "--set", "warmup=1 ms", "--duration", "3 ms"];

let plain: Series;
Deno.test.beforeAll(() => {
  plain = new Series();
});
Deno.test.afterAll(() => plain[Symbol.asyncDispose]());

const parse = (text: string) => JSON.parse(text) as Snapshot;

Deno.test("a good run: exit 0, the result on stdout, nothing on stderr", async () => {
  const { code, stdout, stderr } = await plain.run([...TINY, "--format", "json", "--seed", "5"]);
  assert.deepEqual([code, stderr], [0, ""]);
  const result = parse(stdout);
  assert.equal(result.ok, true);
  assert.equal(result.partial, false);
  assert.equal(result.scenario.seed, 5);
  assert.equal(result.scenario.path, "xen2mx");
  assert.equal(result.command, "mxtop run pingpong-tiny --seed 5 --set workload.iterations=20");
  assert.ok(result.totals.messages > 0);
  assert.equal(result.totals.integrity_errors, 0);
  assert.deepEqual(result.thresholds.map(({ ok }) => ok), [true, true]);
});

Deno.test("the same input in two processes is the same result, but for wall", async () => {
  const runs = await Promise.all([mxtop([...STREAM, "--format", "json"]), mxtop([...STREAM, "--format", "json"])]);
  for (const { code, stderr } of runs) assert.deepEqual([code, stderr], [0, ""]);
  const [first, second] = runs.map(({ stdout }) => stdout.replace(/"wall": \{[^}]*\}/, ""));
  assert.equal(first, second);
  const other = parse((await plain.run([...STREAM, "--format", "json", "--seed", "2"])).stdout);
  assert.notEqual(other.fingerprint, parse(runs[0].stdout).fingerprint);
});

Deno.test("every format comes out of the real program", async () => {
  const begin: Record<string, RegExp> = {
    table: /^pingpong-tiny +One guest/,
    json: /^\{\n +"schema": "mxtop\/1"/,
    ndjson: /^\{"type":"guest"/,
    csv: /^tool_version,scenario,/,
    markdown: /^# pingpong-tiny: ok\n/,
    html: /^<!DOCTYPE html>\n<html lang="en"[^]*<title>pingpong-tiny: OK<\/title>[^]*published 7\.00[^]*<\/html>\n$/,
  };
  await Promise.all(
    Object.entries(begin).map(async ([format, pattern]) => {
      const { code, stdout } = await plain.run([...TINY, "--format", format]);
      assert.equal(code, 0);
      assert.match(stdout, pattern);
    }),
  );
});

Deno.test("--counters shows what the drivers counted, and the result has the same figures", async () => {
  const [table, json] = await Promise.all([
    plain.run([...TINY, "--counters"]),
    plain.run([...TINY, "--format", "json"]),
  ]);
  assert.equal(table.code, 0);
  for (const { name, mac, counters } of parse(json.stdout).hosts.flatMap(({ boards }) => boards)) {
    const shown = table.stdout.slice(table.stdout.indexOf(`board ${name} on host ${name}   ${mac}`));
    assert.match(shown, new RegExp(`^000: +${counters["send tiny"]} send tiny$`, "m"));
    assert.ok(counters["send tiny"] > 0 && counters["recv connect request"] > 0);
  }
});

Deno.test("--path native makes every host native", async () => {
  const result = parse((await plain.run([...TINY, "--path", "native", "--format", "json"])).stdout);
  assert.deepEqual(result.guests.map(({ path }) => path), ["native", "native"]);
  assert.deepEqual(result.hosts.map(({ native }) => native), [true, true]);
});

Deno.test("a failed threshold: exit 1, and the result says why", async () => {
  const { code, stdout, stderr } = await plain.run([
    ...TINY,
    "--set",
    "thresholds=[rtt_us.p50 < 1]",
    "--format",
    "json",
  ]);
  assert.equal(code, 1);
  const { ok, failures, thresholds } = parse(stdout);
  assert.equal(ok, false);
  assert.equal(thresholds[0].ok, false);
  assert.match(failures[0], /^threshold rtt_us\.p50 < 1: found \d/);
  assert.equal(stderr, `mxtop: failed: ${failures[0]}\n`);
});

Deno.test("a run without samples fails", async () => {
  const { code, stdout } = await plain.run([
    "run",
    "throughput-4m",
    "--set",
    "warmup=0",
    "--duration",
    "5 us",
    "--format",
    "json",
  ]);
  assert.equal(code, 1);
  assert.deepEqual(parse(stdout).failures, ["no samples: no message was completed after warm-up"]);
});

/** Sends the signal when the run should be under way: on a slow machine that takes more, and so is tried again. */
async function stopped(signal: Deno.Signal) {
  const args = ["run", "stream-both-ways", "--duration", "1000 s", "--format", "json"];
  for (const cpuMs of [900, 3000, 8000]) {
    const outcome = await mxtop(args, { signal: [signal, cpuMs] });
    if (outcome.stdout !== "" && parse(outcome.stdout).virtual_ns > 0) return outcome;
  }
  return await mxtop(args, { signal: [signal, 20_000] });
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal}: exit ${code}, with a partial result that says so`, async () => {
    const outcome = await stopped(signal);
    assert.equal(outcome.code, code);
    const result = parse(outcome.stdout);
    assert.equal(result.partial, true);
    assert.ok(result.virtual_ns > 0 && result.virtual_ns < 1000e9);
    assert.match(outcome.stderr, /partial/);
  });
}

Deno.test("--out and --junit write whole files, and say so on stderr; what cannot be written is refused before the run", async () => {
  const directory = await Deno.makeTempDir();
  await using series = new Series({ permissions: ["--allow-read", "--allow-write"], cwd: directory });
  const args = [...TINY, "--format", "json", "--out", "r.json", "--junit", "r.xml"];
  const { code, stdout, stderr } = await series.run(args);
  assert.deepEqual([code, stdout, stderr], [0, "", "mxtop: ok; result in r.json\n"]);
  assert.equal(parse(await Deno.readTextFile(`${directory}/r.json`)).ok, true);
  assert.match(
    await Deno.readTextFile(`${directory}/r.xml`),
    /<testsuite name="mxtop\.pingpong-tiny\.xen2mx" tests="6" failures="0"/,
  );
  assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), ["r.json", "r.xml"]);
  const quiet = await series.run([...TINY, "--out", "q.txt", "--quiet"]);
  assert.deepEqual(quiet, { code: 0, stdout: "", stderr: "" });
  const nowhere = await series.run([...TINY, "--out", "/nowhere/at/all.json"]);
  assert.deepEqual(nowhere, { code: 2, stdout: "", stderr: "mxtop: /nowhere/at: no such file or directory\n" });
  await Deno.remove(directory, { recursive: true });
});

Deno.test("--out with permission for that file alone is enough", async () => {
  const directory = await Deno.makeTempDir();
  const { code } = await mxtop([...TINY, "--out", "r.txt"], { permissions: ["--allow-write=r.txt"], cwd: directory });
  assert.equal(code, 0);
  assert.match(await Deno.readTextFile(`${directory}/r.txt`), /OK\n$/);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a result that cannot be saved is printed", { ignore: Deno.build.os !== "linux" }, async () => {
  const { code, stdout, stderr } = await mxtop([...TINY, "--format", "json", "--out", "/dev/full"], {
    permissions: ["--allow-all"],
  });
  assert.equal(code, 2);
  assert.equal(parse(stdout).ok, true);
  assert.match(stderr, /^mxtop: \/dev\/full: /);
});

Deno.test("a stdout that takes no more is named, also for help", { ignore: Deno.build.os !== "linux" }, async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  for (const args of [TINY, ["--help"]]) {
    const command = `exec "$0" run --no-check -q --allow-read "$@" > /dev/full`;
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", command, Deno.execPath(), main, ...args],
      stdin: "null",
      stderr: "piped",
    }).output();
    assert.equal(code, 2);
    assert.match(new TextDecoder().decode(stderr), /^mxtop: stdout: No space left on device[^\n]*\n$/);
  }
});
