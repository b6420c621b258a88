import assert from "node:assert/strict";
import { listedGuests } from "../../src/tui/guest_list.ts";
import { alone, looksOther, type Model, PANES, SORT_COLUMNS, SPEEDS, stateOf } from "../../src/tui/model.ts";
import { toText } from "../../src/tui/screen.ts";
import { update } from "../../src/tui/update.ts";
import type { Effect, Message } from "../../src/tui/message.ts";
import { after, modelOf } from "./fake_model.ts";

const small = modelOf({ columns: 80, rows: 24 });
const large = modelOf({ columns: 120, rows: 40 });

function effects(model: Model, key: string): readonly Effect[] {
  return update(model, { type: "key", key })[1];
}

Deno.test("numbers and brackets open scenarios, each on its own path", () => {
  assert.deepEqual(effects(small, "2"), [{ type: "open", scenario: "latency-16k", path: null }]);
  assert.deepEqual(effects(small, "]"), [{ type: "open", scenario: "intra-node", path: null }]);
  assert.deepEqual(effects(small, "["), [{ type: "open", scenario: "throughput-4m", path: null }]);
  assert.deepEqual(effects({ ...small, path: "native" }, "1"), [{
    type: "open",
    scenario: "pingpong-tiny",
    path: null,
  }]);
});

Deno.test("a number without a scenario is answered, not ignored", () => {
  assert.deepEqual(effects(small, "9"), []);
  assert.equal(after(small, "9").notice?.level, "warn");
});

Deno.test("brackets go round the ends", () => {
  const last = { ...small, tried: { scenario: "intra-node", path: null } };
  assert.deepEqual(effects(last, "]"), [{ type: "open", scenario: "pingpong-tiny", path: null }]);
});

Deno.test("p walks through the paths from the one that runs, P goes back", () => {
  assert.deepEqual(effects(small, "p"), [{ type: "open", scenario: "scale-40-vms", path: "bridged" }]);
  assert.deepEqual(effects(small, "P"), [{ type: "open", scenario: "scale-40-vms", path: "xen2mx-plain" }]);
});

Deno.test("a path that cannot be opened is shown, the run stays, and p goes on behind it", () => {
  let model = after(small, "p", "p");
  assert.equal(model.tried.path, "emulated");
  model = after(model, { type: "failed", text: "no\nway" });
  assert.equal(model.mode, "message");
  assert.deepEqual(model.message, ["no", "way"]);
  assert.equal(model.scenario, "scale-40-vms");
  assert.equal(model.live, small.live);
  assert.deepEqual(effects(model, "p"), [{ type: "open", scenario: "scale-40-vms", path: "native" }]);
  const closed = after(model, "escape");
  assert.equal(closed.mode, "normal");
  assert.equal(closed.notice?.text, "no");
});

Deno.test("the log of another run, or of an earlier time, is followed: where the one before was scrolled to is no place in it", () => {
  const live = small.live!;
  const scrolled = { ...small, eventEnd: 7 };
  assert.equal(after(scrolled, { type: "opened", scenario: "x", path: null, live, nowPs: 0, endPs: 5 }).eventEnd, null);
  const left = { inputs: [], intervals: [], samples: [], endPs: 9 };
  const there = { inputs: [], intervals: [], live, nowPs: 5, finished: false, pace: 1 };
  assert.equal(after(scrolled, { type: "arrived", left, ...there }).eventEnd, null);
});

Deno.test("what stands over one VM gives the screen back to it", () => {
  const vm = after(large, "down", "enter");
  const failed: Message = { type: "failed", text: "no" };
  for (const over of [["f"], ["f", "enter", "escape"], ["b"], [failed]]) {
    const open = after(vm, ...over);
    assert.notEqual(open.mode, "vm");
    assert.equal(alone(open), vm.selected, "it is still looked at");
    assert.match(toText(open).join("\n"), /─ vm02 on b/);
    assert.equal(after(open, "escape").mode, "vm");
  }
});

Deno.test("a refusal that the line has no room for is told in full", () => {
  const text = `set path: found "zzz", wanted a path: ${"native, iov, xen2mx-plain, ".repeat(6)}the end`;
  const told = after(small, { type: "refused", text });
  assert.match(toText(told).join("\n"), /the end +│/);
  assert.equal(after(told, "x").mode, "normal");
  assert.equal(after(small, { type: "refused", text: "no" }).mode, "normal");
  // Words that do not fill their lines take more of them than their letters alone.
  const long = after(small, {
    type: "failed",
    text: "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs ".repeat(9) + "end",
  });
  assert.match(toText(long).join("\n"), /end +│/);
});

Deno.test("a run whose guest program has failed is not simply done", () => {
  const live = { ...large.live!, snapshot: { ...large.live!.snapshot, failures: ["vm02 (rank 1): boom"] } };
  const frame = { type: "frame", live, nowPs: 7, pace: 0 } as const;
  assert.match(toText(after(large, { ...frame, finished: true }))[0], /FAILED$/);
  assert.match(toText(after(large, { ...frame, finished: false }))[0], /RUNNING$/);
});

Deno.test("pasted text is text where there is a field, and no keys elsewhere", () => {
  const paste: Message = { type: "paste", text: "  set guests=8\nq\n" };
  const [model, asked] = update(small, paste);
  assert.deepEqual([asked, model.mode, model.notice?.level], [[], "normal", "info"]);
  assert.equal(after(small, ":", paste).palette.text, "set guests=8 q");
  assert.equal(after(small, "/", { type: "paste", text: "vm1" }).filter, "vm1");
  assert.equal(after(small, "b", { type: "paste", text: "1.5 s\n" }).seek.text, "1.5 s");
  assert.equal(after(small, "f", paste).mode, "menu", "its list is no field");
  const form = after(small, "f", "enter", "down", { type: "paste", text: "7 %" });
  assert.equal(form.menu.values.amount, "7 %");
  assert.equal(after(small, "?", paste).mode, "help");
});

Deno.test("a new run starts running at the speed that was chosen and keeps the selection if it can", () => {
  const before = after(small, "-", "space", "down");
  const live = small.live!;
  const model = after(before, { type: "opened", scenario: "x", path: null, live, nowPs: 0, endPs: 5 });
  assert.equal(stateOf(model), "RUNNING");
  assert.equal(SPEEDS[model.speed], 0.1);
  assert.equal(model.selected, "vm02");
});

Deno.test("space pauses and goes on; . pauses and steps", () => {
  const paused = after(small, "space");
  assert.equal(stateOf(paused), "PAUSED");
  assert.equal(stateOf(after(paused, "space")), "RUNNING");
  assert.deepEqual(effects(small, "."), [{ type: "step" }]);
  assert.equal(stateOf(after(small, ".")), "PAUSED");
});

Deno.test("a finished run cannot be stepped, and says what can be done", () => {
  const done = { ...small, finished: true };
  assert.deepEqual(effects(done, "."), []);
  assert.match(after(done, "space").notice!.text, /r starts it again/);
  assert.deepEqual(effects(done, "r"), [{ type: "open", scenario: "scale-40-vms", path: null }]);
});

Deno.test("speeds are powers of ten and stop at both ends", () => {
  assert.equal(SPEEDS[after(small, ...Array(20).fill("-")).speed], 1e-6);
  assert.equal(SPEEDS[after(small, ...Array(20).fill("+")).speed], Infinity);
  assert.equal(SPEEDS[after(small, "+", "=", "-", "_").speed], 1);
});

Deno.test("arrows and pages select, and scroll only as far as needed", () => {
  assert.equal(after(small, "down", "down", "up").selected, "vm02");
  assert.equal(after(small, "up").selected, "vm01");
  const page = after(small, "pagedown");
  assert.equal(page.selected, "vm16");
  assert.equal(page.scroll, 1);
  const end = after(small, "end");
  assert.deepEqual([end.selected, end.scroll], ["vm40", 25]);
  assert.deepEqual([after(end, "home").selected, after(end, "home").scroll], ["vm01", 0]);
});

Deno.test("sorting goes to the top; every column sorts; reverse turns it round", () => {
  let model = after(small, "end", "s");
  assert.equal(model.scroll, 0);
  const seen = new Set<string>();
  for (let i = 0; i < SORT_COLUMNS.length; i++) {
    seen.add(model.sort.column);
    const names = listedGuests(model).map((row) => row.guest.name);
    assert.deepEqual(listedGuests(after(model, "S")).map((row) => row.guest.name), names.reverse());
    model = after(model, "s");
  }
  assert.equal(seen.size, SORT_COLUMNS.length);
  const p99 = listedGuests({ ...small, sort: { column: "p99", reversed: false } }).map((row) => row.p99!);
  assert.deepEqual(p99, [...p99].sort((a, b) => b - a));
});

Deno.test("guests without a value come last in either measure", () => {
  const live = structuredClone(small.live!);
  live.recent[3].p99_us = null;
  live.snapshot.guests[3].latency_us = null;
  assert.equal(listedGuests({ ...small, live, sort: { column: "p99", reversed: false } }).at(-1)!.guest.name, "vm04");
});

Deno.test("the filter is typed, kept by Enter, dropped by Escape, and does not run commands", () => {
  const typed = after(small, "/", "v", "m", "0", "q");
  assert.equal(typed.filter, "vm0q");
  const kept = after(typed, "backspace", "enter");
  assert.deepEqual([kept.mode, kept.filter, listedGuests(kept).length], ["normal", "vm0", 9]);
  assert.equal(after(kept, "escape").filter, "");
  assert.equal(after(kept, "/", "C-u", "x").filter, "x");
  assert.deepEqual(effects(typed, "C-c"), [{ type: "quit", code: 130 }]);
});

Deno.test("Tab visits every pane of a small screen and the visible ones of a large screen", () => {
  let model = small;
  for (const pane of [...PANES.slice(1), "guests"]) assert.equal((model = after(model, "tab")).pane, pane);
  assert.equal(after(small, "S-tab").pane, "events");
  assert.equal(after(large, "S-tab").pane, "stages");
});

Deno.test("zoom fills the screen with one pane and Escape undoes it", () => {
  const zoomed = after(large, "tab", "z");
  assert.ok(zoomed.zoomed);
  assert.equal(zoomed.pane, "latency");
  assert.ok(!after(zoomed, "escape").zoomed);
});

Deno.test("quit exits 0, Ctrl-C exits 130, in every mode", () => {
  assert.deepEqual(effects(small, "q"), [{ type: "quit", code: 0 }]);
  for (const mode of ["normal", "help", "filter", "message"] as const) {
    assert.deepEqual(effects({ ...small, mode }, "C-c"), [{ type: "quit", code: 130 }]);
  }
});

Deno.test("the mouse selects rows, sorts by headings, opens tabs, focuses panes", () => {
  const click = (x: number, y: number) => ({ type: "mouse", kind: "click", x, y }) as const;
  assert.equal(after(small, click(5, 7)).selected, "vm03");
  assert.equal(after(small, click(25, 4)).sort.column, "p50");
  assert.equal(after(small, click(25, 4), click(25, 4)).sort.reversed, true);
  assert.equal(after(small, click(14, 2)).pane, "latency");
  assert.equal(after(large, click(90, 14)).pane, "throughput");
  const scrolled = after(small, { type: "mouse", kind: "wheeldown", x: 5, y: 7 });
  assert.deepEqual([scrolled.selected, scrolled.scroll], ["vm01", 3]);
  assert.equal(after(small, "?", click(5, 7)).mode, "normal");
});

Deno.test("resizing keeps the selected VM on the screen", () => {
  const model = after(large, "end", { type: "resize", columns: 80, rows: 24 });
  assert.equal(model.selected, "vm40");
  assert.equal(model.scroll, 25);
});

Deno.test("a frame without a new picture keeps the old one", () => {
  const model = after(small, { type: "frame", live: null, nowPs: 7, finished: false, pace: 0 });
  assert.equal(model.live, small.live);
  assert.equal(model.nowPs, 7);
});

Deno.test("update changes no model in place", () => {
  const frozen = Object.freeze({ ...small, sort: Object.freeze({ ...small.sort }) });
  for (const key of ["1", "p", "space", ".", "+", "s", "S", "/", "tab", "z", "?", "down", "end", "escape"]) {
    update(frozen, { type: "key", key });
  }
});

Deno.test("a terminal that did not read is told of, but not over an answer, nor where nothing went on", () => {
  const stalled: Message = { type: "stalled", wallMs: 1340 };
  const running = { ...large, running: true, finished: false, notice: null };
  assert.equal(after(running, stalled).notice?.text, "the terminal did not read for 1.3 s; the run went on");
  const answer = { level: "info", text: "back at 0.000 000 s" } as const;
  assert.equal(after({ ...running, notice: answer }, stalled).notice, answer);
  assert.equal(after({ ...running, running: false }, stalled).notice, null);
  assert.equal(after({ ...running, finished: true }, stalled).notice, null);
});

Deno.test("an answer goes after ten seconds, a warning only with a key", () => {
  const tick = { type: "tick", wallMs: 5000 } as const;
  const told = (level: "info" | "warn") => after(large, { type: "notice", level, text: "said" });
  assert.equal(after(told("info"), tick).notice?.text, "said");
  assert.equal(after(told("info"), tick, tick).notice, null);
  assert.equal(
    after(after(told("info"), tick), { type: "notice", level: "info", text: "more" }, tick).notice?.text,
    "more",
  );
  assert.equal(after(told("warn"), tick, tick).notice?.text, "said");
});

Deno.test("while time stands no picture is worth drawing; a new snapshot, notice or hint that goes is", () => {
  const model = modelOf({ columns: 120, rows: 40 });
  const frame: Message = { type: "frame", live: null, nowPs: model.nowPs, finished: false, pace: model.pace };
  const { inputs, intervals } = model.time;
  const tick: Message = { type: "tick", wallMs: 100 };
  assert.equal(looksOther(model, after(model, frame, { type: "seen", inputs, intervals }, tick)), false);
  assert.equal(looksOther(model, after(model, { ...frame, live: { ...model.live! } })), true);
  assert.equal(looksOther(model, after(model, { type: "notice", level: "info", text: "x" })), true);
  assert.equal(looksOther({ ...model, hint: { keys: 0, frames: 0 } }, { ...model, hint: null }), true);
});
