import assert from "node:assert/strict";
import { allMetrics } from "../../src/report/metrics.ts";
import { templateSnapshot } from "../../src/report/template.ts";
import { checkThreshold, metricValue } from "../../src/report/thresholds.ts";
import { sample } from "./sample.ts";

/** Where there are numbers in a result: the steps to each, lists by their first entry. */
function numbers(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value === "number") return [path.join(".")];
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [["[]", value[0]]] : Object.entries(value);
  return entries.flatMap(([step, inner]) => numbers(inner, [...path, step]));
}

Deno.test("metrics: a threshold takes every name that is listed, and each has its line of meaning", () => {
  const metrics = allMetrics();
  for (const { name, help } of metrics) {
    assert.equal(checkThreshold(`${name} >= 0`), null, name);
    assert.ok(help.length > 5 && !help.includes("\n"), name);
  }
  assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length);
});

Deno.test("metrics: every number of a result is listed, but for what no threshold may rest on", () => {
  // A board's counters show in a run; verdict and wall time are not of the cluster.
  const hidden = /^(wall|thresholds|stages)\b|^hosts\.\[\]\.boards\b/;
  const there = numbers(templateSnapshot()).filter((name) => !hidden.test(name));
  const listed = allMetrics().map(({ name }) => name.replace(/\[[^\]]*\]/g, ".[]"))
    .filter((name) => !/^stages|^(host|guest)_cpu$/.test(name));
  assert.deepEqual(listed.map((name) => there.includes(name) ? name : `totals.${name}`).sort(), there.sort());
});

Deno.test("metrics: units are those that names have", () => {
  const suffixes: [RegExp, string][] = [[/_us\b/, "us"], [/_ns$/, "ns"], [/_MBps$/, "MB/s"], [/_Gbps$/, "Gb/s"]];
  for (const { name, unit } of allMetrics()) {
    for (const [suffix, wanted] of suffixes) if (suffix.test(name)) assert.equal(unit, wanted, name);
  }
});

Deno.test("host_cpu and guest_cpu are busy CPUs of all hosts, by whom they work for", () => {
  const snapshot = sample();
  const idle = { user: 0, kernel: 0, irq: 0, hypervisor: 0, steal: 0, idle: 0 };
  const [host] = snapshot.hosts;
  const busy = {
    ...host,
    cpus: 8,
    cpu: {
      host: { ...idle, kernel: 0.125 },
      dom0: { ...idle, user: 0.25, irq: 0.125 },
      guest: { ...idle, user: 0.25, hypervisor: 0.125, steal: 0.5 },
      idle: 0.125,
    },
  };
  const both = { ...snapshot, hosts: [busy, { ...busy, cpus: 4 }] };
  assert.deepEqual([metricValue("host_cpu", both), metricValue("guest_cpu", both)], [6, 4.5]);
  assert.equal(checkThreshold("hosts_cpu < 1"), 'unknown metric "hosts_cpu": no "hosts_cpu"; did you mean host_cpu?');
  assert.match(checkThreshold("host_cpu.user < 1")!, /^unknown metric "host_cpu\.user": no "host_cpu"/);
});
