/** Stepping, going back and taking another turn, on the real engine in a real pseudo-terminal. */
import assert from "node:assert/strict";
import { KEY, PtyScreen } from "./pty.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const TURNING = new URL("turn_main.ts", import.meta.url).pathname;

function timeTest(name: string, args: readonly string[], body: (screen: PtyScreen) => Promise<void>): void {
  Deno.test({
    name,
    // node-pty and signals keep handles of their own, which the sanitizers would take for leaks.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const screen = new PtyScreen({ columns: 120, rows: 40, args });
      try {
        await body(screen);
        screen.type("q");
        assert.equal((await screen.ended()).code, 0);
      } finally {
        screen.dispose();
      }
    },
  });
}

function virtualTime(screen: PtyScreen): number {
  return Number(/ t (\d+\.[\d ]*\d) (?:of|s)\b/.exec(screen.text())?.[1].replaceAll(" ", "") ?? NaN);
}

/** The line above the footer. */
function notice(screen: PtyScreen): string {
  return screen.lines()[38];
}

/** The picture without what is not of the run: the notice, and the turns that the user has taken. */
function picture(screen: PtyScreen): string {
  return screen.lines().slice(1, 38).join("\n");
}

timeTest("step by step, back, and the same again", [MAIN, "dash", "pingpong-tiny"], async (screen) => {
  await screen.until("a picture", (text) => text.includes("RUNNING") && text.includes("vm01"));
  screen.type("----");
  await screen.until("slow motion", (text) => text.includes("speed 0.0001x"));
  await screen.until("messages", (text) => /all +\d/.test(text));
  screen.type(" ");
  await screen.until("PAUSED", (text) => text.includes("PAUSED"));
  screen.type("m");
  await screen.until("a message", () => /message from \w+ to \w+, \d+ B, latency \d/.test(notice(screen)));
  const said = notice(screen);
  const at = virtualTime(screen);
  screen.type(".");
  await screen.until("an event", () => /^ event \d[\d ]*: \S/.test(notice(screen)));
  screen.type("m");
  await screen.until("the next message", () => notice(screen).includes("message") && virtualTime(screen) > at);
  screen.type(",");
  await screen.until("back", () => notice(screen).includes("back at"));
  assert.equal(virtualTime(screen), at, said);
  screen.type(";");
  await screen.until("a millisecond", () => Math.abs(virtualTime(screen) - at - 0.001) < 1e-9);
  screen.type("bstart");
  await screen.until("the timeline", (text) => text.includes("Go to a virtual time"));
  screen.type(KEY.enter);
  await screen.until("the start", () => virtualTime(screen) === 0 && notice(screen).includes("back at 0.000"));
});

timeTest("run, pause, back, another turn, and both side by side", [TURNING], async (screen) => {
  await screen.until("figures", (text) => /all +\d/.test(text) && virtualTime(screen) > 0.003);
  screen.type(" ");
  await screen.until("PAUSED", (text) => text.includes("PAUSED"));
  const seen = picture(screen);
  screen.type("b");
  await screen.until("the prompt", (text) => text.includes("Go to a virtual time"));
  screen.type("-2 ms");
  await screen.until("the time", (text) => text.includes("go to -2 ms"));
  screen.type(KEY.enter);
  await screen.until("back", (text) => text.includes("back at") && text.includes("turn 2"));
  assert.notEqual(picture(screen), seen);
  screen.type("B");
  await screen.until("the fork", (text) => text.includes("figures come when both have run on"));
  screen.type(" ");
  await screen.until("both turns", (text) => {
    const ratio = /throughput, MB\/s +[\d.]+ +[\d.]+ +x([\d.]+)/.exec(text);
    return ratio !== null && ratio[1] !== "1.00" && /turn 2 .*link a-b loses 2 %/.test(text);
  });
  screen.type("B");
  await screen.until("no box", (text) => !text.includes("Turns 1 and 2"));
});
