import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { openScenario } from "../../src/cli/catalogue.ts";
import { overruns } from "../../src/cluster/baseline.ts";
import { Session } from "../../src/cluster/session.ts";
import { LiveView } from "../../src/report/live.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { run, scenario } from "../support/scenario.ts";

const META = { command: "test", version: "0" };

Deno.test("frames that find a switch's port full are in the log, the summary and what the run waits for", () => {
  const session = run({
    hosts: 9,
    guests: 9,
    path: "native",
    workload: { kind: "incast", size: "512 KiB", mode: "streaming", outstanding: 16 },
    durationPs: 20 * MS,
  });
  const view = new LiveView(session, META);
  for (let at = 1e9; !session.finished; at += 1e9) {
    session.advance(at);
    view.look();
  }
  const { links, bottleneck } = takeSnapshot(session, { ...META, wallMs: 0, partial: false });
  const dropped = links.flatMap(({ directions }) => directions).reduce((sum, { queue }) => sum + queue.drops, 0);
  assert.ok(dropped > 0, "the ports of the switch are too small for eight senders at once");
  const told = view.live().log.flatMap(({ text }) => /^(\d+) frames? lost or dropped$/.exec(text)?.[1] ?? []);
  assert.equal(told.reduce((sum, count) => sum + Number(count), 0), dropped);
  assert.doesNotMatch(bottleneck!.why, /nothing is full/);
});

Deno.test("packets that found an event queue full are in the log, as many as the drivers counted", () => {
  const workload = { kind: "stream", size: 1024 };
  const session = new Session(scenario({ path: "xen2mx", workload, durationPs: 600 * MS }));
  const view = new LiveView(session, META);
  for (let at = 0; at <= 600; at += 20) { // what is sent again after half a second overruns the receiver once more
    session.advance(at * MS);
    view.look();
  }
  const counted = overruns(session.cluster);
  const told = view.live().log.flatMap(({ level, text }) => {
    const count = /^(\d+) packets? dropped: event queues full$/.exec(text)?.[1];
    return count === undefined ? [] : [[level, Number(count)] as const];
  });
  assert.ok(told.length > 1 && told.every(([level]) => level === "warn"));
  assert.equal(told.reduce((sum, [, count]) => sum + count, 0), counted);
  session.release();
});

Deno.test("frames that guests' interfaces drop are in the log, and where no frame was free; those of a NIC only once", () => {
  const toldOf = (path: string, wanted: RegExp, drop = (_: Session) => {}) => {
    const session = new Session(scenario({ path, workload: { kind: "stream", size: 64 }, durationPs: 10 * MS }));
    const view = new LiveView(session, META);
    session.advance(5 * MS);
    drop(session);
    const { log } = view.live();
    session.release();
    return log.flatMap(({ text }) => wanted.exec(text)?.[1] ?? []).map(Number);
  };
  const ofGuests = /^(\d+) frames? dropped by guests' interfaces$/;
  let dropped = 0;
  const [told] = toldOf("bridged", ofGuests, ({ cluster: { guests } }) => {
    for (const { port } of guests) dropped += port.interface!().txDrops + port.interface!().rxDrops;
  });
  assert.ok(told > 0 && told === dropped, `${told} told, ${dropped} dropped`);
  const exhaust = ({ cluster: { world } }: Session) => world.frames.exhausted += 3;
  assert.deepEqual(toldOf("native", /^(\d+) frames wanted while none was free$/, exhaust), [3]);
  const dropAtNic = ({ cluster: { guests: [{ host }] } }: Session) => host.nic.counters.rxDrops += 2;
  assert.deepEqual(toldOf("iov", /^(\d+) frames? lost or dropped$/, dropAtNic), [2]);
  assert.deepEqual(toldOf("iov", ofGuests), []);
});

Deno.test("guests that wait for a CPU only while all begin at once are no warning", () => {
  const session = new Session(openScenario("scale-40-vms"));
  const view = new LiveView(session, META);
  for (let at = 1; at <= 190; at += 3) { // of which 150 ms are warm-up
    session.advance(at * MS);
    view.look();
  }
  assert.deepEqual(view.live().log.filter(({ level }) => level !== "info"), []);
});
