import assert from "node:assert/strict";
import { copyText } from "../../src/tui/copy.ts";
import { type Model, PANES } from "../../src/tui/model.ts";
import { update } from "../../src/tui/update.ts";
import { after, modelOf } from "./fake_model.ts";

const small = modelOf({ columns: 80, rows: 24 });
const large = modelOf({ columns: 120, rows: 40 });

function copied(model: Model, what: Parameters<typeof copyText>[1] = "pane"): string {
  const [effect] = copyText(model, what)[1];
  assert.ok(effect?.type === "copy");
  return effect.text;
}

Deno.test("y copies the pane with the focus: every row of a list, no frame, no blanks at the ends", () => {
  const [effect] = update(after(small, "end"), { type: "key", key: "y" })[1];
  assert.ok(effect.type === "copy");
  const lines = effect.text.split("\n");
  assert.match(lines[0], /^Guests latest interval/);
  assert.match(lines[1], /^ vm. +host path/);
  assert.equal(lines.filter((line) => /^[ ▸]vm\d\d /.test(line)).length, 40);
  assert.match(lines.at(-1)!, /^ all /);
  for (const line of lines) {
    assert.ok(!/[│┌┐└┘\ue000-\ue0ff]/.test(line), line);
    assert.equal(line, line.trimEnd());
  }
});

Deno.test("panes that show a part of their lines are copied whole, from wherever they are scrolled to", () => {
  const many = { ...modelOf({ columns: 100, rows: 30 }), zoomed: true };
  assert.equal(copied({ ...many, pane: "rings" }).split("\n").filter((line) => /^[ ▸]vm\d\d /.test(line)).length, 40);
  const hosts = many.live!.snapshot.hosts;
  const names = Array.from({ length: 30 }, (_, i) => `h${i}`);
  const live = structuredClone(many.live!);
  live.snapshot.hosts = names.map((name) => ({
    ...hosts[0],
    name,
    nics: hosts[0].nics.map((nic) => ({ ...nic, name })),
  }));
  for (const pane of ["host", "network"] as const) {
    const text = copied({ ...many, live, pane, paneScroll: { [pane]: 5 } });
    for (const name of names) assert.ok(text.includes(name), `${pane} ${name}`);
  }
});

Deno.test("every pane can be copied", () => {
  for (const pane of PANES) assert.ok(copied({ ...small, pane }).split("\n").length > 3, pane);
});

Deno.test("the row of the selected VM, with the heading", () => {
  const lines = copied(after(large, "down"), "row").split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^ vm/);
  assert.match(lines[1], /^ vm02 b /);
});

Deno.test("the whole screen", () => {
  const text = copied(large, "screen");
  assert.match(text, /^ mxtop {2}4 scale-40-vms/);
  assert.match(text, /q quit$/);
});

Deno.test("nothing to copy is said", () => {
  const nobody = { ...small, selected: null };
  assert.deepEqual(copyText(nobody, "row")[1], []);
  assert.match(copyText(nobody, "row")[0].notice!.text, /nothing to copy/);
});
