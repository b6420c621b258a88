import assert from "node:assert/strict";
import { KIB } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { explainPath } from "../../src/report/explain.ts";
import { explainJson, explainMarkdown, explainTable } from "../../src/report/explain_text.ts";
import { MACHINES } from "../../src/hw/profiles/registry.ts";
import { PATHS } from "../../src/path/registry.ts";
import { oneMessage } from "../../src/report/one_message.ts";
import { machineStamp, ownProvenance } from "../../src/report/provenance.ts";

const OPTIONS = { machine: "vhpc12", costs: {}, mtu: 9000 };
/** Times are sums of whole picoseconds, shown in microseconds. */
const ps = (us: number) => Math.round(us * 1e6);

for (const path of PATHS) {
  Deno.test(`explain ${path.name}: steps follow one another and add up to the latency exactly`, () => {
    const explanations = explainPath(path, OPTIONS);
    assert.deepEqual(explanations.map((explanation) => explanation.class), ["tiny", "medium", "large"]);
    for (const { steps, stages, latency_us } of explanations) {
      let at = 0;
      for (const step of steps) {
        assert.equal(ps(step.start_us), at, `${step.what} begins when the step before it ends`);
        assert.ok(step.us > 0 && step.who !== "");
        at += ps(step.us);
        assert.equal(ps(step.until_us), at);
      }
      assert.equal(at, ps(latency_us));
      assert.equal(stages.reduce((sum, { us }) => sum + ps(us), 0), ps(latency_us));
    }
    const [tiny, medium, large] = explanations.map(({ latency_us }) => latency_us);
    assert.ok(tiny < medium && medium < large);
  });
}

Deno.test("explain: the three forms say the same", () => {
  const path = PATHS.find(({ name }) => name === "xen2mx")!;
  const explanations = explainPath(path, OPTIONS);
  const total = explanations[0].latency_us.toFixed(3);
  const made = ownProvenance({ version: "1.2.3", command: "mxtop explain xen2mx" }, [machineStamp(MACHINES[0])]);
  const markdown = explainMarkdown(path.name, explanations, made);
  for (const text of [explainTable(path.name, explanations), markdown]) {
    assert.match(text, new RegExp(`one tiny message \\(16 B\\), ${total} us`));
    for (const { who } of explanations[0].steps) assert.ok(text.includes(who), who);
  }
  const json = JSON.parse(explainJson(path.name, explanations, made));
  assert.deepEqual(json.messages, explanations);
  const { hash } = machineStamp(MACHINES[0]);
  assert.deepEqual([json.tool, json.command, json.machine, json.machine_hash], [
    ...[{ name: "mxtop", version: "1.2.3" }, "mxtop explain xen2mx", "vhpc12", hash],
  ]);
  assert.ok(markdown.endsWith(`\nMade by mxtop 1.2.3: \`mxtop explain xen2mx\`, machine vhpc12 (hash ${hash})\n`));
});

for (const path of PATHS) {
  Deno.test(`explain ${path.name}: no other message is under way, as the note on waiting says`, () => {
    for (const size of [16, 100 * KIB]) {
      const session = new Session(oneMessage(path, OPTIONS, size));
      while (!session.finished) session.advance(session.end);
      const { finished, finishedAlone } = session.cluster.world.journeys;
      assert.deepEqual([finishedAlone > 5, finishedAlone], [true, finished]);
      session.release();
    }
  });
}

Deno.test("explain: the note is there where something waits its turn", () => {
  const native = PATHS.find(({ name }) => name === "native")!;
  const [tiny, large] = explainPath(native, OPTIONS, [16, 100 * KIB]);
  assert.match(explainTable("native", [large]), /waiting its turn +\d.*\nwaiting its turn: behind the message's own/s);
  assert.doesNotMatch(explainTable("native", [tiny]), /waiting/);
});
