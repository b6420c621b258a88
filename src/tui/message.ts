import type { Input } from "../cluster/input.ts";
import type { TourStep } from "../cluster/tour.ts";
import type { LiveSnapshot } from "../report/live_snapshot.ts";
import type { ComparedPath } from "./compare/state.ts";
import type { CopyWhat } from "./copy.ts";
import type { Model } from "./model.ts";
import type { AnatomyEffect, AnatomyMessage } from "./modes/anatomy.ts";
import type { ExportAbility, ExportKind } from "./modes/export.ts";
import type { World } from "./modes/menu_state.ts";
import type { Order, TimeMessage } from "./time.ts";

export type MouseMessage = Readonly<
  { type: "mouse"; kind: "click" | "wheelup" | "wheeldown"; x: number; y: number }
>;

/** Everything that can happen to the dashboard. */
export type Message =
  | { type: "key"; key: string }
  /** What a text field takes; elsewhere pasted text is no keys. */
  | { type: "paste"; text: string }
  | MouseMessage
  | { type: "resize"; columns: number; rows: number }
  | { type: "frame"; live: LiveSnapshot | null; nowPs: number; finished: boolean; pace: number }
  | {
    type: "opened";
    scenario: string;
    path: string | null;
    live: LiveSnapshot;
    nowPs: number;
    endPs: number;
    tour?: readonly TourStep[];
  }
  | TimeMessage
  | { type: "failed"; text: string }
  /** Wall time has gone by. */
  | { type: "tick"; wallMs: number }
  | AnatomyMessage
  /** What the compared paths have come to. */
  | { type: "compare"; paths: readonly ComparedPath[] }
  | { type: "notice"; level: "info" | "warn" | "error"; text: string }
  /** The terminal reads again, which for so long it did not. */
  | { type: "stalled"; wallMs: number }
  /** What can be exported, asked for by "export-look". */
  | { type: "export-ability"; ability: ExportAbility }
  /** What the program itself cost of late, as one line. */
  | { type: "timings"; text: string }
  /** Something was done to the world; the picture that follows has it in the event log. */
  | { type: "applied"; text: string; live: LiveSnapshot }
  /** It cannot be done. */
  | { type: "refused"; text: string }
  | { type: "menu-world"; world: World }
  /** Whether what the form says can be done, asked for by "menu-check": null, or why not. */
  | { type: "menu-checked"; problem: string | null }
  /** The log that the run follows: whether it still does, and once, at its end, what came of it. */
  | {
    type: "replay";
    isFollowing: boolean;
    endPs: number;
    verdict: { readonly level: "info" | "error"; readonly text: string } | null;
  };

/** What the model asks the world to do; running, pausing and the speed follow from the model itself. */
export type Effect =
  | { type: "open"; scenario: string; path: string | null }
  | { type: "step" }
  | { type: "travel"; order: Order }
  /** Asks what the menu must know of the run. */
  | { type: "menu-look" }
  /** Asks the run whether it would take what the form says. */
  | { type: "menu-check"; input: Input }
  /** A millisecond of all compared paths. */
  | { type: "compare-step" }
  | { type: "redraw" }
  | { type: "suspend" }
  /** Does something to the world of the run; why it cannot be done becomes a notice. */
  | { type: "apply"; input: Input }
  | { type: "copy"; text: string; what: CopyWhat }
  /** Whether the mouse is ours. */
  | { type: "mouse"; on: boolean }
  | { type: "export-look" }
  /** Writes a file; `screen` is the screen as text, `forPs` how long a recording looks on, picoseconds. */
  | { type: "export"; kind: ExportKind; forPs: number; screen: string }
  | AnatomyEffect
  | { type: "quit"; code: number };

/** The new model, and what is to be done in the world, in this order. */
export type Update = readonly [model: Model, effects: readonly Effect[]];
