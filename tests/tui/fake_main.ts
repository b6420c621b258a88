/**
 * The dashboard on invented numbers: `deno run tests/tui/fake_main.ts [scenario] [wall ms per 1000 events] [throw|reject]`.
 * The last word has an error that nobody catches after a second.
 * The third run of a scenario breaks after 100 ms, to see what becomes of the terminal.
 */
import { runDashboard } from "../../src/tui/app.ts";
import { fakeOptions } from "./fake_run.ts";

const options = fakeOptions(Deno.args[0] ?? "scale-40-vms", Number(Deno.args[1] ?? 0));
if (Deno.args[2] === "throw") {
  setTimeout(() => {
    throw new Error("nobody catches this");
  }, 700);
} else if (Deno.args[2] === "reject") setTimeout(() => void Promise.reject(new Error("nobody catches this")), 700);
const opened = new Map<string, number>();

Deno.exit(
  await runDashboard({
    ...options,
    open(name, overrides) {
      const run = options.open(name, overrides);
      const key = `${name} ${overrides.path}`;
      opened.set(key, (opened.get(key) ?? 0) + 1);
      if (opened.get(key) === 3) {
        const advance = run.advance.bind(run);
        run.advance = (until, maxEvents) => {
          if (run.now > 1e11) throw new Error("the fake engine broke");
          return advance(until, maxEvents);
        };
      }
      return run;
    },
  }),
);
