import type { Input } from "../../cluster/input.ts";
import { inputText } from "../../cluster/input_text.ts";
import { seconds } from "../format.ts";
import type { Model } from "../model.ts";
import type { CompareDrive } from "./compare.ts";
import type { DashboardRun } from "../run.ts";
import type { Effect, Message } from "../message.ts";

/** Does something to the run, or looks what can be done; what came of it goes back as messages. */
export function performMenu(
  effect: Extract<Effect, { type: "apply" | "menu-look" | "menu-check" }>,
  run: DashboardRun,
  model: Model,
  say: (message: Message) => void,
  sample: () => void,
): void {
  if (effect.type === "apply") {
    const { input } = effect;
    const problem = run.apply(input);
    if (problem === null) {
      // Also where virtual time stands still, the event log has it at once.
      const left = model.replay ? "; the rest of the log is left out" : "";
      say({ type: "applied", text: `${seconds(run.now, 6)} s  ${textOf(input, run)}${left}`, live: run.live() });
      sample();
    } else say({ type: "refused", text: problem });
    return;
  }
  if (effect.type === "menu-check") return say({ type: "menu-checked", problem: run.check?.(effect.input) ?? null });
  const world = { settings: run.settings?.() ?? [], inputs: run.inputs, lasting: run.lasting };
  say({ type: "menu-world", world });
}

/** The same for runs that are compared: what is done is done to all of them. */
export function performOnAll(
  effect: Extract<Effect, { type: "apply" | "menu-look" | "menu-check" }>,
  compare: CompareDrive,
  { live }: Model,
  say: (message: Message) => void,
): void {
  if (effect.type === "menu-look") return say({ type: "menu-world", world: compare.world });
  if (effect.type === "menu-check") return say({ type: "menu-checked", problem: compare.check(effect.input) });
  const text = textOf(effect.input, compare.world);
  const { isDone, problem } = compare.apply(effect.input);
  if (!isDone || live === null) return say({ type: "refused", text: problem ?? "not yet" });
  say({ type: "applied", text: problem === null ? `${text}, on every path` : `${text}; but ${problem}`, live });
}

/** As in the log; of what is ended, what that was. */
function textOf(input: Input, { inputs }: Pick<DashboardRun, "inputs">): string {
  return input.kind === "end" ? `ended: ${inputText(inputs[input.input - 1].input)}` : inputText(input);
}

/** What the model must know of the log that the run follows; null when it knows. */
export function replayMessage(run: DashboardRun, model: Model): Message | null {
  const verdict = run.replay?.takeVerdict() ?? null;
  const isFollowing = run.replay?.isFollowing ?? false;
  if (verdict === null && isFollowing === model.replay) return null;
  return { type: "replay", isFollowing, endPs: run.end, verdict };
}
