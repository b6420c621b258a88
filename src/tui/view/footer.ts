import { type KeyBinding, KEYS } from "../keymap.ts";
import type { Model } from "../model.ts";
import { MODES } from "../modes/registry.ts";
import { left, paint, width as widthOf } from "../text.ts";

/** Keys that stay when the screen is narrow: how to learn the others, and how to leave. */
const ALWAYS = ["help", "quit"];
/** The same two where a mode has keys of its own. */
const OWN_ACTIONS: Readonly<Record<string, string>> = { "?": "help", q: "quit" };
const GAP = "  ";

/** A key of the table or of a mode. */
type FooterKey = Pick<KeyBinding, "show" | "footer" | "footerShow" | "isSpare"> & { readonly action: string };

interface Item {
  readonly action: string;
  /** Keys as they are written, several with blanks between them. */
  readonly show: string;
  readonly text: string;
  readonly isSpare: boolean;
}

/** The keys that people look for, as many as fit. */
export function footer(model: Model, width: number): string[] {
  return [left(` ${itemsOf(model, width).map(painted).join(GAP)}`, width)];
}

/**
 * What a click at column `x` of the footer stands for: a key, or the beginning of a command where one entry speaks for
 * many keys. Null beside the entries.
 */
export function footerClick(model: Model, width: number, x: number): { key: string } | { palette: string } | null {
  let start = 1;
  for (const item of itemsOf(model, width)) {
    const end = start + widthOf(painted(item));
    if (x >= start && x < end) {
      if (item.action === "scenario-number") return { palette: "open " };
      return { key: keyAt(item.show, x - start) };
    }
    start = end + GAP.length;
  }
  return null;
}

function painted({ show, text }: Item): string {
  return `${paint("key", show)} ${text}`;
}

function itemsOf(model: Model, width: number): Item[] {
  const own = keysOf(model)?.map((key) => ({ ...key, action: OWN_ACTIONS[key.show] ?? "" }));
  const bindings: readonly FooterKey[] = own ?? KEYS;
  const items = bindings.filter((binding) => binding.footer !== undefined).map((binding): Item => ({
    action: binding.action,
    show: binding.footerShow ?? binding.show,
    text: binding.footer!,
    isSpare: binding.isSpare === true,
  }));
  const fits = () => widthOf(items.map(painted).join(GAP)) + 2 <= width;
  while (!fits()) {
    const spare = items.findLastIndex((item) => item.isSpare);
    const last = spare >= 0 ? spare : items.findLastIndex((item) => !ALWAYS.includes(item.action));
    if (last < 0) break;
    items.splice(last, 1);
  }
  return items;
}

/** The key of several that is written at column `x`; the first one beyond them. */
function keyAt(show: string, x: number): string {
  const words = [...show.matchAll(/\S+/g)];
  const under = words.find(({ index, 0: word }) => x >= index && x < index + word.length);
  return keyNamed((under ?? words[0])[0]);
}

const NAMES: Readonly<Record<string, string>> = {
  Esc: "escape",
  "Shift-Tab": "S-tab",
  "←": "left",
  "→": "right",
  "↑": "up",
  "↓": "down",
};

/** The terminal's name of a key, from how it is written on the screen: Enter, PageUp, Ctrl-L, up, x. */
export function keyNamed(shown: string): string {
  const named = NAMES[shown];
  if (named !== undefined) return named;
  if (shown.startsWith("Ctrl-")) return `C-${shown.slice(5).toLowerCase()}`;
  return [...shown].length === 1 ? shown : shown.toLowerCase();
}

/** Keys of the mode; a box without its own leaves those of what it stands over. */
function keysOf(model: Model) {
  const { mode, under } = model;
  const { keys, isBox } = MODES[mode];
  const own = keys ?? (isBox === true ? MODES[under].keys : undefined);
  return own?.filter(({ does }) => does?.(model) ?? true);
}
