import type { AnatomySource } from "./drive/anatomy.ts";
import type { ReportFiles } from "./drive/export.ts";
import type { DashboardRun } from "./run.ts";
import type { ThemeName } from "./theme.ts";

/** What the dashboard needs from the command line: names to choose from, and a way to build runs. */
export interface DashboardOptions {
  scenarios: readonly { name: string; title: string; number: number }[];
  /** Scenario to begin with. */
  initial: string;
  /** What the key `p` walks through. */
  paths: readonly string[];
  version: string;
  /** Colours to begin with; without: the standard ones, and none with NO_COLOR. */
  theme?: ThemeName;
  /** Where exports go; without it there are none. */
  files?: ReportFiles;
  /** How often something else has written on the screen until now, after which all of it is drawn again. */
  disturbances?(): number;
  /** Gets the run that the screen showed last, when the dashboard is closed. */
  closed?(run: DashboardRun): void;
  /**
   * Builds a fresh run, with `oneOfMany` for several at the same time; throws an Error with a printable message of at
   * most one screen when it cannot.
   */
  open(
    name: string,
    overrides: { path?: string; seed?: number; oneOfMany?: boolean },
  ): DashboardRun | Promise<DashboardRun>;
  /** Records one message of each class on a path, as the scenario has it; rejects with a printable message. */
  anatomy(name: string, path: string): Promise<AnatomySource>;
}
