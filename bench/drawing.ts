import process from "node:process";
import { openScenario, overridesOf } from "../src/cli/catalogue.ts";
import { Session } from "../src/cluster/session.ts";
import { LiveView } from "../src/report/live.ts";
import { initialModel } from "../src/tui/model.ts";
import { Painter } from "../src/tui/painter.ts";
import { render } from "../src/tui/screen.ts";
import { THEMES } from "../src/tui/theme.ts";
import { update } from "../src/tui/update.ts";

/** Mean milliseconds of CPU, all threads, for one picture: reading the run, making the text, painting it; and characters for the terminal. */
export interface DrawingResult {
  readonly sampleMs: number;
  readonly renderMs: number;
  readonly paintMs: number;
  readonly bytes: number;
}

const COLUMNS = 200;
const ROWS = 50;

/** `frames` pictures of 40 guests that fill a link, 10 ms of virtual time apart, at 200 x 50. */
export function drawing(frames: number): DrawingResult {
  const session = new Session(openScenario("scale-40-vms", overridesOf({})), { endless: true });
  const view = new LiveView(session, { command: "bench", version: "" });
  const options = { version: "", scenarios: [], paths: [], initial: "scale-40-vms", theme: "standard" } as const;
  let model = initialModel({ ...options, columns: COLUMNS, rows: ROWS });
  const opened = { scenario: "scale-40-vms", path: null, live: view.live(), nowPs: 0, endPs: session.end };
  [model] = update(model, { type: "opened", ...opened });
  const painter = new Painter();
  let bytes = 0;
  const spent = [0, 0, 0];
  const WARM_UP = 20;
  for (let frame = -WARM_UP; frame < frames; frame++) {
    session.advance(session.now + 10e9);
    const times = [cpuMs()];
    const live = view.live();
    times.push(cpuMs());
    [model] = update(model, { type: "frame", live, nowPs: session.now, finished: false, pace: 0.4 });
    const regions = render(model);
    times.push(cpuMs());
    bytes += painter.paint(regions, THEMES[model.theme], COLUMNS, ROWS).length;
    times.push(cpuMs());
    if (frame >= 0) spent.forEach((_, i) => spent[i] += times[i + 1] - times[i]);
  }
  const [sampleMs, renderMs, paintMs] = spent.map((ms) => ms / frames);
  return { sampleMs, renderMs, paintMs, bytes: Math.round(bytes / (frames + WARM_UP)) };
}

/** CPU time of the process: wall time would count what others do on the machine. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** In one line. */
export function drawingText({ sampleMs, renderMs, paintMs, bytes }: DrawingResult): string {
  const share = sampleMs + renderMs + paintMs; // milliseconds x 10 a second, in percent of 1000
  return `drawing: 40 guests at 200x50, sample ${sampleMs.toFixed(2)} ms, text ${renderMs.toFixed(2)} ms, ` +
    `paint ${paintMs.toFixed(2)} ms, ${bytes} bytes: ${share.toFixed(1)} % of a core at 10 a second`;
}
