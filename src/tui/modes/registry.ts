import { caption } from "./caption.ts";
import { filter } from "./filter.ts";
import { help } from "./help.ts";
import { message } from "./message.ts";
import type { Mode } from "./mode.ts";
import { vm } from "./vm.ts";

/** The panes have the keys. */
const normal: Mode = { key: () => null, mouse: () => null, views: {} };

/** Every mode by its name. */
export const MODES = { normal, help, message, filter, vm } as const satisfies Record<string, Mode> as Readonly<
  Record<ModeName, Mode>
>;

export type ModeName = "normal" | "help" | "message" | "filter" | "vm";

/** What lies over the panes whatever the mode, and has no keys: captions, hints. */
export const OVERLAYS: readonly Mode[] = [caption];
