import type { InputRecord } from "../../cluster/input.ts";
import type { Setting } from "../settings.ts";

/** What the menu must know of the run, beyond the picture. */
export interface World {
  readonly settings: readonly Setting[];
  readonly inputs: readonly InputRecord[];
  /** Numbers (from 1) of those whose effect went on when it was looked. */
  readonly lasting: readonly number[];
}

/** The menu "change the world": a list, and the form of the entry that was chosen. */
export interface MenuState {
  /** Null until it has been looked at. */
  readonly world: World | null;
  /** Id of the entry under the cursor. */
  readonly chosen: string;
  /** The form of the chosen entry is open. */
  readonly isOpen: boolean;
  /** The field of the form that has the keys. */
  readonly field: number;
  /** What was typed or stepped to, by field; other fields have their default. */
  readonly values: Readonly<Record<string, string>>;
  /** The next character begins the value anew. */
  readonly isFresh: boolean;
  /** Why what the form says cannot be done, as the run has answered. */
  readonly problem: string | null;
}

export const CLOSED_MENU: MenuState = {
  world: null,
  chosen: "loss",
  isOpen: false,
  field: 0,
  values: {},
  isFresh: true,
  problem: null,
};
