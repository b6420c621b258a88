import assert from "node:assert/strict";
import { MS } from "../../src/base/units.ts";
import { Baseline } from "../../src/cluster/baseline.ts";
import { Session } from "../../src/cluster/session.ts";
import { OWNER_DOM0, OWNER_GUEST, OWNER_HOST } from "../../src/hw/cpu.ts";
import { PULL_TIMEOUT_FIRST, UNEXP_QUEUE_FULL } from "../../src/mx/driver/counters.ts";
import { KERNEL, STEAL } from "../../src/metrics/stage.ts";
import { bottleneckSince } from "../../src/report/bottleneck.ts";
import { stageFigures, stagesSince } from "../../src/report/figures.ts";
import { LiveView } from "../../src/report/live.ts";
import { takeSnapshot } from "../../src/report/take_snapshot.ts";
import { run, scenario, type ScenarioOptions } from "../support/scenario.ts";

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

Deno.test("full is a link or a CPU that is busy with more than polling, the fuller of both; then come waiting guests", () => {
  const session = new Session(scenario({ workload: stream, durationPs: 20 * MS }));
  session.advance(session.end);
  session.settle();
  const { links: [link], hosts: [host], guests: [{ site: { processor } }] } = session.cluster;
  const named = (used: { link?: number; cpu?: number; polled?: number; steal?: number; others?: number }) => {
    for (const direction of link.directions) Object.assign(direction, { frames: 1, busyPs: 0, startedAt: -1 });
    for (const cpu of host.cpus) {
      cpu.time.fill(0);
      cpu.polled = 0;
    }
    link.directions[0].busyPs = (used.link ?? 0) * session.now;
    host.cpus[0].time[KERNEL] = (used.cpu ?? 0) * session.now;
    for (const cpu of host.cpus) if (cpu.index > 0) cpu.time[KERNEL] = (used.others ?? 0) * session.now;
    host.cpus[0].polled = (used.polled ?? 0) * session.now;
    processor.time[STEAL] = (used.steal ?? 0) * session.now;
    return bottleneckSince(session, session.baseline)?.what;
  };
  assert.equal(named({ link: 0.94 }), "link a-b");
  assert.equal(named({ link: 0.92 }), "latency");
  assert.equal(named({ cpu: 0.94 }), "kernel CPU a/0");
  assert.equal(named({ cpu: 1, polled: 0.5 }), "latency");
  assert.equal(named({ link: 0.94, cpu: 0.97 }), "kernel CPU a/0");
  assert.equal(named({ link: 0.97, cpu: 0.94 }), "link a-b");
  assert.equal(named({ link: 0.97, cpu: 1, polled: 0.5 }), "link a-b");
  assert.equal(named({ steal: 0.16, cpu: 0.9, others: 0.9 }), "physical CPUs");
  assert.equal(named({ steal: 0.14, cpu: 0.9, others: 0.9 }), "latency");
  // CPUs that have time left only take their time to wake up.
  assert.equal(named({ steal: 0.5, cpu: 0.9, others: 0.5 }), "latency");
  assert.equal(named({ steal: 0.5, link: 0.94 }), "link a-b");
  named({ steal: 0.16, cpu: 0.9, others: 0.9 });
  assert.equal(bottleneckSince(session, session.baseline)?.why, "1 guest waits for one, up to 16 % of the time");
});

Deno.test("the log warns of guests that wait for a CPU by the rule that the limit goes by", () => {
  const saidOf = (steal: number) => {
    const session = new Session(scenario({ workload: stream, durationPs: 20 * MS }));
    const view = new LiveView(session, { command: "test", version: "0" });
    session.advance(session.end);
    session.settle();
    const { hosts: [host], guests: [{ site: { processor } }] } = session.cluster;
    for (const cpu of host.cpus) cpu.time.fill(0).fill(0.9 * session.now, KERNEL, KERNEL + 1);
    processor.time[STEAL] = steal * session.now;
    const isLimit = bottleneckSince(session, session.baseline)?.what === "physical CPUs";
    const warning = view.live().log.find(({ text }) => text.includes("for a physical CPU"))?.text;
    assert.equal(warning !== undefined, isLimit);
    return warning;
  };
  assert.equal(saidOf(0.14), undefined);
  assert.equal(saidOf(0.16), "1 guest waits for a physical CPU more than 15 % of the time");
});

Deno.test("somebody else's computation is not what holds a run back, unless it takes a CPU from who wants it", () => {
  const limitOf = (path: string, wait: string, cpus: number) => {
    const troubles = [{ kind: "hog" as const, atPs: 0, host: "a", cpus, forPs: null }];
    const workload = { kind: "pingpong", sizes: ["16 B"], wait, iterations: 1000 };
    const session = run({ path, workload, troubles, cpus: 4, durationPs: 50 * MS });
    return bottleneckSince(session, session.baseline)!;
  };
  // One of four CPUs: nobody misses it.
  for (const path of ["native", "iov"]) assert.equal(limitOf(path, "block", 1).what, "latency");
  // All of them: a guest waits its turn, and a process that polls shares its CPU.
  const starved = limitOf("iov", "block", 4);
  assert.match(`${starved.what}: ${starved.why}`, /^physical CPUs: 1 guest waits for one, up to \d+ % of the time$/);
  const shared = limitOf("native", "poll", 4);
  assert.match(
    `${shared.what}: ${shared.why}`,
    /^kernel CPU a\/0: \d+ % taken by somebody else's computation$/,
  );
});

Deno.test("the log has the end of warm-up at the instant at which it was", () => {
  const session = new Session(scenario({ workload: stream, warmupPs: 15 * MS, durationPs: 50 * MS }));
  const view = new LiveView(session, { command: "test", version: "0" });
  session.advance(33 * MS);
  const line = view.live().log.find(({ text }) => text.startsWith("warm-up"));
  assert.equal(line?.at_ns, 15e6);
});

Deno.test("where nothing is full, messages that are sent again are named, with where they may have got lost", () => {
  const limitOf = (options: Omit<ScenarioOptions, "workload">) => {
    const session = run({ workload: { kind: "stream", size: 8192 }, durationPs: 600 * MS, ...options });
    return bottleneckSince(session, session.baseline)!;
  };
  // Dom0 hands over frames faster than the guest takes up its events.
  const overrun = limitOf({ path: "xen2mx", rateBps: 32e9 });
  assert.equal(overrun.what, "lost messages");
  assert.match(overrun.why, /^\d+ sent again, each after 0\.5 s: event queues full$/);
  const lossy = limitOf({ path: "native", loss: 0.01 });
  assert.equal(lossy.what, "lost messages");
  assert.match(lossy.why, /^\d+ sent again, each after 0\.5 s: frames lost on links$/);
  // In the stretch of time in which they are sent again nothing may get lost any more.
  const workload = { kind: "stream", size: 8192 };
  const cut = { atPs: 10 * MS, forPs: 1 * MS, link: "a-b", loss: 0, delayPs: 0, cut: true };
  const session = new Session(scenario({ path: "native", workload, durationPs: 600 * MS, faults: [cut] }));
  session.advance(400 * MS);
  const before = new Baseline(session.cluster);
  session.advance(550 * MS);
  const late = bottleneckSince(session, before)!;
  assert.match(`${late.what}: ${late.why}`, /^lost messages: \d+ sent again, each after 0\.5 s: frames lost on links$/);
});

Deno.test("each place where messages may get lost is named by itself, by what it has counted since measuring began", () => {
  // With a switch; a path whose guests have interfaces of their own.
  const workload = { kind: "pingpong", sizes: ["64 B"], iterations: 1e6 };
  const session = run({ path: "iov", hosts: 3, guests: 4, workload, durationPs: 5 * MS });
  const { links: [link], hosts: [host], guests: [guest], switches: [hub] } = session.cluster;
  const said = () => {
    const { what, why } = bottleneckSince(session, session.baseline)!;
    assert.equal(what, "latency");
    return why.split("; ")[1];
  };
  const counted = (counters: object, field: string) => {
    const all = counters as Record<string, number>;
    all[field]++;
    const text = said();
    all[field]--;
    return text;
  };
  const own = guest.ports[0].interface!.bind(guest.ports[0]);
  const inGuest = (field: "txDrops" | "rxDrops") => {
    const counts = own();
    Object.assign(guest.ports[0], { interface: () => ({ ...counts, [field]: counts[field] + 1 }) });
    const text = said();
    Object.assign(guest.ports[0], { interface: own });
    return text;
  };
  const [board] = [...host.paths.values()][0].boards;
  assert.equal(said(), "nothing is full");
  assert.equal(counted(board.driver.counters, `${UNEXP_QUEUE_FULL}`), "event queues full");
  assert.equal(counted(link.directions[1], "lost"), "frames lost on links");
  assert.equal(counted(link.directions[0], "corrupted"), "frames lost on links");
  assert.equal(counted(hub.ports[2], "drops"), "ports of switches full");
  assert.equal(counted(host.boards[0].nic.counters, "rxDrops"), "NICs full");
  assert.equal(counted(host.boards[0].nic.counters, "txDrops"), "NICs full");
  assert.equal(inGuest("txDrops"), "guests' interfaces full");
  assert.equal(inGuest("rxDrops"), "guests' interfaces full");
  hub.ports[1].drops++;
  link.directions[0].lost++;
  assert.equal(said(), "frames lost on links, ports of switches full");
});

Deno.test("messages that are sent again hold a run back when guests may wait for them a twentieth of their time", () => {
  const session = run({ path: "native", workload: stream, durationPs: 5 * MS });
  const { hosts: [host], guests } = session.cluster;
  const { counters } = [...host.paths.values()][0].boards[0].driver;
  const { baseline } = session;
  /** What is said of two guests in the last `milliseconds`. */
  const limitOf = (milliseconds: number) => {
    const { what, why } = bottleneckSince(session, Object.assign(baseline, { at: session.now - milliseconds * MS }))!;
    return `${what}: ${why}`;
  };
  const isLoss = (milliseconds: number) => limitOf(milliseconds).startsWith("lost messages");
  const set = (resent: number, pulled: number) => {
    guests[1].past.retransmits = resent;
    counters[PULL_TIMEOUT_FIRST] = pulled;
  };
  assert.equal(isLoss(1), false, "nothing was lost");
  // Half a second for a message, a second for a part of a large one.
  set(1, 0);
  assert.deepEqual([5000, 5001].map(isLoss), [true, false]);
  assert.equal(limitOf(1000), "lost messages: 1 sent again, each after 0.5 s");
  set(0, 1);
  assert.deepEqual([10_000, 10_001].map(isLoss), [true, false]);
  assert.equal(limitOf(1000), "lost messages: 1 pulled again, each after 1 s");
  set(2, 3);
  assert.deepEqual([40_000, 40_001].map(isLoss), [true, false]);
  assert.equal(limitOf(1000), "lost messages: 2 sent again, each after 0.5 s, 3 pulled again, each after 1 s");
});

Deno.test("a full CPU is its whose work takes most of it, in all classes together", () => {
  const session = run({ path: "xen2mx", workload: stream, durationPs: 5 * MS });
  const { hosts: [, host] } = session.cluster;
  const named = (...shares: [number, number, number][]) => {
    for (const { cpus } of session.cluster.hosts) for (const { time } of cpus) time.fill(0);
    for (const [owner, cls, share] of shares) host.cpus[2].time[owner * 4 + cls] = share * session.now;
    for (const cpu of host.cpus) cpu.polled = 0;
    const { what, why } = bottleneckSince(session, session.baseline)!;
    return `${what}: ${why}`;
  };
  assert.equal(named([OWNER_HOST, 1, 0.96]), "kernel CPU b/2: 96 % busy without polling");
  assert.equal(named([OWNER_DOM0, 2, 0.97]), "dom0 CPU b/2: 97 % busy without polling");
  assert.equal(named([OWNER_GUEST, 0, 1]), "guest CPU b/2: 100 % busy without polling");
  assert.equal(
    named([OWNER_GUEST, 0, 0.4], [OWNER_DOM0, 0, 0.3], [OWNER_DOM0, 3, 0.24]),
    "dom0 CPU b/2: 94 % busy without polling",
  );
});

Deno.test("a NIC that drops what it should send is not a port of a switch", () => {
  const costs = { nicTxRing: 16, txQueueLength: 16 };
  const workload = { kind: "stream", size: "32 KiB", outstanding: 16 };
  const session = run({ path: "native", costs, workload, durationPs: 510 * MS });
  assert.deepEqual(session.cluster.switches, []);
  const { what, why } = bottleneckSince(session, session.baseline)!;
  assert.match(`${what}: ${why}`, /^lost messages: \d+ sent again, each after 0\.5 s: NICs full$/);
});

Deno.test("what is over is no more the limit: messages and losses of the time that is asked about, of all where there are none", () => {
  const workload = { kind: "pingpong", sizes: ["64 B"], iterations: 1e6 };
  const cut = { atPs: 10 * MS, forPs: 100 * MS, link: "a-b", loss: 0, delayPs: 0, cut: true };
  const session = new Session(scenario({ path: "native", workload, durationPs: 600 * MS, faults: [cut] }));
  const limitSince = (before: Baseline) => {
    session.settle();
    const { what, why } = bottleneckSince(session, before)!;
    return `${what}: ${why}`;
  };
  session.advance(50 * MS);
  const during = new Baseline(session.cluster);
  session.advance(60 * MS);
  // A connection's two messages at most: what is lost, and the acknowledgement of the last.
  assert.match(
    limitSince(during),
    /^lost messages: [12] unanswered for 5\d ms: link a-b is cut; sent again after 0\.5 s$/,
  );
  session.advance(535 * MS);
  const after = new Baseline(session.cluster);
  session.advance(538 * MS);
  assert.match(limitSince(session.baseline), /frames lost on links$/);
  assert.match(limitSince(after), /^latency: (?!queueing).* of a message; nothing is full$/);
  const { messages, sums } = stagesSince(session, after);
  assert.ok(messages > 100 && messages < session.cluster.world.journeys.finished / 2, `${messages}`);
  const [recent, all] = [stageFigures(session, after), stageFigures(session)];
  assert.ok(
    Math.abs(recent.reduce((sum, { us }) => sum + us, 0) - sums.reduce((a, b) => a + b) / messages / 1e6) < 0.1,
  );
  assert.notDeepEqual(recent, all);
  session.release();
});

Deno.test("clients are behind by what they were asked for in the time that is asked about", () => {
  const workload = { kind: "request-reply", rate: "1 k/s", outstanding: 4, arrivals: "uniform" };
  const cut = { atPs: 2000 * MS, forPs: null, link: "a-b", loss: 0, delayPs: 0, cut: true };
  const session = new Session(scenario({ path: "native", workload, durationPs: 4000 * MS, faults: [cut] }));
  session.advance(2000 * MS);
  const before = new Baseline(session.cluster);
  session.advance(2014 * MS);
  assert.equal(bottleneckSince(session, before)?.what, "offered load", "a handful that waits is not a queue");
  session.advance(2030 * MS);
  session.settle();
  assert.equal(bottleneckSince(session, session.baseline)?.what, "offered load", "a fiftieth of two seconds");
  assert.equal(bottleneckSince(session, before)?.what, "requests under way");
  session.release();
});

Deno.test("messages larger than what a guest can grant are given up, and the run says why", () => {
  const limitOf = (size: string) => {
    const workload = { kind: "pingpong", sizes: [size], iterations: 2, warmup_iterations: 0 };
    const session = run({ path: "xen2mx", workload, durationPs: 300 * MS });
    const { what, why } = bottleneckSince(session, session.baseline)!;
    session.release();
    return `${what}: ${why}`;
  };
  assert.match(limitOf("48 MiB"), /^latency: /);
  const [guest] = scenario({ workload: stream }).guests;
  assert.equal(
    limitOf("64 MiB"),
    `grant references: ${guest.name} may have 16376, one for each page of its queues and messages; none is complete yet`,
  );
});

Deno.test("a message that waits while no other is under way waits for its own frames, and the limit says so", () => {
  const limitOf = (workload: ScenarioOptions["workload"]) => {
    const session = run({ path: "native", workload, durationPs: 20 * MS });
    const { what, why } = bottleneckSince(session, session.baseline)!;
    return `${what}: ${why}`;
  };
  const alone = { kind: "pingpong", sizes: ["1 MiB"], iterations: 4 };
  assert.match(
    limitOf(alone),
    /^latency: queueing takes \d+ % of a message while no other is under way; nothing is full$/,
  );
  // Two at a time, each now and then behind the other one.
  const two = { kind: "all-to-all", sizes: ["256 KiB"], iterations: 4 };
  assert.match(limitOf(two), /^latency: queueing takes \d+ % of a message; nothing is full$/);
  // Nothing of a tiny message waits: whether it is alone explains nothing.
  assert.match(limitOf({ ...alone, sizes: ["16 B"] }), /^latency: \w+ takes \d+ % of a message; nothing is full$/);
});

Deno.test("where nothing is full and nothing complete, both are said", () => {
  const session = run({ workload: stream, latencyPs: 1000 * MS, durationPs: 1 * MS });
  const { what, why } = bottleneckSince(session, session.baseline)!;
  assert.equal(`${what}: ${why}`, "latency: no message is complete yet; nothing is full");
  session.cluster.world.frames.exhausted++;
  assert.equal(bottleneckSince(session, session.baseline)!.why, "none is complete yet: no frame free");
});

Deno.test("large messages of which a part was lost are pulled again after a second: named, and where they were lost", () => {
  const workload = { kind: "incast", size: "256 KiB" };
  const session = new Session(scenario({ hosts: 13, guests: 13, workload, durationPs: 3000 * MS }));
  session.advance(20 * MS); // silence is none yet
  const first = bottleneckSince(session, session.baseline)!;
  assert.equal(`${first.what}: ${first.why}`, "lost messages: none is complete yet: ports of switches full");
  session.advance(500 * MS);
  const early = bottleneckSince(session, session.baseline)!;
  assert.match(
    `${early.what}: ${early.why}`,
    /^lost messages: 12 unanswered for 49\d ms: ports of switches full; pulled again after 1 s$/,
  );
  session.advance(session.end);
  const late = bottleneckSince(session, session.baseline)!;
  assert.equal(late.what, "lost messages");
  assert.match(late.why, /^\d+ pulled again, each after 1 s: ports of switches full$/);
  session.release();
});

Deno.test("eager streams that overrun their receiver stand still for half a second: named from the warm-up on", () => {
  const workload = { kind: "stream", size: 1024 };
  const session = new Session(scenario({ path: "xen2mx", workload, warmupPs: 20 * MS, durationPs: 300 * MS }));
  session.advance(session.end);
  session.settle();
  const { totals, hosts, bottleneck } = takeSnapshot(session, { command: "", version: "", wallMs: 0, partial: false });
  session.release();
  assert.deepEqual([totals.messages, totals.retransmits], [0, 0], "the resend is due after the end");
  assert.ok(hosts[1].boards[0].counters["unexpected event queue full"] > 0);
  assert.match(
    `${bottleneck!.what}: ${bottleneck!.why}`,
    /^lost messages: \d+ unanswered for 3\d\d ms: event queues full; sent again after 0\.5 s$/,
  );
  const losing = run({ path: "native", workload, packetLoss: { medium_frag: 2 }, durationPs: 100 * MS });
  assert.match(
    bottleneckSince(losing, losing.baseline)!.why,
    /^\d+ unanswered for \d+ ms: packet_loss of drivers; sent again after 0\.5 s$/,
  );
  // Where nothing was lost, answers that are late are nobody's limit.
  const slow = run({ path: "native", latencyPs: 40 * MS, workload, durationPs: 200 * MS });
  assert.match(bottleneckSince(slow, slow.baseline)!.why, /; nothing is full$/);
});
