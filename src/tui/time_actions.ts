import { MS } from "../base/units.ts";
import type { Action } from "./keymap.ts";
import type { Update } from "./message.ts";
import { type Model, travelOf } from "./model.ts";
import { openSeek } from "./modes/seek.ts";
import type { Order, StepKind, TimeState } from "./time.ts";

/* What the keys of time do: the run is stepped, taken elsewhere, and compared with what it had been. */

/** What `pause` and `dismiss` mean while the run is on its way: it is given up. Null for other keys, and without a way. */
export function givenUp(model: Model, action: Action): Update | null {
  if ((action !== "pause" && action !== "dismiss") || travelOf(model) === null) return null;
  return travel(model, { kind: "stop" });
}

/** What can only be said to who asks more of a run that is over. */
export function over(model: Model): Update {
  return told(model, "the run is over: r starts it again, ] opens the next scenario, b goes back");
}

export const TIME = {
  step: (model: Model) => model.finished ? over(model) : [stepping(model, "event"), [{ type: "step" }]],
  "step-message": (model: Model) =>
    model.finished ? over(model) : travel(stepping(model, "message"), { kind: "message" }),
  "step-millisecond": (model: Model) =>
    model.finished ? over(model) : travel(stepping(model, "millisecond"), { kind: "forward", byPs: MS }),
  back: (model: Model) => travel({ ...model, running: false }, { kind: "back", by: model.time.step }),
  seek: (model: Model) => [openSeek(model), []],
  turns(model: Model) {
    const { time } = model;
    if (time.turns.length > 0) return [{ ...model, time: { ...time, ...nextShown(time) } }, []];
    return told(model, "there is no other turn yet: go back with , or b, then do something else");
  },
} satisfies Partial<Record<Action, (model: Model) => Update>>;

/** The run stands after each step, and `,` goes back by the same kind. */
function stepping(model: Model, step: StepKind): Model {
  return { ...model, running: false, time: { ...model.time, step } };
}

function travel(model: Model, order: Order): Update {
  return [model, [{ type: "travel", order }]];
}

function told(model: Model, text: string): Update {
  return [{ ...model, notice: { level: "info", text } }, []];
}

/** In the charts only, then each turn in the box from the latest on, then none. */
function nextShown({ turns, chosen, boxed }: TimeState): Pick<TimeState, "chosen" | "boxed"> {
  const numbers = turns.map(({ number }) => number).reverse();
  if (chosen === null || !boxed) return { chosen: chosen ?? numbers[0], boxed: true };
  const next = numbers[numbers.indexOf(chosen) + 1];
  return next === undefined ? { chosen: null, boxed: false } : { chosen: next, boxed: true };
}
