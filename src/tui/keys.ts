import { act } from "./actions.ts";
import { TOO_LONG } from "./field.ts";
import { type Action, actionOf } from "./keymap.ts";
import type { Update } from "./message.ts";
import type { Model } from "./model.ts";
import { closeBox } from "./modes/box.ts";
import { MODES } from "./modes/registry.ts";
import { sanitize } from "./text.ts";
import { pressed } from "./tour.ts";
import { hintAfter } from "./view/hint.ts";

/** Keys that work in every mode. */
const EVERYWHERE: readonly (Action | null)[] = ["interrupt", "redraw", "suspend"];

/** Keys that must work in every mode come first, then the mode's own, then the table. */
export function key(before: Model, name: string): Update {
  const notice = before.notice?.isOfField === true ? null : before.notice;
  const model = { ...before, notice, hint: hintAfter(before.hint, "key") };
  const action = actionOf(name);
  if (action !== null && EVERYWHERE.includes(action)) return act(model, action, name);
  const answer = MODES[model.mode].key(model, name);
  if (answer !== null) return answer;
  const open = model.mode === "message" ? closeBox(model) : model;
  return action === null ? [model, []] : pressed(act({ ...open, notice: null }, action, name), name);
}

/** Pasted text goes into a text field, character by character; a line's end does not run it. Elsewhere it does nothing. */
export function paste(model: Model, text: string): Update {
  const { key, takesText } = MODES[model.mode];
  if (takesText?.(model) !== true) {
    return [{ ...model, notice: { level: "info", text: "pasted text is not taken for keys; : takes a command" } }, []];
  }
  let update: Update = [model, []];
  // What is asked of the world is about the whole text.
  for (const char of sanitize(text).trim()) {
    update = key(update[0], char === " " ? "space" : char) ?? update;
    if (update[0].notice?.isOfField === true) return [{ ...model, notice: TOO_LONG }, []];
  }
  return update;
}
