import { runCase } from "./run_case.ts";

/** Runs one case, given as JSON `[case, stretch]`, in a process of its own, and prints its outcome as JSON. */
if (import.meta.main) {
  const [run, stretch] = JSON.parse(Deno.args[0]);
  console.log(JSON.stringify(await runCase(run, stretch)));
}
