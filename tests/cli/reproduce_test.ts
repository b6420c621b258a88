import assert from "node:assert/strict";
import type { Reproduction } from "../../src/report/study/reproduce.ts";
import { elementsOf, textOf } from "../support/markup.ts";
import { checkPage } from "../support/page.ts";
import { mxtop } from "./spawn.ts";

/*
 * `reproduce`, through the real program, on a few results and claims.
 */

const READ = { permissions: ["--allow-read"] };

Deno.test("reproduce: two Workers or one, the same report byte for byte", async () => {
  const args = ["reproduce", "--only", "A2,A1b,A3,D2", "--format", "json", "--jobs"];
  const [two, one] = await Promise.all([mxtop([...args, "2"], READ), mxtop([...args, "1"], READ)]);
  assert.deepEqual([two.code, two.stderr], [0, ""]);
  assert.deepEqual(one, two);
  const { partial, ok, results, claims, figures } = JSON.parse(two.stdout) as Reproduction;
  assert.deepEqual([partial, ok, results.map(({ id }) => id), claims.map(({ id }) => id), figures], [
    ...[false, true, ["A2", "A1b", "A3"], ["D2"], []],
  ]);
});

Deno.test("reproduce: a page, and what made it; the verdicts in a file", async () => {
  const directory = await Deno.makeTempDir();
  const { code, stdout } = await mxtop(
    ["reproduce", "--only", "A2,A1b", "--format", "html", "--jobs", "1", "--junit", "r.xml"],
    { permissions: ["--allow-read", "--allow-write"], cwd: directory },
  );
  assert.equal(code, 0);
  assert.match(await Deno.readTextFile(`${directory}/r.xml`), /<testsuites tests="2" failures="0">/);
  await Deno.remove(directory, { recursive: true });
  const page = checkPage(stdout);
  assert.match(
    textOf(page),
    /2 results \(2 fitted, 0 predicted, 0 derived\), 0 missed; 0 claims: 0 held, 0 in part, 0 failed: OK/,
  );
  const made = elementsOf(elementsOf(page, "footer")[0], "code").map(textOf);
  assert.deepEqual([made[1], made[2]], ["mxtop reproduce --only 'A2,A1b'", "vhpc12"]);
});

Deno.test("reproduce: an id that is not there is refused", async () => {
  const { code, stdout, stderr } = await mxtop(["reproduce", "--only", "A2,latency-16"]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.equal(stderr, 'mxtop: --only: unknown id "latency-16"; did you mean latency-16k?\n');
});

/** Sends the signal when runs should be under way: on a slow machine that takes more, and so is tried again. */
async function stopped(signal: Deno.Signal) {
  const args = ["reproduce", "--only", "scale-40", "--format", "json"];
  for (const cpuMs of [900, 4000, 10_000]) {
    const outcome = await mxtop(args, { signal: [signal, cpuMs] });
    if (outcome.stdout !== "") return outcome;
  }
  return await mxtop(args, { signal: [signal, 30_000] });
}

Deno.test("reproduce: stopped, it reports what is whole", async () => {
  const { code, stdout, stderr } = await stopped("SIGTERM");
  assert.equal(code, 143);
  assert.match(stderr, /^mxtop: stopped after \d+ of 40 runs; the report is partial\n$/);
  const { partial, figures } = JSON.parse(stdout) as Reproduction;
  assert.deepEqual([partial, figures], [true, []]);
});

Deno.test("reproduce: a report that cannot be saved is printed", { ignore: Deno.build.os !== "linux" }, async () => {
  const args = ["reproduce", "--only", "A2", "--format", "json", "--jobs", "1", "--out", "/dev/full"];
  const { code, stdout, stderr } = await mxtop(args, { permissions: ["--allow-all"] });
  assert.equal(code, 2);
  assert.deepEqual((JSON.parse(stdout) as Reproduction).results.map(({ id }) => id), ["A2"]);
  assert.match(stderr, /^mxtop: \/dev\/full: /);
});
