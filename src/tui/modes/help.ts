import { KEYS } from "../keymap.ts";
import { centred } from "../layout.ts";
import type { Model } from "../model.ts";
import { left, paint } from "../text.ts";
import { glyph } from "../view/bar.ts";
import { frame } from "../view/frame.ts";
import { CLOSE_ON_ANY_KEY } from "./close.ts";
import type { Mode } from "./mode.ts";

const SHOW = 10;

/** All keys by group, in two columns where they fit, and what the colours of the bars mean. */
function view(model: Model, width: number, height: number): string[] {
  const inner = width - 4;
  const first = group("Run").concat("", legend(model));
  const room = height - 2;
  const apart = group("Guests").concat("", group("Screen"));
  let second = apart;
  if (apart.length > room) {
    // No lines between the groups then, and what still does not fit stands at the end of the first column.
    const close = apart.filter((line) => line !== "");
    second = close.slice(0, room);
    first.splice(0, first.length, ...first.filter((line) => line !== ""), ...close.slice(room));
  }
  let lines: string[];
  if (inner >= 76 || first.length + second.length + 1 > room) {
    const half = Math.floor(inner / 2) - 1;
    const count = Math.max(first.length, second.length);
    lines = Array.from({ length: count }, (_, i) => `${left(first[i] ?? "", half)}  ${left(second[i] ?? "", half)}`);
  } else lines = [...first, "", ...second];
  return frame(lines.slice(0, room).map((line) => ` ${line}`), {
    title: `mxtop ${model.version} keys`,
    note: paint("dim", "any key closes"),
    width,
    height,
    focused: true,
  });
}

function group(name: "Run" | "Guests" | "Screen"): string[] {
  return [
    paint("heading", name),
    ...KEYS.filter((binding) => binding.group === name).map(({ show, help }) =>
      `${paint("key", left(show, SHOW))} ${help}`
    ),
  ];
}

/** Colours, or the glyphs that stand for them without colour. */
function legend(model: Model): string[] {
  const item = (role: Parameters<typeof glyph>[0], text: string) =>
    `${paint(role, glyph(role, model.monochrome))} ${text}`;
  return [
    paint("heading", "Bars"),
    [item("user", "user"), item("kernel", "kernel"), item("irq", "interrupt")].join("  "),
    [item("hypervisor", "hypervisor"), item("steal", "steal")].join("  "),
    paint("dim", "ring: slots used/size"),
    paint("dim", "grnt: grants in use"),
  ];
}

export const help: Mode = {
  key: CLOSE_ON_ANY_KEY,
  boxes: (model) => [centred("help", model, 84, 24)],
  views: { help: view },
};
