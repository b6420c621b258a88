import { KEY, PtyScreen } from "../tests/tui/pty.ts";

/*
 * Key-to-screen delay: `deno task keys [presses] [size ...]`, such as `deno task keys 200 80x24`. The dashboard runs in a pseudo-terminal while 40 guests saturate the
 * link as fast as the engine goes; a key is pressed, and the time is taken until the screen that a terminal emulator makes
 * of the output shows what the key asked for. The emulator's own work is in the figures. Beside them what the dashboard
 * says of itself: share of its thread for drawing, sampling and the engine.
 */

const SIZES = ["80x24", "120x40", "200x50"];
const MAIN = new URL("../main.ts", import.meta.url).pathname;

type Condition = (text: string) => boolean;

/** Keys with what is to be seen after each: selection, sorting, zoom, boxes with text typed into them. */
function round(vm: number): [key: string, then: Condition][] {
  const has = (part: string): Condition => (text) => text.includes(part);
  const not = (part: string): Condition => (text) => !text.includes(part);
  return [
    [KEY.down, has(`▸vm${String(vm).padStart(2, "0")}`)],
    ["?", has(" keys ─ ")],
    ["x", not(" keys ─ ")],
    ["S", has(" by vm ▼")],
    ["S", not(" by vm ▼")],
    [":", has("─ Commands ─")],
    ["p", has(":p█")],
    [KEY.escape, not("─ Commands ─")],
    ["e", has("─ Export ─")],
    [KEY.escape, not("─ Export ─")],
  ];
}

async function measure(columns: number, rows: number, presses: number) {
  const screen = new PtyScreen({ columns, rows, args: [MAIN, "dash", "scale-40-vms"] });
  const delays: number[] = [];
  const reports: string[] = [];
  try {
    await screen.until("figures", (text) => /vm\d+ .*\d+ +\d+/.test(text));
    screen.type("+++");
    await screen.until("max", (text) => text.includes("speed max"));
    screen.type(":timings on\r");
    await screen.until("timings", (text) => text.includes("engine"));
    for (let vm = 2; delays.length < presses; vm = vm === 40 ? 2 : vm + 1) {
      if (vm === 2 && delays.length > 0) screen.type("g");
      for (const [key, then] of round(vm)) {
        // At any phase of the slices and pictures.
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
        const start = performance.now();
        screen.type(key);
        await screen.until(`${JSON.stringify(key)} to be answered`, then);
        delays.push(performance.now() - start);
      }
      const report = /draw [\d.]+ .*all [\d.]+ %/.exec(screen.lines()[1])?.[0];
      if (report !== undefined && report !== reports.at(-1)) reports.push(report);
    }
    screen.type("q");
    await screen.ended();
  } finally {
    screen.dispose();
  }
  return { delays: delays.sort((a, b) => a - b), reports };
}

const [presses = "500", ...sizes] = Deno.args;
for (const size of sizes.length > 0 ? sizes : SIZES) {
  const [columns, rows] = size.split("x").map(Number);
  const { delays, reports } = await measure(columns, rows, Number(presses));
  const at = (fraction: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * fraction))].toFixed(1);
  console.log(
    `${size.padEnd(7)} ${delays.length} keys: median ${at(0.5)} ms, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}; ${
      reports.at(-1)
    }`,
  );
}
