import { listedGuests } from "../guest_list.ts";
import { select } from "../guest_select.ts";
import type { Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { vmCharts } from "../view/vm_charts.ts";
import { hasAllPanes, vmFigures, vmLibrary, vmRings, vmStages } from "../view/vm_panes.ts";
import type { Mode } from "./mode.ts";

/** One VM with all of its panes. Arrows go to the next one in the order of the guests pane. */
export const vm: Mode = {
  key(model, key) {
    switch (key) {
      case "enter":
      case "escape":
        return [{ ...model, mode: "normal" }, []];
      case "up":
      case "left":
      case "k":
        return [select(model, -1), []];
      case "down":
      case "right":
      case "j":
        return [select(model, 1), []];
      // Where not all panes have room, the last one is another one.
      case "tab":
      case "S-tab":
        return [
          hasAllPanes(model) ? model : { ...model, vmStages: !model.vmStages },
          [],
        ];
      // What acts on panes that are not there.
      case "z":
      case "/":
      case "s":
      case "S":
        return [model, []];
    }
    return null;
  },
  mouse(model, { kind }) {
    if (kind === "click") return [model, []];
    return [select(model, kind === "wheelup" ? -1 : 1), []];
  },
  body: (model, area) => hasAllPanes(model) ? large(area) : small(area, model),
  views: {
    "vm-figures": vmFigures,
    "vm-charts": vmCharts,
    "vm-rings": vmRings,
    "vm-library": vmLibrary,
    "vm-stages": vmStages,
  },
  keys: [
    { show: "← →", help: "the VM before, the next", footer: "other VM" },
    { show: "Tab", help: "where it is small: its messages' stages or its library" },
    { show: "space", help: "pause and go on", footer: "pause" },
    { show: ".", help: "one step", footer: "step" },
    { show: "+ -", help: "speed", footer: "speed" },
    { show: "Esc", help: "back to all guests", footer: "back" },
    { show: "?", help: "help", footer: "help" },
    { show: "q", help: "quit", footer: "quit" },
  ],
  help: "One VM by itself: the whole run beside the latest interval, its rings and grants, what its MX library has " +
    "counted, and where its messages spend their time since you look at it.",
};

/** Charts at the right, above where the messages spend their time; numbers at the left. */
function large({ x, y, width, height }: Region): Region[] {
  const first = Math.min(70, Math.floor(width * 0.45));
  const figures = Math.min(height - 12, 17);
  const rest = height - figures;
  const rings = Math.min(rest - 6, 15);
  const stages = Math.floor(height * 0.3);
  return [
    { id: "vm-figures", x, y, width: first, height: figures },
    { id: "vm-rings", x, y: y + figures, width: first, height: rings },
    { id: "vm-library", x, y: y + figures + rings, width: first, height: rest - rings },
    { id: "vm-charts", x: x + first, y, width: width - first, height: height - stages },
    { id: "vm-stages", x: x + first, y: y + height - stages, width: width - first, height: stages },
  ];
}

/** Numbers above, with sparklines instead of charts; below them what fits beside one another. */
function small({ x, y, width, height }: Region, model: Model): Region[] {
  const figures = Math.min(height, listedGuests(model).length === 0 ? height : 14);
  const rest = height - figures;
  if (rest < 4) return [{ id: "vm-figures", x, y, width, height }];
  const first = Math.ceil(width / 2);
  return [
    { id: "vm-figures", x, y, width, height: figures },
    { id: "vm-rings", x, y: y + figures, width: first, height: rest },
    {
      id: model.vmStages ? "vm-stages" : "vm-library",
      x: x + first,
      y: y + figures,
      width: width - first,
      height: rest,
    },
  ];
}
