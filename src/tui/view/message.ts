import type { Model } from "../model.ts";
import { paint, sanitize, wrap } from "../text.ts";
import { frame } from "./frame.ts";

/** A message that must not be overlooked, such as a scenario that cannot run; any key closes it. */
export function message(model: Model, width: number, height: number): string[] {
  const text = model.message.flatMap((line) => wrap(sanitize(line), width - 4));
  const room = Math.max(1, height - 4);
  const lines = ["", ...text.slice(0, room - 1).map((line) => ` ${line}`)];
  return frame([...lines, "", paint("dim", " any key closes this; the run before goes on")], {
    title: paint("error", "Cannot do that"),
    width,
    height,
    focused: true,
  });
}
