import assert from "node:assert/strict";
import { type ClaimPart, CLAIMS } from "../../../src/report/study/claims/mod.ts";
import { type Experiment, Lab } from "../../../src/report/study/lab.ts";
import { reproduce } from "../../../src/report/study/reproduce.ts";
import type { PublishedResult } from "../../../src/report/study/results.ts";
import type { Snapshot } from "../../../src/report/snapshot.ts";
import { templateSnapshot } from "../../../src/report/template.ts";

/*
 * Claims and results that come out otherwise than the study's: what is asked of the lab decides.
 */

/** Makes experiments on machines with other costs. */
class OtherCosts extends Lab {
  readonly #costs: Readonly<Record<string, number>>;

  constructor(costs: Readonly<Record<string, number>>) {
    super("test");
    this.#costs = costs;
  }

  override run(experiment: Experiment): Snapshot {
    return super.run({ ...experiment, costs: { ...experiment.costs, ...this.#costs } });
  }
}

/** Makes up what experiments come to. */
class MadeUp extends Lab {
  readonly #answer: (experiment: Experiment, template: Snapshot) => Snapshot;

  constructor(answer: (experiment: Experiment, template: Snapshot) => Snapshot) {
    super("test");
    this.#answer = answer;
  }

  protected override make(experiment: Experiment): Snapshot {
    const template = templateSnapshot();
    const hosts = [template.hosts[0], template.hosts[0]];
    const { sizes = [0] } = experiment.workload as { sizes?: readonly number[] };
    const rows = sizes.map((size) => ({ ...template.rows[0], size }));
    return this.#answer(experiment, { ...template, hosts, rows });
  }
}

function partsOf(id: string, lab: Lab): readonly ClaimPart[] {
  return CLAIMS.find((claim) => claim.id === id)!.check(lab);
}

Deno.test("D8 is about netback alone: it fails where that receives for less than it transmits", () => {
  const [dearer] = partsOf("D8", new OtherCosts({}));
  const [cheaper] = partsOf("D8", new OtherCosts({ netbackReceive: 0, netbackTransmit: 2000 }));
  assert.deepEqual([dearer.holds, cheaper.holds], [true, false], `${dearer.evidence}; ${cheaper.evidence}`);
});

Deno.test("D7: a link that is never full is said to be never full, and two that never are do not make a claim", () => {
  const carries = (forty: number, one: number) =>
    partsOf(
      "D7",
      new MadeUp(({ guests }, template) => ({
        ...template,
        totals: { ...template.totals, throughput_MBps: guests === 2 ? one : forty },
      })),
    )[0];
  const [none, all] = [carries(500, 500), carries(1190, 500)];
  assert.deepEqual([none.holds, all.holds], [false, true]);
  assert.match(none.evidence, /^40 VMs never, a pair never;/);
  assert.match(all.evidence, /^40 VMs at 2 KiB, a pair never;/);
});

Deno.test("D5: delays that did add to every hop would be seen, and what mxtop does instead would fail", () => {
  const hops = (delayed: (delayUs: number) => number) =>
    partsOf(
      "D5",
      new MadeUp(({ costs }, template) => ({
        ...template,
        rows: template.rows.map((row) => ({ ...row, rtt_us: delayed(costs!.coalesceUs) })),
      })),
    ).map(({ holds }) => holds);
  // Off does not help tiny messages only: all are alike here.
  assert.deepEqual(hops((delayUs) => 12 + 2 * delayUs), [false, true, false, false]);
  assert.deepEqual(hops((delayUs) => Math.max(12, delayUs)), [false, false, true, true]);
});

Deno.test("D3: what reaches the link is compared with the link, and with native", () => {
  const study = (nativeUs: number, many: number) =>
    partsOf(
      "D3",
      new MadeUp(({ path }, template) => ({
        ...template,
        totals: { ...template.totals, throughput_MBps: many },
        rows: template.rows.map((row) => ({ ...row, latency_us: path === "native" ? nativeUs : 1000 })),
      })),
    ).map(({ holds }) => holds);
  // Grants that cost nothing do not dominate, and batching them does not help.
  assert.deepEqual(study(1010, 1190), [false, false, true, true, true]);
  assert.deepEqual(study(1010, 1100), [false, false, false, false, true]);
  assert.deepEqual(study(990, 1190), [false, false, false, false, true]);
});

Deno.test("a claim holds in part when a statement fails or is not checked, and only known failures are forgiven", () => {
  const part = (holds: boolean, known?: string): ClaimPart => ({ text: "", holds, evidence: "", known });
  const verdict = (parts: ClaimPart[], notChecked?: string) => {
    const claim = { id: "X", text: "", notChecked, check: () => parts };
    const { claims, ok } = reproduce(new Lab("test"), { results: [], claims: [claim], figures: [] });
    return [claims[0].verdict, ok];
  };
  assert.deepEqual(verdict([part(true), part(true)]), ["holds", true]);
  assert.deepEqual(verdict([part(true)], "the rest"), ["in part", true]);
  assert.deepEqual(verdict([part(true), part(false)]), ["in part", false]);
  assert.deepEqual(verdict([part(true), part(false, "because")]), ["in part", true]);
  assert.deepEqual(verdict([part(false, "because")]), ["fails", true]);
  assert.deepEqual(verdict([part(false, "because"), part(false)]), ["fails", false]);
});

Deno.test("a result is met within its bounds, ends included; without a published number it has no error", () => {
  const line = (emulated: number, more: Partial<PublishedResult>) => {
    const result = { id: "X", quantity: "", unit: "us", kind: "derived", source: "", measure: () => emulated } as const;
    const bounds = { least: 9, most: 11 };
    const parts = { results: [{ ...result, published: null, bounds, ...more }], claims: [], figures: [] };
    const { ok, error } = reproduce(new Lab("test"), parts).results[0];
    return [ok, error];
  };
  assert.deepEqual([8.9, 9, 11, 11.1].map((emulated) => line(emulated, {})[0]), [false, true, true, false]);
  assert.deepEqual(line(10.5, { published: 10 }), [true, 10.5 / 10 - 1]);
  assert.deepEqual(line(10.5, {}), [true, null]);
  // A published bound.
  assert.deepEqual(line(5, { published: 11, bounds: { least: null, most: 11 } }), [true, null]);
  assert.deepEqual(line(12, { published: 11, bounds: { least: null, most: 11 } }), [false, null]);
});
