import { openScenario } from "../src/cli/catalogue.ts";
import { LiveRun } from "../src/cli/live_run.ts";
import { Recording } from "../src/cluster/recording.ts";
import { Session } from "../src/cluster/session.ts";
import { initialModel, type Model } from "../src/tui/model.ts";
import { render } from "../src/tui/screen.ts";
import type { Message } from "../src/tui/message.ts";
import { update } from "../src/tui/update.ts";

/*
 * Memory and wall time of going back in `scale-40-vms`, as the dashboard does it but without a terminal:
 * `deno run --allow-read --allow-env --allow-sys bench/rewind.ts [virtual seconds] [rewinds]`. The run goes on to that time, a picture
 * drawn ten times in a virtual second; then back 5 s (or half way), loss on the link as another turn, on to where it had
 * been, and so again. Prints the resident memory at each step; its peak counts, in the middle of a way back, where
 * two runs are alive.
 */

const [seconds = 6, rewinds = 3] = Deno.args.map(Number);
const BACK = Math.min(5, seconds / 2);
const FRAME_PS = 1e11;

const scenario = openScenario("scale-40-vms", []);
const make = () => new Session(scenario, { endless: true });
let run = new LiveRun(new Recording(make(), make), { command: "bench", version: "0" });
let model: Model = initialModel({
  version: "0",
  scenarios: [],
  paths: [],
  initial: scenario.name,
  theme: "standard",
  columns: 120,
  rows: 40,
});
let peak = 0;

function tell(message: Message): void {
  model = update(model, message)[0];
  render(model);
  peak = Math.max(peak, Deno.memoryUsage().rss);
}

function look(): void {
  tell({ type: "frame", live: run.live(), nowPs: run.now, finished: run.finished, pace: 1 });
  tell({ type: "seen", inputs: run.inputs, intervals: run.intervals });
}

function report(what: string, since: number): void {
  const wall = `${((performance.now() - since) / 1000).toFixed(1)} s`;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  const { rss } = Deno.memoryUsage();
  console.log(`${what.padEnd(40)} ${wall.padStart(8)}   now ${megabytes(rss)}, peak ${megabytes(peak)}`);
}

function goOn(toPs: number): void {
  while (run.now < toPs && !run.finished) {
    const next = Math.min(toPs, run.now + FRAME_PS);
    while (!run.advance(next, 10_000));
    look();
  }
}

tell({ type: "opened", scenario: scenario.name, path: null, live: run.live(), nowPs: 0, endPs: run.end });
let since = performance.now();
goOn(seconds * 1e12);
report(`on to ${seconds} s`, since);
for (let turn = 2; turn <= rewinds + 1; turn++) {
  const to = Math.round((seconds - BACK) * 1e12) + turn;
  since = performance.now();
  const left = { inputs: run.inputs, intervals: run.intervals, samples: run.live().samples, endPs: run.now };
  const rewinding = await run.rewind(to);
  let there = null;
  while (there === null) {
    there = rewinding.advance(10_000);
    peak = Math.max(peak, Deno.memoryUsage().rss);
  }
  run.release();
  run = there as LiveRun;
  const { now: nowPs, finished, inputs, intervals } = run;
  tell({ type: "arrived", left, inputs, intervals, live: run.live(), nowPs, finished, pace: 1 });
  run.sampleAt(model.time.turns.flatMap((other) => other.intervals.map(({ toPs }) => toPs)));
  report(`back to ${(nowPs / 1e12).toFixed(3)} s`, since);
  since = performance.now();
  run.apply({ kind: "fault", link: "a-b", loss: 0.001 * turn, forPs: null });
  goOn(seconds * 1e12);
  report(`turn ${turn}, on to ${seconds} s`, since);
}
