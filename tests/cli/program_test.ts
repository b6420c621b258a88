import assert from "node:assert/strict";
import { mxtop, Series } from "./spawn.ts";
import { openRunInput, openSession } from "../../src/cli/run_input.ts";
import { MS } from "../../src/base/units.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";

/*
 * Guest programs through the command line: where they are named, what they exit with, and the examples.
 */

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;
const META = { command: "test", version: "0", wallMs: 0, partial: false };

for (
  const [name, guests, args] of [["pingpong", 2, "rounds=3"], ["ring", 6, "laps=4"], ["kv", 4, "requests=20"]] as const
) {
  for (const path of ["native", "xen2mx"]) {
    Deno.test(`the example ${name} runs on ${path}, with its checks held and nothing left behind`, async () => {
      const options = { program: `${EXAMPLES}${name}.ts`, path, guests: String(guests), programArg: [args] };
      const input = await openRunInput(undefined, options);
      const session = await openSession(input);
      session.advance(session.end);
      assert.equal(session.failure, null);
      assert.ok(session.finished && session.now < 100e9, `ended by itself, at ${session.now / 1e9} ms`);
      const { output, checks, totals } = takeSnapshot(session, META);
      assert.ok(output!.length > 0 && totals.messages > 0 && totals.latency_us !== null);
      assert.deepEqual([checks!.failed, checks!.made > 0], [0, true]);
      const { fingerprint } = session;
      assert.deepEqual(session.drain(), []);
      const again = await openSession(input);
      again.advance(again.end);
      assert.equal(again.fingerprint, fingerprint);
    });
  }
}

/** A directory with these files, for the time of a test. */
async function inDirectory(files: Record<string, string>, body: (cwd: string) => Promise<void>): Promise<void> {
  const cwd = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${cwd}/${name}`, text);
    await body(cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const WAITING = 'import type { Guest } from "mxtop";\n' +
  "export default function* (guest: Guest) {\n  guest.print(`${guest.rank} of ${guest.ranks}`);\n" +
  "  while (!guest.stopping()) yield* guest.sleep(100);\n}\n";

Deno.test("programs start anew in a changed cluster, and after a crash", async () => {
  await inDirectory({ "waiting.ts": WAITING }, async (cwd) => {
    const program = `${cwd}/waiting.ts`;
    const session = await openSession(await openRunInput(undefined, { program, path: "bridged" }));
    session.advance(MS);
    assert.equal(session.apply({ kind: "crash", guest: "vm02", forPs: MS }), null);
    session.advance(3 * MS);
    assert.equal(session.apply({ kind: "set", assignments: ["guests=3", "path=native"] }), null);
    session.advance(5 * MS);
    assert.equal(session.generation, 1);
    const said = session.output!.lines.map(({ guest, text }) => `${guest}: ${text}`).sort();
    const wanted = ["vm01: 0 of 2", "vm01: 0 of 3", "vm02: 1 of 2", "vm02: 1 of 2", "vm02: 1 of 3", "vm03: 2 of 3"];
    assert.deepEqual(said, wanted);
    const refusal = "set: program: a run keeps its guest program; open the scenario anew to run another";
    assert.equal(session.apply({ kind: "set", assignments: ["program=other.ts"] }), refusal);
    assert.deepEqual(session.drain(), []);
  });
});

const HELLO = 'import type { Guest } from "mxtop";\n' +
  "export default function* (guest: Guest) {\n  guest.print(`${guest.name} ${guest.args.word}`);\n}\n";

Deno.test("run --program needs permission for the file alone, and no scenario", async () => {
  await inDirectory({ "hello.ts": HELLO }, async (cwd) => {
    const args = ["run", "--program", "hello.ts", "--program-arg", "word=7", "--guests", "3", "--format", "json"];
    const { code, stdout, stderr } = await mxtop(args, { permissions: ["--allow-read=hello.ts"], cwd });
    assert.deepEqual([code, stderr], [0, ""]);
    const result = JSON.parse(stdout);
    assert.deepEqual(result.output.map(({ text }: { text: string }) => text).sort(), ["vm01 7", "vm02 7", "vm03 7"]);
    assert.equal(result.command, "mxtop run --program hello.ts --program-arg word=7 --guests 3");
    assert.deepEqual([result.scenario.name, result.scenario.workload, result.scenario.program], [
      ...["hello", "program", "hello.ts"],
    ]);
    const refused = await mxtop(args, { cwd });
    assert.deepEqual([refused.code, refused.stdout, refused.stderr], [
      ...[2, "", "mxtop: hello.ts: no permission to read it; wanted: deno run --allow-read=hello.ts main.ts ...\n"],
    ]);
  });
});

Deno.test("a program that fails: one line with the place, a partial result, exit code 1", async () => {
  const text = "export function* rank0(guest: any) {\n  guest.print('so far');\n  yield* guest.sleep(5);\n" +
    "  guest.nothing();\n}\nexport function* rank1() {}\n";
  await inDirectory({ "bad.ts": text }, async (cwd) => {
    await using series = new Series({ permissions: ["--allow-read"], cwd });
    for (const format of ["table", "json"]) {
      const { code, stdout, stderr } = await series.run(["run", "--program", "bad.ts", "--format", format]);
      assert.equal(code, 1);
      const [first, ...rest] = stderr.trimEnd().split("\n");
      assert.match(
        first,
        /^mxtop: vm01 \(rank 0\) at [\d.]+ us: bad\.ts:4:9: TypeError: guest\.nothing is not a function$/,
      );
      assert.deepEqual(rest, format === "json" ? ["mxtop: stopped before the end; the result is partial"] : []);
      if (format === "table") assert.match(stdout, /so far[\s\S]*FAIL {2}vm01[\s\S]*PARTIAL[\s\S]*FAILED/);
      else assert.deepEqual([JSON.parse(stdout).partial, JSON.parse(stdout).ok], [true, false]);
    }
    await Deno.writeTextFile(`${cwd}/syntax.ts`, "export default function* (");
    const { code, stdout, stderr } = await series.run(["run", "--program", "syntax.ts"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^mxtop: syntax\.ts:1:27: not TypeScript: .*\n$/);
  });
});

Deno.test("a scenario names its program beside itself; options replace it or what it is told", async () => {
  const scenario = "guests: 1\nhosts: 1\npath: native\nprogram: {file: ./p.ts, args: {word: a, other: 2}}\n";
  const other = "export default function* () { console.log('other'); }";
  await inDirectory({ "s.yaml": scenario, "p.ts": HELLO, "o.ts": other }, async (cwd) => {
    const says = async (name: string | undefined, options: object) => {
      const session = await openSession(await openRunInput(name, options));
      session.advance(session.end);
      return session.output!.lines.map(({ text }) => text);
    };
    const file = `${cwd}/s.yaml`;
    assert.deepEqual(await says(file, {}), ["vm01 a"]);
    assert.deepEqual(await says(file, { programArg: ["word=true"] }), ["vm01 true"]);
    assert.deepEqual(await says(file, { program: `${cwd}/o.ts` }), ["other"]);
    // Guests and path of a built-in scenario; its workload, times and thresholds are not the program's.
    const { scenario: built } = await openRunInput("scale-40-vms", { program: `${cwd}/o.ts`, set: ["duration=3 ms"] });
    assert.deepEqual([built.guests.length, built.warmupPs, built.durationPs, built.thresholds], [40, 0, 3e9, []]);
    // An argument of its own that is set does not make the scenario one that has a program.
    const set = ["program.args.rounds=5"];
    const { scenario: told } = await openRunInput("scale-40-vms", { program: `${cwd}/o.ts`, set });
    assert.deepEqual([told.warmupPs, told.thresholds, told.program!.args], [0, [], { rounds: 5 }]);
  });
});

Deno.test("wrong use of programs", async () => {
  const files = {
    "both.yaml": "workload: {kind: stream}\nprogram: p.ts\n",
    "none.yaml": "guests: 2\n",
    "p.ts": "export const memory = '1 GiB';\nexport function* rank0() {}\n",
  };
  await inDirectory(files, async (cwd) => {
    const says = async (name: string | undefined, options: object) => {
      let text = "";
      await assert.rejects(openRunInput(name === undefined ? name : `${cwd}/${name}`, options), (error: Error) => {
        text = error.message.replaceAll(`${cwd}/`, "");
        return true;
      });
      return text;
    };
    const program = `${cwd}/p.ts`;
    assert.match(await says("both.yaml", {}), /both\.yaml:2:10: program: found a workload too, wanted one of the two/);
    assert.match(await says("none.yaml", {}), /workload: missing; wanted a block of keys \(or a program\)/);
    assert.match(
      await says("none.yaml", { program, set: ["program.file=x.ts"] }),
      /^--program: found --set program.file too, wanted one of the two/,
    );
    assert.match(await says("none.yaml", { programArg: ["a=1"] }), /^--program-arg: no program to give it to/);
    assert.match(await says(undefined, { program, programArg: ["a"] }), /^--program-arg: found "a", wanted key=value/);
    assert.equal(
      await says(undefined, { program, programArg: ["x=1e400"] }),
      '--program-arg: found "x=1e400", wanted a number up to 1.8e308',
    );
    const large = await says(undefined, { program, guests: "13" });
    assert.match(large, /found 13312 MiB of buffers in 13 guests, wanted at most 12 GiB/);
    await Deno.writeTextFile(program, "export function* rank0() {}\n");
    assert.match(await says(undefined, { program }), /^p\.ts: no program for rank 1 of 2; wanted export default/);
  });
});

Deno.test("taps of a scenario with a program", () =>
  inDirectory({ "p.ts": "export default function* () {}\n", "s.yaml": "program: p.ts\n" }, async (cwd) => {
    const { code, stdout, stderr } = await mxtop(["list", "taps", "s.yaml"], { permissions: ["--allow-read"], cwd });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^a-b /m);
    assert.doesNotMatch(stdout, /^vm01\/eth0 /m);
    const bridged = await mxtop(["list", "taps", "s.yaml", "--path", "bridged"], {
      permissions: ["--allow-read"],
      cwd,
    });
    assert.match(bridged.stdout, /^vm01\/eth0 /m);
  }));
