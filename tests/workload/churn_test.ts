import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { libraryCount } from "../../src/cluster/guest_counts.ts";
import { run, runSliced, scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";

const PATHS = ["native", "xen2mx"];

function sessions(params: Record<string, unknown>): ScenarioOptions["workload"] {
  return { kind: "churn", pause: "100 us", ...params };
}

/** So many messages have come, each once, and nothing is left. */
function sound(session: Session, messages: number, what: string): void {
  assert.ok(session.finished && session.now < session.end, `${what}: the programs have ended by themselves`);
  const { integrityErrors, lost, duplicated, ...rest } = totals(session);
  assert.deepEqual([rest.messages, integrityErrors, lost, duplicated], [messages, 0, 0, 0], what);
  assert.deepEqual(session.drain(), [], what);
}

const sessionUs = ({ cluster }: Session) => cluster.total.rtt.distribution()!;

Deno.test("sessions with messages of every class, one after another, come to an end", () => {
  const go = (path: string, size: string, wait: string, guests: number) => {
    const session = run({ path, guests, workload: sessions({ size, messages: 2, sessions: 3, wait }) });
    sound(session, guests * 3 * 2, `${path} ${size}`);
    assert.equal(session.cluster.total.rtt.count, (guests / 2) * 3);
    assert.ok(sessionUs(session).max < 10e3, `${path} ${size}: nobody waits for a time-out`);
    session.release();
  };
  for (const path of PATHS) {
    for (const [i, size] of ["0 B", "100 B", "20 KiB", "100 KiB"].entries()) {
      go(path, size, i % 2 === 0 ? "block" : "poll", i === 3 ? 4 : 2);
    }
  }
  for (const path of ["bridged", "virtio"]) go(path, "40 KiB", "poll", 2);
  const inside = sessions({ sessions: 5, pairs: "same-host", size: "40 KiB" });
  sound(run({ path: "xen2mx", hosts: 1, workload: inside }), 5 * 4 * 2, "inside a host");
});

Deno.test("both ends open their endpoints anew: who comes too early is refused, and tries again", () => {
  for (const path of PATHS) {
    for (const pause of ["0 us", "2 ms"]) {
      const workload = sessions({ both: true, sessions: 8, pause, size: "2 KiB" });
      const session = run({ path, durationPs: 200 * SECOND, workload });
      sound(session, 8 * 4 * 2, `${path}, ${pause}`);
      // Who comes in the moment in which the server closes is not answered, and the session is as long as that.
      const { max } = sessionUs(session);
      assert.ok(pause === "0 us" ? max < 2.1e6 : max < 3e3, `${path}, ${pause}: ${max} us`);
    }
  }
});

Deno.test("lost frames cost time, and no message", () => {
  for (const [path, both] of [["native", false], ["xen2mx", false], ["native", true]] as const) {
    const workload = sessions({ sessions: 25, both, size: "10 KiB" });
    sound(run({ path, loss: 0.01, durationPs: 900 * SECOND, workload }), 25 * 4 * 2, `${path}, both: ${both}`);
  }
});

Deno.test("the same run in slices; stopped in the middle nothing is left", () => {
  for (const path of PATHS) {
    for (const both of [false, true]) {
      const options = { path, warmupPs: MS, durationPs: 3 * MS, workload: sessions({ both }) };
      const once = run(options);
      const sliced = runSliced(options, 300);
      assert.deepEqual([sliced.fingerprint, totals(sliced)], [once.fingerprint, totals(once)]);
      assert.ok(totals(once).messages > 0);
      assert.deepEqual(once.drain(), []);
      assert.equal(totals(once).lost, 0);
    }
  }
});

Deno.test("a session costs a Xen2MX guest what its grants cost, and its messages no more than ever", () => {
  const us = (path: string, messages: number) => {
    const session = run({ path, workload: sessions({ sessions: 10, messages, size: "16 B" }) });
    const { min, max } = sessionUs(session);
    assert.ok(min > 0.8 * max, `${min} and ${max} us: the first one costs as much as others`);
    return { session: sessionUs(session).p50, message: session.cluster.total.latency.distribution()!.p50 };
  };
  const [native, xen2mx] = PATHS.map((path) => us(path, 4));
  assert.ok(native.session < 150, `${native.session} us`);
  assert.ok(xen2mx.session > 1000, `${xen2mx.session} us`);
  assert.ok(xen2mx.message < 1.5 * native.message, `${xen2mx.message} and ${native.message} us`);
  const more = us("xen2mx", 24);
  // Twenty more round trips.
  assert.ok(Math.abs(more.session - xen2mx.session - 40 * more.message) < 0.1 * 40 * more.message);
});

Deno.test("thousands of sessions take no more memory than a few, and all that they have counted is kept", () => {
  for (const path of [...PATHS, "bridged"]) {
    const workload = sessions({ messages: 1, size: "16 B", pause: "200 us" });
    const session = untilTestEnds(new Session(scenario({ path, workload, durationPs: 40 * MS })));
    session.advance(10 * MS);
    const { memory } = session.cluster.world;
    const used = memory.usedBytes;
    session.advance(session.end);
    assert.ok(memory.usedBytes < used + 64 * 1024, `${path}: ${memory.usedBytes - used} bytes more`);
    const [client] = session.cluster.guests;
    assert.ok(session.cluster.total.rtt.count > 20 && client.mx!.endpoints.length === 1);
    // Each session: the first word and a message.
    const sent = libraryCount(client, "sentTiny");
    assert.ok(Math.abs(sent - 2 * session.cluster.total.rtt.count) <= 2, `${path}: ${sent} sent`);
    assert.deepEqual(session.drain(), []);
    session.release();
  }
});

for (const path of PATHS) {
  Deno.test(`${path}: a client or a server that crashes comes back, and sessions go on`, () => {
    for (const guest of ["vm01", "vm02"]) {
      for (const atPs of [2 * MS, 2.345 * MS]) {
        const own = scenario({ path, workload: sessions({ both: atPs === 2 * MS, size: "50 KiB" }) });
        const session = untilTestEnds(new Session(own, { endless: true }));
        session.advance(atPs);
        assert.equal(session.apply({ kind: "crash", guest, forPs: MS }), null);
        session.advance(30 * MS);
        const before = session.cluster.total.rtt.count;
        session.advance(35 * MS);
        assert.ok(session.cluster.total.rtt.count > before, "sessions go on");
        const { integrityErrors, duplicated, lost } = totals(session);
        assert.deepEqual([integrityErrors, duplicated], [0, 0]);
        assert.ok(lost <= 1);
        assert.deepEqual(session.drain(), []);
      }
    }
  });
}

Deno.test("parameters that make no sense are refused with what is wanted", () => {
  const refused = (params: Record<string, unknown>, message: RegExp) =>
    assert.throws(() => scenario({ workload: sessions(params) }), message);
  refused({ pause: 5 }, /found 5, wanted a time such as 300 ns or 20 ms \(with its unit\)/);
  refused({ messages: 0 }, /messages/);
});
