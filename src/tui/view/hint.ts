import { KEYS } from "../keymap.ts";
import { paint, width as widthOf } from "../text.ts";

/** How much has been seen of the first hint. */
export interface Hint {
  readonly keys: number;
  readonly frames: number;
}

export const FIRST_HINT: Hint = { keys: 0, frames: 0 };
/** Who has pressed so many keys has found them. */
const ENOUGH_KEYS = 3;
/** Pictures, about 20 seconds. */
const ENOUGH_FRAMES = 200;

/** Keys to try first, those that there are. */
const TRY: readonly (readonly [key: string, text: string])[] = [
  ["?", "help"],
  [":", "commands"],
  ["t", "guided tours"],
  ["p", "another path"],
  ["c", "compare paths"],
  ["a", "one message"],
  ["f", "change the world"],
  ["tab", "next pane"],
];

/** The hint after a key or a picture; null from when it is no longer needed, for the rest of the session. */
export function hintAfter(hint: Hint | null, what: "key" | "frame"): Hint | null {
  if (hint === null) return null;
  const keys = hint.keys + Number(what === "key");
  const frames = hint.frames + Number(what === "frame");
  return keys >= ENOUGH_KEYS || frames >= ENOUGH_FRAMES ? null : { keys, frames };
}

/** The hint as one line of at most `width` columns. */
export function hintLine(width: number): string {
  let line = ` ${paint("accent", "try")}`;
  for (const [key, text] of TRY) {
    const binding = KEYS.find(({ keys }) => keys.includes(key));
    if (binding === undefined) continue;
    const item = `  ${paint("key", binding.show.split(" ")[0])} ${text}`;
    if (widthOf(line) + widthOf(item) <= width) line += item;
  }
  return line;
}
