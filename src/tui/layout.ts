import { type Model, type Pane, PANES } from "./model.ts";
import { MODES, OVERLAYS } from "./modes/registry.ts";

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
 * |                                      |  |           | stages    |  |          | stages  | events   |
 * | notice: the last event or an error   |  | notice                |  | notice                        |
 * | footer: keys                         |  | footer                |  | footer                        |
 * +--------------------------------------+  +-----------------------+  +-------------------------------+
 *
 * With few guests, the stages and the events move into the left column, below them.
 * Help and messages lie over the body. Nothing is drawn below 40 x 10 but a line that says so.
 */
export function layout(model: Model): Region[] {
  const { columns, rows } = model;
  if (columns < 40 || rows < 10) return [{ id: "small", x: 0, y: 0, width: columns, height: rows }];
  const regions: Region[] = [{ id: "header", x: 0, y: 0, width: columns, height: 2 }];
  const mode = MODES[model.mode];
  const beneath = model.compare.open && mode.body === undefined ? MODES.compare : mode;
  const instead = beneath.body?.(model, { id: "body", x: 0, y: 2, width: columns, height: rows - 4 }) ?? null;
  if (instead !== null) regions.push(...instead);
  else if (isTabbed(model)) {
    regions.push({ id: "tabs", x: 0, y: 2, width: columns, height: 1 });
    regions.push({ id: model.pane, x: 0, y: 3, width: columns, height: rows - 5 });
  } else {
    const body: Region = { id: "guests", x: 0, y: 2, width: columns, height: rows - 4 };
    regions.push(...(columns >= 160 ? wideBody(body, model) : mediumBody(body, model)));
  }
  regions.push({ id: "notice", x: 0, y: rows - 2, width: columns, height: 1 });
  regions.push({ id: "footer", x: 0, y: rows - 1, width: columns, height: 1 });
  for (const overlay of OVERLAYS) regions.push(...overlay.boxes?.(model) ?? []);
  regions.push(...mode.boxes?.(model) ?? []);
  return regions;
}

/** Whether one pane at a time is shown, with tabs to choose it. */
export function isTabbed(model: Model): boolean {
  return model.columns < 100 || model.rows < 30 || model.zoomed;
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
  const cpu = height >= 32 ? 11 : 10;
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

/** Two columns of panes beside the guests; charts get the most height. */
function wideBody({ y, width, height }: Region, model: Model): Region[] {
  const guests = Math.min(92, Math.floor(width * 0.41));
  const first = Math.ceil((width - guests) / 2);
  const second = width - guests - first;
  const column = leftColumn(y, guests, height, model);
  const alone = column.length === 1;
  const cpu = Math.max(10, Math.floor(height * (alone ? 0.31 : 0.45)));
  const chart = alone ? Math.ceil(height * 0.34) : height - cpu;
  const rest = height - chart - cpu;
  const pair = (a: Pane, b: Pane, top: number, tall: number): Region[] => [
    { id: a, x: guests, y: top, width: first, height: tall },
    { id: b, x: guests + first, y: top, width: second, height: tall },
  ];
  return [
    ...column,
    ...pair("latency", "throughput", y, chart),
    ...pair("host", "guest", y + chart, cpu),
    ...(alone ? pair("stages", "events", y + chart + cpu, rest) : []),
  ];
}

/** The guests, and below them what fits when they are few. */
function leftColumn(y: number, width: number, height: number, model: Model): Region[] {
  const count = model.live?.snapshot.guests.length ?? 0;
  // Frame, heading and total; eight rows even for two guests, so that switching scenarios does not change all.
  const guests = Math.max(count + 4, 12);
  const below = height - guests;
  if (count === 0 || below < 10) return [{ id: "guests", x: 0, y, width, height }];
  const events = below >= 20 ? Math.max(6, below - 21) : 0;
  const regions: Region[] = [
    { id: "guests", x: 0, y, width, height: guests },
    { id: "stages", x: 0, y: y + guests, width, height: below - events },
  ];
  if (events > 0) regions.push({ id: "events", x: 0, y: y + height - events, width, height: events });
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
