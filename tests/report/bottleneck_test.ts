import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { bottleneckSince } from "../../src/report/bottleneck.ts";
import { LiveView } from "../../src/report/live.ts";
import { scenario } from "../support/scenario.ts";

const stream = { kind: "stream", size: 65536, outstanding: 4 };

Deno.test("of several full links the fullest one is named", () => {
  const session = new Session(scenario({ hosts: 3, guests: 6, workload: stream, durationPs: 20 * MS }));
  session.advance(session.end);
  session.settle();
  const { links } = session.cluster;
  const full = (used: number) => used * session.now;
  for (const direction of links.flatMap((link) => link.directions)) {
    Object.assign(direction, { frames: 1, busyPs: 0, startedAt: -1 });
  }
  links[0].directions[0].busyPs = full(0.94);
  links[1].directions[1].busyPs = full(0.98);
  links[2].directions[0].busyPs = full(0.95);
  assert.equal(bottleneckSince(session, session.baseline)?.what, `link ${links[1].name}`);
});

Deno.test("the log has the end of warm-up at the instant at which it was", () => {
  const session = new Session(scenario({ workload: stream, warmupPs: 15 * MS, durationPs: 50 * MS }));
  const view = new LiveView(session, { command: "test", version: "0" });
  session.advance(33 * MS);
  const line = view.live().log.find(({ text }) => text.startsWith("warm-up"));
  assert.equal(line?.at_ns, 15e6);
});
