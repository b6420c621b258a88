import assert from "node:assert/strict";
import fc from "fast-check";
import { US } from "../../src/base/units.ts";
import { Baseline } from "../../src/cluster/baseline.ts";
import type { TroubleSpec } from "../../src/cluster/scenario.ts";
import { Session } from "../../src/cluster/session.ts";
import { CPU_CLASSES, IDLE } from "../../src/metrics/stage.ts";
import { PATHS } from "../../src/path/registry.ts";
import { perCpu } from "../../src/report/hardware_figures.ts";
import { scenario } from "../support/scenario.ts";

/* Windows of any length, far shorter than a burst too: what a CPU did in one adds up to it, and nothing is negative. */

const WINDOWS = fc.array(fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 300 * US })), {
  minLength: 20,
  maxLength: 40,
});

const RUN = fc.record({
  size: fc.constantFrom("0 B", "100 B", "20 KiB", "300 KiB"),
  guests: fc.constantFrom(2, 4, 6),
  cpus: fc.integer({ min: 1, max: 3 }),
  hog: fc.boolean(),
  seed: fc.nat(1000),
  windows: WINDOWS,
});

function accountsOf(session: Session): Baseline {
  session.settle();
  return new Baseline(session.cluster);
}

function checkWindow(session: Session, before: Baseline): Baseline {
  const after = accountsOf(session);
  const elapsed = after.at - before.at;
  const processors = (accounts: Baseline) => [...accounts.guests, ...accounts.kernels.flat()];
  for (const [i, time] of processors(after).entries()) {
    const spent = time.map((value, cls) => value - processors(before)[i][cls]);
    for (const [cls, ps] of spent.entries()) assert.ok(ps >= 0, `processor ${i}: ${ps} ps ${CPU_CLASSES[cls]}`);
    assert.equal(spent.reduce((sum, ps) => sum + ps), elapsed, `processor ${i}: all its time`);
  }
  for (const host of session.cluster.hosts) {
    const [was, is] = [before, after].map(({ cpus }) => cpus[host.index]);
    for (const [i, time] of is.entries()) {
      for (const [field, ps] of time.entries()) assert.ok(ps >= was[i][field], `${host.name}/${i}: account ${field}`);
      const busy = time.reduce((sum, ps, field) => sum + ps - was[i][field], 0);
      assert.ok(busy <= elapsed, `${host.name}/${i}: busy for ${busy} of ${elapsed} ps`);
    }
    for (const figures of perCpu(host, was, before.polled[host.index], elapsed)) {
      for (const [name, part] of Object.entries(figures)) assert.ok(part >= 0 && part <= 1, `${name} ${part}`);
      const { host: own, dom0, guest, hypervisor, idle } = figures;
      assert.ok(Math.abs(own + dom0 + guest + hypervisor + idle - 1) < 1e-6, "owners and idle time are all");
    }
  }
  return after;
}

for (const { name: path } of PATHS) {
  Deno.test(`${path}: in any window every CPU's classes add up to it, and none is negative`, () => {
    fc.assert(
      fc.property(RUN, ({ size, guests, cpus, hog, seed, windows }) => {
        const workload = { kind: "stream", size, direction: "both-ways", outstanding: 2 };
        const troubles: TroubleSpec[] = hog
          ? [{ kind: "hog", host: "a", cpus: 1, atPs: 100 * US, forPs: 500 * US }]
          : [];
        const session = new Session(scenario({ path, guests, cpus, seed, workload, troubles }));
        let before = accountsOf(session);
        for (const window of [...windows, 500 * US]) {
          session.advance(session.now + window);
          before = checkWindow(session, before);
        }
        assert.ok(before.guests.some((time) => time[IDLE] < before.at), "something ran");
        session.release();
      }),
      { numRuns: 4 },
    );
  });
}
