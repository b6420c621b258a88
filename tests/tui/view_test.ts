import assert from "node:assert/strict";
import { layout } from "../../src/tui/layout.ts";
import { type Model, type Pane, PANES } from "../../src/tui/model.ts";
import { render, toText } from "../../src/tui/screen.ts";
import { plain, width } from "../../src/tui/text.ts";
import { COLOUR, MONOCHROME, toSgr } from "../../src/tui/theme.ts";
import { after, modelOf } from "./fake_model.ts";
import { matchSnapshot } from "../support/snapshot.ts";

const SIZES = [[80, 24], [120, 40], [200, 50]] as const;
/** Between and beyond them. */
const OTHER_SIZES = [[120, 30], [160, 45], [250, 70]] as const;

function pane(model: Model, id: Pane): string {
  const zoomed = { ...model, pane: id, zoomed: true };
  return plain(render(zoomed).find((region) => region.id === id)!.lines.join("\n"));
}

for (const [columns, rows] of SIZES) {
  Deno.test(`the whole screen at ${columns}x${rows}`, async (t) => {
    await matchSnapshot(t, import.meta, toText(modelOf({ columns, rows })).join("\n"));
  });
}

for (const [columns, rows] of OTHER_SIZES) {
  Deno.test(`the whole screen at ${columns}x${rows}, bridged`, async (t) => {
    await matchSnapshot(t, import.meta, toText(modelOf({ columns, rows, path: "bridged" })).join("\n"));
  });
}

for (const [columns, rows] of SIZES) {
  Deno.test(`one VM at ${columns}x${rows}`, async (t) => {
    const model = after(modelOf({ columns, rows }), "down", "enter");
    const { stages } = model.live!.snapshot;
    const guest_stages = { guest: model.selected!, from_ns: 1e6, messages: 1234, stages };
    const seen = { ...model, live: { ...model.live!, guest_stages } };
    await matchSnapshot(t, import.meta, toText(seen).join("\n"));
    // Where not all has room, Tab shows the library in place of the stages.
    if (rows === 24) await matchSnapshot(t, import.meta, toText(after(seen, "tab")).join("\n"));
    else assert.deepEqual(toText(after(seen, "tab")), toText(seen));
  });
}

Deno.test("one VM that has an interface of its own, and one that has nothing", async (t) => {
  await matchSnapshot(
    t,
    import.meta,
    toText(after(modelOf({ columns: 120, rows: 40, path: "bridged" }), "enter")).join("\n"),
  );
  const native = modelOf({ columns: 80, rows: 24, scenario: "throughput-4m", seconds: 3.5 });
  await matchSnapshot(t, import.meta, toText(after(native, "enter")).join("\n"));
});

for (const id of ["guests", "host", "guest", "rings", "network"] as const) {
  Deno.test(`the pane ${id} zoomed on a large screen, in the bridged run and at its end`, async (t) => {
    await matchSnapshot(t, import.meta, pane(modelOf({ columns: 160, rows: 30, path: "bridged" }), id));
    if (id === "network") {
      await matchSnapshot(t, import.meta, pane({ ...modelOf({ columns: 160, rows: 30 }), finished: true }, id));
    }
  });
}

for (const id of PANES) {
  Deno.test(`the pane ${id} on a small screen`, async (t) => {
    await matchSnapshot(t, import.meta, pane(modelOf({ columns: 80, rows: 24 }), id));
  });
}

Deno.test("two native hosts at the end of their run", async (t) => {
  const model = modelOf({ columns: 120, rows: 40, scenario: "throughput-4m", seconds: 3.5 });
  await matchSnapshot(t, import.meta, toText(model).join("\n"));
});

Deno.test("few guests leave room for stages and events below them", async (t) => {
  const text = toText(modelOf({ columns: 200, rows: 50, scenario: "intra-node" })).join("\n");
  await matchSnapshot(t, import.meta, text);
  assert.doesNotMatch(text, /vm01vm08/, "names over the strip of eight VMs that read as one");
});

Deno.test("before the first message: panes say so and nothing is a number", async (t) => {
  await matchSnapshot(t, import.meta, toText(modelOf({ columns: 120, rows: 40, seconds: 0 })).join("\n"));
});

Deno.test("help, a message and the filter line", async (t) => {
  const model = modelOf({ columns: 80, rows: 24 });
  await matchSnapshot(t, import.meta, toText(after(model, "?")).join("\n"));
  const failed = { type: "failed", text: "it cannot run on bridged\nuse one of: native, xen2mx" } as const;
  await matchSnapshot(t, import.meta, toText(after(model, failed)).join("\n"));
  await matchSnapshot(t, import.meta, toText(after(model, "/", "v", "m", "1")).join("\n"));
});

Deno.test("sorted by p99, slow motion, paused", async (t) => {
  const model = after(modelOf({ columns: 100, rows: 30 }), "s", "s", "s", "s", "-", "-", "-", "-", "-", "-", "space");
  await matchSnapshot(t, import.meta, toText(model).join("\n"));
});

Deno.test("the clock has the digits in which it moves", () => {
  const model = modelOf({ columns: 120, rows: 40 });
  const clock = (of: Model) => toText(of)[1].match(/t ([\d. ]*\d)/)![1].split(".")[1].trim();
  assert.deepEqual([0.83, 4e-5, 0].map((pace) => clock({ ...model, pace }).length), [3, 7, 3]);
  assert.equal(clock({ ...model, running: false }).length, 11);
});

Deno.test("regions tile every screen without holes or overlaps, and every line is as wide as its region", () => {
  const many = modelOf({ columns: 80, rows: 24 });
  const few = modelOf({ columns: 80, rows: 24, scenario: "pingpong-tiny" });
  const kinds = [[many, "normal"], [few, "normal"], [many, "help"], [many, "message"], [many, "vm"]] as const;
  let next = 0;
  for (let columns = 40; columns <= 240; columns += 7) {
    for (let rows = 10; rows <= 70; rows += 3) {
      // Two kinds at each size: with the next column each meets the sizes that it has not had.
      for (let i = 0; i < 2; i++) {
        const [model, mode] = kinds[next++ % kinds.length];
        const sized: Model = { ...model, columns, rows, mode, message: ["a", "b".repeat(300)] };
        const regions = render(sized);
        const overlays = regions.filter(({ id }) => id === "help" || id === "message");
        const area = regions.filter((r) => !overlays.includes(r)).reduce((sum, r) => sum + r.width * r.height, 0);
        assert.equal(area, columns * rows, `${columns}x${rows}`);
        for (const { id, x, y, width: wide, height, lines } of regions) {
          const where = `${id} at ${columns}x${rows}`;
          assert.ok(x >= 0 && y >= 0 && x + wide <= columns && y + height <= rows, where);
          assert.equal(lines.length, height, where);
          for (const line of lines) assert.equal(width(line), wide, `${where}: ${plain(line)}`);
        }
      }
    }
  }
});

Deno.test("a screen too small for anything says what it needs", () => {
  for (const [columns, rows] of [[39, 24], [80, 9], [5, 2], [1, 1]]) {
    const regions = layout(modelOf({ columns, rows }));
    assert.deepEqual(regions.map((region) => region.id), ["small"]);
    assert.equal(toText(modelOf({ columns, rows })).length, rows);
  }
});

Deno.test("monochrome text has no colour codes, colour text has them", () => {
  const lines = render(modelOf({ columns: 120, rows: 40 })).flatMap((region) => region.lines);
  assert.ok(!lines.some((line) => toSgr(line, MONOCHROME).includes("8;5;")));
  assert.ok(lines.some((line) => toSgr(line, COLOUR).includes("38;5;")));
  // Every line closes what it opens, or colours would run into the frame.
  for (const line of lines) {
    if (toSgr(line, COLOUR) !== plain(line)) assert.match(toSgr(line, COLOUR).split("\x1b").at(-1)!, /^\[0m/);
  }
});

Deno.test("hostile names cannot break the screen", () => {
  const model = modelOf({ columns: 120, rows: 40 });
  const live = structuredClone(model.live!);
  live.snapshot.guests[0].name = "\x1b[2J\ue000{bold}\nvm";
  live.snapshot.scenario.path = "p\u0007ath";
  live.log.push({ at_ns: 1, level: "error", text: "line one\nline two\x1b]0;x\x07" });
  const text = toText({ ...model, live }).join("\n");
  assert.ok([...text].every((char) => char >= " " || char === "\n"));
  assert.equal(text.split("\n").length, 40);
});
