import { openRun } from "../src/cli/dash.ts";
import { openRunInput } from "../src/cli/run_input.ts";
import { PATHS } from "../src/path/registry.ts";
import { CompareDrive } from "../src/tui/drive/compare.ts";
import { Ticker } from "../src/tui/drive/ticker.ts";
import { initialModel, type Model } from "../src/tui/model.ts";
import { Pacer, WALL_CLOCK } from "../src/tui/pacer.ts";
import { render } from "../src/tui/screen.ts";
import { COLOUR, toSgr } from "../src/tui/theme.ts";
import type { Message } from "../src/tui/message.ts";
import { update } from "../src/tui/update.ts";

/** What comparing all paths costs, and how it feels. Times in milliseconds. */
export interface CompareFigures {
  readonly framesPerS: number;
  /** Share of the time that goes into looking at the runs, and into pictures of them. */
  readonly lookShare: number;
  readonly drawShare: number;
  /** From a key to the picture that shows what it did, without the terminal. */
  readonly keyMedian: number;
  readonly keyP99: number;
  /** Virtual over wall time. */
  readonly pace: number;
  readonly spreadMs: number;
  readonly rssMB: number;
}

/** The dashboard's turn of the event loop on all paths of a scenario, as fast as it goes, at 200 x 50, with a key every 37 ms. */
export async function compareAll(scenario: string, seconds: number): Promise<CompareFigures> {
  const paths = PATHS.map(({ name }) => name);
  let model: Model = initialModel({
    version: "0",
    scenarios: [],
    paths,
    initial: scenario,
    speed: Infinity,
    theme: "standard",
    columns: 200,
    rows: 50,
  });
  model = update({ ...model, compare: { ...model.compare, chosen: paths } }, { type: "key", key: "c" })[0];
  const open = async (path: string) =>
    await openRun(await openRunInput(scenario, { path, set: [] }), { oneOfMany: true });
  const fail = (error: unknown) => {
    throw error;
  };
  const drive = new CompareDrive(model.compare, scenario, open, fail);
  const pacer = new Pacer(WALL_CLOCK, fail);
  pacer.attach(drive.group);
  while (drive.group.held) await new Promise((resolve) => setTimeout(resolve, 5));
  pacer.drive(true, Infinity);

  const spent = { look: 0, draw: 0 };
  const keys: number[] = [];
  let frames = 0;
  let spread = 0;
  const apply = (message: Message) => {
    const start = performance.now();
    model = update(model, message)[0];
    for (const { lines } of render(model)) for (const line of lines) toSgr(line, COLOUR);
    spent.draw += performance.now() - start;
  };
  const tick = () => {
    const start = performance.now();
    const looked = drive.look();
    spent.look += performance.now() - start;
    spread = Math.max(spread, drive.group.spread);
    model = update(model, { type: "compare", paths: looked })[0];
    const { now, finished } = drive.group;
    apply({ type: "frame", live: null, nowPs: now, finished, pace: pacer.pace() });
    frames++;
  };
  const timer = new Ticker(WALL_CLOCK, 100, tick);
  // A key arrives while something else runs; when it was pressed is known from the clock, as a terminal would have it.
  let pressed = performance.now() + 37;
  const press = () => {
    apply({ type: "key", key: "right" });
    keys.push(performance.now() - pressed);
    pressed = performance.now() + 37;
    keyTimer = setTimeout(press, 37);
  };
  let keyTimer = setTimeout(press, 37);
  const startedAt = performance.now();
  const from = drive.group.now;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const wall = performance.now() - startedAt;
  timer.stop();
  clearTimeout(keyTimer);
  pacer.stop();
  const pace = (drive.group.now - from) / 1e9 / wall;
  drive.close();
  keys.sort((a, b) => a - b);
  return {
    framesPerS: frames / wall * 1000,
    lookShare: spent.look / wall,
    drawShare: spent.draw / wall,
    keyMedian: keys[keys.length >> 1],
    keyP99: keys[Math.floor(keys.length * 0.99)],
    pace,
    spreadMs: spread / 1e9,
    rssMB: Deno.memoryUsage().rss / 1e6,
  };
}

/** In one line. */
export function compareModeText(compared: CompareFigures): string {
  const share = (part: number) => `${(part * 100).toFixed(1)} %`;
  return [
    `compare-mode: ${compared.framesPerS.toFixed(1)} pictures/s  look ${share(compared.lookShare)}`,
    `draw ${share(compared.drawShare)}  key ${compared.keyMedian.toFixed(0)} ms, p99 ${compared.keyP99.toFixed(0)} ms`,
    `x${compared.pace.toFixed(4)}  apart ${compared.spreadMs.toFixed(2)} ms  ${compared.rssMB.toFixed(0)} MB`,
  ].join("  ");
}
