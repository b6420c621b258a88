import { listedGuests } from "./guest_list.ts";
import { layout, type Region } from "./layout.ts";
import type { Model } from "./model.ts";
import { MODES } from "./modes/registry.ts";
import { lineCount, scrolls } from "./pane_scroll.ts";
import { drawRegion, toText } from "./screen.ts";
import { plain } from "./text.ts";
import { listedEvents } from "./view/events.ts";
import type { Update } from "./message.ts";

/** What can be copied. */
export type CopyWhat = "pane" | "row" | "screen";

/** The update that gives text to the terminal's clipboard. */
export function copyText(model: Model, what: CopyWhat): Update {
  const text = textOf(model, what);
  if (text === "") return [{ ...model, notice: { level: "warn", text: "there is nothing to copy" } }, []];
  return [model, [{ type: "copy", text, what }]];
}

function textOf(model: Model, what: CopyWhat): string {
  if (what === "screen") return tidy(toText(model));
  const body = bodyOf(model);
  if (body !== null) return tidy(body.flatMap((region) => lines(model, region)));
  const pane: Region | undefined = layout({ ...model, mode: "normal" }).find(({ id }) => id === model.pane);
  if (what === "row") return rowText(model);
  return pane === undefined
    ? ""
    : tidy(withoutFrame(lines(allRows(model), { ...pane, height: fullHeight(model, pane) })));
}

/** Regions of a mode that stands in place of the panes. */
function bodyOf(model: Model): Region[] | null {
  return MODES[model.mode].body?.(model, { id: "body", x: 0, y: 2, width: model.columns, height: model.rows - 4 }) ??
    null;
}

function lines(model: Model, region: Region): string[] {
  return drawRegion(model, region).lines.map(plain);
}

/** Lists are copied from their beginning to their end. */
function allRows(model: Model): Model {
  return { ...model, scroll: 0, paneScroll: {}, eventEnd: null };
}

/** Tall enough for every row of a list; other panes as they are. */
function fullHeight(model: Model, { id, width, height }: Region): number {
  const rows = id === "guests"
    ? listedGuests(model).length + 4
    : id === "rings"
    ? listedGuests(model).length + 5
    : id === "events"
    ? listedEvents(model).length + 2
    : scrolls(id)
    ? lineCount(model, id, width, height) + 2
    : 0;
  return Math.max(height, rows);
}

/** The heading and the row of the selected VM. */
function rowText(model: Model): string {
  const all = { ...allRows(model), pane: "guests" as const, zoomed: true };
  const region = layout({ ...all, mode: "normal" }).find(({ id }) => id === "guests");
  if (region === undefined) return "";
  const [heading, ...rows] = withoutFrame(lines(all, { ...region, height: fullHeight(all, region) })).slice(1);
  const row = rows.find((line) => line.startsWith("▸"));
  return row === undefined ? "" : tidy([heading, row.replace("▸", " ")]);
}

/** The title stays, as the first line. */
function withoutFrame(framed: readonly string[]): string[] {
  const [top, ...inner] = framed;
  const title = top.replace(/[┌┐]/g, "").replace(/─+/g, " ").replace(/ {2,}/g, "  ").trim();
  return [title, ...inner.slice(0, -1).map((line) => line.slice(1, -1))];
}

/** No blanks at the end of a line, no empty lines at the end. */
function tidy(text: readonly string[]): string {
  return text.map((line) => line.trimEnd()).join("\n").trimEnd();
}
