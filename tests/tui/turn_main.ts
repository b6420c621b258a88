/**
 * The dashboard on a real run which, whenever it has come back, takes another turn by itself: a link loses frames from
 * then on.
 */
import { LiveRun } from "../../src/cli/live_run.ts";
import { Recording } from "../../src/cluster/recording.ts";
import { Session } from "../../src/cluster/session.ts";
import { runDashboard } from "../../src/tui/app.ts";
import { scenario } from "../support/scenario.ts";

const stream = scenario({ path: "xen2mx", workload: { kind: "stream", size: "8 KiB" }, warmupPs: 1e9 });
const make = () => new Session(stream, { endless: true });

class TurningRun extends LiveRun {
  override async rewind(...where: Parameters<LiveRun["rewind"]>) {
    const rewinding = await super.rewind(...where);
    const advance = rewinding.advance.bind(rewinding);
    rewinding.advance = (maxEvents) => {
      const there = advance(maxEvents);
      there?.apply({ kind: "fault", link: "a-b", loss: 0.02, forPs: null });
      return there;
    };
    return rewinding;
  }
}

Deno.exit(
  await runDashboard({
    anatomy: () => Promise.reject(new Error("not here")),
    scenarios: [{ name: "test", title: "a stream", number: 1 }],
    initial: "test",
    paths: [],
    version: "0.0.0",
    open: () => new TurningRun(new Recording(make(), make), { command: "test", version: "0" }),
  }),
);
