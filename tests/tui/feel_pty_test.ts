/** How the dashboard behaves at a real terminal: one that does not read, one that a shell takes back, the clipboard. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { KEY, PtyScreen } from "./pty.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const FAKE = path("fake_main.ts");

/** node-pty and signals keep handles of their own, which the sanitizers would take for leaks. */
function ptyTest(
  name: string,
  options: { columns?: number; rows?: number; args?: string[]; command?: [string, ...string[]] },
  body: (screen: PtyScreen) => Promise<void>,
): void {
  Deno.test({
    name,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const { columns = 80, rows = 24, args = [FAKE], command } = options;
      const screen = new PtyScreen({ columns, rows, args, command });
      try {
        await body(screen);
      } finally {
        screen.dispose();
      }
    },
  });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function live(screen: PtyScreen): Promise<void> {
  await screen.until("a VM with figures", (text) => /vm\d+ .*\d .*[▇█]/.test(text));
}

function virtualTime(screen: PtyScreen): number {
  return Number(/ t (\d+\.[\d ]*\d) (?:of|s)\b/.exec(screen.text())?.[1].replaceAll(" ", "") ?? NaN);
}

function assertRestored(screen: PtyScreen): void {
  assert.deepEqual([screen.alternateScreen, screen.mouseMode, screen.cursorVisible], [false, "none", true]);
}

ptyTest("a terminal that does not read holds up neither the run nor the keys, and catches up", {}, async (screen) => {
  await live(screen);
  const before = virtualTime(screen);
  const stalledAt = performance.now();
  screen.stall();
  await sleep(4000); // what stands between takes some pictures first
  const read = screen.raw.length;
  screen.type(KEY.down + KEY.down);
  await sleep(300);
  assert.equal(screen.raw.length, read, "nothing was read");
  screen.goOn();
  await screen.until("what the keys asked for", (text) => text.includes("▸vm03"));
  const longest = (performance.now() - stalledAt) / 1000;
  const word = /did not read for (\d+\.\d) s; the run went on/;
  await screen.until("a word about it", (text) => word.test(text));
  const said = Number(word.exec(screen.text())![1]);
  assert.ok(said >= 1 && said < longest + 0.1, `${said} of at most ${longest} s`);
  // Real time: the run went on for as long as the terminal stood still.
  assert.ok(virtualTime(screen) - before > 0.6 * longest, `${before} to ${virtualTime(screen)} in ${longest} s`);
  const lines = screen.lines();
  screen.type(KEY.ctrlL + " ");
  await screen.until("a pause", (text) => text.includes("PAUSED"));
  // The picture comes in pieces: its last line may be on its way still.
  await screen.until(
    "all of it: nothing was lost",
    () => [2, 4, 23].every((row) => screen.lines()[row] === lines[row]),
  );
  screen.type("q");
  assert.equal((await screen.ended()).code, 0);
  assertRestored(screen);
});

ptyTest("a signal ends it also while the terminal does not read", { columns: 200, rows: 50 }, async (screen) => {
  await live(screen);
  screen.stall();
  await sleep(800);
  Deno.kill(screen.pid, "SIGTERM");
  await sleep(1500);
  screen.goOn();
  assert.equal((await screen.ended()).code, 143);
  // It did not wait until somebody reads.
  assert.equal(screen.alternateScreen, true);
});

for (const how of ["throw", "reject"]) {
  const args = [FAKE, "scale-40-vms", "0", how];
  ptyTest(
    `an error that nobody catches (${how}) leaves a usable terminal with its message`,
    { args },
    async (screen) => {
      await live(screen);
      assert.equal((await screen.ended()).code, 1);
      assertRestored(screen);
      assert.match(screen.text(), /nobody catches this/);
    },
  );
}

/** A shell with job control. */
const BASH: [string, ...string[]] = ["/bin/bash", "--norc", "--noprofile", "-i"];

async function inShell(screen: PtyScreen, command: string): Promise<void> {
  await screen.until("a prompt", (text) => /[$#]$/.test(text.trimEnd()));
  screen.type(`PS1='shell> '; ${command}; echo code $?\r`);
  await live(screen);
}

ptyTest("Ctrl-Z gives the terminal to the shell, fg takes it back", { command: BASH }, async (screen) => {
  await inShell(screen, `'${Deno.execPath()}' run -q --allow-run '${FAKE}'`);
  screen.type(KEY.down);
  await screen.until("the second VM", (text) => text.includes("▸vm02"));
  screen.type(KEY.ctrlZ);
  await screen.until("the shell", (text) => /Stopped[\s\S]*shell>$/.test(text.trimEnd()));
  assertRestored(screen);
  screen.type("stty -a | grep -o -- '-*icanon'\r");
  await screen.until("lines again", (text) => /^icanon$/m.test(text));
  screen.type("fg\r");
  await screen.until("the dashboard", (text) => text.startsWith(" mxtop ") && text.includes("▸vm02"));
  assert.deepEqual([screen.alternateScreen, screen.mouseMode, screen.cursorVisible], [true, "vt200", false]);
  screen.type(KEY.down);
  await screen.until("keys", (text) => text.includes("▸vm03"));
  screen.type("q");
  await screen.until("the shell", (text) => /shell>$/.test(text.trimEnd()));
  assertRestored(screen);
  screen.type("exit\r");
  await screen.ended();
});

ptyTest("without the permission Ctrl-Z says which one it takes", {}, async (screen) => {
  await live(screen);
  screen.type(KEY.ctrlZ);
  await screen.until("the reason", (text) => text.includes("Ctrl-Z needs the permission --allow-run"));
  screen.type("q");
  assert.equal((await screen.ended()).code, 0);
});

ptyTest("y gives the pane to the terminal's clipboard; the mouse can be given away", {}, async (screen) => {
  await live(screen);
  screen.type("y");
  await screen.until("a word about it", (text) => /copied the pane, 43 lines/.test(text));
  // deno-lint-ignore no-control-regex
  const coded = /\x1b\]52;c;([A-Za-z0-9+/=]+)\x07/.exec(screen.raw)![1];
  const text = new TextDecoder().decode(Uint8Array.from(atob(coded), (char) => char.charCodeAt(0)));
  assert.match(text, /^Guests latest interval[\s\S]*\n vm40 /);
  screen.type(":mouse off\r");
  await screen.until("a word about it", (text) => /drag to select text/.test(text));
  assert.equal(screen.mouseMode, "none");
  screen.type(":mouse on\r");
  await screen.until("a word about it", (text) => /Shift-drag/.test(text));
  assert.equal(screen.mouseMode, "vt200");
  screen.type("q");
  assert.equal((await screen.ended()).code, 0);
});

ptyTest("palette, help and the footer by keys and mouse; Escape and the next key at once", {}, async (screen) => {
  await live(screen);
  screen.type(":pane thr");
  await screen.until("the entry", (text) => /▸pane throughput/.test(text));
  screen.type("\r");
  await screen.until("the pane", (text) => text.includes("[MB/s]"));
  screen.type("?");
  await screen.until("its help", (text) => / keys ─ Throughput /.test(text));
  screen.type(KEY.escape + ":");
  await screen.until("the palette", (text) => /─ Commands ─/.test(text));
  screen.type(KEY.escape);
  await screen.until("no box", (text) => !/─ Commands ─/.test(text));
  const x = screen.lines().at(-1)!.indexOf("space pause") + 1;
  screen.type(`\x1b[<0;${x};24M\x1b[<0;${x};24m`);
  await screen.until("PAUSED", (text) => text.includes("PAUSED"));
  screen.type("q");
  assert.equal((await screen.ended()).code, 0);
});

const MAIN = path("../../main.ts");

/** The real program in a directory of its own. */
function inDirectory(
  name: string,
  permissions: string[],
  body: (screen: PtyScreen, directory: string) => Promise<void>,
) {
  const directory = Deno.makeTempDirSync();
  const deno = [Deno.execPath(), "run", "-q", ...permissions, MAIN].map((word) => `'${word}'`).join(" ");
  ptyTest(name, { command: ["/bin/sh", "-c", `cd '${directory}' && exec ${deno}`] }, async (screen) => {
    try {
      await body(screen, directory);
      screen.type("q");
      assert.equal((await screen.ended()).code, 0);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

inDirectory("exports are written into ./reports", ["--allow-write=reports"], async (screen, directory) => {
  await live(screen);
  screen.type("e");
  await screen.until("the menu", (text) => /─ Export ─/.test(text));
  screen.type("t");
  await screen.until("the file", (text) => /wrote reports\/pingpong-tiny-xen2mx-[\d.]+s\.txt/.test(text));
  screen.type(":export capture 1 ms\r");
  await screen.until("the capture", (text) => /wrote reports\/\S+\.pcapng: \d+ frames/.test(text));
  const names = [...Deno.readDirSync(`${directory}/reports`)].map(({ name }) => name).sort();
  assert.equal(names.length, 2);
  const text = Deno.readTextFileSync(`${directory}/reports/${names.find((name) => name.endsWith(".txt"))}`);
  assert.match(text, /^ mxtop {2}1 pingpong-tiny[\s\S]*q quit\n$/);
  const capture = Deno.readFileSync(`${directory}/reports/${names.find((name) => name.endsWith(".pcapng"))}`);
  assert.deepEqual([...capture.subarray(0, 4)], [0x0a, 0x0d, 0x0d, 0x0a]);
});

inDirectory("without the permission the menu says which one, and nobody is asked", [], async (screen) => {
  await live(screen);
  screen.type("e");
  await screen.until("the reason", (text) => /writing files needs: deno run --allow-write=reports main\.ts/.test(text));
  screen.type("t");
  await screen.until("the reason again", (text) => /text: writing files needs/.test(text));
  assert.ok(!/Deno requests|Allow\?|┏/.test(screen.raw));
  screen.type(KEY.escape);
  await screen.until("no menu", (text) => !/─ Export ─/.test(text));
});
