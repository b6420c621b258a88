import assert from "node:assert/strict";
import { COMMANDS } from "../../src/tui/commands.ts";
import { KEYS } from "../../src/tui/keymap.ts";
import { type Model, SPEEDS } from "../../src/tui/model.ts";
import { found } from "../../src/tui/modes/palette.ts";
import { render, toText } from "../../src/tui/screen.ts";
import { plain } from "../../src/tui/text.ts";
import { update } from "../../src/tui/update.ts";
import type { Effect } from "../../src/tui/message.ts";
import { after, modelOf } from "./fake_model.ts";
import { fakeOptions } from "./fake_run.ts";
import { matchSnapshot } from "../support/snapshot.ts";

/** What the run tells when the palette opens. */
const world = { settings: fakeOptions("scale-40-vms").open("scale-40-vms", {}).settings(), inputs: [], lasting: [] };
const small = after(modelOf({ columns: 80, rows: 24 }), { type: "menu-world", world });
const large = after(modelOf({ columns: 120, rows: 40 }), { type: "menu-world", world });

/** The palette with this text typed into it. */
function typed(text: string, model = small): Model {
  return after(model, ":", ...[...text].map((char) => char === " " ? "space" : char));
}

/** What Enter does. */
function run(text: string, model = small): readonly [Model, readonly Effect[]] {
  return update(typed(text, model), { type: "key", key: "enter" });
}

/** The box and the prompt. */
function picture(model: Model): string {
  const regions = render(model).filter(({ id }) => id === "palette" || id === "notice" || id === "footer");
  const box = regions.find(({ id }) => id === "palette")!;
  const others = regions.filter((region) => region !== box);
  return [box, ...others].flatMap(({ lines }) => lines.map((line) => plain(line).trimEnd())).join("\n");
}

Deno.test("the palette as a person sees it", async (t) => {
  await matchSnapshot(t, import.meta, picture(typed("open ")));
  await matchSnapshot(t, import.meta, picture(typed("scale", large)));
  await matchSnapshot(t, import.meta, picture(typed("set costs.hyper")));
  await matchSnapshot(t, import.meta, picture(typed("no such thing")));
});

Deno.test("every action of the key table is found by its name, with its help and its key", () => {
  for (const { action, help, show } of KEYS) {
    if (action === "scenario-number" || action === "palette") continue;
    const [first] = found(typed(action.replaceAll("-", " ")));
    assert.deepEqual({ ...first, run: 0 }, { title: action.replaceAll("-", " "), help, show, run: 0 });
  }
});

Deno.test("an action does what its key does", () => {
  assert.equal(run("pause")[0].running, false);
  assert.equal(run("zoom", large)[0].zoomed, true);
  assert.deepEqual(run("quit")[1], [{ type: "quit", code: 0 }]);
  assert.deepEqual(run("redraw")[1], [{ type: "redraw" }]);
  assert.deepEqual(run("path next")[1], update(small, { type: "key", key: "p" })[1]);
  assert.equal(run("help")[0].mode, "help");
});

Deno.test("every command has completions that it can run or that go on, and a help", () => {
  for (const command of COMMANDS) {
    assert.ok(command.help.length > 5 && command.argument.length > 1, command.name);
    for (const { value, help, isOpen } of command.complete(small)) {
      assert.ok(help.length > 0, `${command.name} ${value}`);
      const [model, effects] = run(`${command.name} ${value}`);
      if (isOpen === true) assert.equal(model.palette.text, `${command.name} ${value}`);
      else assert.ok(effects.length > 0 || model !== small, `${command.name} ${value}`);
      assert.equal(model.mode, isOpen === true ? "palette" : "normal", `${command.name} ${value}`);
    }
  }
});

Deno.test("scenarios, paths, panes, speeds and settings by name", () => {
  assert.deepEqual(run("open intra")[1], [{ type: "open", scenario: "intra-node", path: null }]);
  assert.deepEqual(run("path bri")[1], [{ type: "open", scenario: "scale-40-vms", path: "bridged" }]);
  assert.equal(run("pane thr")[0].pane, "throughput");
  assert.equal(SPEEDS[run("speed max")[0].speed], Infinity);
  assert.equal(run("sort p99")[0].sort.column, "p99");
  const input = { kind: "set", assignments: ["costs.hypercall=800"] };
  assert.deepEqual(run("set costs.hypercall=800")[1], [{ type: "apply", input }]);
  assert.deepEqual(run("set seed=3")[1], [{ type: "apply", input: { kind: "set", assignments: ["seed=3"] } }]);
});

Deno.test("what can be set is what the run has, with its present values", () => {
  assert.deepEqual(update(small, { type: "key", key: ":" })[1], [{ type: "menu-look" }]);
  const offered = found(typed("set ")).filter(({ title }) => title.startsWith("set ")).map(({ title }) => title);
  assert.ok(offered.includes("set link.loss=") && offered.includes("set hosts[1].dom0_vcpus="), `${offered}`);
  assert.ok(!offered.includes("set costs.copyByte="), "none of the fake's");
  const help = (text: string, title: string) => found(typed(text)).find((entry) => entry.title === title)?.help;
  assert.equal(help("set size", "set workload.size="), "now 512 KiB: of the workload stream");
  assert.equal(help("set poll", "set mechanisms.polling=true"), "now the path's own: the worker polls");
  // Another run, while the palette is open, has others.
  const { live } = small;
  const opened = { type: "opened", scenario: "x", path: null, live: live!, nowPs: 0, endPs: 1 } as const;
  assert.deepEqual(update(typed("set "), opened)[1], [{ type: "menu-look" }]);
});

Deno.test("a pane that the layout has no place for is shown alone", () => {
  const model = run("pane events", large)[0];
  assert.deepEqual([model.pane, model.zoomed], ["events", true]);
  assert.equal(run("pane latency", large)[0].zoomed, false);
});

Deno.test("Tab completes, arrows choose, Escape and an empty backspace close", () => {
  assert.equal(after(typed("ope"), "tab").palette.text, "open ");
  assert.equal(after(typed("set guest"), "tab").palette.text, "set guests=");
  const second = after(typed("open"), "down", "down");
  assert.equal(found(second)[second.palette.chosen].title, "open latency-16k");
  assert.deepEqual(update(second, { type: "key", key: "enter" })[1], [
    { type: "open", scenario: "latency-16k", path: null },
  ]);
  assert.equal(after(typed("abc"), "escape").mode, "normal");
  assert.equal(after(typed("a"), "backspace").mode, "palette");
  assert.equal(after(typed("a"), "backspace", "backspace").mode, "normal");
});

Deno.test("a command without its argument asks for it; what is unknown is answered", () => {
  assert.equal(run("speed")[0].palette.text, "speed ");
  const said = (text: string) => run(text)[0].notice!.text;
  assert.match(said("no such thing"), /nothing is called "no such thing"; \? lists/);
  assert.match(said("puase"), /nothing is called "puase"; did you mean pause\?/);
  assert.match(said("path nope"), /^path: found "nope", wanted a path: native, .*bridged/);
  assert.match(said("path birdged"), /^path: found "birdged"; did you mean bridged\?, wanted a path/);
  assert.match(said("go xyz"), /^go: found "xyz", wanted a virtual time: start, -1 s/);
  assert.match(said("speed 7"), /^speed: found "7", wanted a factor: /);
  // It can be mended: arrow up has it again.
  assert.equal(after(run("path nope")[0], ":", "up").palette.text, "path nope");
});

Deno.test("up from the first entry goes back through what was run, down comes forward again", () => {
  const ran = run("pane guests", run("pause")[0])[0];
  let model = after(ran, ":", "up");
  assert.equal(model.palette.text, "pane guests");
  model = after(model, "up");
  assert.equal(model.palette.text, "pause");
  assert.equal(after(model, "up").palette.text, "pause", "no older one");
  model = after(model, "down", "down");
  assert.equal(model.palette.text, "");
  assert.deepEqual(run("pause", run("pause")[0])[0].palette.history, ["pause"], "no repetitions");
});

Deno.test("Ctrl-C works while typing; q is a letter", () => {
  assert.deepEqual(update(typed("x"), { type: "key", key: "C-c" })[1], [{ type: "quit", code: 130 }]);
  assert.equal(typed("q").palette.text, "q");
});

Deno.test("a click runs an entry, a click elsewhere closes, the wheel chooses", () => {
  const model = typed("open ");
  const row = toText(model).findIndex((line) => line.includes("open intra-node"));
  const click = (x: number, y: number) => update(model, { type: "mouse", kind: "click", x, y });
  assert.deepEqual(click(5, row)[1], [{ type: "open", scenario: "intra-node", path: null }]);
  assert.equal(click(5, 3)[0].mode, "normal");
  assert.equal(after(model, { type: "mouse", kind: "wheeldown", x: 1, y: 1 }).palette.chosen, 1);
});

Deno.test("go takes the run to a virtual time, as the prompt for one does", () => {
  const to = (text: string) => run(text, { ...small, nowPs: 2e12 })[1];
  const travel = (atPs: number): Effect[] => [{ type: "travel", order: { kind: "to", atPs } }];
  assert.deepEqual(to("go 1.5 s"), travel(1.5e12));
  assert.deepEqual(to("go -500 ms"), travel(1.5e12));
  assert.deepEqual(to("go +1 s"), travel(3e12));
  assert.deepEqual(to("go start"), travel(0));
  const [model, effects] = run("go soon");
  assert.deepEqual([effects, model.notice?.level], [[], "warn"]);
});

Deno.test("a long text is scrolled to its end; what has no room is refused as a whole, and said", () => {
  const prompt = (model: Model) => plain(render(model).find(({ id }) => id === "notice")!.lines[0]);
  const long = after(typed("set title="), { type: "paste", text: "a b".repeat(160) + "END" });
  assert.equal(long.palette.text.length, 10 + 480 + 3);
  assert.match(prompt(long), /^ :…b?.*END█ *$/);
  assert.equal(prompt(long).length, 80);
  for (const text of ["x".repeat(8), " ".repeat(3) + "x".repeat(8)]) {
    const refused = after(long, { type: "paste", text });
    assert.equal(refused.palette.text, long.palette.text);
    assert.match(prompt(refused), /END█ {2}no more than 500 characters: nothing was pasted $/);
  }
  const full = after(long, ..."1234567");
  assert.match(prompt(full), /END1234567█ *$/);
  for (const key of ["8", "space"]) {
    assert.equal(after(full, key).palette.text, full.palette.text);
    assert.match(prompt(after(full, key)), /END1234567█ {2}no more than 500 characters $/);
  }
  assert.match(prompt(after(full, "8", "backspace")), /END123456█ *$/);
  const [, [effect]] = update(full, { type: "key", key: "enter" });
  assert.equal(effect.type === "apply" && effect.input.kind === "set" && effect.input.assignments[0].length, 496);
});

Deno.test("filters, the menu's fields and the prompt for a time take as much", () => {
  const text = "x".repeat(501);
  const filter = after(small, "/", { type: "paste", text });
  assert.deepEqual([filter.filter, filter.notice?.text], ["", "no more than 500 characters: nothing was pasted"]);
  const filtered = after(small, "/", { type: "paste", text: text.slice(0, 490) }, ...Array(30).fill("space"));
  assert.equal(filtered.filter.length, 500);
  assert.match(toText(filtered)[22], /^ filter \/….*x +█ {2}Enter keep {3}Esc clear {2}no more than 500 characters$/);
  const seek = after(small, "b", { type: "paste", text: "1".repeat(450) });
  assert.equal(seek.seek.text.length, 450);
  assert.match(toText(seek)[22], /^ go to …1+█ {2}1\.5 s/);
});
