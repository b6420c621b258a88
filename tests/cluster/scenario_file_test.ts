import assert from "node:assert/strict";
import { loadScenario, type Override, parseSet, ScenarioError } from "../../src/cluster/scenario_file.ts";
import { machineHash, scenarioHash } from "../../src/cluster/scenario_hash.ts";
import { vhpc12 } from "../../src/hw/profiles/vhpc12.ts";
import { withOverrides } from "../../src/hw/machine_profile.ts";
import { checkThreshold } from "../../src/report/thresholds.ts";
import { WorkloadError } from "../../src/workload/workload.ts";
import { CATALOGUE } from "./catalogue.ts";

const load = (text: string, overrides: Override[] = []) =>
  loadScenario(text, { ...CATALOGUE, file: "my.yaml", overrides, checkThreshold });

/** The lines that a user would read. */
function complaint(text: string, overrides: Override[] = []): string[] {
  try {
    load(text, overrides);
  } catch (error) {
    assert.ok(error instanceof ScenarioError, `not a scenario error: ${error}`);
    return error.message.split("\n");
  }
  return [];
}

const MINIMAL = "workload: {kind: echo}\n";

Deno.test("a scenario that says only its workload gets every default", () => {
  const scenario = load(MINIMAL);
  assert.equal(scenario.name, "my");
  assert.equal(scenario.path, "xen2mx");
  assert.deepEqual(scenario.hosts.map(({ name, native }) => [name, native]), [["a", false], ["b", false]]);
  assert.deepEqual(scenario.guests.map(({ name, host, path }) => [name, host, path]), [
    ["vm01", 0, "xen2mx"],
    ["vm02", 1, "xen2mx"],
  ]);
  assert.deepEqual(scenario.link, { rateBps: 1e10, mtu: 9000, latencyPs: null, loss: 0 });
  assert.deepEqual(scenario.workload, { kind: "echo", params: { size: 64 } });
  assert.equal(scenario.durationPs, 1e12);
  assert.equal(scenario.seed, 1);
});

Deno.test("what a workload cannot do is told with the place of the field that is wrong", () => {
  const workload = {
    ...CATALOGUE.workloads[0],
    check(): void {
      throw new WorkloadError("size: found 7, wanted 8");
    },
  };
  const told = (text: string, overrides: Override[]) => {
    const options = { ...CATALOGUE, workloads: [workload], file: "my.yaml", overrides, checkThreshold };
    try {
      loadScenario(text, options);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(told("workload: {kind: echo, size: 7 B}\n", []), "my.yaml:1:30: workload.size: found 7, wanted 8");
  assert.equal(told(MINIMAL, [parseSet("workload.size=7 B")]), "--set workload.size: found 7, wanted 8");
});

Deno.test("the file of the manual is read in full, with every unit resolved", () => {
  const scenario = load(`
name: full
title: A title
machine: vhpc12
hosts: [{name: a, cpus: 24, dom0_vcpus: 4}, {name: b, native: true}]
guests:
  - {host: a, vcpus: 2, weight: 512, pin: [0, 23], path: bridged}
  - {name: node, host: b}
path: xen2mx
link: {rate: 1 Gb/s, mtu: 1500, latency: 300 ns, loss: 0.1 %}
workload: {kind: echo, size: 512 KiB}
warmup: 20 ms
duration: 200 ms
seed: 7
faults: [{at: 200 ms, for: 50 ms, link: b-a, loss: 1 %, delay: 2 us}]
mechanisms: {grantReuse: false}
costs: {hypercall: 350.5, nicRateGbps: 1}
thresholds: ["throughput_MBps > 1100", "guests[node].lost == 0"]
`);
  assert.deepEqual(scenario.hosts[0], { name: "a", cpus: 24, native: false, dom0Vcpus: 4 });
  assert.deepEqual(scenario.guests, [
    { name: "vm01", host: 0, path: "bridged", vcpus: 2, weight: 512, pin: [0, 23] },
    { name: "node", host: 1, path: "native", vcpus: 1, weight: 256, pin: null },
  ]);
  assert.deepEqual(scenario.link, { rateBps: 1e9, mtu: 1500, latencyPs: 300_000, loss: 0.001 });
  assert.deepEqual(scenario.faults, [
    { atPs: 200e9, forPs: 50e9, link: "a-b", loss: 0.01, delayPs: 2e6, cut: false },
  ]);
  assert.deepEqual(scenario.mechanisms, { grantReuse: false });
  assert.deepEqual(scenario.costs, { hypercall: 350.5, nicRateGbps: 1 });
  assert.equal(scenario.warmupPs, 20e9);
});

Deno.test("faults are done to links, hosts and guests; corruption, coalescing and dom0's VCPUs have keys of their own", () => {
  const { faults, troubles, costs, hosts } = load(`
dom0_vcpus: 2
coalescing: 1500 ns
hosts: [{name: a, dom0_vcpus: 4}, {name: b}]
faults:
  - {at: 1 ms, link: b-a, corrupt: 1 %}
  - {at: 2 ms, for: 3 ms, host: a, stall: true, hog: 3}
  - {at: 3 ms, host: b, hog: 1}
  - {at: 4 ms, for: 5 ms, guest: vm02, crash: true}
${MINIMAL}`);
  assert.deepEqual(faults, [{ atPs: 1e9, forPs: null, link: "a-b", loss: 0, delayPs: 0, cut: false, corrupt: 0.01 }]);
  assert.deepEqual(troubles, [
    { kind: "stall", atPs: 2e9, forPs: 3e9, host: "a" },
    { kind: "hog", atPs: 2e9, forPs: 3e9, host: "a", cpus: 3 },
    { kind: "hog", atPs: 3e9, forPs: null, host: "b", cpus: 1 },
    { kind: "crash", atPs: 4e9, forPs: 5e9, guest: "vm02" },
  ]);
  assert.deepEqual(costs, { coalesceUs: 1.5 });
  assert.deepEqual(hosts.map(({ dom0Vcpus }) => dom0Vcpus), [4, 2]);
});

Deno.test("wire, discovery and losses: what says the default changes nothing, not even the hash", () => {
  const said = load(MINIMAL + "link: {wire: open-mx}\ndiscovery: static\npacket_loss: {all: 0, tiny: 0}\n");
  assert.deepEqual(said, load(MINIMAL));
  assert.equal(scenarioHash(said), scenarioHash(load(MINIMAL)));
  const other = load(MINIMAL + "link: {wire: mx}\ndiscovery: omxoed\npacket_loss: {tiny: 100, pull_reply: 50}\n");
  assert.deepEqual([other.link.wire, other.discovery, other.packetLoss], ["mx", "omxoed", {
    tiny: 100,
    pull_reply: 50,
  }]);
  assert.notEqual(scenarioHash(other), scenarioHash(said));
});

Deno.test("a path without hypervisor makes every host native", () => {
  const scenario = load("hosts: [{name: a}, {name: b, native: false}]\npath: native\nworkload: {kind: echo}");
  assert.deepEqual(scenario.hosts.map(({ native }) => native), [true, true]);
  assert.deepEqual(scenario.guests.map(({ path }) => path), ["native", "native"]);
});

const BAD: [title: string, text: string, lines: string[]][] = [
  ["empty file", "# nothing\n", ["my.yaml:1:1: found an empty file, wanted a scenario"]],
  ["not YAML", "workload: {kind: echo\nseed: 1\n", [
    "my.yaml:2:1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }",
  ]],
  ["two documents", "workload: {kind: echo}\n---\nseed: 2\n", [
    "my.yaml:2:1: found a second document, wanted one",
  ]],
  ["a list", "- 1\n", ["my.yaml:1:1: the scenario: found a list, wanted a block of keys"]],
  ["key written twice", "seed: 1\nseed: 2\nworkload: {kind: echo}\n", ["my.yaml:2:1: this key is written twice"]],
  ["misspelt key", "warmpu: 1 ms\n" + MINIMAL, ['my.yaml:1:1: unknown key "warmpu"; did you mean warmup?']],
  ["misspelt parameter", "workload: {kind: echo, siez: 4 KiB}\n", [
    'my.yaml:1:24: unknown key "siez"; did you mean size?',
  ]],
  ["misspelt cost", MINIMAL + "costs: {hypercal: 1}\n", [
    'my.yaml:2:9: unknown key "hypercal"; did you mean hypercall?',
  ]],
  ["wrong unit", "workload: {kind: echo, size: 512 KiBs}\nduration: 10\n", [
    "my.yaml:2:11: duration: found 10, wanted a time such as 300 ns or 20 ms (with its unit)",
    'my.yaml:1:30: workload.size: found "512 KiBs", wanted a size such as 512 KiB',
  ]],
  ["negative size", "workload: {kind: echo, size: -4 KiB}\n", [
    'my.yaml:1:30: workload.size: found "-4 KiB", wanted a size such as 512 KiB, not below 0',
  ]],
  ["frames of MX on a link that is too narrow", MINIMAL + "link: {mtu: 1500, wire: mx}\n", [
    "my.yaml:2:25: link.wire: frames of MX 1.2 have up to 4144 bytes: wanted link.mtu 9000 with wire mx",
  ]],
  ["unknown wire", MINIMAL + "link: {wire: gm}\n", ['my.yaml:2:14: link.wire: found "gm", wanted open-mx or mx']],
  ["unknown discovery", MINIMAL + "discovery: arp\n", [
    'my.yaml:2:12: discovery: found "arp", wanted static or omxoed',
  ]],
  ["losses of an unknown type, and below 0", MINIMAL + "packet_loss: {tinny: 4, rndv: -1}\n", [
    "my.yaml:2:31: packet_loss.rndv: found -1, wanted 0 to 1000000000",
    'my.yaml:2:15: unknown key "tinny"; did you mean tiny?',
  ]],
  ["0 guests", "guests: 0\n" + MINIMAL, ["my.yaml:1:9: guests: found 0, wanted 1 to 4096"]],
  ["4097 guests", "guests: 4097\n" + MINIMAL, ["my.yaml:1:9: guests: found 4097, wanted 1 to 4096"]],
  ["guests as text", "guests: many\n" + MINIMAL, [
    'my.yaml:1:9: guests: found "many", wanted a whole number, 1 to 4096 or a list',
  ]],
  ["duplicate host", "hosts:\n  - name: a\n  - name: a\n" + MINIMAL, [
    'my.yaml:3:11: hosts[1].name: found "a" twice, wanted a name for each',
  ]],
  ["duplicate guest", "guests: [{name: x}, {name: x}]\n" + MINIMAL, [
    'my.yaml:1:28: guests[1].name: found "x" twice, wanted a name for each',
  ]],
  ["unknown host of a guest", "guests: [{host: a}, {host: c}]\n" + MINIMAL, [
    'my.yaml:1:28: guests[1].host: found "c", wanted a host: a or b; did you mean a?',
  ]],
  ["unknown path", "path: xen2mxx\n" + MINIMAL, [
    'my.yaml:1:7: path: found "xen2mxx", wanted a path: native, xen2mx, bridged or virtio; did you mean xen2mx?',
  ]],
  ["unknown workload", "workload: {kind: ecko}\n", [
    'my.yaml:1:18: workload.kind: found "ecko", wanted a workload: echo or strict; did you mean echo?',
  ]],
  ["no workload", "seed: 1\n", ["my.yaml:1:1: workload: missing; wanted a block of keys (or a program)"]],
  ["workload that these guests cannot run", "guests: 3\n" + MINIMAL, [
    "my.yaml:2:11: workload: found 3 guests, wanted an even number",
  ]],
  ["buffers that do not fit", "workload: {kind: strict}\nguests: 12\n", [
    "my.yaml:1:11: workload: found 14400 MiB of buffers in 12 guests, wanted at most 12 GiB",
  ]],
  ["the same with more network queues", "workload: {kind: strict}\nguests: 12\nmechanisms: {netQueues: 5}\n", [
    "my.yaml:1:11: workload: found 14460 MiB of buffers in 12 guests, wanted at most 12 GiB",
  ]],
  ["no network queue", MINIMAL + "mechanisms: {netQueues: 0}\n", [
    "my.yaml:2:25: mechanisms.netQueues: found 0, wanted 1 to 8",
  ]],
  ["half a ring slot", MINIMAL + "costs: {nicTxRing: 0.5, coalesceUs: -1}\n", [
    "my.yaml:2:20: costs.nicTxRing: found 0.5, wanted 1 to 1000000",
    "my.yaml:2:37: costs.coalesceUs: found -1, wanted at least 0",
  ]],
  ["a poll loop whose turns take no time", MINIMAL + "costs: {backendPoll: 0}\n", [
    "my.yaml:2:22: costs.backendPoll: found 0, " +
    "wanted at least 1: the worker sleeps after 1,000,000 turns; mechanisms.polling=false for none",
  ]],
  ["more CPUs and queues than a host can have", MINIMAL + "costs: {cpusPerHost: 1025, nicQueues: 257}\n", [
    "my.yaml:2:22: costs.cpusPerHost: found 1025, wanted 1 to 1024",
    "my.yaml:2:39: costs.nicQueues: found 257, wanted 1 to 256",
  ]],
  ["native guest on a Xen host", "guests: [{path: native}, {}]\n" + MINIMAL, [
    "my.yaml:1:17: guests[0].path: found native on host a, wanted native: true on that host",
  ]],
  ["two hypervisors on one host", "hosts: 1\nguests: [{path: bridged}, {path: virtio}]\n" + MINIMAL, [
    "my.yaml:2:27: guests[1]: found path virtio (kvm) beside bridged (xen) on host a, " +
    "wanted one hypervisor for each host",
  ]],
  ["two Xen paths on one host", "hosts: 1\nguests: [{path: bridged}, {path: xen2mx}]\n" + MINIMAL, [
    "my.yaml:2:27: guests[1]: found path xen2mx beside bridged on host a, wanted one path for each Xen host",
  ]],
  ["CPU that the host lacks", "guests: [{pin: [99]}, {}]\n" + MINIMAL, [
    "my.yaml:1:16: guests[0].pin: found 99, wanted 0 to 23 on host a",
  ]],
  ["fault on no link", MINIMAL + "faults: [{at: 1 ms, link: a-c, cut: true}]\n", [
    'my.yaml:2:27: faults[0].link: found "a-c", wanted a link: a-b; did you mean a-b?',
  ]],
  ["fault that does nothing", MINIMAL + "faults: [{at: 1 ms, link: a-b}]\n", [
    "my.yaml:2:10: faults[0]: found a fault that does nothing, wanted loss, corrupt, delay or cut",
  ]],
  ["fault that is done to nothing", MINIMAL + "faults: [{at: 1 ms, loss: 1 %}]\n", [
    "my.yaml:2:10: faults[0]: found nothing that it is done to, wanted one of link, host and guest",
  ]],
  ["fault that is done to two things", MINIMAL + "faults: [{at: 1 ms, link: a-b, host: a, loss: 1 %}]\n", [
    "my.yaml:2:10: faults[0]: found link and host, wanted one of link, host and guest",
  ]],
  ["fault of another place", MINIMAL + "faults: [{at: 1 ms, for: 1 ms, host: a, stall: true, loss: 1 %}]\n", [
    "my.yaml:2:60: faults[0].loss: found on a host, wanted on a link",
  ]],
  ["stall on no host", MINIMAL + "faults: [{at: 1 ms, host: c, stall: true}]\n", [
    'my.yaml:2:27: faults[0].host: found "c", wanted a host: a or b; did you mean a?',
    "my.yaml:2:10: faults[0].for: missing; wanted how long the back end is stalled",
  ]],
  ["hog of no CPU", MINIMAL + "faults: [{at: 1 ms, host: a, hog: 0}]\n", [
    "my.yaml:2:35: faults[0].hog: found 0, wanted 1 to 256",
  ]],
  ["crash of no guest", MINIMAL + "faults: [{at: 1 ms, guest: vm03, crash: true}]\n", [
    'my.yaml:2:28: faults[0].guest: found "vm03", wanted a guest: vm01 or vm02; did you mean vm01?',
    "my.yaml:2:10: faults[0].for: missing; wanted how long the guest is down",
  ]],
  ["coalescing twice", "coalescing: 10 us\ncosts: {coalesceUs: 5}\n" + MINIMAL, [
    "my.yaml:1:13: coalescing: found costs.coalesceUs too, wanted one of the two",
  ]],
  ["unknown metric", MINIMAL + 'thresholds: ["thruput_MBps > 1"]\n', [
    'my.yaml:2:14: thresholds[0]: unknown metric "thruput_MBps": no "thruput_MBps"; did you mean throughput_MBps?',
  ]],
  ["MTU", "link: {mtu: 4000}\n" + MINIMAL, ["my.yaml:1:13: link.mtu: found 4000, wanted 1500 or 9000"]],
  ["time without end", "duration: 9007 s\nwarmup: 10 s\n" + MINIMAL, [
    "my.yaml:1:11: duration: warm-up and duration together pass 9007 s (2^53 ps), the end of virtual time",
  ]],
  ["control characters", 'title: "\\e[2J"\n' + MINIMAL, [
    'my.yaml:1:8: title: found "\\u001b[2J", wanted text without control characters',
  ]],
];
for (const [title, text, lines] of BAD) {
  Deno.test(`bad scenario: ${title}`, () => assert.deepEqual(complaint(text), lines));
}

Deno.test("all mistakes of a file are told at once, and no more than a screen of them", () => {
  const lines = complaint("guests: 0\nsede: 1\nworkload: {kind: strict, rounds: 10, round: 1}\n");
  assert.deepEqual(lines, [
    "my.yaml:1:9: guests: found 0, wanted 1 to 4096",
    'my.yaml:2:1: unknown key "sede"; did you mean seed?',
    "my.yaml:3:34: workload.rounds: found 10, wanted at most 9",
    'my.yaml:3:38: unknown key "round"; did you mean rounds?',
  ]);
  const many = complaint(MINIMAL + Array.from({ length: 50 }, (_, i) => `zzzzz${i}: 1`).join("\n"));
  assert.equal(many.length, 19);
  assert.equal(many[18], "and 32 more problems");
});

const set = (...texts: string[]) => texts.map(parseSet);

Deno.test("a key that is set and that nothing knows is told of the option, not of a place in the file", () => {
  const problem = () => load("name: x\nworkload: {kind: echo}\n", set("lnik.mtu=1500"));
  assert.throws(problem, { message: '--set lnik.mtu: unknown key "lnik"; did you mean link?' });
});

Deno.test("--set replaces, adds and reaches into lists", () => {
  const file = "hosts: [{name: a}, {name: b}]\nworkload: {kind: echo}\n";
  assert.equal((load(file, set("workload.size=4 KiB")).workload.params as { size: number }).size, 4096);
  assert.equal(load(file, set("hosts[1].native=true")).guests[1].path, "native");
  assert.equal(load(file, set("hosts.1.cpus=4")).hosts[1].cpus, 4);
  assert.equal(load(file, set("guests=4")).guests.length, 4);
  assert.equal(load(file, set("link.loss=1 %", "link.mtu=1500")).link.mtu, 1500);
  assert.deepEqual(load(file, set("workload.sizes=[1 B, 2 KiB]")).workload.params, { size: 64, sizes: [1, 2048] });
  assert.deepEqual(load(file, set("workload={kind: strict, rounds: 1}")).workload.params, {
    kind: "strict",
    rounds: 1,
  });
});

Deno.test("one of several hosts that a file only counts can be set apart", () => {
  const counted = load("hosts: 3\nworkload: {kind: echo}\n", set("hosts[1].dom0_vcpus=5", "hosts[1].cpus=6"));
  assert.deepEqual(counted.hosts.map(({ name, dom0Vcpus, cpus }) => [name, dom0Vcpus, cpus]), [
    ["a", null, null],
    ["b", 5, 6],
    ["c", null, null],
  ]);
  assert.deepEqual(load(MINIMAL, set("hosts[0].dom0_vcpus=5")).hosts.map(({ dom0Vcpus }) => dom0Vcpus), [5, null]);
  assert.deepEqual(complaint(MINIMAL, set("hosts[2].cpus=5")), ["--set hosts[2].cpus: found entry 2, wanted 0 to 1"]);
  assert.deepEqual(complaint(MINIMAL, set("hosts[0].dom0_vcpus=5 s")), [
    '--set hosts[0].dom0_vcpus: found "5 s", wanted a whole number, 1 to 1024',
  ]);
  assert.match(complaint("hosts: 257\n" + MINIMAL, set("hosts[0].cpus=5"))[0], /hosts is 257, wanted a list/);
});

Deno.test("a mistake in an option names the option", () => {
  assert.deepEqual(complaint(MINIMAL, set("workload.size=1 KiBs")), [
    '--set workload.size: found "1 KiBs", wanted a size such as 512 KiB',
  ]);
  assert.deepEqual(complaint(MINIMAL, set("link={mtuu: 1500}")), [
    '--set link: unknown key "mtuu"; did you mean mtu?',
  ]);
  assert.deepEqual(complaint(MINIMAL, set("guests[0].path=native")), [
    "--set guests[0].path: guests is nothing, wanted a list to set 0 in",
  ]);
  assert.deepEqual(complaint("guests: 4\n" + MINIMAL, set("guests[0].path=native")), [
    "--set guests[0].path: guests is 4, wanted a list to set 0 in",
  ]);
  assert.deepEqual(complaint(MINIMAL, [{ option: "--duration", path: ["duration"], value: "10" }]), [
    '--duration: found "10", wanted a time such as 300 ns or 20 ms (with its unit)',
  ]);
  for (const bad of ["", "x", "=1", "a..b=1", "__proto__.x=1"]) assert.throws(() => parseSet(bad), ScenarioError);
});

Deno.test("the hash names what runs: not words, not the order of keys", () => {
  const hash = (text: string) => scenarioHash(load(text));
  const plain = hash("guests: 4\nseed: 2\nworkload: {kind: echo, size: 1 KiB}\n");
  assert.equal(plain, hash("title: Other\nname: other\nworkload: {size: 1024 B, kind: echo}\nseed: 2\nguests: 4\n"));
  assert.notEqual(plain, hash("guests: 4\nseed: 3\nworkload: {kind: echo, size: 1 KiB}\n"));
  assert.notEqual(plain, hash("guests: 4\nseed: 2\nworkload: {kind: echo, size: 1025 B}\n"));
  assert.match(plain, /^[0-9a-f]{16}$/);
  assert.notEqual(machineHash(vhpc12), machineHash(withOverrides(vhpc12, { hypercall: 1 })));
});

Deno.test("a tour is read with its times; its metrics, panes, keys and questions are checked; no hash depends on it", () => {
  const tour = 'tour: [{ at: 5 ms, title: T, text: "{rtt_us.p50} us", look: stages, path: bridged, speed: 0.01 }]\n';
  const scenario = load(MINIMAL + tour);
  const step = { title: "T", text: "{rtt_us.p50} us", look: "stages", path: "bridged", speed: 0.01 };
  assert.deepEqual(scenario.tour, [{ atPs: 5e9, ...step }]);
  assert.equal(scenarioHash(scenario), scenarioHash(load(MINIMAL)));
  assert.deepEqual(complaint(MINIMAL + "tour:\n  - { title: T, text: 'so {rt_us.p50} us' }\n"), [
    'my.yaml:3:23: tour[0].text: unknown metric "rt_us.p50": no "rt_us"; did you mean rtt_us?',
  ]);
  assert.deepEqual(complaint(MINIMAL + "tour:\n  - { title: T, text: t, ask: why }\n"), [
    "my.yaml:3:5: tour[0]: found one of ask and answer, wanted both or none",
  ]);
  assert.match(complaint(MINIMAL + "tour: [{ title: T, text: t, look: latencies }]\n")[0], /a pane: .* mean latency/);
  assert.match(
    complaint(MINIMAL + "tour: [{ title: T, text: t, speed: 3 }]\n")[0],
    /speed: .*wanted one of 0\.000001, /,
  );
});

Deno.test("hosts after z have two letters, and guests are dealt out over all of them", () => {
  const { hosts, guests } = loadScenario(MINIMAL + "hosts: 54\nguests: 4096\n", { ...CATALOGUE, file: "my.yaml" });
  assert.deepEqual([0, 25, 26, 51, 52, 53].map((i) => hosts[i].name), ["a", "z", "aa", "az", "ba", "bb"]);
  assert.equal(new Set(hosts.map(({ name }) => name)).size, 54);
  assert.deepEqual([0, 54, 4095].map((i) => guests[i].host), [0, 0, 4095 % 54]);
  assert.equal(guests[4095].name, "vm4096");
});

Deno.test("a path that has room for so many guests of a host says so", () => {
  const paths = CATALOGUE.paths.map((path) => ({ ...path, guestsPerHost: 3 }));
  const load = (guests: number) =>
    loadScenario(MINIMAL + `guests: ${guests}\n`, { ...CATALOGUE, paths, file: "my.yaml" });
  assert.equal(load(6).guests.length, 6);
  assert.throws(() => load(8), /guests: found more than 3 guests of path \S+ on host a, wanted more hosts/);
});
