import { seconds } from "../format.ts";
import { centred } from "../layout.ts";
import type { Model } from "../model.ts";
import { toText } from "../screen.ts";
import { left, paint } from "../text.ts";
import type { MouseMessage, Update } from "../message.ts";
import { frame } from "../view/frame.ts";
import { bodyBeneath, closeBox, openBox } from "./box.ts";
import type { Mode } from "./mode.ts";

/** What can be written to a file. */
export type ExportKind = "text" | "json" | "log" | "capture" | "trace";

/** One line of the menu. */
export interface ExportItem {
  readonly kind: ExportKind;
  readonly key: string;
  readonly help: string;
  /** Looks on for a stretch of virtual time, from now. */
  readonly takesTime: boolean;
}

export const EXPORTS: readonly ExportItem[] = [
  { kind: "text", key: "t", help: "the screen as text", takesTime: false },
  { kind: "json", key: "j", help: "snapshot and charts as JSON, as `run --format json`", takesTime: false },
  { kind: "log", key: "l", help: "log of inputs, for `replay`", takesTime: false },
  { kind: "capture", key: "c", help: "frames on all wires, pcapng", takesTime: true },
  { kind: "trace", key: "r", help: "trace for ui.perfetto.dev", takesTime: true },
];

/** Stretches of virtual time to choose from, milliseconds. */
export const FOR_MS = [1, 2, 5, 10, 20, 50, 100] as const;

/** What stands in the way, in words; null where nothing does. */
export interface ExportAbility {
  /** Of every file: the permission that is missing. */
  readonly files: string | null;
  readonly kinds: Readonly<Partial<Record<ExportKind, string>>>;
  /** Where files go. */
  readonly directory: string;
}

export interface ExportState {
  readonly chosen: number;
  readonly forMs: number;
  /** Null until it has been looked at. */
  readonly ability: ExportAbility | null;
}

const WIDTH = 72;

/** Opens the menu; what can be done is looked at in the world. */
export function openExport(model: Model): Update {
  const opened = openBox(model, "export");
  return [{ ...opened, exporting: { ...model.exporting, chosen: 0, ability: null } }, [{ type: "export-look" }]];
}

/** Asks for one export of the screen as it is, without a box over it. */
export function beginExport(model: Model, kind: ExportKind, forMs: number): Update {
  const screen = kind === "text" ? toText({ ...model, notice: null }).join("\n") + "\n" : "";
  return [{ ...model, exporting: { ...model.exporting, forMs } }, [{
    type: "export",
    kind,
    forPs: forMs * 1e9,
    screen,
  }]];
}

function key(model: Model, name: string): Update {
  const { chosen, forMs } = model.exporting;
  const put = (
    change: Partial<ExportState>,
  ): Update => [{ ...model, exporting: { ...model.exporting, ...change } }, []];
  const direct = EXPORTS.findIndex((item) => item.key === name || String(EXPORTS.indexOf(item) + 1) === name);
  if (direct >= 0) return choose(model, direct);
  switch (name) {
    case "up":
    case "k":
      return put({ chosen: Math.max(0, chosen - 1) });
    case "down":
      return put({ chosen: Math.min(EXPORTS.length - 1, chosen + 1) });
    case "left":
    case "-":
      return put({ forMs: FOR_MS[Math.max(0, FOR_MS.findIndex((ms) => ms >= forMs) - 1)] });
    case "right":
    case "+":
      return put({ forMs: FOR_MS.find((ms) => ms > forMs) ?? forMs });
    case "enter":
      return choose(model, chosen);
    default:
      return [closeBox(model), []];
  }
}

/** An entry that cannot be done says why and stays. */
function choose(model: Model, index: number): Update {
  const item = EXPORTS[index];
  const reason = reasonOf(model, item);
  if (reason !== null) {
    return [{
      ...model,
      exporting: { ...model.exporting, chosen: index },
      notice: { level: "warn", text: `${item.kind}: ${reason}` },
    }, []];
  }
  return beginExport(closeBox({ ...model, notice: null }), item.kind, model.exporting.forMs);
}

function reasonOf({ exporting: { ability } }: Model, { kind }: ExportItem): string | null {
  return ability === null ? null : ability.files ?? ability.kinds[kind] ?? null;
}

function view(model: Model, width: number, height: number): string[] {
  const { chosen, forMs, ability } = model.exporting;
  const lines = EXPORTS.map((item, i) => {
    const reason = reasonOf(model, item);
    const text = item.takesTime ? `${item.help}, the next ‹ ${forMs} ms ›` : item.help;
    const line = left(`${i === chosen ? "▸" : " "}${paint("key", item.key)}  ${left(item.kind, 9)}${text}`, width - 2);
    return reason === null ? (i === chosen ? paint("select", line) : line) : paint("dim", line);
  });
  const reason = ability?.files ?? reasonOf(model, EXPORTS[chosen]);
  const where = `to ${ability?.directory ?? ""}, at ${seconds(model.nowPs, 6)} s of virtual time`;
  return frame([...lines, "", reason === null ? paint("dim", ` ${where}`) : paint("warn", ` ${reason}`)], {
    title: "Export",
    note: paint("dim", "Enter or its letter, Esc closes"),
    width,
    height,
    focused: true,
  });
}

function mouse(model: Model, { kind, x, y }: MouseMessage): Update {
  if (kind !== "click") return key(model, kind === "wheelup" ? "up" : "down");
  const box = boxOf(model);
  const row = y - box.y - 1;
  const isInside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
  if (!isInside) return [closeBox(model), []];
  return row >= 0 && row < EXPORTS.length ? choose(model, row) : [model, []];
}

function boxOf(model: Model) {
  return centred("export", model, WIDTH, EXPORTS.length + 4);
}

export const exporting: Mode = {
  isBox: true,
  key,
  mouse,
  body: bodyBeneath,
  boxes: (model) => [boxOf(model)],
  views: { export: view },
  keys: [
    { show: "up down", help: "choose", footer: "choose" },
    { show: "left right", help: "how much virtual time", footer: "time" },
    { show: "Enter", help: "write it", footer: "write" },
    { show: "Esc", help: "close", footer: "close" },
  ],
};
