/** The comparison in a real pseudo-terminal, on the real program. */
import assert from "node:assert/strict";
import { KEY, PtyScreen } from "../pty.ts";

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

/** Virtual time as the header shows it, seconds. */
function virtualTime(text: string): number {
  return Number(/ t (\d+\.[\d ]*\d) (?:of|s)\b/.exec(text)?.[1].replaceAll(" ", "") ?? NaN);
}

/** Cells of the row of the first table that begins with this label. */
function cells(text: string, label: string): string[] {
  const line = text.split("\n").find((line) => line.startsWith(`│ ${label} `)) ?? "";
  return line.slice(label.length + 2).split(/[\s│]+/).filter((cell) => cell !== "");
}

/** The whole screen is that of the single run, down to the footer: a picture may arrive in parts. */
const isSingle = (text: string) => /─ Guests/.test(text) && /c compare.* q quit$/.test(text);

const figures = (text: string, count: number) => {
  if (!/Paths side by side[^]*c leave/.test(text)) return false;
  const found = cells(text, "p50 us");
  return found.length === count && found.every((cell) => /^\d+\.\d+[✓✗]?$/.test(cell));
};

Deno.test({
  name: "paths side by side: choose, pause, step, another base, leave",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const screen = new PtyScreen({ columns: 200, rows: 50, args: [MAIN, "dash", "pingpong-tiny"] });
    try {
      await screen.until("the single run", (text) => virtualTime(text) > 0.002);
      screen.type(" ");
      await screen.until("PAUSED", (text) => text.split("\n")[0].endsWith("PAUSED"));
      const left = virtualTime(screen.text());

      screen.type("c");
      await screen.until("three paths with figures", (text) => figures(text, 3));
      assert.match(screen.text(), /comparing native, xen2mx, bridged/);
      assert.match(screen.text().split("\n")[0], /RUNNING$/);
      const [native, xen2mx, bridged] = cells(screen.text(), "p50 us").map((cell) => parseFloat(cell));
      assert.ok(native < xen2mx && xen2mx < bridged, `${native} ${xen2mx} ${bridged}`);

      screen.type("2");
      await screen.until("a fourth path that has caught up", (text) => figures(text, 4) && !/late \d/.test(text));
      screen.type("p");
      await screen.until("the list", (text) => /\[x\] 2 iov/.test(text) && /\[ \] 8 emulated/.test(text));
      screen.type(KEY.enter);
      await screen.until("no list", (text) => !text.includes("Paths to compare"));
      screen.type("\x1b[C");
      await screen.until("ratios to the next path", (text) => text.includes("Times iov"));

      screen.type(" ");
      await screen.until("all stand", (text) => text.split("paused").length === 5);
      await screen.until("digits of a time that stands", (text) => / t \d\.\d{3} \d{3} \d{3} s/.test(text));
      const stood = virtualTime(screen.text());
      screen.type(".");
      await screen.until("a millisecond more", (text) => Math.abs(virtualTime(text) - stood - 1e-3) < 1e-9);

      screen.type("c");
      await screen.until("the single run again", isSingle);
      const back = virtualTime(screen.text());
      // The picture before may have been a frame older than the instant at which it stood.
      assert.ok(back >= left && back < left + 0.02, `${left} and ${back}`);
      assert.match(screen.text().split("\n")[0], /PAUSED$/);
      screen.type("c");
      await screen.until("the same four paths", (text) => figures(text, 4));
      screen.type(KEY.escape);
      await screen.until("the single run once more", isSingle);
      assert.equal(virtualTime(screen.text()), back);
      screen.type("q");
      assert.deepEqual((await screen.ended()).code, 0);
    } finally {
      screen.dispose();
    }
  },
});

Deno.test({
  name: "all eight paths at once, in 80 x 24, restarted and quit while they run",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const screen = new PtyScreen({ columns: 80, rows: 24, args: [MAIN, "dash", "pingpong-tiny"] });
    try {
      await screen.until("the single run", (text) => virtualTime(text) > 0.001);
      screen.type("c23678");
      const rows = (text: string) => text.split("\n").filter((line) => /^│ [1-8] \S+ +\d+\.\d/.test(line)).length;
      await screen.until("eight rows of figures", (text) => rows(text) === 8 && text.includes("8 of 8 paths"));
      for (const page of ["ratios", "latency", "throughput", "stages", "figures"]) {
        screen.type(KEY.tab);
        await screen.until(page, (text) => text.includes(`[${page}]`));
      }
      screen.type("r");
      await screen.until("the beginning", (text) => rows(text) < 8 || virtualTime(text) < 0.001);
      await screen.until("eight rows again", (text) => rows(text) === 8);
      screen.type("q");
      assert.deepEqual((await screen.ended()).code, 0);
    } finally {
      screen.dispose();
    }
  },
});
