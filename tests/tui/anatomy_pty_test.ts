/** One message, step by step, in a real pseudo-terminal: the real program, recording on its real machine. */
import assert from "node:assert/strict";
import { KEY, PtyScreen } from "./pty.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

Deno.test({
  name: "anatomy: open, step, play, next class, another path, leave",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const screen = new PtyScreen({ columns: 120, rows: 40, args: [MAIN, "dash", "pingpong-tiny"] });
    try {
      await screen.until("a run", (text) => / t \d+\.\d+ .*RUNNING|RUNNING[\s\S]* t \d/.test(text));
      screen.type("a");
      await screen.until("a recording", (text) => /Anatomy of a tiny message \(32 B\) on xen2mx/.test(text));
      await screen.until("its first step", (text) => /▸ +0\.000 +0\.150 +vm02 program +Open-MX library/.test(text));
      for (let i = 0; i < 6; i++) screen.type(".");
      await screen.until("the ring", (text) => /▸ +0\.608 .*command ring: slot \d+ published, SEND_TINY/.test(text));
      await screen.until("the slot", (text) => /command ring +.* \d+■/.test(text));
      screen.type(",");
      await screen.until("the step before", (text) => /▸ +0\.604 +0\.004 +vm02 kernel +payload copy/.test(text));

      screen.type("++++ ");
      await screen.until("playing", (text) => text.includes("PLAYING 10 us/s"));
      await screen.until("the end", (text) => /STOPPED {2}step (\d+) of \1\b/.test(text));

      screen.type("n");
      await screen.until("the next class", (text) => text.includes("Anatomy of a small message (128 B)"));
      await screen.until("all classes", (text) => /large 512 KiB +large 512 KiB first/.test(text));
      screen.type("N");
      screen.type(KEY.end);
      screen.type(KEY.enter);
      await screen.until("the box", (text) => text.includes("This step"));
      screen.type(KEY.escape);
      await screen.until("no box", (text) => !text.includes("This step"));
      screen.type("p");
      await screen.until("the next path", (text) => /Anatomy of a tiny message \(32 B\) on bridged/.test(text));
      await screen.until("its rings", (text) => text.includes("netfront tx ring"));
      assert.ok(screen.lines()[0].includes("path xen2mx"), "the run is still on its own path");

      screen.type("a");
      await screen.until("the panes", (text) => text.includes("─ Guests"));
      screen.type("q");
      assert.equal((await screen.ended()).code, 0);
    } finally {
      screen.dispose();
    }
  },
});
