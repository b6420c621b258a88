import assert from "node:assert/strict";
import { layout, reachablePanes } from "../../src/tui/layout.ts";
import { type Model, type Pane, PANES } from "../../src/tui/model.ts";
import { render, toText } from "../../src/tui/screen.ts";
import { plain, width } from "../../src/tui/text.ts";
import { listedEvents } from "../../src/tui/view/events.ts";
import { sparkline } from "../../src/tui/view/spark.ts";
import { tabSpans } from "../../src/tui/view/tabs.ts";
import { after, modelOf } from "./fake_model.ts";

const small = modelOf({ columns: 80, rows: 24 });
const large = modelOf({ columns: 200, rows: 50 });

function linesOf(model: Model, id: string): string[] {
  return render(model).find((region) => region.id === id)!.lines.map((line) => plain(line));
}

/** A model with so many events, told apart by their numbers. */
function withEvents(model: Model, count: number): Model {
  const live = structuredClone(model.live!);
  live.log = Array.from({ length: count }, (_, i) => ({
    at_ns: i * 1e6,
    level: i % 10 === 0 ? "warn" as const : "info" as const,
    text: `event number ${i}`,
  }));
  return { ...model, live };
}

Deno.test("a large screen shows every pane, with 40 guests and with 2", () => {
  for (const scenario of ["scale-40-vms", "pingpong-tiny"]) {
    assert.deepEqual([...reachablePanes(modelOf({ columns: 200, rows: 50, scenario }))], [...PANES], scenario);
  }
});

Deno.test("tabs of all panes fit in 80 columns and name the same panes as the mouse finds", () => {
  for (const columns of [40, 60, 80, 100, 130]) {
    const model = { ...small, columns, pane: "network" as Pane };
    const line = toText(model)[2];
    for (const { title, x, pane } of tabSpans(model)) {
      assert.equal(line.slice(x + 1, x + 1 + title.length), title, `${columns}: ${pane}`);
    }
    assert.ok(line.includes("[Net"), `${columns}`);
    assert.equal(tabSpans(model).length, columns < 75 ? 1 : PANES.length);
  }
});

Deno.test("the filter is of the pane that has the focus", () => {
  const events = { ...withEvents(small, 100), pane: "events" as Pane };
  const filtered = after(events, "/", "w", "a", "r", "n", "enter");
  assert.deepEqual([filtered.eventFilter, filtered.filter], ["warn", ""]);
  assert.equal(listedEvents(filtered).length, 10);
  assert.match(linesOf(filtered, "events")[0], /\/warn {2}10 of 100/);
  assert.equal(after(filtered, "escape").eventFilter, "");
  const guests = after({ ...filtered, pane: "guests" }, "/", "v", "m", "1", "enter");
  assert.deepEqual([guests.eventFilter, guests.filter], ["warn", "vm1"]);
});

Deno.test("a figure in a heading is as new as the chart: while nothing completes there is none", () => {
  const live = structuredClone(small.live!);
  const title = (silent: number, latencyUs = 300) => {
    live.samples.forEach((sample, i) => {
      const isSilent = i >= live.samples.length - silent;
      [sample.p50_us, sample.p99_us, sample.p999_us] = isSilent
        ? [null, null, null]
        : [latencyUs, latencyUs, latencyUs];
    });
    return linesOf({ ...small, live, pane: "latency" }, "latency")[0];
  };
  assert.match(title(0), /─ p50 +300.0 {2}╌ p99 +300.0/);
  assert.match(title(4), /─ p50 +- {2}╌ p99 +- /);
  // Messages of a second: between two of them nothing is amiss.
  assert.match(title(4, 1e6), /─ p50 +1.00M {2}╌ p99 +1.00M/);
  const all = { ...small, live, pane: "latency" as const };
  title(Infinity);
  assert.match(linesOf(all, "latency").join("\n"), /no message in this span/);
  live.snapshot.totals.messages = 0;
  assert.match(linesOf(all, "latency").join("\n"), /no messages measured yet/);
});

Deno.test("a filter selects the first VM that it lists in the place of one that it hides", () => {
  const last = after(modelOf({ columns: 80, rows: 24 }), "G");
  assert.equal(last.selected, "vm40");
  const filtered = after(last, "/", "v", "m", "1", "enter");
  assert.equal(filtered.selected, "vm10");
  assert.match(linesOf(filtered, "guests").join("\n"), /▸vm10/);
  assert.equal(after(filtered, "enter").selected, "vm10");
  assert.equal(after(filtered, "end").selected, "vm19");
  // One that is listed stays, and where none is, nothing can be opened.
  assert.equal(after(last, "/", "v", "m", "4", "enter").selected, "vm40");
  const none = after(last, "/", "q", "enter");
  assert.deepEqual([none.selected, after(none, "enter").mode], ["vm40", "normal"]);
  assert.equal(after(last, "/", "q", "backspace", "enter").selected, "vm40");
});

Deno.test("who has no dom0 has a host in its place, with its kernel and its processes", () => {
  const rows = (native: boolean, hasDom0: boolean) => {
    const live = structuredClone(small.live!);
    for (const host of live.snapshot.hosts) {
      host.native = native;
      if (!hasDom0) host.dom0_vcpus = [];
    }
    for (const host of live.samples.at(-1)!.hosts) {
      Object.assign(host, {
        host: hasDom0 ? 0 : 0.2,
        ...(hasDom0 ? {} : { dom0: 0 }),
        ...(native ? { guest: 0, hypervisor: 0 } : {}),
      });
    }
    const lines = linesOf({ ...small, live, pane: "host" }, "host");
    return lines.flatMap((line) => /^│ (dom0|host|guests|hypervisor) {2}/.exec(line)?.[1] ?? []);
  };
  assert.deepEqual(rows(false, true).slice(0, 3), ["dom0", "guests", "hypervisor"]);
  assert.deepEqual(rows(false, false).slice(0, 3), ["guests", "hypervisor", "host"]);
  assert.deepEqual(rows(true, false), ["host", "host"]);
});

Deno.test("the mark of the sorted column touches its words, and nothing moves for it", () => {
  const heading = (column: Model["sort"]["column"], reversed = false) =>
    linesOf({ ...modelOf({ columns: 120, rows: 40 }), sort: { column, reversed } }, "guests")[1];
  const plainHeading = heading("steal").replaceAll(/[▲▼]/g, " ");
  for (
    const [column, title] of [["MBps", "▼MB/s"], ["p99", "▼p99 us"], ["host", "▲host"], ["cpu", "▼CPU%"], [
      "ring",
      "▼ring",
    ]]
  ) {
    const line = heading(column as "cpu");
    assert.ok(line.includes(title), `${column}: ${line}`);
    assert.equal(line.replaceAll(/[▲▼]/g, " "), plainHeading);
  }
  assert.match(heading("vm", true), / vm▼ /);
});

Deno.test("names that begin alike are told apart: whole where there is room, without their middle elsewhere", () => {
  const named = (columns: number, rows: number) => {
    const model = modelOf({ columns, rows });
    const live = structuredClone(model.live!);
    live.snapshot.guests.forEach((guest, i) => guest.name = `compute-node-rack-${10 + i}`);
    return linesOf({ ...model, live, selected: "compute-node-rack-12" }, "guests").slice(2, 12);
  };
  for (const line of named(250, 70)) assert.match(line, /^│[ ▸]compute-node-rack-\d\d /);
  const narrow = named(80, 24);
  assert.equal(new Set(narrow.map((line) => line.slice(2, 14))).size, 10);
  assert.match(narrow[2], /^│▸comp.*….*12 /);
});

Deno.test("events scroll with keys and wheel, stay where they are while more come, and follow again at the end", () => {
  const events = { ...withEvents(small, 100), pane: "events" as Pane };
  const rows = 24 - 5 - 2;
  assert.ok(linesOf(events, "events").at(-2)!.includes("number 99"));
  const up = after(events, "up", "up");
  assert.ok(linesOf(up, "events").at(-2)!.includes("number 97"));
  const more = withEvents(up, 120);
  assert.ok(linesOf(more, "events").at(-2)!.includes("number 97"));
  const end = after(more, "end");
  assert.ok(linesOf(end, "events").at(-2)!.includes("number 119"));
  assert.equal(end.eventEnd, null);
  const first = after(events, "home");
  assert.ok(linesOf(first, "events")[1].includes("number 0"));
  assert.equal(first.eventEnd, rows);
  const wheeled = after(events, { type: "mouse", kind: "wheelup", x: 10, y: 10 });
  assert.ok(linesOf(wheeled, "events").at(-2)!.includes("number 96"));
  // Arrows that scroll do not select.
  assert.equal(up.selected, events.selected);
});

Deno.test("hosts and links that do not fit scroll, and say how far they are", () => {
  const live = structuredClone(small.live!);
  const [host] = live.snapshot.hosts;
  live.snapshot.hosts = Array.from({ length: 30 }, (_, i) => ({ ...structuredClone(host), name: `host${i}` }));
  live.recent_hosts = [];
  for (const sample of live.samples) sample.hosts = live.snapshot.hosts.map(() => sample.hosts[0]);
  const hosts: Model = { ...small, live, pane: "host" };
  assert.ok(linesOf(hosts, "host")[1].includes("host0 "));
  assert.match(linesOf(hosts, "host")[0], /1-17 of 30/);
  const down = after(hosts, "down", "down");
  assert.ok(linesOf(down, "host")[1].includes("host2 "));
  assert.ok(linesOf(after(hosts, "end"), "host").at(-2)!.includes("host29 "));
  const network: Model = { ...hosts, pane: "network" };
  assert.ok(linesOf(after(network, "end"), "network").at(-2)!.trim().length > 10);
});

Deno.test("a row of the rings pane selects its VM, which the pane then has among its rows", () => {
  const region = layout(large).find(({ id }) => id === "rings")!;
  const row = linesOf(large, "rings").findIndex((line) => line.includes("vm04"));
  const clicked = after(large, { type: "mouse", kind: "click", x: region.x + 5, y: region.y + row });
  assert.deepEqual([clicked.selected, clicked.pane], ["vm04", "rings"]);
  const last = after(large, "end");
  assert.ok(linesOf(last, "rings").some((line) => line.includes("▸vm40")));
  const wheeled = after(last, { type: "mouse", kind: "wheelup", x: region.x + 5, y: region.y + 4 });
  assert.equal(wheeled.selected, "vm39");
});

Deno.test("the rings pane adds up what its rows say", () => {
  const lines = linesOf({ ...small, columns: 200, rows: 60, pane: "rings", zoomed: true }, "rings");
  const active = modelOf({ columns: 80, rows: 24 }).live!.snapshot.guests
    .reduce((sum, { grants }) => sum + grants!.active, 0);
  assert.ok(lines.at(-2)!.includes(`${(active / 1000).toFixed(1)}k`), lines.at(-2)!);
  assert.equal(lines.filter((line) => /vm\d\d/.test(line)).length, 40);
});

Deno.test("Enter opens the selected VM; arrows go through the list as it is sorted and filtered; Escape goes back", () => {
  const opened = after(small, "down", "enter");
  assert.equal(opened.mode, "vm");
  assert.match(toText(opened)[2], /vm02 on b, xen2mx .* 2 of 40/);
  assert.match(toText(after(opened, "right"))[2], /vm03 .* 3 of 40/);
  assert.match(toText(after(opened, "left", "left"))[2], /vm01 .* 1 of 40/);
  assert.match(toText(after(small, "/", "v", "m", "1", "enter", "down", "enter"))[2], /vm11 .* 2 of 10/);
  assert.equal(after(opened, "escape").mode, "normal");
  assert.equal(after(opened, "space").mode, "vm");
  // What is not there cannot be tabbed through or zoomed.
  const tabbed = after(opened, "tab", "z", "s");
  assert.deepEqual([tabbed.pane, tabbed.zoomed, tabbed.sort], [opened.pane, opened.zoomed, opened.sort]);
  const wheel = { type: "mouse", kind: "wheeldown", x: 5, y: 5 } as const;
  assert.match(toText(after(opened, wheel))[2], /vm03/);
});

Deno.test("stages are of the latest interval while the run goes on and messages complete, of all otherwise, and say so", () => {
  const stages = (model: Model) => linesOf({ ...model, pane: "stages" }, "stages");
  const live = { ...small.live!, recent_stages: [{ stage: "wire", us: 40 }, { stage: "copy", us: 2 }] };
  const recent = stages({ ...small, live });
  assert.match(recent[0], /Where a message spends its time us ─+ latest interval {2}sum 42\.0 ─┐/);
  assert.equal(recent.filter((line) => /copy|queueing|grant/.test(line)).length, 1, recent.join("\n"));
  const whole = stages({ ...small, live, running: false });
  assert.match(whole[0], /whole run {2}sum 10350 ─┐/);
  assert.ok(whole.some((line) => line.includes("queueing")));
  assert.deepEqual(stages({ ...small, live: { ...live, recent_stages: [] } }), whole);
  // In half of 120 columns the words are short, and all there.
  const half = linesOf({ ...modelOf({ columns: 120, rows: 40 }), live }, "stages");
  assert.match(half[0], /Where a message's time goes us ─+ latest sum 42\.0 ─┐/);
});

Deno.test("stages of one VM on a small screen have numbers, not ends of them", () => {
  const { stages } = small.live!.snapshot;
  const live = { ...small.live!, guest_stages: { guest: "vm01", from_ns: 1e6, messages: 1234, stages } };
  for (const columns of [60, 80, 99]) {
    const model = after({ ...small, live, columns, selected: "vm01" }, "enter");
    const text = toText(model).slice(17, 22).map((line) => line.slice(Math.ceil(columns / 2)));
    assert.ok(!text.some((line) => line.includes("…")), text.join("\n"));
  }
});

Deno.test("the help says all of its text on the smallest screen too", () => {
  let model = after(modelOf({ columns: 40, rows: 10 }), "?");
  let text = "";
  for (let page = 0; page < 4; page++, model = after(model, "down")) {
    text += toText(model).map((line) => line.replace(/^[│┌└] ?|[│┐┘]$/g, "").trim()).join(" ");
  }
  assert.match(text, /One row for each VM: .*none in the latest interval\./s);
});

Deno.test("figures of one VM that are too long for a line go on in the next", () => {
  const model = modelOf({ columns: 120, rows: 40 });
  const live = structuredClone(model.live!);
  Object.assign(live.snapshot.guests[0].latency_us!, { min: 58281, mean: 70308, p90: 70359, p999: 70359, max: 70361 });
  const lines = linesOf({ ...model, live, selected: "vm01", mode: "vm" }, "vm-figures");
  assert.ok(lines.every((line) => !line.includes("…")), lines.join("\n"));
  const text = lines.join(" ").replaceAll(/[│ ]+/g, " ");
  assert.match(text, /min 58281 mean 70308 p90 70359 p99\.9 70359 max 70361 received .* damaged 0/);
});

Deno.test("one VM without a selection says so", () => {
  assert.equal(after({ ...small, selected: null }, "enter").mode, "normal");
  assert.ok(toText({ ...small, selected: "gone", mode: "vm" }).join("\n").includes("no VM is selected"));
});

Deno.test("a sparkline is as wide as asked for, its newest value at the right, gaps and nothing told apart", () => {
  assert.equal(plain(sparkline([0, 1, 2, 4, null, 8], 8, "link")), "  ·▂▃▅ █");
  assert.equal(plain(sparkline([1, 2, 3, 4], 2, "link", 8)), "▄▅");
  assert.equal(plain(sparkline([], 3, "link")), "   ");
  assert.equal(width(sparkline([1, NaN, 3], 20, "link")), 20);
});
