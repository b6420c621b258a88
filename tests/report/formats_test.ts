import assert from "node:assert/strict";
import { CSV_COLUMNS, toCsv } from "../../src/report/csv.ts";
import { FORMATS } from "../../src/report/formats.ts";
import { runHtml } from "../../src/report/html/run.ts";
import { toJson } from "../../src/report/json.ts";
import { toJunit } from "../../src/report/junit.ts";
import { toMarkdown } from "../../src/report/markdown.ts";
import { toNdjson } from "../../src/report/ndjson.ts";
import { toTable } from "../../src/report/table.ts";
import type { Snapshot } from "../../src/report/snapshot.ts";
import { templateSnapshot } from "../../src/report/template.ts";
import { judge, withFailures } from "../../src/report/thresholds.ts";
import { failedSample, sample } from "./sample.ts";
import { matchSnapshot } from "../support/snapshot.ts";

for (const [name, load] of Object.entries(FORMATS)) {
  Deno.test(`${name}: a result`, async (t) => {
    const text = (await load())(sample());
    // How a page looks may change without its figures.
    await matchSnapshot(t, import.meta, text.replace(/<style>[^]*<\/style>/, "<style>...</style>"));
  });
}
for (const name of ["table", "markdown"]) {
  Deno.test(`${name}: a failed and partial result`, async (t) =>
    matchSnapshot(t, import.meta, (await FORMATS[name]())(failedSample())));
}
Deno.test("junit: a result", (t) => matchSnapshot(t, import.meta, toJunit(sample())));
Deno.test("junit: a failed result, with markup in its names", (t) =>
  matchSnapshot(t, import.meta, toJunit(failedSample())));

Deno.test("junit: green for a result that is ok, red for every other", () => {
  const good = sample();
  const silent: Snapshot = { ...good, totals: { ...good.totals, messages: 0 } };
  const wrong: Snapshot = { ...good, totals: { ...good.totals, integrity_errors: 3 } };
  const program: Snapshot = { ...good, checks: { made: 1, failed: 0 } };
  const verdicts = [
    judge(good, []),
    judge(good, ["messages > 0"]),
    judge(good, ["messages < 0"]),
    judge(silent, []),
    judge(wrong, []),
    withFailures(judge(good, []), ["2 programs did not end within 60.0 s"]),
    withFailures(judge(program, []), ["vm01: leaked 3 grants"]),
    { ...judge(good, []), partial: true, ok: false },
    judge({ ...program, failures: ["vm01 at 5 us: check failed: no"] }, []),
  ];
  assert.deepEqual(verdicts.map(({ ok }) => ok), [true, true, ...Array(7).fill(false)]);
  for (const verdict of verdicts) {
    assert.equal(/<testsuites [^>]*failures="0"/.test(toJunit(verdict)), verdict.ok, verdict.failures.join());
  }
  assert.match(toJunit(verdicts[5]), /<failure message="2 programs did not end within 60.0 s"\/>/);
});

Deno.test("json: the order of keys does not depend on who built the result", () => {
  const reversed = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(reversed)
      : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, reversed(inner)]))
      : value;
  assert.equal(toJson(reversed(sample()) as ReturnType<typeof sample>), toJson(sample()));
  assert.deepEqual(JSON.parse(toJson(sample())), sample());
  assert.match(toJson(sample()), /[^\n]\n$/);
});

Deno.test("the template has every field of a result, and no other", () => {
  const keys = (value: unknown): unknown =>
    Array.isArray(value) ? value.slice(0, 1).map(keys) : typeof value === "object" && value !== null
      // Of the counters a result has those that are not 0.
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === "counters" ? {} : keys(inner)]))
      : null;
  // Nothing is asked for at an open-loop rate in the sample, and nothing converges.
  const { offered, solver } = templateSnapshot();
  assert.deepEqual(keys(templateSnapshot()), keys({ ...sample(), offered, solver, failures: [] }));
});

Deno.test("ndjson: the last line is the whole result", () => {
  const lines = toNdjson(sample()).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ type }) => type), ["guest", "guest", "row", "row", "summary"]);
  const { type: _, ...summary } = lines[4];
  assert.deepEqual(summary, sample());
});

Deno.test("csv: every record has a cell for every column", () => {
  const records = toCsv(sample()).trimEnd().split("\r\n");
  assert.equal(records.length, 1 + 1 + 2 + 2);
  for (const record of records) assert.equal(record.split(",").length, CSV_COLUMNS.length);
});

Deno.test("table: 80 columns are enough for 40 busy guests", () => {
  const big = sample();
  big.guests = Array.from({ length: 40 }, (_, i) => ({
    ...big.guests[0],
    name: `vm${i + 1}`,
    throughput_MBps: 1234.5,
    messages_per_s: 1_234_567,
  }));
  const widest = Math.max(...toTable(big).split("\n").map((line) => line.length));
  assert.ok(widest <= 80, `found ${widest} columns`);
});

Deno.test("table, page and Markdown name the paths that guests are on, whatever the scenario would give the others", () => {
  const on = (...paths: string[]) => {
    const [guest] = sample().guests;
    return { ...sample(), guests: paths.map((path) => ({ ...guest, path })) };
  };
  const mixed = on("virtio", "bridged", "native", "virtio");
  assert.match(toTable(mixed), /^path virtio, bridged {3}2 guests/m);
  assert.match(runHtml(mixed), />path virtio, bridged · 2 guests/);
  assert.match(toMarkdown(mixed), /^\| path \| virtio, bridged \|$/m);
  assert.match(toTable(on("native", "native")), /^path native {3}2 guests/m);
  assert.match(toTable(on()), /^path xen2mx {3}2 guests/m);
});

Deno.test("table and page: a guest shows what it receives, parts of its first message too, or else ↑ what others do of it", () => {
  const [guest] = sample().guests;
  const nothing = { messages: 0, bytes: 0, throughput_MBps: 0, messages_per_s: 0 };
  const sent = { ...guest.sent, messages: 0, throughput_MBps: 20.55 };
  const guests = [
    { ...guest, ...nothing, name: "sender", sent },
    { ...guest, ...nothing, name: "receiver", throughput_MBps: 20.55, sent: { ...sent, throughput_MBps: 0 } },
    { ...guest, ...nothing, name: "idle", sent: { ...sent, throughput_MBps: 0 } },
  ];
  const text = toTable({ ...sample(), guests });
  for (const line of [/^sender .* ↑20\.55 /m, /^receiver .* 20\.55 /m, /^idle +a +\S+ +\S+ +0 /m]) {
    assert.match(text, line);
  }
  assert.doesNotMatch(text, /^receiver .*↑/m);
  const html = runHtml({ ...sample(), guests });
  assert.deepEqual([...html.matchAll(/>(↑?20\.55)</g)].map(([, text]) => text), ["↑20.55", "20.55"]);
});

Deno.test("table: one message is one message", () => {
  const one = { ...sample(), totals: { ...sample().totals, messages: 1 } };
  assert.match(toTable(one), /^totals {5}1 message {3}/m);
});

Deno.test("table: colour is for the verdicts, and only when asked for", () => {
  assert.ok(!toTable(failedSample()).includes("\x1b"));
  assert.ok(toTable(failedSample(), { color: true }).includes("\x1b[31mFAILED\x1b[0m"));
});
