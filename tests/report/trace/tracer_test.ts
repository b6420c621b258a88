import assert from "node:assert/strict";
import { Session } from "../../../src/cluster/session.ts";
import { perfettoParts } from "../../../src/report/perfetto.ts";
import { SLICE, type TraceLog } from "../../../src/report/trace/log.ts";
import { Tracer } from "../../../src/report/trace/tracer.ts";
import { explainPath } from "../../../src/report/explain.ts";
import { STAGES } from "../../../src/metrics/stage.ts";
import { PATHS } from "../../../src/path/registry.ts";
import { type Flow, type ImportedTrace, importTrace } from "../../support/chrome_trace.ts";
import { run, scenario, type ScenarioOptions, untilTestEnds } from "../../support/scenario.ts";
import { matchSnapshot } from "../../support/snapshot.ts";

/** Runs with a trace of the whole run, or of a part of it, in picoseconds. */
function traced(options: ScenarioOptions, { from = 0, until = Infinity, limit = 1e6 } = {}) {
  const session = untilTestEnds(new Session(scenario(options)));
  session.advance(from);
  const tracer = new Tracer(session, limit);
  session.advance(Math.min(until, session.end));
  const { lastSteps } = session.cluster.world.journeys;
  tracer.stop();
  session.advance(session.end);
  return { session, tracer, lastSteps, trace: importTrace([...perfettoParts(tracer.log, {})].join("")) };
}

const pingpong = (path: string | string[], size: number): ScenarioOptions => ({
  path,
  workload: { kind: "pingpong", sizes: [size], iterations: 2, warmup_iterations: 1 },
});
const hostOf = ({ track }: { track: string }) =>
  track.replace(/^guest \w+ on /, "").replace(/ vcpu\d+$| cpu\d+$/, "").replace(/\/cpu\d+$/, "/cpu");
const ALL: [string, ScenarioOptions][] = [
  ...PATHS.flatMap(({ name }): [string, ScenarioOptions][] => [
    [`${name}, tiny`, pingpong(name, 16)],
    [`${name}, medium and large`, {
      path: name,
      workload: { kind: "pingpong", sizes: [8192, 200_000], iterations: 1, warmup_iterations: 1 },
    }],
  ]),
  ["a switch, and guests of one host", {
    ...pingpong("xen2mx", 100),
    hosts: 3,
    guests: 6,
    cpus: 2,
  }],
  ["frames get lost, on two CPUs", {
    path: ["bridged", "native"],
    cpus: 2,
    guests: 4,
    loss: 0.03,
    durationPs: 3e9,
    workload: { kind: "stream", size: 20_000, outstanding: 4, direction: "both-ways" },
  }],
  ["guests share CPUs with a busy neighbour", {
    path: "virtio",
    cpus: 2,
    guests: 6,
    durationPs: 8e9,
    workload: { kind: "noisy", size: 4096, outstanding: 2 },
  }],
];

/** Whether a slice of a track holds an instant, to the picosecond. */
function coverageOf(log: TraceLog) {
  const slices = log.tracks.map((): [number, number][] => []);
  for (let row = 0; row < log.length; row++) {
    if (log.kind[row] === SLICE) slices[log.where[row]].push([log.at[row], log.at[row] + log.value[row]]);
  }
  return (track: number, at: number) => slices[track].some(([from, to]) => from <= at && at < to);
}

for (const [name, options] of ALL) {
  Deno.test(`trace: ${name}: keeps the rules, every flow binds, and the run is the same`, () => {
    const { session, tracer, trace } = traced(options);
    assert.equal(session.fingerprint, run(options).fingerprint, "looking changes nothing");
    assert.ok(trace.flows.length > 0);
    assert.equal(trace.flows.length, tracer.log.flows.length, "no message lost its way");
    const covered = coverageOf(tracer.log);
    for (const { track, at } of tracer.log.flows.flat()) {
      assert.ok(covered(track.index, at), `${track.name} at ${at} ps`);
    }
    for (const { slices } of trace.flows) {
      const wires = slices.filter(({ track }) => track.startsWith("wires/"));
      assert.ok(wires.every(({ cat, args }) => cat === "frame" && typeof args!.frame === "string"));
    }
  });
}

// ---- what is in it

/** The tracks that the last tiny message from host b to host a comes by: processors without their numbers. */
const WAYS: Readonly<Record<string, string>> = {
  native: "host b/cpu, wires/b nic > a nic, host a/cpu",
  iov: "b/vm02, wires/b nic > a nic, a/vm01",
  "xen2mx-plain": "b/vm02, host b/dom0, wires/b nic > a nic, host a/dom0, a/vm01",
  xen2mx: "b/vm02, host b/dom0, wires/b nic > a nic, host a/dom0, a/vm01",
  bridged: "b/vm02, host b/dom0, wires/b nic > a nic, host a/dom0, host a/dom0, a/vm01",
  virtio: "b/vm02, host b/kernel, wires/b nic > a nic, host a/kernel, host a/kernel, a/vm01",
  "virtio-user": "b/vm02, host b/kernel, wires/b nic > a nic, host a/kernel, host a/kernel, a/vm01",
  emulated: "b/vm02, wires/b nic > a nic, host a/kernel, host a/kernel, a/vm01",
};

Deno.test("trace: the way of a message on every path is the path's", () => {
  for (const { name } of PATHS) {
    const { trace } = traced({
      path: name,
      workload: { kind: "pingpong", sizes: [16], iterations: 1, warmup_iterations: 1 },
    });
    const { slices } = trace.flows.findLast((flow) => hostOf(flow.slices[0]).includes("b/"))!;
    // The last work of all is on the track that the message came to before it.
    assert.equal(slices.slice(0, -1).map(hostOf).join(", "), WAYS[name], name);
    assert.equal(slices.at(-1)!.track, slices.at(-2)!.track);
  }
});

const XEN2MX = pingpong("xen2mx", 16);

Deno.test("trace: a message of Xen2MX goes from guest to dom0, over the wire, to the other dom0 and guest", () => {
  const { trace } = traced(XEN2MX);
  const ways = trace.flows.map(({ slices }) => slices.map(hostOf).join(", "));
  const there = "a/vm01, host a/dom0, wires/a nic > b nic, host b/dom0, b/vm02, b/vm02";
  const back = "b/vm02, host b/dom0, wires/b nic > a nic, host a/dom0, a/vm01, a/vm01";
  assert.deepEqual(new Set(ways), new Set([there, back]));
  for (const { slices, at } of trace.flows) {
    const [send, back, frame, kernel, , end] = slices;
    assert.deepEqual([send.name, send.cat], ["library", "user"]);
    assert.ok(["hypervisor", "backend", "wakeup"].includes(back.name), back.name);
    assert.equal(frame.name, "TINY");
    assert.match(frame.args!.frame as string, /MX TINY peer \d+ ep 0 > 0, seq \d+/);
    assert.deepEqual([kernel.name, kernel.cat], ["interrupt", "irq"]);
    assert.deepEqual([end.name, end.cat], ["copy", "user"]);
    assert.ok(at.every((time, i) => i === 0 || time > at[i - 1]));
  }
});

for (const path of ["native", "xen2mx", "bridged", "iov"]) {
  Deno.test(`trace: ${path}: slices say of a message what explain says of it`, () => {
    const size = 16;
    const { session, tracer, lastSteps } = traced({
      ...pingpong(path, size),
      workload: { kind: "pingpong", sizes: [size], iterations: 1, warmup_iterations: 4 },
    });
    const explained = explainPath(PATHS.find(({ name }) => name === path)!, { machine: "vhpc12", costs: {}, mtu: 9000 })
      .find((message) => message.size === size)!;
    assert.deepEqual(
      lastSteps.map((step) => [step.place, STAGES[step.stage], step.duration / 1e6]),
      explained.steps.map(({ who, stage, us }) => [who, stage, us]),
    );
    const { log } = tracer;
    // Picoseconds of slices of a name within a stretch of time, on the track of a processor.
    const sliced = (place: string, name: string, from: number, to: number) => {
      let sum = 0;
      for (let row = 0; row < log.length; row++) {
        if (log.kind[row] !== SLICE || log.names[log.name[row]] !== name) continue;
        const { process, name: track } = log.tracks[log.where[row]];
        const host = process.name.replace(/^(host|guest \w+ on) /, "");
        if (`${host} ${track}` !== place && `${host} ${track} vcpu0` !== place) continue;
        sum += Math.max(0, Math.min(to, log.at[row] + log.value[row]) - Math.max(from, log.at[row]));
      }
      return sum;
    };
    const done = ["library", "syscall", "driver", "frontend", "backend", "copy", "bridge", "grant"];
    let compared = 0;
    for (const { place, stage, from, duration } of lastSteps) {
      if (!done.includes(STAGES[stage])) continue;
      assert.equal(sliced(place, STAGES[stage], from, from + duration), duration, `${place}: ${STAGES[stage]}`);
      compared += duration;
    }
    const byStage = explained.stages.filter(({ stage }) => done.includes(stage)).reduce((sum, { us }) => sum + us, 0);
    assert.equal(compared, Math.round(byStage * 1e6));
    assert.ok(compared > 1e6);
    assert.equal(session.finished, true);
  });
}

Deno.test("trace: a part of a run shows what the whole shows of that part, and whole messages", () => {
  const options = { ...XEN2MX, workload: { kind: "pingpong", sizes: [16], iterations: 40, warmup_iterations: 1 } };
  const whole = traced(options);
  const from = 900e6;
  const until = 1100e6;
  const part = traced(options, { from, until });
  assert.equal(part.session.fingerprint, whole.session.fingerprint);
  assert.deepEqual([part.tracer.log.from, part.tracer.until], [from, until]);
  const BURST = 20_000; // ns: bursts under way at the edges are not whole
  const inside = ({ slices }: ImportedTrace) =>
    slices.filter((slice) => slice.from > from / 1000 + BURST && slice.to < until / 1000 - BURST);
  assert.ok(inside(part.trace).length > 100);
  assert.deepEqual(inside(part.trace), inside(whole.trace));
  const times = (flow: Flow) => flow.at;
  const messages = whole.trace.flows.map(times).filter((at) => at[0] >= from / 1000 && at.at(-1)! < until / 1000);
  assert.ok(messages.length > 2);
  const shown = part.trace.flows.map(times);
  assert.ok(shown.length >= messages.length - 1 && shown.length <= messages.length);
  for (const at of shown) assert.ok(messages.some((other) => other.join() === at.join()));
});

Deno.test("trace: a full log ends the trace, not the run, and what it holds is whole", () => {
  const options = { workload: { kind: "pingpong", sizes: [16], iterations: 30 } };
  const { session, tracer, trace } = traced(options, { limit: 500 });
  assert.equal(session.fingerprint, run(options).fingerprint);
  const { log } = tracer;
  assert.ok(log.isFull && log.events >= 500 && log.events <= 500 + log.tracks.length + 20);
  assert.ok(tracer.until < session.now);
  assert.ok(trace.slices.length > 100);
  for (const { to } of trace.slices) assert.ok(to <= tracer.until / 1000 + 20_000);
});

Deno.test("trace: rings and grants are within bounds, and end where they are", () => {
  const names: Record<string, string[]> = {
    native: [],
    iov: ["vf tx queue", "vf rx ring"],
    "xen2mx": ["command ring", "event ring"],
    bridged: ["netfront tx ring", "netfront rx ring"],
    virtio: ["virtio tx queue", "virtio rx queue"],
    emulated: ["e1000 tx ring", "e1000 rx ring"],
  };
  for (const [path, rings] of Object.entries(names)) {
    const { session, trace } = traced({ path, workload: { kind: "pingpong", sizes: [100_000], iterations: 2 } });
    const guest = session.cluster.guests[0];
    assert.deepEqual((guest.port.rings?.() ?? []).map(({ name }) => name), rings, path);
    for (const ring of guest.port.rings?.() ?? []) {
      const values = trace.counters.get(`guest vm01 on a/${ring.name} used`)!;
      assert.ok(values.length > 4, `${path}: ${ring.name} moves`);
      for (const { value } of values) assert.ok(value >= 0 && value <= ring.size, `${path}: ${ring.name} has ${value}`);
      assert.equal(values.at(-1)!.value, ring.used, `${path}: ${ring.name}`);
    }
    if (path !== "iov") {
      const { nic } = guest.host;
      for (const [name, value] of [["nic tx ring", nic.backlog], ["nic rx rings", nic.received]] as const) {
        const values = trace.counters.get(`host a/${name} used`)!;
        assert.ok(values.length > 4 && values.every((counted) => counted.value >= 0), `${path}: ${name}`);
        assert.equal(values.at(-1)!.value, value, `${path}: ${name}`);
      }
    }
    const table = guest.site.domain?.grantTable;
    assert.equal(trace.counters.get("guest vm01 on a/grants active")?.at(-1)?.value, table?.activeGrants, path);
    assert.equal(trace.counters.get("guest vm01 on a/grants mapped")?.at(-1)?.value, table?.mappedGrants, path);
  }
});

Deno.test("trace: every frame is on its wire once, and lost ones say so", () => {
  const { session, trace } = traced({
    loss: 0.05,
    workload: { kind: "pingpong", sizes: [30_000], iterations: 20 },
  });
  const [link] = session.cluster.links;
  for (const { from, to, frames, lost, wireBytes } of link.directions) {
    const slices = trace.slices.filter(({ track }) => track === `wires/${from.name} > ${to.name}`);
    assert.equal(slices.length, frames);
    assert.equal(slices.filter(({ name }) => name.endsWith(" (lost)")).length, lost);
    const busy = slices.reduce((sum, slice) => sum + slice.to - slice.from, 0);
    assert.ok(Math.abs(busy - wireBytes * link.psPerByte / 1000) <= frames);
  }
  assert.ok(link.directions.some(({ lost }) => lost > 0));
});

Deno.test("trace: a physical CPU has one owner at a time, as long as the accounts say", () => {
  const SET_UP = 1000; // ns: the first switch, when devices connect, is before the trace
  for (const path of ["xen2mx-plain", "virtio"]) {
    const { session, trace } = traced({ ...pingpong(path, 5000), cpus: 2, guests: 4 });
    for (const host of session.cluster.hosts) {
      for (const cpu of host.cpus) {
        const slices = trace.slices.filter(({ track }) => track === `host ${host.name}/cpu${cpu.index}`);
        const had = slices.reduce((sum, { from, to, cat }) => cat === "hypervisor" ? sum : sum + to - from, 0);
        const switching = slices.reduce((sum, { from, to }) => sum + to - from, 0) - had;
        const busy = cpu.busy / 1000;
        assert.ok(had <= busy + slices.length, "nobody has a CPU without using it");

        assert.ok(had + switching >= busy - slices.length - SET_UP, "and work is done by who has it, or in a switch");
      }
    }
  }
});

Deno.test("trace: a tiny one, drawn", async (t) => {
  const { lastSteps } = traced(XEN2MX);
  const from = lastSteps[0].from;
  const end = lastSteps.reduce((sum, { duration }) => sum + duration, from);
  const { trace } = traced(XEN2MX, { from: from - 1e6, until: end + 1e6 });
  await matchSnapshot(t, import.meta, drawn(trace, from / 1000));
});

/** Tracks with their slices, and the last flow: microseconds since `origin`, nanoseconds. */
function drawn({ slices, instants, flows }: ImportedTrace, origin: number): string {
  const at = (ns: number) => ((ns - origin) / 1000).toFixed(3).padStart(8);
  const tracks = [...new Set([...slices, ...instants].map(({ track }) => track))].sort();
  const lines = tracks.flatMap((track) => {
    const rows = slices.filter((slice) => slice.track === track).map(({ from, to, name, cat }) =>
      `${at(from)} ${((to - from) / 1000).toFixed(3).padStart(7)}  ${name} (${cat})`
    );
    const moments = instants.filter((instant) => instant.track === track).map(({ at: ns, name }) =>
      `${at(ns)}          ${name}`
    );
    return [track, ...rows, ...moments, ""];
  });
  const flow = flows.at(-1)!;
  return [...lines, "flow", ...flow.slices.map(({ track, name }, i) => `${at(flow.at[i])}  ${track}: ${name}`)].join(
    "\n",
  );
}
