/**
 * The dashboard in a real pseudo-terminal: the tour of each size on the real program, that of one on the fake too, and
 * the rest on the fake. MXTOP_TEST_MAIN=main.ts runs everything on the real program.
 */
import assert from "node:assert/strict";
import { KEY, PtyScreen } from "./pty.ts";

const SIZES = [[80, 24], [120, 40], [200, 50]] as const;
const MAIN = Deno.env.get("MXTOP_TEST_MAIN");
const REAL = [MAIN ?? new URL("../../main.ts", import.meta.url).pathname, "dash", "scale-40-vms"];
const FAKE = [new URL("fake_main.ts", import.meta.url).pathname];
const ARGS = MAIN ? REAL : FAKE;

/** node-pty and signals keep handles of their own, which the sanitizers would take for leaks. */
function ptyTest(
  name: string,
  size: readonly [number, number],
  body: (screen: PtyScreen) => Promise<void>,
  args = ARGS,
): void {
  Deno.test({
    name,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const screen = new PtyScreen({ columns: size[0], rows: size[1], args });
      try {
        await body(screen);
      } finally {
        screen.dispose();
      }
    },
  });
}

/** The first picture with figures: a row of a VM with a latency, and virtual time that goes on. */
async function live(screen: PtyScreen): Promise<void> {
  await screen.until("a VM with figures", (text) => /vm\d+ .*\d+ +\d+ .*[▇█]/.test(text));
  const before = virtualTime(screen);
  // A short run may be over before a slow machine has looked twice.
  await screen.until("virtual time to go on", (text) => virtualTime(screen) > before || state("DONE")(text));
}

function virtualTime(screen: PtyScreen): number {
  return Number(/ t (\d+\.[\d ]*\d) (?:of|s)\b/.exec(screen.text())?.[1].replaceAll(" ", "") ?? NaN);
}

/** The header shows the scenario with this number. */
function scenario(number: number): (text: string) => boolean {
  return (text) => text.startsWith(` mxtop  ${number} `);
}

/** The header ends in RUNNING, PAUSED or DONE. */
function state(name: string): (text: string) => boolean {
  return (text) => text.split("\n")[0].endsWith(name);
}

/** In slow motion no run ends while a test looks at it. */
async function slowDown(screen: PtyScreen): Promise<void> {
  screen.type("--");
  await screen.until("slow motion", (text) => text.includes("speed 0.01x"));
}

async function quits(screen: PtyScreen, code: number): Promise<void> {
  assert.deepEqual((await screen.ended()).code, code);
  assert.equal(screen.alternateScreen, false, "still in the alternate screen");
  assert.equal(screen.mouseMode, "none", "mouse still on");
  assert.equal(screen.cursorVisible, true, "cursor still hidden");
}

for (const size of SIZES) {
  ptyTest(`the real program at ${size.join("x")}: panes, scenario, path, pause, help, quit`, size, tour, REAL);
}
// That it behaves as the real one does has nothing to do with the size.
ptyTest("the fake at 120x40: panes, scenario, path, pause, help, quit", [120, 40], tour, FAKE);

async function tour(screen: PtyScreen): Promise<void> {
  const columns = screen.columns;
  await live(screen);
  assert.ok(screen.alternateScreen);
  assert.ok(screen.lines().every((line) => [...line].length <= columns));
  const panes = columns < 100
    ? ["Guests"]
    : ["Guests", "Latency us", "Throughput MB/s", "Host CPU %", "Guest CPU %", "Where a message"];
  for (const pane of panes) assert.ok(screen.text().includes(pane), `no pane ${pane}\n${screen.text()}`);
  assert.match(screen.lines().at(-1)!, /\? help {2}q quit$/);
  assert.ok(!/\bNaN|undefined|null|Infinity/.test(screen.text()), screen.text());

  await slowDown(screen);
  const path = /path (\S+)/.exec(screen.text())![1];
  screen.type("p");
  await screen.until("another path", (text) => /path (\S+)/.exec(text)?.[1] !== path);
  screen.type("2");
  await screen.until("scenario 2", scenario(2));
  screen.type("[");
  await screen.until("scenario 1", scenario(1));
  screen.type("4");
  await screen.until("scenario 4", scenario(4));
  screen.type(" ");
  await screen.until("PAUSED", state("PAUSED"));
  const paused = virtualTime(screen);
  // Several events may share an instant.
  screen.type(".".repeat(50));
  await screen.until("time to go on by an event", () => virtualTime(screen) > paused);
  screen.type("?");
  await screen.until("help", (text) => text.includes("ten times faster"));
  screen.type("x");
  await screen.until("help closed", (text) => !text.includes("ten times faster"));
  screen.type("q");
  await quits(screen, 0);
}

ptyTest("tabs of a small screen show every pane", [80, 24], async (screen) => {
  await live(screen);
  const shown = [
    "Latency us",
    "Throughput MB/s",
    "Host CPU %",
    "Guest CPU %",
    "Where a message",
    "─ Rings",
    "─ Network",
    "─ Events",
    "─ Guests",
  ];
  for (const pane of shown) {
    screen.type(KEY.tab);
    await screen.until(pane, (text) => text.split("\n")[3].includes(pane));
  }
  screen.type(KEY.shiftTab);
  await screen.until("back to the events", (text) => text.split("\n")[3].includes("─ Events"));
  screen.type("q");
  await quits(screen, 0);
});

ptyTest("one VM: Enter opens it, arrows go to the next, Escape goes back", [120, 40], async (screen) => {
  await live(screen);
  screen.type(KEY.enter);
  await screen.until("vm01 with all of its panes", (text) =>
    /─ vm01 on a, xen2mx ─.*1 of 40/.test(text) &&
    ["Latency us", "Throughput MB/s", "Rings, notifications, grants", "MX library"].every((pane) =>
      text.includes(pane)
    ));
  screen.type(KEY.down);
  await screen.until("the next VM", (text) => text.includes("─ vm02 on b"));
  screen.type(KEY.escape);
  await screen.until("all of them", (text) => text.includes("▸vm02"));
  screen.type("q");
  await quits(screen, 0);
});

ptyTest("events: a filter of their own, and scrolling", [80, 24], async (screen) => {
  await live(screen);
  screen.type(KEY.shiftTab);
  await screen.until("the events", (text) => text.split("\n")[3].includes("─ Events"));
  screen.type("/warn");
  await screen.until("one of them", (text) => text.includes("1 of 4") && !text.includes("measuring"));
  screen.type(KEY.enter);
  screen.type(KEY.escape);
  await screen.until("all of them", (text) => text.includes("measuring"));
  screen.type("q");
  await quits(screen, 0);
});

ptyTest("selection, filter and sorting", [80, 24], async (screen) => {
  await live(screen);
  screen.type(KEY.down);
  await screen.until("the second VM", (text) => text.includes("▸vm02"));
  screen.type(KEY.end);
  await screen.until("the last VM", (text) => text.includes("▸vm40"));
  screen.type("/vm1");
  await screen.until("the filter", (text) => text.includes("10 of 40"));
  screen.type(KEY.enter);
  screen.type(KEY.escape);
  await screen.until("all VMs", (text) => text.includes("of 40") && !text.includes("10 of 40"));
  screen.type("sss");
  await screen.until("sorted by p50", (text) => text.includes("by p50"));
  screen.type("\x1b[<0;10;8M\x1b[<0;10;8m");
  await screen.until("the VM under the mouse", (text) => text.split("\n")[7].includes("▸"));
  screen.type("q");
  await quits(screen, 0);
});

ptyTest("resizing draws the layout of the new size and leaves nothing behind", [80, 24], async (screen) => {
  await live(screen);
  screen.resize(200, 50);
  await screen.until("everything", (text) => text.includes("─ Events") && text.split("\n")[49].includes("q quit"));
  screen.resize(120, 40);
  await screen.until("the middle layout", (text) => {
    const lines = text.split("\n");
    return lines[39].endsWith("q quit") && text.includes("Latency us") && !text.includes("─ Events");
  });
  screen.resize(80, 24);
  await screen.until("tabs", (text) => text.includes("[Guests]") && text.split("\n")[23].endsWith("q quit"));
  screen.resize(30, 8);
  await screen.until("too small", (text) => text.includes("mxtop needs 40 x 10"));
  screen.resize(80, 24);
  await screen.until("tabs again", (text) => text.includes("[Guests]"));
  screen.type(KEY.ctrlL);
  screen.type("q");
  await quits(screen, 0);
});

ptyTest("Ctrl-C leaves with 130", [80, 24], async (screen) => {
  await live(screen);
  screen.type(KEY.ctrlC);
  await quits(screen, 130);
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
  ptyTest(`${signal} restores the terminal and leaves with ${code}`, [120, 40], async (screen) => {
    await live(screen);
    Deno.kill(screen.pid, signal);
    await quits(screen, code);
  });
}

ptyTest("it opens without any permission and without asking for one", [80, 24], async (screen) => {
  await live(screen);
  assert.ok(!/Deno requests|Allow\?|┏/.test(screen.raw));
  screen.type("q");
  await quits(screen, 0);
});

ptyTest("T changes the colours and v the view of a pane", [120, 40], async (screen) => {
  await live(screen);
  screen.type(" ");
  await screen.until("PAUSED", state("PAUSED"));
  assert.ok(screen.raw.includes("38;5;33m"), "no colour of the standard theme");
  screen.type("T");
  await screen.until("colours for the colour-blind", (text) => text.includes("colours: colour-blind"));
  assert.ok(screen.raw.includes("38;5;39m"), "no colour of the colour-blind theme");
  screen.type("T");
  await screen.until("no colours", (text) => text.includes("colours: monochrome"));
  const before = screen.raw.length;
  screen.type(KEY.tab);
  await screen.until("another pane in front", () => screen.raw.length > before);
  screen.type("v");
  await screen.until("the histogram", (text) => text.includes("Latency us, whole run"));
  assert.ok(!screen.raw.slice(before).includes("38;5;"), "colours after all");
  screen.type("q");
  await quits(screen, 0);
});

Deno.test(
  { name: "NO_COLOR gives a screen without colours", sanitizeOps: false, sanitizeResources: false },
  async () => {
    const screen = new PtyScreen({ columns: 120, rows: 40, args: ARGS, env: { NO_COLOR: "1" } });
    try {
      await live(screen);
      assert.ok(!screen.raw.includes("38;5;") && !screen.raw.includes("48;5;"));
      screen.type("q");
      await quits(screen, 0);
    } finally {
      screen.dispose();
    }
  },
);

Deno.test(
  { name: "a saturated engine does not keep keys waiting", sanitizeOps: false, sanitizeResources: false },
  async () => {
    // 4 ms of work for a thousand events: a quarter of real time at best.
    const args = MAIN ? ARGS : [...ARGS, "scale-40-vms", "4"];
    const screen = new PtyScreen({ columns: 120, rows: 40, args });
    try {
      await live(screen);
      screen.type("+++");
      await screen.until("max", (text) => text.includes("speed max"));
      const delays: number[] = [];
      for (let i = 0; i < 20; i++) {
        const start = performance.now();
        screen.type(KEY.down);
        const wanted = `▸vm${String(i + 2).padStart(2, "0")}`;
        await screen.until(wanted, (text) => text.includes(wanted));
        delays.push(performance.now() - start);
      }
      delays.sort((a, b) => a - b);
      // The median, with room for a machine that runs other tests at the same time; alone it is about 20 ms.
      assert.ok(delays[10] < 300, `median ${delays[10].toFixed(0)} ms, worst ${delays[19].toFixed(0)} ms`);
      screen.type("q");
      await quits(screen, 0);
    } finally {
      screen.dispose();
    }
  },
);

if (!MAIN) {
  ptyTest("a fault of the engine gives the terminal back before it is reported", [80, 24], async (screen) => {
    await live(screen);
    // The fake's third run breaks after 100 ms; see fake_main.ts. A slow machine may miss the start of the second, so that
    // it is told by a time before that at which the first was stopped.
    await screen.until("virtual time to go on", () => virtualTime(screen) > 0.05);
    screen.type(" ");
    await screen.until("PAUSED", state("PAUSED"));
    await slowDown(screen);
    const stopped = virtualTime(screen);
    screen.type("r");
    await screen.until("a new run", () => virtualTime(screen) < stopped);
    screen.type("++r");
    await quits(screen, 1);
    assert.match(screen.text(), /the fake engine broke/);
  });
}

Deno.test(
  { name: "a guest program that fails ends its run with its message", sanitizeOps: false, sanitizeResources: false },
  async () => {
    const directory = await Deno.makeTempDir();
    const file = `${directory}/fails.ts`;
    await Deno.writeTextFile(
      file,
      "export default function* (guest) {\n  guest.print('before');\n  yield* guest.sleep(2000);\n  guest.no();\n}\n",
    );
    const main = new URL("../../main.ts", import.meta.url).pathname;
    const args = [`--allow-read=${directory}`, main, "dash", "--program", file];
    const screen = new PtyScreen({ columns: 200, rows: 50, args });
    try {
      await screen.until("FAILED", state("FAILED"));
      await screen.until("its line", (text) => /─ Events[\s\S]*vm0\d: before/.test(text));
      await screen.until("the message", (text) => /fails\.ts:4:9: TypeError: guest\.no is not a function/.test(text));
      screen.type("r");
      await screen.until("FAILED again", state("FAILED"));
      screen.type("q");
      await quits(screen, 0);
    } finally {
      screen.dispose();
      await Deno.remove(directory, { recursive: true });
    }
  },
);

Deno.test("without a terminal it says so and leaves with 2", async () => {
  const output = await new Deno.Command(Deno.execPath(), { args: ["run", "-q", ...ARGS], stdin: "null" }).output();
  assert.equal(output.code, 2);
  assert.match(new TextDecoder().decode(output.stderr), /needs a terminal/);
  assert.ok(!new TextDecoder().decode(output.stdout).includes("\x1b"));
});

Deno.test(
  { name: "a terminal that cannot move its cursor is told so", sanitizeOps: false, sanitizeResources: false },
  async () => {
    const main = new URL("../../main.ts", import.meta.url).pathname;
    // The emulator has a name of its own for TERM.
    const command = ["env", "TERM=dumb", Deno.execPath(), "run", "-q", "--allow-env", main] as const;
    const screen = new PtyScreen({ columns: 100, rows: 10, args: [], command: [...command] });
    await screen.ended();
    assert.equal(screen.exit?.code, 2);
    assert.match(screen.text(), /TERM=dumb cannot/);
    assert.ok(!screen.raw.includes("\x1b["), "no sequence at all");
    screen.dispose();
  },
);

Deno.test(
  { name: "pasted text is marked by the terminal, and does nothing", sanitizeOps: false, sanitizeResources: false },
  async () => {
    const screen = new PtyScreen({ columns: 80, rows: 24, args: ARGS });
    await screen.until("RUNNING", (text) => text.includes("RUNNING"));
    assert.ok(screen.raw.includes("\x1b[?2004h"));
    screen.type("\x1b[200~q\x1b[201~");
    await screen.until("the notice", (text) => text.includes("pasted text is not taken"));
    screen.type("q");
    await screen.ended();
    assert.ok(screen.raw.includes("\x1b[?2004l"));
    screen.dispose();
  },
);

Deno.test(
  {
    name: "a guest program that is loaded while the screen is up leaves it whole",
    sanitizeOps: false,
    sanitizeResources: false,
  },
  async () => {
    const root = new URL("../..", import.meta.url).pathname;
    // Without -q, as users start it: then Deno clears its own progress line whenever something is loaded.
    const dash = ["run", "--allow-read", `${root}main.ts`, "dash", "--program", `${root}examples/kv.ts`];
    const screen = new PtyScreen({ columns: 120, rows: 40, args: [], command: [Deno.execPath(), ...dash] });
    const isWhole = (text: string) => {
      const lines = text.split("\n");
      return lines.filter((line) => /^[│┌└]/.test(line)).length === 36 && /^ 1-9 scenario/.test(lines[39]);
    };
    await screen.until("the first picture", isWhole);
    await screen.until("the end of the program", (text) => text.split("\n")[0].endsWith("DONE"));
    const { length } = screen.raw;
    screen.type("r");
    await screen.until("its line cleared", () => screen.raw.includes("\x1b[0G\x1b[2K\x1b[J", length));
    await screen.until("the whole picture again", isWhole);
    screen.type("q");
    await screen.ended();
    screen.dispose();
  },
);
