import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { type Summary, SummaryView } from "../../src/report/summary.ts";
import { scenario, untilTestEnds } from "../support/scenario.ts";
import { summaryOf } from "./summary_model.ts";

const META = { command: "test", version: "0" };

/** The same run twice, looked at at the same instants: in short, and in full. */
function both(path: string, times: readonly number[]): [Summary, Summary, Session, Session] {
  const given = scenario({
    path,
    guests: 6,
    workload: { kind: "stream", size: 65536, outstanding: 4 },
    loss: 0.002,
    warmupPs: 2 * MS,
    durationPs: 20 * MS,
  });
  const [a, b] = [untilTestEnds(new Session(given)), untilTestEnds(new Session(given))];
  const [short, full] = [new SummaryView(a), new LiveView(b, META)];
  let pair: [Summary, Summary] = [short.look(), summaryOf(full.live())];
  for (const at of times) {
    a.advance(at);
    b.advance(at);
    pair = [short.look(), summaryOf(full.live())];
  }
  return [...pair, a, b];
}

/** Figures are rounded before they are added up in one, and after that in the other. */
function near(a: object, b: object, place: string): void {
  for (const [key, value] of Object.entries(a)) {
    const other = (b as Record<string, number>)[key];
    assert.ok(Math.abs(value - other) <= 2e-5 * Math.max(1, value), `${place}.${key}: ${value} and ${other}`);
  }
}

for (const path of ["native", "xen2mx", "bridged", "virtio"]) {
  Deno.test(`${path}: the summary says what the snapshot says, and looking changes nothing`, () => {
    // The last interval makes up a rate by itself; of shorter ones a view takes those before into it.
    const [short, full, a, b] = both(path, [1 * MS, 4 * MS, 6 * MS, 16 * MS]);
    near(short.cpus, full.cpus, "cpus");
    near(short.totals.cpu, full.totals.cpu, "cpu");
    const { cpus: _, totals: { cpu: __, ...totals }, bottleneck, ...others } = short;
    const { cpus: ___, totals: { cpu: ____, ...wantedTotals }, bottleneck: _____, ...wanted } = full;
    assert.deepEqual(totals, wantedTotals);
    assert.deepEqual(others, wanted);
    assert.ok(short.totals.messages > 0 && short.drops > 0, "messages and losses");
    assert.ok(short.latest!.throughput_MBps > 0 && short.latest!.p50_us !== null && bottleneck !== undefined);
    assert.equal(a.fingerprint, b.fingerprint);
  });
}

Deno.test("a summary of a run that has not begun has no figures and no interval", () => {
  const [short] = both("xen2mx", []);
  assert.equal(short.totals.latency_us, null);
  assert.equal(short.latest, null);
  assert.equal(short.bottleneck, undefined);
});
