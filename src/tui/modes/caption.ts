import type { Model } from "../model.ts";
import { left, paint, sanitize, wrap } from "../text.ts";
import { stepOf, tourHeight } from "../tour.ts";
import { frame } from "../view/frame.ts";
import type { Mode } from "./mode.ts";

/** The present caption of a guided tour: words, a question, and what to press. */
function view(model: Model, width: number, height: number): string[] {
  const tour = model.tour!;
  const step = stepOf(model)!;
  const inner = width - 4;
  const said = wrap(sanitize(tour.text), inner);
  const asked = tour.ask === "" ? [] : wrap(`? ${sanitize(tour.ask)}`, inner).map((line) => paint("accent", line));
  const answer = tour.answered ? wrap(sanitize(tour.answer), inner) : [];
  const room = height - 3;
  const lines = [...said, ...asked, ...answer];
  // What was read first gives way to what comes last.
  const shown = lines.slice(Math.max(0, lines.length - room));
  while (shown.length < room) shown.push("");
  return frame([...shown, hint(model)].map((line) => ` ${left(line, inner)}`), {
    title: `${paint("accent", sanitize(step.title))}`,
    note: `${tour.index + 1} of ${tour.steps.length}`,
    width,
    height,
    focused: true,
  });
}

/** What goes on with the tour. */
function hint(model: Model): string {
  const tour = model.tour!;
  const step = stepOf(model)!;
  const key = (name: string, text: string) => `${paint("key", name)} ${text}`;
  const away = key("Esc", "put away");
  if (tour.ask !== "" && !tour.answered) return `${key("t", "the answer")}   ${away}`;
  if (step.press !== undefined) return `press ${paint("key", step.press)}   ${key("t", "skip")}   ${away}`;
  const last = tour.index + 1 === tour.steps.length;
  return `${key("t", last ? "end the tour" : "go on")}   ${away}`;
}

export const caption: Mode = {
  key: () => null,
  boxes: (model) => {
    const height = tourHeight(model);
    if (height === 0 || model.mode !== "normal") return [];
    return [{ id: "caption", x: 0, y: model.rows - 2 - height, width: model.columns, height }];
  },
  views: { caption: view },
};
