import { type Model, type Pane, PANES } from "../model.ts";
import { left, paint, width as widthOf } from "../text.ts";

/** Names of the panes on their tabs. */
export const TAB_TITLES: Record<Pane, string> = {
  guests: "Guests",
  latency: "Latency",
  throughput: "Throughput",
  host: "Host CPU",
  guest: "Guest CPU",
  stages: "Stages",
  events: "Events",
};

/** Where each tab begins and ends: for drawing and for the mouse. */
export function tabSpans(): { pane: Pane; x: number; width: number }[] {
  let x = 1;
  return PANES.map((pane) => {
    const width = TAB_TITLES[pane].length + 2;
    const span = { pane, x, width };
    x += width + 1;
    return span;
  });
}

/** The tabs of a small screen, the open one marked. */
export function tabs(model: Model, width: number): string[] {
  const line = PANES.map((pane) =>
    pane === model.pane ? paint("select", `[${TAB_TITLES[pane]}]`) : paint("dim", ` ${TAB_TITLES[pane]} `)
  ).join(" ");
  const hint = paint("dim", "Tab");
  return [left(widthOf(line) + 6 <= width ? ` ${line}  ${hint}` : ` ${line}`, width)];
}
