import { type Model, type Pane, PANES } from "./model.ts";
import { MODES, OVERLAYS } from "./modes/registry.ts";
import { tourHeight } from "./tour.ts";

/** A rectangle of the screen and what is drawn in it: a pane, a part of the frame, or a region of a mode. */
export interface Region {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/*
 * narrow or short (below 100 x 30), or a zoomed pane       from 100 x 30                        from 160 x 30
 *
 * +--------------------------------------+  +-----------------------+  +-------------------------------+
 * | header: what runs                    |  | header                |  | header                        |
 * |         virtual time, pace           |  |                       |  |                               |
 * | tabs                                 |  | guests    | latency   |  | guests   | latency | throughp.|
 * | the pane that has the focus          |  |           | throughp. |  |          |---------+----------|
 * |                                      |  |           | host|guest|  |          | host    | guest    |
 * |                                      |  |           | cpu |cpu  |  |          |---------+----------|
 * |                                      |  |           | stages    |  |          | stages  | network  |
 * |                                      |  |           |           |  |          | rings   | events   |
 * | notice: the last event or an error   |  | notice                |  | notice                        |
 * | footer: keys                         |  | footer                |  | footer                        |
 * +--------------------------------------+  +-----------------------+  +-------------------------------+
 *
 * With few guests, stages, rings and events move into the left column, below them. Panes that find no room are a
 * zoom and a Tab away. Help and messages lie over the body. Nothing is drawn below 40 x 10 but a line that says so.
 */
export function layout(model: Model): Region[] {
  const { columns, rows } = model;
  // The caption of a tour takes its lines from the panes.
  const body = rows - 4 - (model.mode === "normal" ? tourHeight(model) : 0);
  if (columns < 40 || rows < 10) return [{ id: "small", x: 0, y: 0, width: columns, height: rows }];
  const regions: Region[] = [{ id: "header", x: 0, y: 0, width: columns, height: 2 }];
  const mode = MODES[model.mode];
  const instead = mode.body?.(model, { id: "body", x: 0, y: 2, width: columns, height: rows - 4 }) ?? null;
  if (instead !== null) regions.push(...instead);
  else if (isTabbed(model)) {
    regions.push({ id: "tabs", x: 0, y: 2, width: columns, height: 1 });
    regions.push({ id: model.pane, x: 0, y: 3, width: columns, height: body - 1 });
  } else {
    const area: Region = { id: "guests", x: 0, y: 2, width: columns, height: body };
    regions.push(...(columns >= 160 ? wideBody(area, model) : mediumBody(area, model)));
  }
  regions.push({ id: "notice", x: 0, y: rows - 2, width: columns, height: 1 });
  regions.push({ id: "footer", x: 0, y: rows - 1, width: columns, height: 1 });
  for (const overlay of OVERLAYS) regions.push(...overlay.boxes?.(model) ?? []);
  regions.push(...mode.boxes?.(model) ?? []);
  return regions;
}

/** Whether one pane at a time is shown, with tabs to choose it. */
export function isTabbed(model: Model): boolean {
  return model.columns < 100 || model.rows - tourHeight(model) < 30 || model.zoomed;
}

/** Panes that can be seen, in the order in which Tab visits them. */
export function reachablePanes(model: Model): readonly Pane[] {
  if (isTabbed(model)) return PANES;
  const shown = new Set(layout({ ...model, mode: "normal" }).map((region) => region.id));
  return PANES.filter((pane) => shown.has(pane));
}

/** Charts above one another: time wants width. */
function mediumBody({ y, width, height }: Region, model: Model): Region[] {
  const guests = Math.min(64, width - 46);
  const x = guests;
  const right = width - guests;
  const column = leftColumn(y, guests, height, model);
  const stages = column.length === 1 && height >= 32 ? 7 : 0;
  const cpu = height >= 36 ? 12 : height >= 32 ? 11 : 10;
  const latency = Math.ceil((height - stages - cpu) / 2);
  const throughput = height - stages - cpu - latency;
  const hostWidth = Math.floor(right / 2);
  const regions: Region[] = [
    ...column,
    { id: "latency", x, y, width: right, height: latency },
    { id: "throughput", x, y: y + latency, width: right, height: throughput },
    { id: "host", x, y: y + latency + throughput, width: hostWidth, height: cpu },
    { id: "guest", x: x + hostWidth, y: y + latency + throughput, width: right - hostWidth, height: cpu },
  ];
  if (stages > 0) regions.push({ id: "stages", x, y: y + height - stages, width: right, height: stages });
  return regions;
}

/** Rows of the body from which on there are four rows of panes beside the guests, and not three. */
const FOUR_ROWS = 38;

/** Two columns of panes beside the guests; charts get the most height. */
function wideBody({ y, width, height }: Region, model: Model): Region[] {
  const guests = Math.min(100, Math.floor(width * 0.41));
  const first = Math.ceil((width - guests) / 2);
  const second = width - guests - first;
  const column = leftColumn(y, guests, height, model);
  const below = column.map(({ id }) => id);
  const rows: [left: Pane, right: Pane | null, height: number][] = column.length > 1
    ? fewGuests(height, below)
    : manyGuests(height);
  const regions = [...column];
  let top = y;
  for (const [a, b, tall] of rows) {
    regions.push({ id: a, x: guests, y: top, width: b === null ? first + second : first, height: tall });
    if (b !== null) regions.push({ id: b, x: guests + first, y: top, width: second, height: tall });
    top += tall;
  }
  return regions;
}

/** The guests fill the left column: all other panes stand beside them. */
function manyGuests(height: number): [Pane, Pane | null, number][] {
  const cpu = Math.max(10, Math.floor(height * (height < FOUR_ROWS ? 0.31 : 0.26)));
  if (height < FOUR_ROWS) {
    const chart = Math.ceil(height * 0.34);
    return [["latency", "throughput", chart], ["host", "guest", cpu], ["stages", "network", height - chart - cpu]];
  }
  const third = Math.floor(height * 0.24);
  const fourth = Math.floor(height * 0.23);
  return [
    ["latency", "throughput", height - cpu - third - fourth],
    ["host", "guest", cpu],
    ["stages", "network", third],
    ["rings", "events", fourth],
  ];
}

/** Stages, and more where it fits, are below the guests: the charts have the room. */
function fewGuests(height: number, below: readonly string[]): [Pane, Pane | null, number][] {
  const cpu = Math.max(10, Math.floor(height * 0.32));
  const network = height < 34 ? 0 : Math.max(8, Math.floor(height * 0.22));
  const rows: [Pane, Pane | null, number][] = [
    ["latency", "throughput", height - cpu - network],
    ["host", "guest", cpu],
  ];
  if (network > 0) rows.push(["network", below.includes("events") ? null : "events", network]);
  return rows;
}

/** The guests, and below them what fits when they are few: stages, then events, then rings between them. */
function leftColumn(y: number, width: number, height: number, model: Model): Region[] {
  const count = model.live?.snapshot.guests.length ?? 0;
  // Frame, heading and total; eight rows even for two guests, so that switching scenarios does not change all.
  const guests = Math.max(count + 4, 12);
  const below = height - guests;
  if (count === 0 || below < 10) return [{ id: "guests", x: 0, y, width, height }];
  const rings = below >= 26 ? Math.min(count + 5, below - 21, 13) : 0;
  const events = below - rings >= 20 ? Math.max(6, below - rings - 21) : 0;
  const regions: Region[] = [{ id: "guests", x: 0, y, width, height: guests }];
  let top = y + guests;
  for (const [id, tall] of [["stages", below - rings - events], ["rings", rings], ["events", events]] as const) {
    if (tall > 0) regions.push({ id, x: 0, y: top, width, height: tall });
    top += tall;
  }
  return regions;
}

/** A box in the middle of the screen, at most as large as that. */
export function centred(id: string, model: Model, wantedWidth: number, wantedHeight: number): Region {
  const width = Math.min(wantedWidth, model.columns);
  const height = Math.min(wantedHeight, model.rows);
  return {
    id,
    x: Math.floor((model.columns - width) / 2),
    y: Math.floor((model.rows - height) / 2),
    width,
    height,
  };
}
