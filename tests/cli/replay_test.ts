import assert from "node:assert/strict";
import { readLog, writeLog } from "../../src/cluster/input_log.ts";
import { openRun } from "../../src/cli/dash.ts";
import { logText } from "../../src/cli/log_file.ts";
import { openRunInput, openSession } from "../../src/cli/run_input.ts";
import { RELAY, scriptedInputs } from "../support/replay.ts";
import { mxtop, type Outcome, Series } from "./spawn.ts";

/* `replay` and `--log` through the real program: the same run again, and every way in which it cannot be. */

type Replay = (...args: string[]) => Promise<Outcome>;

async function inDirectory(body: (directory: string, replay: Replay) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await using series = new Series({ permissions: ["--allow-read"], cwd: directory });
    await body(directory, (...args) => series.run(["replay", ...args]));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a session of 36 inputs, replayed headless: the same fingerprint, the same figures", async () => {
  await inDirectory(async (directory, replay) => {
    await Deno.writeTextFile(`${directory}/relay.yaml`, RELAY);
    const run = await openRun(await openRunInput(`${directory}/relay.yaml`, { seed: "5" }));
    for (const [i, input] of scriptedInputs(36).entries()) {
      // As a user goes on: slices of time, single events, single messages.
      run.advance(run.now + 150e6 + i, Infinity);
      for (let steps = i % 4; steps > 0; steps--) run.step();
      if (i % 7 === 6) run.nextMessage(10_000);
      assert.equal(run.apply(input), null, JSON.stringify(input));
    }
    run.advance(run.now + 1e9, 5000);
    const text = run.inputLog!();
    const { end, inputs, endless, scenario } = readLog(text, "x");
    assert.deepEqual([inputs.length, endless, scenario.name], [36, true, "relay"]);
    const events = run.live().log.map((line) => line.text).filter((line) => /^link .-switch /.test(line));
    assert.equal(events.length, 30, "the event log has every fault");
    await Deno.writeTextFile(`${directory}/s.log`, text);
    // The log needs no other file.
    await Deno.remove(`${directory}/relay.yaml`);
    const { code, stdout, stderr } = await replay("s.log", "--format", "json");
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout);
    assert.equal(result.fingerprint, end!.fingerprint);
    assert.deepEqual([result.scenario.seed, result.virtual_ns], [5, end!.atPs / 1000]);
    const { totals, guests, links } = run.live().snapshot;
    assert.deepEqual([result.totals, result.guests, result.links], JSON.parse(JSON.stringify([totals, guests, links])));
    assert.ok(totals.retransmits > 0 && links.some((link) => link.directions.some(({ lost }) => lost > 0)));
    assert.match(stderr, new RegExp(`^mxtop: s\\.log: the same fingerprint as in the log: ${end!.fingerprint} after `));

    await differences(directory, replay, text);
  });
});

/** The same log with something else in it. */
async function differences(directory: string, replay: Replay, text: string): Promise<void> {
  const log = readLog(text, "x");
  const inputs = log.inputs.map((record) =>
    record.input.kind === "fault" && record.input.loss !== undefined
      ? { ...record, input: { ...record.input, loss: 0.5 } }
      : record
  );
  await Deno.writeTextFile(
    `${directory}/other.log`,
    writeLog({ ...log, version: "0.0.1", inputs }),
  );
  await Deno.writeTextFile(`${directory}/cut.log`, text.slice(0, text.indexOf("\nend:") - 10));
  const [other, cut] = await Promise.all([
    replay("other.log", "--quiet", "--format", "json"),
    replay("cut.log", "--format", "json"),
  ]);
  assert.equal(other.code, 1);
  const pattern =
    /^mxtop: other\.log: another fingerprint than in the log: (\w{16}) after .*; the log has (\w{16}) after/;
  const [, mine, logs] = pattern.exec(other.stderr)!;
  assert.deepEqual([mine, logs], [JSON.parse(other.stdout).fingerprint, log.end!.fingerprint]);
  assert.notEqual(mine, logs);
  assert.match(other.stderr, /\nmxtop: other\.log: written by mxtop 0\.0\.1, and this is .*: runs may differ\n$/);
  assert.equal(cut.code, 0, cut.stderr);
  assert.match(
    cut.stderr,
    /cut\.log: the log has no end mark, it was cut off: fingerprint \w{16} after .*, 35 inputs\n$/,
  );
}

Deno.test("run --log writes a log without inputs, options and a guest program among it", async () => {
  await inDirectory(async (directory, replay) => {
    const program =
      "export default function* (guest) {\n  yield* guest.sleep(5);\n  guest.print(guest.args.word);\n}\n";
    await Deno.writeTextFile(`${directory}/hello.ts`, program);
    const permissions = ["--allow-read=.", "--allow-write=."];
    const args = ["run", "--program", "hello.ts", "--program-arg", "word=hi", "--guests", "3", "--format", "json"];
    const run = await mxtop([...args, "--quiet", "--log", "h.log"], { permissions, cwd: directory });
    const { fingerprint, output } = JSON.parse(run.stdout);
    const again = await replay("h.log", "--quiet", "--format", "json");
    assert.equal(again.code, 0, again.stderr);
    assert.equal(again.stderr, "");
    assert.deepEqual([JSON.parse(again.stdout).fingerprint, JSON.parse(again.stdout).output], [fingerprint, output]);
    await Deno.writeTextFile(`${directory}/hello.ts`, program.replace("print", "log"));
    const changed = await replay("h.log");
    assert.equal(changed.code, 2);
    assert.match(
      changed.stderr,
      /^mxtop: h\.log: program: found hello\.ts with the text \w{16}, wanted the text that ran, \w{16}\n$/,
    );
  });
});

Deno.test("a whole run that leaves something behind fails when it is replayed, too", () =>
  inDirectory(async (directory, replay) => {
    const text =
      "workload: { kind: stream, size: 20 KiB }\nduration: 8 ms\nfaults: [{ at: 1 ms, link: a-b, cut: true }]\n";
    await Deno.writeTextFile(`${directory}/cut.yaml`, text);
    const input = await openRunInput(`${directory}/cut.yaml`, {});
    const session = await openSession(input);
    session.advance(session.end);
    await Deno.writeTextFile(`${directory}/cut.log`, logText(input, { session, inputs: [], endless: false }));
    const { code, stdout } = await replay("cut.log", "--format", "json");
    const { ok, failures } = JSON.parse(stdout);
    assert.deepEqual([code, ok], [0, false]);
    assert.match(failures.at(-1), /^2 programs did not end within 60\.0 s/);
  }));

Deno.test("wrong use of replay: one message, exit code 2", async () => {
  await inDirectory(async (directory, replay) => {
    await Deno.writeTextFile(`${directory}/relay.yaml`, RELAY);
    const log = writeLog({
      ...{ version: "0.1.0", endless: false, inputs: [], end: null },
      scenario: { name: "x", file: "x.yaml", text: RELAY, options: [], program: null },
    });
    await Deno.writeTextFile(`${directory}/good.log`, log);
    await Deno.writeTextFile(`${directory}/path.log`, log.replace("path: xen2mx", "path: xen3mx"));
    const wrong: [args: string[], stderr: RegExp][] = [
      [["none.log"], /^mxtop: none\.log: no such file or directory\n$/],
      [["relay.yaml"], /^relay\.yaml:1:1: not a log of inputs; wanted a file of --log\n$/],
      [["path.log"], /^x\.yaml:5:7: path: found "xen3mx", wanted a path/],
      [["good.log", "--screen"], /^mxtop: replay --screen needs a terminal; use `mxtop replay <log>` without one\n$/],
      [
        ["good.log", "--screen", "--pcap-at", "a"],
        /^mxtop: --pcap-at: found it with --screen, wanted one of the two\n$/,
      ],
      [["good.log", "--counters", "--format", "json"], /^mxtop: --counters goes with --format table, found json; /],
      [["good.log", "--out", "./good.log"], /^mxtop: --out: found .\/good.log, which is read; wanted another file\n$/],
      [["good.log", "--screen", "--out", "x"], /^mxtop: --out: found it with --screen, wanted one of the two\n$/],
    ];
    await Promise.all(wrong.map(async ([args, stderr]) => {
      const outcome = await replay(...args);
      assert.deepEqual([outcome.code, outcome.stdout], [2, ""], args.join(" "));
      assert.match(outcome.stderr, stderr);
    }));
  });
});
