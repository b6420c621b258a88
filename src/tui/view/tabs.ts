import { type Model, type Pane, PANES } from "../model.ts";
import { left, paint } from "../text.ts";

/** Names of the panes on their tabs: in full, and where 80 columns have to do. */
const TITLES: Record<Pane, readonly [string, string]> = {
  guests: ["Guests", "Guests"],
  latency: ["Latency", "Latency"],
  throughput: ["Throughput", "MB/s"],
  host: ["Host CPU", "Host"],
  guest: ["Guest CPU", "Guest"],
  stages: ["Stages", "Stages"],
  rings: ["Rings", "Rings"],
  network: ["Network", "Net"],
  events: ["Events", "Events"],
};

/** A tab at its place. */
interface Tab {
  readonly pane: Pane;
  readonly title: string;
  readonly x: number;
  readonly width: number;
}

/** Where each tab begins and ends: for drawing and for the mouse. On a very narrow screen only the open one is there. */
export function tabSpans({ columns, pane }: Model): Tab[] {
  for (const length of [0, 1]) {
    const tabs = placed(PANES, length);
    const last = tabs[tabs.length - 1];
    if (last.x + last.width <= columns) return tabs;
  }
  return placed([pane], 0);
}

function placed(panes: readonly Pane[], length: number): Tab[] {
  let x = 1;
  return panes.map((pane) => {
    const title = TITLES[pane][length];
    const tab = { pane, title, x, width: title.length + 2 };
    x += tab.width + 1;
    return tab;
  });
}

/** The tabs of a small screen, the open one marked. */
export function tabs(model: Model, width: number): string[] {
  const spans = tabSpans(model);
  const line = spans.map(({ pane, title }) =>
    pane === model.pane ? paint("select", `[${title}]`) : paint("dim", ` ${title} `)
  ).join(" ");
  const end = spans[spans.length - 1].x + spans[spans.length - 1].width;
  const hint = spans.length === 1 ? `${PANES.indexOf(model.pane) + 1} of ${PANES.length}  Tab` : "Tab";
  return [left(end + 2 + hint.length <= width ? ` ${line}  ${paint("dim", hint)}` : ` ${line}`, width)];
}
