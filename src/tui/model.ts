import type { LiveSnapshot } from "../report/live_snapshot.ts";
import type { Bottleneck } from "../report/snapshot.ts";
import { type AnatomyState, NO_ANATOMY } from "./anatomy/state.ts";
import { type CompareState, NO_COMPARISON } from "./compare/state.ts";
import type { ExportState } from "./modes/export.ts";
import type { PaletteState } from "./modes/palette.ts";
import { CLOSED_MENU, type MenuState } from "./modes/menu_state.ts";
import type { ModeName } from "./modes/registry.ts";
import type { TourState } from "./tour.ts";
import type { ThemeName } from "./theme.ts";
import { FIRST_VIEWS, type PaneViews } from "./view/pane_views.ts";
import { FIRST_HINT, type Hint } from "./view/hint.ts";
import { NO_SEEK, type SeekState } from "./modes/seek_state.ts";
import { NO_TIME, type TimeState } from "./time.ts";

/** Panes in the order of the tabs. */
export const PANES = [
  "guests",
  "latency",
  "throughput",
  "host",
  "guest",
  "stages",
  "rings",
  "network",
  "events",
] as const;
/** A part of the body that can have the focus. */
export type Pane = typeof PANES[number];

/** Columns of the guests pane that it can be sorted by, in the order in which `s` walks through them. */
export const SORT_COLUMNS = [
  "vm",
  "host",
  "path",
  "p50",
  "p99",
  "MBps",
  "rate",
  "cpu",
  "steal",
  "ring",
  "grants",
  "notes",
  "resent",
] as const;
/** A column to sort by. */
export type SortColumn = typeof SORT_COLUMNS[number];

/** Speeds as factors of wall time; the last is "as fast as it goes". */
export const SPEEDS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, Infinity] as const;
/** Index of the speed at which a virtual second takes a second. */
export const REAL_TIME = SPEEDS.indexOf(1);

/** A scenario that can be opened; those with numbers 1 to 9 by that key, 0 stands for a file of the user. */
export interface ScenarioItem {
  name: string;
  title: string;
  number: number;
}

/** What the line above the footer says until the next key. */
export interface Notice {
  level: "info" | "warn" | "error";
  text: string;
  /** How long it has been there, milliseconds of wall time; 0 where it is left out. */
  shownMs?: number;
  /** About the text in a field: it stands beside that until the next key. */
  isOfField?: boolean;
}

/**
 * All that the screen is drawn from and all that a key can change: plain data, replaced and never modified. The run
 * itself stays outside; the model only holds the last picture of it.
 */
export interface Model {
  readonly version: string;
  readonly scenarios: readonly ScenarioItem[];
  readonly paths: readonly string[];
  readonly theme: ThemeName;
  /** No colour: glyphs have to tell apart what colours would. Follows from the theme. */
  readonly monochrome: boolean;

  /** Scenario of the run that is open. */
  readonly scenario: string;
  /** Path chosen with `p`; null: the one that the scenario names. */
  readonly path: string | null;
  /** Path or scenario asked for last, also when it could not be opened, so that the same key goes on from there. */
  readonly tried: { readonly scenario: string; readonly path: string | null };

  /** What the user wants; the run can be over all the same, see {@link finished}. */
  readonly running: boolean;
  readonly finished: boolean;
  /** Index into {@link SPEEDS}. */
  readonly speed: number;
  /** Virtual seconds per wall second over the last second. */
  readonly pace: number;
  /** Virtual time and the end of the run, picoseconds. */
  readonly nowPs: number;
  readonly endPs: number;
  readonly live: LiveSnapshot | null;
  /** The run follows a log of inputs. */
  readonly replay: boolean;

  readonly pane: Pane;
  /** One pane over the whole body, whatever the size. */
  readonly zoomed: boolean;
  /** Which of its views each pane shows that has several. */
  readonly views: PaneViews;
  /** Who gets the keys: the panes, or something that stands before them. */
  readonly mode: ModeName;
  /** What a box stands over, see modes/box.ts. */
  readonly under: ModeName;
  readonly helpPage: number;
  readonly palette: PaletteState;
  readonly exporting: ExportState;
  /** What to try first; null once that is known. */
  readonly hint: Hint | null;
  /** What the program itself costs, as text for a corner of the screen; null when nobody asked. */
  readonly timings: string | null;
  /** Whether the mouse is ours; otherwise the terminal selects text with it. */
  readonly mouse: boolean;
  readonly menu: MenuState;
  readonly compare: CompareState;
  readonly message: readonly string[];
  readonly notice: Notice | null;

  /** Alone on a small screen, a VM shows the stages of its messages in place of its library. */
  readonly vmStages: boolean;
  /** Name of the selected VM. */
  readonly selected: string | null;
  /** First row shown of the guests pane. */
  readonly scroll: number;
  readonly sort: { readonly column: SortColumn; readonly reversed: boolean };
  readonly filter: string;
  /** What the events pane shows only, and what stands in its last row, by number among these; null follows the newest. */
  readonly eventFilter: string;
  readonly eventEnd: number | null;
  /** First line shown of the panes that have more than fits, beside the guests. */
  readonly paneScroll: Readonly<Partial<Record<Pane, number>>>;

  /** The guided tour of the scenario, null where it has none. */
  readonly tour: TourState | null;

  /** Steps, ways through virtual time, and the turns that the run has taken. */
  readonly time: TimeState;
  readonly seek: SeekState;
  /** The screen of one message. */
  readonly anatomy: AnatomyState;

  readonly columns: number;
  readonly rows: number;
}

/** What the dashboard begins with. */
export interface InitialOptions {
  version: string;
  scenarios: readonly ScenarioItem[];
  paths: readonly string[];
  initial: string;
  /** Factor of wall time; real time unless it is one of {@link SPEEDS}. */
  speed?: number;
  theme: ThemeName;
  columns: number;
  rows: number;
}

/** The model before the first run is open. */
export function initialModel(options: InitialOptions): Model {
  const { version, scenarios, paths, initial, theme, columns, rows } = options;
  const speed = SPEEDS.findIndex((factor) => factor === options.speed);
  return {
    version,
    scenarios,
    paths,
    theme,
    monochrome: theme === "monochrome",
    columns,
    rows,
    scenario: initial,
    path: null,
    tried: { scenario: initial, path: null },
    running: true,
    finished: false,
    speed: speed < 0 ? REAL_TIME : speed,
    pace: 0,
    nowPs: 0,
    endPs: 0,
    live: null,
    replay: false,
    pane: "guests",
    zoomed: false,
    views: FIRST_VIEWS,
    mode: "normal",
    under: "normal",
    helpPage: 0,
    palette: { text: "", chosen: 0, history: [], recalled: 0 },
    exporting: { chosen: 0, forMs: 10, ability: null },
    hint: FIRST_HINT,
    timings: null,
    mouse: true,
    menu: CLOSED_MENU,
    compare: NO_COMPARISON,
    message: [],
    notice: null,
    vmStages: true,
    selected: null,
    scroll: 0,
    sort: { column: "vm", reversed: false },
    filter: "",
    tour: null,
    eventFilter: "",
    eventEnd: null,
    paneScroll: {},
    time: NO_TIME,
    seek: NO_SEEK,
    anatomy: NO_ANATOMY,
  };
}

/**
 * Whether something of the model is not what it was, so that a new picture is worth drawing: time that stands has the same
 * one. Lists that a run adds to come with a new snapshot.
 */
export function looksOther(before: Model, now: Model): boolean {
  if ((before.hint === null) !== (now.hint === null)) return true;
  if (before.notice?.text !== now.notice?.text || before.notice?.level !== now.notice?.level) return true;
  const keys = Object.keys(now) as (keyof Model)[];
  return keys.some((key) => key !== "hint" && key !== "notice" && now[key] !== before[key]);
}

/** Who is looked at alone, null when nobody is; behind a box it still is. */
export function alone({ mode, under, selected, compare }: Model): string | null {
  return !compare.open && (mode === "vm" || under === "vm") ? selected : null;
}

/** The way on which the run that is shown is; while paths are compared, that is none of theirs. */
export function travelOf({ time, compare }: Model): TimeState["travel"] {
  return compare.open ? null : time.travel;
}

/** What the run is doing. */
export type RunState = "RUNNING" | "PAUSED" | "DONE" | "FAILED" | "REWINDING" | "GOING ON" | "STEPPING";

export function stateOf(model: Model): RunState {
  const travel = travelOf(model);
  if (travel !== null) return ({ back: "REWINDING", forward: "GOING ON", message: "STEPPING" } as const)[travel.kind];
  if (model.finished) return hasFailed(model) ? "FAILED" : "DONE";
  return model.running ? "RUNNING" : "PAUSED";
}

/** A guest program has thrown, or found something wrong. */
function hasFailed({ compare, live }: Model): boolean {
  return !compare.open && live !== null && live.snapshot.failures.length > 0;
}

/** Whether the panes show the latest interval (live) or the whole run so far (paused, finished). */
export function showsRecent(model: Model): boolean {
  return model.running && !model.finished;
}

/** What holds the run back, in the same time as the figures of the panes. */
export function limitOf(model: Model): Bottleneck | undefined {
  return showsRecent(model) ? model.live?.bottleneck : model.live?.snapshot.bottleneck;
}

/** The speed as a user reads it: "0.001x", "max". */
export function speedName(index: number): string {
  const speed = SPEEDS[index];
  if (speed === Infinity) return "max";
  return `${speed < 1 ? speed.toFixed(-Math.round(Math.log10(speed))) : speed}x`;
}
