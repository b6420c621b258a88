import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { type ModeName, MODES } from "./registry.ts";

/*
 * A box stands over whatever was there: panes, or a mode with a body of its own. That goes on beneath it, and has the
 * keys again when the box is closed.
 */

/** `model` with the box open. */
export function openBox(model: Model, box: ModeName): Model {
  return { ...model, mode: box, under: MODES[model.mode].isBox === true ? model.under : model.mode };
}

/** What was there before has the keys again. */
export function closeBox(model: Model): Model {
  return { ...model, mode: model.under, under: "normal" };
}

/** The body of what is beneath the box; null where that is the panes. */
export function bodyBeneath(model: Model, area: Region): Region[] | null {
  return MODES[model.under].body?.({ ...model, mode: model.under }, area) ?? null;
}
