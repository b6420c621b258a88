import assert from "node:assert/strict";
import { openScenario, overridesOf } from "../../../src/cli/catalogue.ts";
import { publishedFor } from "../../../src/report/study/published.ts";
import { RESULTS } from "../../../src/report/study/results.ts";

const published = (name: string, options: { path?: string; machine?: string; guests?: string; set?: string[] } = {}) =>
  publishedFor(openScenario(name, overridesOf(options)));

Deno.test("half of the published round trip, where exactly that is run", () => {
  const tiny = (path: string) => published("pingpong-tiny", { path })?.latency_us;
  assert.deepEqual(["native", "iov", "xen2mx", "bridged"].map(tiny), [6, 6.5, 7, 22]);
  assert.match(published("pingpong-tiny", { path: "bridged" })!.source, /VHPC/);
  assert.deepEqual(["virtio", "emulated", "xen2mx-plain"].map(tiny), [undefined, undefined, undefined]);
});

Deno.test("published throughput of a stream of 4 MiB", () => {
  assert.equal(published("throughput-4m", { path: "iov", machine: "jss14" })?.throughput_MBps, 1192);
  // Near the link, without a number that anybody has published.
  assert.equal(published("throughput-4m", { path: "native" }), undefined);
  assert.equal(published("throughput-4m", { path: "xen2mx" }), undefined);
});

Deno.test("what differs in anything that was measured has no published value", () => {
  assert.equal(published("pingpong-tiny", { set: ["workload.sizes=[16 B, 4 KiB]"] }), undefined);
  assert.equal(published("pingpong-tiny", { machine: "jss14" }), undefined);
  assert.equal(published("pingpong-tiny", { set: ["link.rate=40 Gb/s"] }), undefined);
  const peak = (set: string[], guests?: string) =>
    published("throughput-4m", { path: "iov", machine: "jss14", set, guests })?.throughput_MBps;
  assert.equal(peak(["workload.outstanding=4"]), 1192);
  assert.equal(peak(["workload.size=2 MiB"]), undefined);
  assert.equal(peak(["workload.direction=both-ways"]), undefined);
  assert.equal(peak([], "4"), undefined);
  // Two guests of two hosts are not one guest against a native node.
  assert.equal(published("latency-16k", { set: ["workload.sizes=[16 B]"] }), undefined);
  // A cost or a mechanism is what one changes to compare.
  assert.equal(published("pingpong-tiny", { set: ["mechanisms.polling=false"] })?.latency_us, 7);
});

Deno.test("another link, more boards and whatever goes wrong have no published value", () => {
  const others = [
    ...["link.mtu=1500", "link.loss=1 %", "link.latency=1 us", "link.wire=mx", "boards=2", "packet_loss={all: 100}"],
    ...["faults=[{at: 1 ms, link: a-b, delay: 1 us}]", "faults=[{at: 1 ms, host: a, hog: 1}]"],
  ];
  for (const set of others) assert.equal(published("pingpong-tiny", { set: [set] }), undefined, set);
});

Deno.test("settings are unique: a run is compared with one number", () => {
  const settings = RESULTS.filter(({ setting }) => setting !== undefined).map(({ setting }) => JSON.stringify(setting));
  assert.equal(new Set(settings).size, settings.length);
  assert.equal(settings.length, 5);
});
