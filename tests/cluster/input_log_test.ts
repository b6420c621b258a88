import assert from "node:assert/strict";
import fc from "fast-check";
import type { Input, InputRecord } from "../../src/cluster/input.ts";
import { type InputLog, readLog, writeLog } from "../../src/cluster/input_log.ts";
import { ScenarioError } from "../../src/cluster/scenario_problem.ts";
import { matchSnapshot } from "../support/snapshot.ts";

/* The log of inputs: what is written is read again, whatever it says, and however it was cut off or spoilt. */

const TEXT = "name: tiny # a remark\nhosts: 2\n\nworkload: { kind: stream, size: 8 KiB }\n";
const LOG: InputLog = {
  version: "0.1.0",
  scenario: { name: "tiny", file: "tiny.yaml", text: TEXT, options: [], program: null },
  endless: true,
  inputs: [
    { atPs: 1_500_000, events: 12, input: { kind: "fault", link: "a-b", loss: 0.05, forPs: 3e9 } },
    {
      atPs: 1_500_000,
      events: 12,
      input: { kind: "fault", link: "a-b/1", corrupt: 1e-5, delayPs: 7, cut: true, forPs: null },
    },
    { atPs: 2_000_001, events: 40, input: { kind: "stall", host: "a", forPs: 5e9 } },
    { atPs: 3e9, events: 41, input: { kind: "hog", host: "b", cpus: 3, forPs: null } },
    { atPs: 3e9, events: 41, input: { kind: "crash", guest: "vm01", forPs: 1e9 } },
    { atPs: 4e9, events: 50, input: { kind: "set", assignments: ["guests=20", "costs={ hypercall: 800 }"] } },
    { atPs: 4e9, events: 50, input: { kind: "end", input: 2 } },
  ],
  end: { atPs: 5_000_000_001, events: 60, fingerprint: "0123456789abcdef" },
};

Deno.test("a log as a person reads it", async (t) => {
  await matchSnapshot(t, import.meta, writeLog(LOG));
});

const time = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 9e15 }));
const name = fc.oneof(fc.constantFrom("a-b", "a-switch/1", "vm01", "true", "12", ""), fc.string({ unit: "binary" }));
const fraction = fc.oneof(fc.constantFrom(0, 0.01, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const forPs = fc.option(time);
const without = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
const input: fc.Arbitrary<Input> = fc.oneof(
  fc.record({
    kind: fc.constant("fault" as const),
    link: name,
    loss: fc.option(fraction, { nil: undefined }),
    corrupt: fc.option(fraction, { nil: undefined }),
    delayPs: fc.option(time, { nil: undefined }),
    cut: fc.option(fc.boolean(), { nil: undefined }),
    forPs,
  }),
  fc.record({ kind: fc.constant("stall" as const), host: name, forPs: time }),
  fc.record({ kind: fc.constant("hog" as const), host: name, cpus: fc.integer({ min: 1, max: 99 }), forPs }),
  fc.record({ kind: fc.constant("crash" as const), guest: name, forPs: time }),
  fc.record({
    kind: fc.constant("set" as const),
    assignments: fc.array(fc.string({ unit: "binary" }), { minLength: 1 }),
  }),
  fc.record({ kind: fc.constant("end" as const), input: fc.integer({ min: 1, max: 99 }) }),
).map(without);
const records = fc.array(fc.tuple(fc.nat(1e9), fc.nat(1000), input), { maxLength: 6 }).map((steps) => {
  let [atPs, events] = [0, 0];
  return steps.map(([ps, count, what]): InputRecord => ({ atPs: atPs += ps, events: events += count, input: what }));
});
const line = fc.constantFrom(
  "name: x",
  "  indented: 1",
  "",
  " ",
  "\t",
  "# remark",
  "---",
  "inputs:",
  "a\r",
  "ü ✓",
  "\u0001",
);
const text = fc.oneof(fc.array(line).map((lines) => lines.join("\n")), fc.string({ unit: "binary" }));
const value = fc.oneof(fc.jsonValue(), fc.constant(undefined));
const log: fc.Arbitrary<InputLog> = fc.record({
  version: fc.constantFrom("0.1.0", "1.0.0-rc.1"),
  scenario: fc.record({
    name,
    file: name,
    text,
    options: fc.array(fc.record({ option: name, path: fc.constant(["workload", 0, "size"]), value }), { maxLength: 3 }),
    program: fc.option(fc.record({ file: name, source: fc.constant("00000000000000aa") })),
  }),
  endless: fc.boolean(),
  inputs: records,
  end: fc.constant(null),
});

Deno.test("every log is read as it was written", () => {
  fc.assert(
    fc.property(log, fc.nat(1e6), (one, more) => {
      const last = one.inputs.at(-1);
      const end = {
        atPs: (last?.atPs ?? 0) + more,
        events: (last?.events ?? 0) + more,
        fingerprint: "00000000deadbeef",
      };
      const whole = { ...one, end: more % 2 === 0 ? end : null };
      assert.deepEqual(readLog(writeLog(whole), "x"), plain(whole));
    }),
    { numRuns: 200 },
  );
});

/** As JSON keeps it, with a missing value still there. */
function plain(one: InputLog): InputLog {
  const options = one.scenario.options.map(({ option, path, value }) => ({
    ...{ option, path },
    value: value === undefined ? undefined : JSON.parse(JSON.stringify(value)),
  }));
  const program = one.scenario.program && { ...one.scenario.program };
  return { ...one, scenario: { ...one.scenario, options, program } };
}

Deno.test("a file that was cut off anywhere behind its scenario gives the inputs that are whole, and no end", () => {
  const whole = writeLog(LOG);
  const start = whole.indexOf("\ninputs:\n") + "\ninputs:\n".length;
  for (let length = start; length < whole.length - 1; length++) {
    const { inputs, end, scenario } = readLog(whole.slice(0, length), "x");
    const lines = whole.slice(start, length).split("\n");
    const complete = lines.filter((one) => whole.includes(`${one}\n`) && one !== "").length;
    assert.deepEqual(inputs, LOG.inputs.slice(0, complete), `cut at ${length}`);
    assert.equal(end, null);
    assert.equal(scenario.text, TEXT);
  }
  // An editor may have taken the last line's end.
  assert.deepEqual(readLog(whole.slice(0, -1), "x"), LOG);
});

Deno.test("a file that was cut off in its scenario is none", () => {
  const whole = writeLog(LOG);
  for (const at of ["workload:", "inputs:\n"]) {
    assert.throws(() => readLog(whole.slice(0, whole.indexOf(at)), "x.log"), (error: Error) => {
      assert.ok(error instanceof ScenarioError);
      assert.match(error.message, /^x\.log:\d+:\d+: inputs: missing; wanted a list of inputs/);
      return true;
    });
  }
});

const WRONG: [what: string, from: string | RegExp, to: string, message: RegExp][] = [
  [
    "another kind",
    "do: stall",
    "do: stal",
    /^x:15:\d+: inputs\[2\]\.do: found "stal", wanted .*; did you mean stall\?$/,
  ],
  ["no unit", "at: 3 ms", "at: 3", /^x:16:\d+: inputs\[3\]\.at: found 3, wanted a time .*with its unit/],
  [
    "a fraction above 1",
    "loss: 5 %",
    "loss: 500 %",
    /^x:13:\d+: inputs\[0\]\.loss: found "500 %", wanted at most 100 %$/,
  ],
  ["an unknown key", "cpus: 3", "cups: 3", /^x:16:\d+: unknown key "cups"/m],
  [
    "time that goes back",
    "at: 2.000001 us",
    "at: 1 us",
    /^x:15:\d+: inputs\[2\]\.at: found 1 us, wanted 1\.5 us or later/,
  ],
  ["events that go back", "events: 60", "events: 6", /^x:20:\d+: end\.events: found 6, wanted 50 or more/],
  [
    "a fingerprint that is none",
    '"0123456789abcdef"',
    "abc",
    /^x:20:\d+: end\.fingerprint: found "abc", wanted 16 hex/,
  ],
  ["another format", "log: 1", "log: 2", /^x:2:\d+: log: found 2, wanted 1, the format/],
  ["a scenario", /^[\s\S]*$/, TEXT, /^x:1:1: not a log of inputs; wanted a file of --log$/],
  ["no YAML", "inputs:", "inputs: [", /^x:\d+:\d+: not valid YAML/],
  ["nothing", /^[\s\S]*$/, "", /^x:1:1: found an empty file/],
];
for (const [what, from, to, message] of WRONG) {
  Deno.test(`a log with ${what} is refused with its place`, () => {
    const spoilt = writeLog(LOG).replace(from, to);
    assert.notEqual(spoilt, writeLog(LOG));
    assert.throws(() => readLog(spoilt, "x"), (error: Error) => {
      assert.ok(error instanceof ScenarioError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}
