import assert from "node:assert/strict";
import { MS, SECOND } from "../../src/base/units.ts";
import { Session } from "../../src/cluster/session.ts";
import { bottleneckSince } from "../../src/report/bottleneck.ts";
import { offeredFigures } from "../../src/report/figures.ts";
import { run, runSliced, scenario, type ScenarioOptions, totals, untilTestEnds } from "../support/scenario.ts";

const PATHS = ["native", "xen2mx"];

function requests(params: Record<string, unknown>): ScenarioOptions["workload"] {
  return { kind: "request-reply", ...params };
}

/** Every request of every client has had its reply, and nothing is left. */
function sound(session: Session, replies: number, what: string): void {
  assert.ok(session.finished && session.now < session.end, `${what}: the programs have ended by themselves`);
  const { messages, integrityErrors, lost, duplicated } = totals(session);
  assert.deepEqual([messages, integrityErrors, lost, duplicated], [2 * replies, 0, 0, 0], what);
  const { requests, replied, waiting, under_way } = offeredFigures(session)!;
  assert.deepEqual([requests, replied, waiting, under_way], [replies, replies, 0, 0], what);
  assert.deepEqual(session.drain(), [], what);
}

const rttUs = ({ cluster }: Session) => cluster.total.rtt.distribution()!;

Deno.test("requests and replies of every class, in pairs and of many clients, come to an end", () => {
  for (const path of PATHS) {
    for (const [size, reply] of [["0 B", "8 KiB"], ["16 B", "200 B"], ["128 B", "0 B"], ["20 KiB", "100 KiB"]]) {
      const params = { size, reply, requests: 25, rate: "40 k/s", outstanding: 5 };
      sound(run({ path, guests: 4, workload: requests(params) }), 2 * 25, `${path} ${size}`);
      const many = requests({ ...params, servers: 2, wait: "poll" });
      sound(run({ path, guests: 7, workload: many }), 5 * 25, `${path} ${size}, two servers`);
    }
    const inside = requests({ requests: 20, pairs: "same-host", size: "100 KiB", reply: "64 B" });
    sound(run({ path, hosts: 1, guests: 2, workload: inside }), 20, `${path} inside a host`);
  }
});

Deno.test("lost frames make replies late, and none is missing", () => {
  for (const path of PATHS) {
    const params = { requests: 100, rate: "20 k/s", size: "300 B", reply: "40 KiB", servers: 1 };
    const session = run({ path, guests: 3, loss: 0.01, durationPs: 120 * SECOND, workload: requests(params) });
    sound(session, 200, path);
    assert.ok(rttUs(session).max > 0.4e6, "what was lost is sent again after half a second");
  }
});

Deno.test("the same run in slices; stopped in the middle nothing is left", () => {
  for (const path of PATHS) {
    const options = {
      path,
      guests: 5,
      warmupPs: 2 * MS,
      durationPs: 5 * MS,
      workload: requests({ servers: 2, service: "5 us", service_times: "exponential" }),
    };
    const once = run(options);
    const sliced = runSliced(options, 500);
    assert.deepEqual([sliced.fingerprint, sliced.events], [once.fingerprint, once.events]);
    assert.deepEqual([totals(sliced), offeredFigures(sliced)], [totals(once), offeredFigures(once)]);
    assert.deepEqual(once.drain(), []);
    assert.deepEqual([totals(once).integrityErrors, totals(once).lost], [0, 0]);
  }
});

Deno.test("as many requests become due as were asked for, whatever the replies do", () => {
  const of = (params: Record<string, unknown>) => {
    const workload = requests({ rate: "10 k/s", ...params });
    return offeredFigures(run({ guests: 4, warmupPs: 3 * MS, durationPs: 100 * MS, workload }))!;
  };
  const free = of({});
  assert.ok(Math.abs(free.requests - 2000) < 4 * Math.sqrt(2000), `${free.requests} of 2000`);
  assert.ok(Math.abs(free.replied - free.requests) < 10 && free.waiting < 3);
  const even = of({ arrivals: "uniform" });
  assert.ok(Math.abs(even.requests - 2000) <= 2, `${even.requests} of 2000`);
  // Servers that reply to half of them: the schedule is the same, and the other half is seen to wait.
  const slow = of({ service: "200 us" });
  assert.ok(Math.abs(slow.replied - 1000) < 50 && Math.abs(slow.requests - 2000) < 4 * Math.sqrt(2000));
  // Since warm-up; what became due in it, and still waits, is in the sum too.
  const late = slow.replied + slow.waiting + slow.under_way - slow.requests;
  assert.ok(late >= 0 && late < 0.03 * 2000 + 4 * Math.sqrt(60), `${late} before measuring began`);
});

Deno.test("a server is the queue that it should be: M/D/1 and M/M/1", () => {
  const serviceUs = 200;
  const mean = (path: string, params: Record<string, unknown>, durationPs: number) => {
    const workload = requests({ service: "200 us", ...params });
    const session = run({ path, workload, warmupPs: durationPs / 20, durationPs });
    const { mean } = rttUs(session);
    session.release();
    return mean;
  };
  for (const path of PATHS) {
    const alone = mean(path, { rate: "200 /s", arrivals: "uniform" }, 100 * MS);
    assert.ok(alone > serviceUs && alone < serviceUs + 50, `${alone} us without a queue`);
    for (const [load, margin] of [[0.3, 0.15], [0.7, 0.15]]) {
      // Pollaczek and Khinchin: the mean wait in the queue, for service times that are all the same.
      const wait = (load * serviceUs) / (2 * (1 - load));
      const found = mean(path, { rate: `${5 * load} k/s` }, SECOND) - alone;
      // A server that does not sleep between requests need not be woken up, which the lone request had to be.
      assert.ok(Math.abs(found - wait) < margin * wait + 12, `${path}, load ${load}: ${found} us, not ${wait}`);
    }
  }
  const alone = mean("native", { rate: "200 /s", arrivals: "uniform" }, 100 * MS);
  const found = mean("native", { rate: "2.5 k/s", service_times: "exponential" }, 1.5 * SECOND) - alone;
  assert.ok(Math.abs(found / serviceUs - 1) < 0.15, `M/M/1 at load 0.5 waits for one service time, not ${found} us`);
});

Deno.test("no coordinated omission: all requests that a pause delays are late, and not only those under way", () => {
  for (const outstanding of [1, 16]) {
    const session = run({
      path: "xen2mx",
      durationPs: 200 * MS,
      workload: requests({ rate: "5 k/s", outstanding }),
      troubles: [{ kind: "stall", host: "b", atPs: 100 * MS, forPs: 20 * MS }],
    });
    // A tenth of all became due in the pause, and are late by 10 ms on average.
    const { p50, p90, p99, max } = rttUs(session);
    assert.ok(p50 < 100 && max > 19.5e3 && max < 22e3, `${p50} and ${max} us`);
    assert.ok(p90 < 4e3 && p99 > 16e3, `${p90} and ${p99} us`);
    assert.equal(offeredFigures(session)!.waiting, 0);
  }
});

Deno.test("latency counts from when a request was due until its server begins with it, wherever it waits", () => {
  for (const outstanding of [1, 100]) {
    const workload = requests({ rate: "4 k/s", service: "400 us", outstanding });
    const session = run({ durationPs: 50 * MS, workload });
    const [client, server] = session.cluster.guests.map(({ meter }) => meter);
    const [request, reply] = [server.latency.distribution()!, client.latency.distribution()!];
    assert.ok(request.max > 10e3 && reply.max < 50, `${request.max} and ${reply.max} us: nothing keeps a reply`);
    assert.ok(Math.abs(rttUs(session).max - request.max - reply.mean - 400) < 0.02 * request.max);
    assert.equal(server.latency.count, server.messages);
  }
});

Deno.test("what limits a run: the offered load, a full server, or requests under way", () => {
  const limit = (params: Record<string, unknown>, rest: Partial<ScenarioOptions> = {}) => {
    const session = run({ guests: 2, durationPs: 50 * MS, workload: requests(params), ...rest });
    session.settle();
    return bottleneckSince(session, session.baseline)!;
  };
  const { what, why } = limit({ rate: "1.5 k/s", service: "200 us", arrivals: "uniform" });
  assert.equal(what, "offered load");
  assert.match(why, /^15\d\d requests\/s are asked for, and replied to; nothing is full$/);
  assert.match(limit({ rate: "10 k/s", service: "200 us" }).what, /CPU b\/\d+$/);
  const far = limit({ rate: "50 k/s", outstanding: 2 }, { latencyPs: MS });
  assert.equal(far.what, "requests under way");
  assert.match(far.why, /^2 are, and no more may be; 2\d\d\d wait to be sent$/);
});

for (const path of PATHS) {
  Deno.test(`${path}: a client or a server that crashes costs what was under way, and requests go on to become due`, () => {
    for (const guest of ["vm01", "vm02"]) {
      const workload = requests({ rate: "4 k/s", servers: 1, reply: "50 KiB", outstanding: 4 });
      const session = untilTestEnds(new Session(scenario({ path, guests: 4, workload }), { endless: true }));
      session.advance(3 * MS);
      assert.equal(session.apply({ kind: "crash", guest, forPs: 2 * MS }), null);
      session.advance(40 * MS);
      for (const { meter } of session.cluster.guests) meter.resetRecent();
      session.advance(45 * MS);
      for (const { meter, spec } of session.cluster.guests) {
        assert.ok(meter.recentMessages > 10, `${spec.name} is back`);
      }
      const { integrityErrors, duplicated, lost } = totals(session);
      assert.deepEqual([integrityErrors, duplicated], [0, 0]);
      assert.ok(lost <= 3 * 4, `${lost} lost`);
      assert.ok(rttUs(session).max > 20e3, "what became due meanwhile is late");
      assert.deepEqual(session.drain(), []);
    }
  });
}

Deno.test("parameters that make no sense are refused with what is wanted", () => {
  const refused = (params: Record<string, unknown>, message: RegExp) =>
    assert.throws(() => scenario({ workload: requests(params) }), message);
  refused({ rate: 5000 }, /found 5000, wanted how often in a second, such as 20 k\/s \(with its unit\)/);
  refused({ rate: "0 /s" }, /found \\"0 \/s\\", wanted at least 1 \/s/);
  refused({ service: "2 s" }, /wanted at most 1 s/);
});
