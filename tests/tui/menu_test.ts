import assert from "node:assert/strict";
import type { InputRecord } from "../../src/cluster/input.ts";
import type { Model } from "../../src/tui/model.ts";
import { toText } from "../../src/tui/screen.ts";
import { update } from "../../src/tui/update.ts";
import type { Effect, Message } from "../../src/tui/message.ts";
import { performMenu } from "../../src/tui/drive/inputs.ts";
import { after, modelOf } from "./fake_model.ts";
import { fakeOptions } from "./fake_run.ts";
import { matchSnapshot } from "../support/snapshot.ts";

const { settings } = { settings: fakeOptions("scale-40-vms").open("scale-40-vms", {}).settings() };

/** The menu open over the fake, which has told what the menu asks for. */
function open(
  options: { columns?: number; rows?: number; inputs?: readonly InputRecord[]; lasting?: readonly number[] } = {},
): Model {
  const { columns = 120, rows = 40, inputs = [], lasting = inputs.map((_, i) => i + 1) } = options;
  const model = after(modelOf({ columns, rows }), "f");
  return after(model, { type: "menu-world", world: { settings, inputs, lasting } });
}

function effects(model: Model, ...keys: string[]): readonly Effect[] {
  return update(after(model, ...keys.slice(0, -1)), { type: "key", key: keys.at(-1)! })[1];
}

/** The input that these keys end in. */
function input(model: Model, ...keys: string[]) {
  const [effect] = effects(model, ...keys);
  assert.ok(effect?.type === "apply", JSON.stringify(effect));
  return effect.input;
}

/** The form of the entry with this title. */
function form(model: Model, title: string): Model {
  for (let at = after(model, "home"), i = 0; i < 40; i++, at = after(at, "down")) {
    if (toText(at).some((line) => line.includes(`▸ ${title}`))) return after(at, "enter");
  }
  return assert.fail(`no entry ${title}`);
}

const text = (model: Model) => toText(model).join("\n");

/** The words at the bottom of the box, in one line. */
function words(model: Model): string {
  const lines = toText(model).map((line) => [...line].slice(22, 98).join(""));
  const start = lines.findIndex((line) => /^─+$/.test(line));
  return lines.slice(start + 1, start + 4).map((line) => line.trim()).join(" ").trim();
}

for (const [columns, rows] of [[80, 24], [120, 40]]) {
  Deno.test(`the menu at ${columns}x${rows}: the list and a form`, async (t) => {
    await matchSnapshot(t, import.meta, text(open({ columns, rows })));
    await matchSnapshot(t, import.meta, text(form(open({ columns, rows }), "any cost")));
  });
}

Deno.test("f looks at the run; f Enter Enter loses frames", () => {
  assert.deepEqual(effects(modelOf({ columns: 80, rows: 24 }), "f"), [{ type: "menu-look" }]);
  const expected = { kind: "fault", link: "a-b", loss: 0.01, forPs: 20e9 };
  assert.deepEqual(input(open(), "enter", "enter"), expected);
});

Deno.test("every entry says what it will do before Enter, and does something with its defaults", () => {
  let model = after(open(), "home");
  const kinds = new Set<string>();
  for (let i = 0; i < 15; i++, model = after(model, "down")) {
    const opened = after(model, "enter");
    assert.match(words(model), /^\S.* (from now|now|from now on)[ .,:]/, words(model));
    assert.equal(words(opened), words(model));
    kinds.add(input(opened, "enter").kind);
  }
  assert.deepEqual([...kinds].sort(), ["crash", "fault", "hog", "set", "stall"]);
});

Deno.test("values are stepped with arrows and typed", () => {
  const loss = form(open(), "loss");
  assert.deepEqual(input(loss, "right", "down", "right", "down", "left", "enter"), {
    ...{ kind: "fault", link: "a-b/1", loss: 0.05, forPs: 5e9 },
  });
  assert.deepEqual(
    input(loss, "down", ..."2.5 %".replace(" ", "_").split("").map((c) => c === "_" ? "space" : c), "enter"),
    {
      ...{ kind: "fault", link: "a-b", loss: 0.025, forPs: 20e9 },
    },
  );
  const lasting = input(loss, "up", "right", "right", "right", "right", "enter");
  assert.equal((lasting as { forPs: unknown }).forPs, null, "for good");
  assert.deepEqual(input(form(open(), "corruption"), "enter"), {
    ...{ kind: "fault", link: "a-b", corrupt: 0.01, forPs: 20e9 },
  });
  assert.deepEqual(input(form(open(), "delay"), "enter"), { kind: "fault", link: "a-b", delayPs: 100e6, forPs: 20e9 });
  assert.deepEqual(input(form(open(), "cut"), "enter"), { kind: "fault", link: "a-b", cut: true, forPs: 20e9 });
});

Deno.test("the selected VM crashes; hosts stall and are taken CPUs from", () => {
  const selected = after(modelOf({ columns: 120, rows: 40 }), "down", "down", "f");
  const model = after(selected, { type: "menu-world", world: { settings, inputs: [], lasting: [] } });
  assert.deepEqual(input(form(model, "crash"), "enter"), { kind: "crash", guest: "vm03", forPs: 20e9 });
  assert.deepEqual(input(form(model, "stalled"), "right", "enter"), { kind: "stall", host: "b", forPs: 5e9 });
  assert.deepEqual(input(form(model, "CPU hog"), "down", "4", "enter"), {
    ...{ kind: "hog", host: "a", cpus: 4, forPs: 20e9 },
  });
});

Deno.test("the cluster is changed by settings, with the present value in the words", () => {
  const assigned = (title: string, ...keys: string[]) => {
    const one = input(form(open(), title), ...keys, "enter");
    return one.kind === "set" ? one.assignments : [];
  };
  assert.deepEqual(assigned("guests"), ["guests=39"]);
  assert.deepEqual(assigned("guests", "2", "0"), ["guests=20"]);
  assert.deepEqual(assigned("path"), ["path=bridged"]);
  assert.deepEqual(assigned("message size"), ["workload.size=1 MiB"]);
  assert.deepEqual(assigned("interrupt coalescing"), ["costs.coalesceUs=0"]);
  assert.deepEqual(assigned("polling"), ["mechanisms.polling=false"]);
  assert.deepEqual(assigned("dom0 VCPUs", "right", "down", "4"), ["hosts[1].dom0_vcpus=4"]);
  assert.deepEqual(assigned("any cost"), ["costs.hypercall=800"]);
  assert.deepEqual(assigned("any key"), ["link.loss=1 %"]);
  assert.match(
    words(form(open(), "any cost")),
    /costs\.hypercall .* is 800 ns from now on instead of 400 ns\. The cluster is built anew: all programs end and start again\./,
  );
});

Deno.test("typed text finds a cost, whose value then is the default", () => {
  const found = after(form(open(), "any cost"), "s", "y", "s", "c", "enter");
  assert.equal(found.menu.values.name, "syscall");
  assert.match(text(found), /‹ 320 › ns \(now 160 ns\)/);
  assert.deepEqual(input(found, "enter"), { kind: "set", assignments: ["costs.syscall=320"] });
  const typed = after(form(open(), "any cost"), "down", "5", "up", "left");
  assert.equal(typed.menu.values.value, undefined, "another cost, another value");
});

Deno.test("what makes no sense is said in place, before and after Enter, and nothing is done", () => {
  const loss = form(open(), "loss");
  const wrong: [keys: string[], message: RegExp][] = [
    [["down", "7"], /^Cannot do that: found "7", wanted at most 100 %$/],
    [["down", "0"], /found "0", wanted more than 0 %/],
    [["down", "down", "5"], /found "5", wanted a time .*with its unit/],
    [["down", "down", "0"], /found "0", wanted a time above 0/],
    [["q", "q"], /no link "qq"/],
    [["down", "backspace", "backspace", "backspace"], /found "", wanted a fraction/],
  ];
  for (const [keys, message] of wrong) {
    const model = after(loss, ...keys);
    assert.match(words(model), message);
    assert.deepEqual(effects(model, "enter"), []);
    assert.equal(after(model, "enter").mode, "menu");
  }
  assert.deepEqual(effects(form(open(), "CPU hog"), "down", "0", "enter"), []);
  assert.match(words(after(form(open(), "guests"), "4", "0")), /guests is 40 already/);
});

Deno.test("what the run would refuse is said before Enter, typed, stepped to or pasted, and promised no more", () => {
  const run = fakeOptions("scale-40-vms").open("scale-40-vms", {});
  /** What the run says to what the last key asks of it. */
  const answered = (model: Model, message: Message): Model => {
    let [next, effects] = update(model, message);
    for (const effect of effects) {
      assert.ok(effect.type === "menu-check", JSON.stringify(effect));
      performMenu(effect, run, next, (said) => next = after(next, said), () => {});
    }
    return next;
  };
  const typed = (...keys: string[]) =>
    keys.reduce((model, key) => answered(model, { type: "key", key }), form(open(), "dom0 VCPUs"));
  assert.match(words(typed("down", "5")), /hosts\[0\]\.dom0_vcpus .* is 5 from now on/);
  assert.equal(words(typed("down", "0")), "Cannot do that: --set hosts[0].dom0_vcpus: wanted 1 to 24");
  assert.match(words(typed("down", "0", "right")), / is 10 from now on/);
  const pasted = answered(typed("down"), { type: "paste", text: "5 s" });
  assert.match(words(pasted), /^Cannot do that: --set hosts\[0\]\.dom0_vcpus/);
  assert.equal(pasted.menu.values.value, "5 s");
  // A form that opens asks too; what is no change of the cluster is not asked about.
  assert.equal(effects(after(open(), "end"), "enter")[0].type, "menu-check");
  assert.deepEqual(effects(form(open(), "loss"), "right"), []);
});

Deno.test("what the run refuses stays in the menu with the reason; what it does closes the menu with a notice", () => {
  const model = form(open(), "loss");
  const refused = after(model, { type: "refused", text: "loss: not possible yet" });
  assert.equal(refused.mode, "menu");
  assert.match(text(refused), /Cannot do that: loss: not possible yet/);
  assert.doesNotMatch(text(after(refused, "right")), /not possible yet/);
  const done = after(model, { type: "applied", text: "2.300 s  link a-b loses", live: model.live! });
  assert.deepEqual([done.mode, done.notice], ["normal", { level: "info", text: "2.300 s  link a-b loses" }]);
  // From the palette, without the menu.
  const elsewhere = after(modelOf({ columns: 80, rows: 24 }), { type: "refused", text: "no" });
  assert.deepEqual([elsewhere.mode, elsewhere.notice], ["normal", { level: "warn", text: "no" }]);
});

Deno.test("what lasts can be ended: the menu lists it until its time is over", () => {
  const inputs: InputRecord[] = [
    { atPs: 1e12, events: 1, input: { kind: "fault", link: "a-b", loss: 0.5, forPs: null } },
    { atPs: 1e12, events: 1, input: { kind: "fault", link: "a-b", cut: true, forPs: 1e9 } },
    { atPs: 2e12 + 1, events: 2, input: { kind: "hog", host: "a", cpus: 3, forPs: 4e11 } },
    { atPs: 2e12, events: 2, input: { kind: "fault", link: "a-b/1", delayPs: 5, forPs: null } },
    { atPs: 2e12, events: 2, input: { kind: "end", input: 4 } },
    { atPs: 2e12, events: 2, input: { kind: "set", assignments: ["guests=3"] } },
  ];
  const model = open({ inputs, lasting: [1, 3] });
  const active = text(model).split("\n").filter((line) => / (left|for good) *│/.test(line));
  assert.equal(active.length, 2);
  assert.match(active[0], /a CPU hog takes 3 CPUs of host a for 400 ms .*100 ms left/);
  assert.match(active[1], /link a-b loses 50 % of its frames for good .*for good/);
  assert.deepEqual(input(after(model, "end", "enter"), "enter"), { kind: "end", input: 1 });
  assert.match(text(after(model, "end")), /End it now: link a-b loses 50 %/);
  assert.match(text(open({ inputs, lasting: [1, 3], rows: 24 })), /more below, 2 active: End/);
  assert.match(words(after(model, "end", "up")), /End it now: .*, since 2\.000 000 s, 100 ms left\./);
  assert.match(text(model), /any cost +one of \d+|any cost +syscall/);
  // The hog is over while the cursor is on it.
  const over = after(model, "end", "up", { type: "frame", live: null, nowPs: 3e12, finished: false, pace: 1 });
  assert.match(text(over), /▸ loss/);
});

Deno.test("keys of the panes wait; Escape goes back step by step; another run is looked at anew", () => {
  const model = open();
  for (const key of ["p", "1", ".", "space", "/", "z"]) assert.deepEqual(effects(model, key), [], key);
  const opened = form(model, "cut");
  assert.ok(opened.menu.isOpen);
  const back = after(opened, "escape");
  assert.deepEqual([back.mode, back.menu.isOpen], ["menu", false]);
  assert.equal(after(back, "escape").mode, "normal");
  assert.equal(after(back, "escape", "f").menu.chosen, "cut", "where one was");
  const { live } = model;
  const message = { type: "opened", scenario: "x", path: null, live: live!, nowPs: 0, endPs: 1 } as const;
  assert.deepEqual(update(model, message)[1], [{ type: "menu-look" }]);
});

Deno.test("the mouse opens, chooses, steps, does, and closes", () => {
  const model = open();
  const at = (one: Model, what: string) => {
    const lines = toText(one);
    const y = lines.findIndex((line) => line.includes(what));
    return { type: "mouse", kind: "click", x: [...lines[y].slice(0, lines[y].indexOf(what))].length, y } as const;
  };
  const delay = after(model, at(model, "delay  "));
  assert.deepEqual([delay.menu.chosen, delay.menu.isOpen], ["delay", true]);
  const field = after(delay, at(delay, "delay  "));
  assert.equal(field.menu.field, 1);
  const click = at(field, "› more");
  const more = after(field, click);
  assert.equal(more.menu.values.amount, "1 ms");
  assert.equal(after(more, at(more, "‹ 1 ms")).menu.values.amount, "100 us");
  const [, done] = update(more, at(more, "do it"));
  assert.deepEqual(done, [{ type: "apply", input: { kind: "fault", link: "a-b", delayPs: 1e9, forPs: 20e9 } }]);
  assert.equal(after(model, { type: "mouse", kind: "wheeldown", x: 60, y: 20 }).menu.chosen, "corrupt");
  assert.equal(after(model, { type: "mouse", kind: "click", x: 0, y: 0 }).mode, "normal");
});

Deno.test("a run that follows a log says REPLAY; at the end of the log it stands, and is the user's own", () => {
  const model = modelOf({ columns: 80, rows: 24 });
  const following = after(model, { type: "replay", isFollowing: true, endPs: 5e12, verdict: null });
  assert.match(toText(following)[0], /REPLAY RUNNING$/);
  const over = after(following, {
    ...{ type: "replay", isFollowing: false, endPs: 60e12 },
    verdict: { level: "info", text: "the same fingerprint" },
  });
  assert.match(toText(over)[0], / PAUSED$/);
  assert.doesNotMatch(toText(over)[0], /REPLAY/);
  assert.equal(over.notice?.text, "replay: the same fingerprint");
  assert.match(toText(after(over, "space"))[0], / RUNNING$/);
});
