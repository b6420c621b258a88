import { actionOf } from "../keymap.ts";
import { centred } from "../layout.ts";
import type { Model } from "../model.ts";
import { paint, sanitize, wrap } from "../text.ts";
import { frame } from "../view/frame.ts";
import { bodyBeneath } from "./box.ts";
import { CLOSE_ON_ANY_KEY } from "./close.ts";
import type { Mode } from "./mode.ts";

const WIDTH = 90;

/** A message that must not be overlooked, such as a scenario that cannot run; any key closes it. */
function view(model: Model, width: number, height: number): string[] {
  const text = model.message.flatMap((line) => wrap(sanitize(line), width - 4));
  const room = Math.max(1, height - 4);
  const lines = ["", ...text.slice(0, room - 1).map((line) => ` ${line}`)];
  return frame([...lines, "", paint("dim", " any key closes this; the run goes on as it was")], {
    title: paint("error", "Cannot do that"),
    width,
    height,
    focused: true,
  });
}

/** Lines of the message, a frame, and a line that says how to go on. */
function heightOf(model: Model): number {
  const width = Math.min(WIDTH, model.columns) - 4;
  return model.message.flatMap((line) => wrap(sanitize(line), width)).length + 5;
}

/** A key that opens a run also does that, so that `p` walks on past a path that cannot run. */
export const message: Mode = {
  isBox: true,
  body: bodyBeneath,
  key: (model, key) => /^(path|scenario)-/.test(actionOf(key) ?? "") ? null : CLOSE_ON_ANY_KEY(model),
  boxes: (model) => [centred("message", model, WIDTH, heightOf(model))],
  views: { message: view },
};
