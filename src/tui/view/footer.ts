import { KEYS } from "../keymap.ts";
import type { Model } from "../model.ts";
import { MODES } from "../modes/registry.ts";
import { left, paint, width as widthOf } from "../text.ts";

/** Keys that stay when the screen is narrow: how to learn the others, and how to leave. */
const ALWAYS = ["help", "quit"];

/** The keys that people look for, as many as fit. */
export function footer(model: Model, width: number): string[] {
  const own = MODES[model.mode].keys?.map((key) => ({ ...key, action: "", footerShow: undefined }));
  const items = (own ?? KEYS).filter((binding) => binding.footer !== undefined).map((binding) => ({
    action: binding.action as string,
    text: `${paint("key", binding.footerShow ?? binding.show)} ${binding.footer}`,
  }));
  const gap = "  ";
  const fits = () => widthOf(items.map((item) => item.text).join(gap)) + 2 <= width;
  while (!fits()) {
    const last = items.findLastIndex((item) => !ALWAYS.includes(item.action));
    if (last < 0) break;
    items.splice(last, 1);
  }
  return [left(` ${items.map((item) => item.text).join(gap)}`, width)];
}
