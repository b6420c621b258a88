/**
 * The dashboard on invented numbers in a world that stands still: `deno run tests/tui/frozen_main.ts [scenario]`. Every
 * run has been going on for 2.3 virtual seconds when it opens, and goes no further, so that a screen is always the same.
 */
import { runDashboard } from "../../src/tui/app.ts";
import { fakeOptions } from "./fake_run.ts";

const options = fakeOptions(Deno.args[0] ?? "scale-40-vms");

Deno.exit(
  await runDashboard({
    ...options,
    open(name, overrides) {
      const run = options.open(name, overrides);
      for (let at = 0.1; at < 2.35; at += 0.1) {
        run.advance(Math.round(at * 1e12), Infinity);
        run.live();
      }
      run.advance = () => true;
      return run;
    },
  }),
);
