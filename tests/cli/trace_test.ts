import assert from "node:assert/strict";
import { importTrace } from "../support/chrome_trace.ts";
import { mxtop, Series } from "./spawn.ts";

/*
 * `run --trace`, through the real program. What is in a trace is tested beside the tracer.
 */

const TINY = ["run", "pingpong-tiny", "--set", "workload.iterations=20", "--format", "json"];
const STREAM = ["run", "throughput-4m", "--set", "workload.size=64 KiB", "--set", "warmup=1 ms", "--format", "json"];
const permissions = ["--allow-read", "--allow-write"];

let directory: string;
let series: Series;

Deno.test.beforeAll(() => {
  directory = Deno.makeTempDirSync();
  series = new Series({ permissions, cwd: directory });
});
Deno.test.afterAll(async () => {
  await series[Symbol.asyncDispose]();
  Deno.removeSync(directory, { recursive: true });
});

/** Runs a test in the directory, and leaves it empty. */
async function inDirectory(test: (cwd: string) => Promise<void>): Promise<void> {
  await test(directory);
  for (const { name } of Deno.readDirSync(directory)) Deno.removeSync(`${directory}/${name}`, { recursive: true });
}

const readTrace = async (file: string) => importTrace(await Deno.readTextFile(file));
const withoutWall = (text: string) => text.replace(/"wall": \{[^}]*\}/, "");

Deno.test("--trace writes a whole file, says so, and changes nothing of the result", () =>
  inDirectory(async (cwd) => {
    const [plain, traced] = await Promise.all([
      series.run(TINY),
      series.run([...TINY, "--trace", "t.json"]),
    ]);
    assert.equal(traced.code, 0);
    assert.equal(withoutWall(traced.stdout), withoutWall(plain.stdout));
    assert.match(traced.stderr, /^mxtop: trace: \d+ events, 0 ms to [\d.]+ ms of virtual time, in t\.json\n$/);
    assert.deepEqual([...Deno.readDirSync(cwd)].map(({ name }) => name), ["t.json"]);
    const { flows, otherData } = await readTrace(`${cwd}/t.json`);
    assert.ok(flows.length >= 280);
    const { fingerprint, command, scenario } = JSON.parse(plain.stdout);
    assert.equal(otherData.fingerprint, fingerprint);
    assert.equal(otherData.command, command);
    assert.equal(otherData.scenario, scenario.name);
    assert.equal(otherData.cut, "false");
  }));

Deno.test("--trace-from and --trace-for choose a stretch of virtual time, --quiet says nothing", () =>
  inDirectory(async (cwd) => {
    const args = [
      ...STREAM,
      "--duration",
      "4 ms",
      "--trace",
      "t.json",
      "--trace-from",
      "2 ms",
      "--trace-for",
      "500 us",
    ];
    const { code, stdout, stderr } = await series.run([...args, "--quiet"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const { slices, flows, otherData } = await readTrace(`${cwd}/t.json`);
    assert.deepEqual([otherData.virtual_from_ns, otherData.virtual_until_ns], ["2000000", "2500000"]);
    assert.ok(slices.length > 100 && flows.length > 0);
    assert.ok(slices.every(({ from, to }) => from >= 2e6 && to < 2.6e6));
    const plain = JSON.parse((await series.run([...STREAM, "--duration", "4 ms"])).stdout);
    assert.equal(JSON.parse(stdout).fingerprint, plain.fingerprint);
  }));

Deno.test("a run that its program ends is partial with a trace as without", () =>
  inDirectory(async (cwd) => {
    const program = "export default function* (guest) { yield* guest.sleep(5); throw new Error('no'); }";
    await Deno.writeTextFile(`${cwd}/no.ts`, program);
    const args = ["run", "--program", "no.ts", "--format", "json"];
    const results = await Promise.all([series.run(args), series.run([...args, "--trace", "t.json"])]);
    assert.deepEqual(results.map(({ code }) => code), [1, 1]);
    assert.deepEqual(results.map(({ stdout }) => JSON.parse(stdout).partial), [true, true]);
  }));

Deno.test("a run that ends before its trace begins leaves an empty one, and says so", () =>
  inDirectory(async (cwd) => {
    const { code, stderr } = await series.run([...TINY, "--trace", "t.json", "--trace-from", "10 s"]);
    assert.equal(code, 0);
    assert.match(stderr, /the run ended before 10000 ms; the trace in t\.json is empty/);
    assert.equal((await readTrace(`${cwd}/t.json`)).slices.length, 0);
  }));

Deno.test("a run that is stopped leaves its trace so far", () =>
  inDirectory(async (cwd) => {
    const args = ["run", "stream-both-ways", "--duration", "1000 s", "--trace", "t.json", "--trace-for", "1 ms"];
    // On a slow machine it takes more until the run is under way.
    for (const cpuMs of [900, 3000, 8000, 20_000]) {
      const { code, stdout } = await mxtop(args, { permissions, cwd, signal: ["SIGINT", cpuMs] });
      assert.equal(code, 130);
      if (stdout !== "" && (await readTrace(`${cwd}/t.json`)).slices.length > 0) break;
    }
    const { slices } = await readTrace(`${cwd}/t.json`);
    assert.ok(slices.length > 0 && slices.every(({ to }) => to < 1.1e6));
  }));

Deno.test(
  "a trace that cannot be saved: exit 2, and the result is there",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    const { code, stdout, stderr } = await mxtop([...TINY, "--trace", "/dev/full"], { permissions: ["--allow-all"] });
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).ok, true);
    assert.match(stderr, /^mxtop: \/dev\/full: /);
  },
);
