import type { KeyBinding } from "../keymap.ts";
import type { Model } from "../model.ts";
import { type ModeName, MODES } from "./registry.ts";

/** Whether a key does in this mode what the key table says. */
export function isOfTable(model: Model, mode: ModeName, { keys }: KeyBinding): boolean {
  return keys[0].startsWith("C-") || MODES[mode].key({ ...model, mode }, keys[0]) === null;
}

/** Whether the mode's own list has a key of the table too. */
export function isListed(mode: ModeName, { show }: KeyBinding): boolean {
  const own = MODES[mode].keys?.flatMap((key) => key.show.split(" ")) ?? [];
  return show.split(" ").some((word) => own.includes(word));
}
