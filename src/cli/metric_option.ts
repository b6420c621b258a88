import type { Scenario } from "../cluster/scenario.ts";
import { checkThreshold } from "../report/thresholds.ts";
import { UsageError } from "./exit.ts";

/** A metric that an option names has to be one figure of some run at least. Throws {@link UsageError}. */
export function checkMetric(option: string, metric: string, scenarios: readonly Scenario[]): void {
  if (metric.includes("*")) {
    throw new UsageError(`${option}: found ${metric}, wanted one figure, such as guests[0].messages`);
  }
  const problems = scenarios.map((scenario) => checkThreshold(`${metric} >= 0`, scenario));
  if (problems.includes(null)) return;
  const problem = problems[0]!.replaceAll(`${metric} >= 0`, metric);
  const isLost = problem.startsWith("unknown metric") && !/did you mean|wanted/.test(problem);
  throw new UsageError(`${option}: ${problem}${isLost ? "; `mxtop list metrics` shows them" : ""}`);
}
