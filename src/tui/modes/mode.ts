import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import type { MouseMessage, Update } from "../message.ts";

/** A view: pure, from the model to `height` lines of tagged text, `width` columns each. */
export type View = (model: Model, width: number, height: number) => string[];

/** A key of a mode, for the footer and for help. */
export interface ModeKey {
  /** How the key is written on the screen. */
  readonly show: string;
  readonly help: string;
  /** Two words at most, for the footer. */
  readonly footer?: string;
  /** Whether it does something now; where it does not, the footer leaves it out. */
  does?(model: Model): boolean;
}

/**
 * Something that stands before the panes: a box, a menu, a prompt, or a whole other screen. One mode has the keys at a
 * time (`model.mode`); what it knows is in fields of the model of its own. Ctrl-C, Ctrl-L and Ctrl-Z work in every mode
 * and never come here.
 */
export interface Mode {
  /** Answers a key, or null to leave it to the key table, as if the mode were not there. */
  key(model: Model, key: string): Update | null;
  /** Whether keys are text in a field now: then pasted text goes there too. */
  takesText?(model: Model): boolean;
  /** Answers the mouse; null leaves it to the panes. Without it, a click closes the mode and the wheel does nothing. */
  mouse?(model: Model, message: MouseMessage): Update | null;
  /** Wall time has gone by, milliseconds: what moves by itself moves on. */
  tick?(model: Model, wallMs: number): Model;
  /** What stands in place of the panes: regions that fill `area`. Null, or without it: the panes stay. */
  body?(model: Model, area: Region): Region[] | null;
  /** Boxes above everything else. */
  boxes?(model: Model): Region[];
  /** The line above the footer, in place of the notice: a prompt, of `columns` columns at most. */
  prompt?(model: Model, columns: number): string;
  /** How its regions are drawn, by id; ids begin with the name of the mode. */
  readonly views: Readonly<Record<string, View>>;
  /** Keys that it answers: the footer and the help show these while it is on. Without: those of the key table. */
  readonly keys?: readonly ModeKey[];
  /** What it is and what its marks mean, a sentence or two, for the help. */
  readonly help?: string;
  /** It stands over another mode, which has the keys again afterwards (box.ts). */
  readonly isBox?: boolean;
}
