import assert from "node:assert/strict";
import { type Model, type Pane } from "../../src/tui/model.ts";
import { render, toText } from "../../src/tui/screen.ts";
import { plain, width } from "../../src/tui/text.ts";
import { THEME_NAMES } from "../../src/tui/theme.ts";
import { ringCell } from "../../src/tui/view/guests.ts";
import { after, modelOf } from "./fake_model.ts";
import { matchSnapshot } from "../support/snapshot.ts";

/** One pane over the whole screen. */
function zoomed(model: Model, pane: Pane): string {
  const lines = render({ ...model, pane, zoomed: true }).find((region) => region.id === pane)!.lines;
  return plain(lines.join("\n"));
}

const sweep = (columns: number, rows: number) => modelOf({ columns, rows, scenario: "latency-16k" });

Deno.test("v walks through the views of the pane that has the focus, and T through the colours", () => {
  const model = after(modelOf({ columns: 80, rows: 24 }), "tab");
  assert.equal(model.pane, "latency");
  const titles = ["v", "v", "v"].map((_, i) => toText(after(model, ..."v".repeat(i + 1)))[3]);
  assert.match(titles[0], /Latency us, whole run/);
  assert.match(titles[1], /Latency us by size/);
  assert.match(titles[2], /Latency us ─/);
  assert.match(toText(after(model, "tab", "v"))[3], /Throughput MB\/s by guest/);
  assert.match(after(model, "S-tab", "v").notice!.text, /latency and the throughput pane/);
  let themed = modelOf({ columns: 80, rows: 24, monochrome: false });
  for (const name of [...THEME_NAMES.slice(1), THEME_NAMES[0]]) {
    themed = after(themed, "T");
    assert.equal(themed.theme, name);
    assert.equal(themed.monochrome, name === "monochrome");
    assert.match(themed.notice!.text, new RegExp(name));
  }
});

Deno.test("the histogram of the run, with its percentiles", async (t) => {
  await matchSnapshot(t, import.meta, zoomed(after(sweep(80, 24), "tab", "v"), "latency"));
});

Deno.test("a round trip that is not two messages is told beside their latency", () => {
  const model = after(modelOf({ columns: 120, rows: 40 }), "tab");
  const { snapshot } = model.live!;
  const told = (p50: number) => {
    const { latency_us } = snapshot.totals;
    const totals = { ...snapshot.totals, rtt_us: { ...latency_us!, p50, p99: 3 * latency_us!.p50 } };
    return zoomed({ ...model, live: { ...model.live!, snapshot: { ...snapshot, totals } } }, "latency").split("\n")[0];
  };
  const { p50 } = snapshot.totals.latency_us!;
  assert.match(told(2.5 * p50), / rtt \d+\S*\/\d+\S* {2}\S p50 /);
  assert.doesNotMatch(told(2 * p50), /rtt/);
  assert.doesNotMatch(zoomed(model, "latency"), /rtt/);
});

Deno.test("latency by message size", async (t) => {
  await matchSnapshot(t, import.meta, zoomed(after(sweep(80, 24), "tab", "v", "v"), "latency"));
  const one = zoomed(after(modelOf({ columns: 80, rows: 24 }), "tab", "v", "v"), "latency");
  assert.match(one, /one size: nothing to compare/);
});

Deno.test("throughput of every guest, the fastest first", async (t) => {
  const text = zoomed(after(modelOf({ columns: 80, rows: 24 }), "tab", "tab", "v"), "throughput");
  await matchSnapshot(t, import.meta, text);
  const numbers = [...text.matchAll(/vm\d+ +↑?([\d.]+)/g)].map((match) => Number(match[1]));
  assert.ok(numbers.length > 30 && Math.max(...numbers) === numbers[0]);
});

Deno.test("a wide pane has its views side by side", async (t) => {
  await matchSnapshot(t, import.meta, zoomed(sweep(160, 40), "latency"));
  await matchSnapshot(t, import.meta, zoomed(modelOf({ columns: 160, rows: 30 }), "throughput"));
});

Deno.test("a published value is a line with its name, in the pane that it belongs to", () => {
  const model = modelOf({ columns: 120, rows: 40, scenario: "throughput-4m" });
  assert.match(zoomed(model, "throughput"), /study 1192/);
  assert.doesNotMatch(zoomed(model, "latency"), /study/);
});

Deno.test("a spike that would press everything else flat turns the scale logarithmic, and the title says so", () => {
  const model = sweep(120, 40);
  const samples = model.live!.samples.map((sample, i) => i === 9 ? { ...sample, p99_us: 90_000 } : sample);
  const text = zoomed({ ...model, live: { ...model.live!, samples } }, "latency");
  assert.match(text, /Latency us, log/);
  assert.match(text, /100k ┤/);
});

Deno.test("every view fits every size", () => {
  for (
    const model of [sweep(80, 24), modelOf({ columns: 80, rows: 24 }), modelOf({ columns: 80, rows: 24, seconds: 0 })]
  ) {
    for (const latency of ["time", "histogram", "sizes"] as const) {
      for (const throughput of ["time", "guests"] as const) {
        for (const pane of ["latency", "throughput", "stages"] as const) {
          for (let columns = 40; columns <= 240; columns += 40) {
            for (let rows = 10; rows <= 60; rows += 17) {
              const sized: Model = { ...model, columns, rows, pane, zoomed: true, views: { latency, throughput } };
              for (const { id, width: wide, height, lines } of render(sized)) {
                assert.equal(lines.length, height, `${id} ${latency} at ${columns}x${rows}`);
                for (const line of lines) assert.equal(width(line), wide, `${id} ${latency} at ${columns}x${rows}`);
              }
            }
          }
        }
      }
    }
  }
});

Deno.test("the header says at 80 columns what runs, where it is and what holds it back", () => {
  const model = modelOf({ columns: 80, rows: 24 });
  const live = structuredClone(model.live!);
  live.bottleneck = { what: "link a-b", why: "100 % used, 1200 MB/s" };
  live.snapshot.bottleneck = { what: "latency", why: "of the whole run" };
  const [first, second] = toText(after({ ...model, live }, "+"));
  assert.match(first, /scale-40-vms +path xen2mx +40 guests \/ 2 hosts +seed 1 +RUNNING$/);
  assert.match(second, / t 2\.300 of 60\.000 s .*x0\.83 +real time +speed 10x +limit link a-b/);
  assert.match(toText(after({ ...model, live }, "space"))[1], /limit latency/, "of the time that the panes are of");
});

Deno.test("a ring of thousands of slots fits its column: rounded, not cut off", () => {
  const cell = (used: number, size: number, width: number) => plain(ringCell({ used, size }, width));
  assert.equal(cell(12, 12_048, 7), " 12/12k");
  assert.equal(cell(9_999, 12_048, 7), "10k/12k");
  assert.equal(cell(0, 12_048, 7), "0/12048");
  assert.equal(cell(3, 32, 7), "   3/32");
});

Deno.test("events that found their queue full are in the network pane, where there are any", () => {
  const model = modelOf({ columns: 120, rows: 40 });
  const { snapshot } = model.live!;
  const board = { name: "b", mac: "", peers: 2, counters: { "recv tiny": 5, "unexpected event queue full": 9 } };
  const hosts = snapshot.hosts.map((host, i) => ({ ...host, boards: i === 1 ? [board] : [] }));
  const full: Model = { ...model, live: { ...model.live!, snapshot: { ...snapshot, hosts } } };
  assert.doesNotMatch(zoomed(model, "network"), /queue full/);
  assert.match(zoomed(full, "network"), / MX {2}resent \d+ {2}queue full 9 {2}nacks /);
});
