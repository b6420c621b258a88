import assert from "node:assert/strict";
import { KIB, MIB } from "../../src/base/units.ts";
import { MACHINES } from "../../src/hw/profiles/registry.ts";
import { PATHS } from "../../src/path/registry.ts";
import { explainOne, explainPath } from "../../src/report/explain.ts";
import { compare, type Side } from "../../src/report/explain_compare.ts";
import { comparisonJson, comparisonMarkdown, comparisonTable } from "../../src/report/explain_compare_text.ts";
import { machineStamp } from "../../src/report/provenance.ts";

const OPTIONS = { machine: "vhpc12", costs: {}, mtu: 9000 };
const pathOf = (name: string) => PATHS.find((path) => path.name === name)!;
/** Times are sums of whole picoseconds, shown in microseconds. */
const ps = (us: number) => Math.round(us * 1e6);
const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);

const side = (path: string, set: string[], costs: Record<string, number>, sizes: number[]): Side => ({
  path,
  machine: machineStamp(MACHINES[0]),
  set,
  messages: explainPath(pathOf(path), { ...OPTIONS, costs }, sizes),
});

Deno.test("compare: one cost changed moves its own steps, by what they charge of it", () => {
  const before = explainOne(pathOf("xen2mx"), OPTIONS, 16);
  const after = explainOne(pathOf("xen2mx"), { ...OPTIONS, costs: { upcall: 1650 } }, 16);
  const { steps, stages, difference_us } = compare(after, before);
  const moved = steps.filter((step) => step.difference_us !== 0);
  assert.deepEqual(moved.map(({ who, stage, difference_us }) => [who, stage, difference_us]), [
    ["a vm01 vcpu0", "notification", 1],
  ]);
  assert.deepEqual([stages[0], difference_us], [
    { stage: "notification", against_us: 0.9, us: 1.9, difference_us: 1 },
    1,
  ]);
  assert.equal(steps.length, before.steps.length);
});

for (const [path, other] of [["xen2mx", "native"], ["bridged", "virtio"], ["native", "emulated"]]) {
  Deno.test(`compare: ${path} against ${other}: every step of both is there, in order, and the differences add up`, () => {
    for (const size of [16, 100 * KIB]) {
      const [explained, against] = [path, other].map((name) => explainOne(pathOf(name), OPTIONS, size));
      const { steps, stages, difference_us } = compare(explained, against);
      const times = (all: readonly (number | null)[]) => all.filter((us) => us !== null);
      assert.deepEqual(times(steps.map(({ us }) => us)), explained.steps.map(({ us }) => us));
      assert.deepEqual(times(steps.map(({ against_us }) => against_us)), against.steps.map(({ us }) => us));
      for (const all of [steps, stages]) {
        assert.equal(sum(all.map((one) => ps(one.difference_us))), ps(difference_us));
      }
      assert.equal(ps(difference_us), ps(explained.latency_us) - ps(against.latency_us));
      const { wire } = Object.fromEntries(steps.map((step) => [step.stage, step]));
      assert.equal(wire.who, "a-b", "the wire is the same one on every path");
    }
  });
}

Deno.test("compare: the forms say the same; what has not moved has an empty cell", () => {
  const [changed, before] = [
    side("xen2mx", ["costs.upcall=1650"], { upcall: 1650 }, [16]),
    side("xen2mx", [], {}, [16]),
  ];
  const table = comparisonTable(changed, before);
  assert.match(
    table,
    /^xen2mx with costs\.upcall=1650: one tiny message \(16 B\), 9\.258 us against 8\.258 us, \+1\.000 us \(\+12 %\)\n/,
  );
  assert.match(table, /^a vm01 vcpu0 +notification: .* 0\.900 +1\.900 +\+1\.000$/m);
  assert.match(table, /^a vm01 vcpu0 +frontend +0\.200 +0\.200$/m);
  assert.match(table, /^by stage +unchanged us +changed us +difference\nnotification +0\.900 +1\.900 +\+1\.000\n/m);
  const made = { version: "1.2.3", command: "mxtop explain xen2mx" };
  const markdown = comparisonMarkdown(changed, before, made);
  assert.match(markdown, /^## xen2mx with .*\n\n\| who \| what \| unchanged us \| changed us \| difference \|\n/);
  assert.match(markdown, /\| notification \| 0\.900 \| 1\.900 \| \+1\.000 \|/);
  const json = JSON.parse(comparisonJson(changed, before, made));
  assert.deepEqual([json.schema, json.set, json.against.set], ["mxtop-explain/1", ["costs.upcall=1650"], []]);
  assert.deepEqual([json.messages, json.against.messages], [changed.messages, before.messages]);
  assert.deepEqual(json.comparisons, [compare(changed.messages[0], before.messages[0])]);
  // What a change does not touch takes one line.
  assert.equal(
    comparisonTable({ ...before, set: ["costs.vmExit=0"] }, before),
    "xen2mx with costs.vmExit=0: one tiny message (16 B), 8.258 us, and no step of it has moved\n",
  );
});

Deno.test("compare: columns bear the names of the paths", () => {
  const table = comparisonTable(side("iov", [], {}, [16]), side("native", [], {}, [16]));
  assert.match(table, /^iov against native: one tiny message/);
  assert.match(table, /^who +what +native us +iov us +difference$/m);
  assert.match(table, /^b cpu0 \/ b vm02 vcpu0 +system call +0\.080 +0\.230 +\+0\.150$/m);
});

Deno.test("explain: a size is of the class that the library sends it as", () => {
  const classOf = (size: number, environment = {}) =>
    explainOne(pathOf("native"), { ...OPTIONS, environment }, size).class;
  assert.deepEqual([0, 32, 33, 129, 32 * KIB, 32 * KIB + 1].map((size) => classOf(size)), [
    ...["tiny", "tiny", "small", "medium", "medium", "large"],
  ]);
  assert.equal(classOf(4 * KIB, { OMX_RNDV_THRESHOLD: "1024" }), "large");
});

Deno.test("explain: a message that never is there is no explanation", () => {
  const link = { rateBps: 1e6, mtu: 9000, latencyPs: null, loss: 0 };
  assert.throws(() => explainOne(pathOf("native"), { ...OPTIONS, link }, MIB), {
    name: "NoArrival",
    message: "native: messages of 1 MiB: a few of them take more than 10 s; wanted lower costs, or less to send",
  });
});
