/**
 * A session in a real pseudo-terminal, with more than 30 inputs from the menu; then its log, headless and on the screen:
 * three runs with one fingerprint.
 */
import assert from "node:assert/strict";
import { readLog } from "../../src/cluster/input_log.ts";
import { mxtop } from "../cli/spawn.ts";
import { RELAY } from "../support/replay.ts";
import { KEY, PtyScreen } from "./pty.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const PAUSED = (text: string) => text.split("\n")[0].endsWith("PAUSED");

async function onScreen(args: readonly string[], body: (screen: PtyScreen) => Promise<void>): Promise<PtyScreen> {
  const screen = new PtyScreen({ columns: 120, rows: 40, args });
  try {
    await body(screen);
    return screen;
  } finally {
    screen.dispose();
  }
}

/** Keys that open the menu, choose the entry so many lines down, change its fields, and do it. */
function change(down: number, keys: string): string {
  return `f\x1b[H${KEY.down.repeat(down)}${KEY.enter}${keys}${KEY.enter}`;
}

const RIGHT = "\x1b[C";
const SPAN = KEY.down + KEY.down;

/** 32 inputs on three links, in between steps and stretches of time. */
async function session(screen: PtyScreen): Promise<void> {
  screen.type("----");
  await screen.until("figures", (text) => /vm01 .*\d/.test(text));
  screen.type(" ");
  await screen.until("PAUSED", PAUSED);
  for (let i = 0; i < 32; i++) {
    const link = RIGHT.repeat(i % 3);
    screen.type(".".repeat(1 + i % 5));
    if (i % 4 === 0) screen.type(change(0, link));
    else if (i % 4 === 1) screen.type(change(2, `${link}${SPAN}300 us`));
    else if (i % 4 === 2) screen.type(change(3, `${link}${KEY.down}40 us`));
    else if (i < 16) screen.type(change(0, `${link}${SPAN}for good`));
    else screen.type(change(99, ""));
    if (i % 8 !== 7) continue;
    const said = i < 16 ? /link .-switch loses 1 % of its frames for good/ : /ended: link .-switch/;
    // The notice stays until the next key.
    await screen.until(String(said), (text) => said.test(text.split("\n").at(-2)!));
    screen.type(" ");
    await screen.until("RUNNING", (text) => text.split("\n")[0].endsWith("RUNNING"));
    screen.type(" ");
    await screen.until("PAUSED", PAUSED);
  }
  screen.type("q");
  assert.equal((await screen.ended()).code, 0);
}

Deno.test(
  {
    name: "a session of 32 inputs in a terminal, replayed headless and on the screen",
    sanitizeOps: false,
    sanitizeResources: false,
  },
  async () => {
    const directory = await Deno.makeTempDir();
    const log = `${directory}/session.log`;
    const allowed = [`--allow-read=${directory}`, `--allow-write=${directory}`];
    try {
      await Deno.writeTextFile(`${directory}/relay.yaml`, RELAY);
      await onScreen([...allowed, MAIN, "dash", `${directory}/relay.yaml`, "--log", log], session);
      const { inputs, end } = readLog(await Deno.readTextFile(log), log);
      assert.equal(inputs.length, 32);
      const { fingerprint } = end!;

      const headless = await mxtop(["replay", log, "--format", "json"], { permissions: allowed });
      assert.equal(headless.code, 0, headless.stderr);
      assert.equal(JSON.parse(headless.stdout).fingerprint, fingerprint);

      const screen = await onScreen([...allowed, MAIN, "replay", log, "--screen"], async (screen) => {
        // The log is as short as a session in slow motion: its end may be the first picture, and a key would take the
        // notice away.
        await screen.until(
          "the end of the log",
          (text) => text.includes(`the same fingerprint as in the log: ${fingerprint}`),
        );
        await screen.until("PAUSED", PAUSED);
        assert.doesNotMatch(screen.lines()[0], /REPLAY/);
        // A turn of one's own.
        screen.type(".");
        await screen.until("no notice", (text) => !text.includes("the same fingerprint"));
        screen.type("q");
        assert.equal((await screen.ended()).code, 0);
      });
      assert.match(screen.raw, new RegExp(`session\\.log: the same fingerprint as in the log: ${fingerprint} after `));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);
