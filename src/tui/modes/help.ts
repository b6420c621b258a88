import { type KeyBinding, KEYS } from "../keymap.ts";
import { centred } from "../layout.ts";
import type { Model } from "../model.ts";
import { paneHelp } from "../pane_help.ts";
import { left, paint, width as widthOf, wrap } from "../text.ts";
import type { Update } from "../message.ts";
import { glyph } from "../view/bar.ts";
import { frame } from "../view/frame.ts";
import { bodyBeneath, closeBox } from "./box.ts";
import type { Mode } from "./mode.ts";
import { isListed, isOfTable } from "./own_keys.ts";
import { MODES } from "./registry.ts";

const SHOW = 10;
/** How a second line about a key begins. */
const GOES_ON = paint("key", " ".repeat(SHOW));
/** Two columns of keys from this inner width on. */
const TWO_COLUMNS = 70;
const WIDTH = 96;
const HEIGHT = 37;

const FORWARD = ["down", "pagedown", "space", "right", "j", "n", "wheeldown"];
const BACK = ["up", "pageup", "left", "k", "p", "wheelup"];

/** A heading and two keys: fewer below the text would look like all there are. */
const LEAST_KEYS = 3;

/** A heading and what stands below it. */
type Block = readonly string[];

/** Pages of the help at this size: first what has the focus, then the other keys by group, then glyphs. */
function pages(model: Model, boxWidth: number, boxHeight: number): string[][] {
  // A screen that is too small to draw on has keys all the same.
  const inner = Math.max(20, boxWidth - 4);
  const room = Math.max(4, boxHeight - 2);
  const two = inner >= TWO_COLUMNS;
  const column = two ? Math.floor((inner - 2) / 2) : inner;
  const text = focusText(model, inner);
  // The first page has the text above its columns; one that leaves them no room has pages of its own.
  const intro = text.length + LEAST_KEYS <= room ? text : [];
  const columns: string[][] = [];
  const heightOf = (index: number) => room - (index < (two ? 2 : 1) ? intro.length : 0);
  for (const block of blocks(model, column)) {
    for (let at = 0; at < block.length;) {
      const last = columns.at(-1);
      const free = last === undefined ? 0 : heightOf(columns.length - 1) - last.length - (at === 0 ? 1 : 0);
      // A heading at the end of a column, without what it stands for, helps nobody.
      if (last === undefined || free < Math.min(3, block.length - at)) {
        columns.push([]);
        continue;
      }
      if (at === 0 && last.length > 0) last.push("");
      let end = at + heightOf(columns.length - 1) - last.length;
      // Nor do the last words of a key in the next column.
      while (end > at + 1 && block[end]?.startsWith(GOES_ON)) end--;
      const piece = block.slice(at, end);
      last.push(...piece);
      at += piece.length;
    }
  }
  const out: string[][] = [];
  for (let at = 0; intro.length === 0 && at < text.length; at += room) out.push(text.slice(at, at + room));
  for (let i = 0; i < columns.length; i += two ? 2 : 1) {
    const [first, second = []] = two ? columns.slice(i, i + 2) : [columns[i]];
    const count = Math.max(first.length, second.length);
    const lines = Array.from({ length: count }, (_, j) => `${left(first[j] ?? "", column)}  ${second[j] ?? ""}`);
    out.push(i === 0 ? [...intro, ...lines] : lines);
  }
  return out;
}

/** What the pane or the mode with the focus is, in words. */
function focusText(model: Model, inner: number): string[] {
  const text = model.under === "normal" ? paneHelp(model.pane).text : MODES[model.under].help;
  if (text === undefined || text === "") return [];
  return [...wrap(text, inner).map((line) => paint("dim", line)), ""];
}

function blocks(model: Model, column: number): Block[] {
  const { under } = model;
  const groups = new Map<string, KeyBinding[]>();
  for (const binding of KEYS.filter((key) => isOfTable(model, under, key) && !isListed(under, key))) {
    groups.set(binding.group, [...groups.get(binding.group) ?? [], binding]);
  }
  const all = [...groups].map(([name, bindings]) => ({
    name,
    lines: bindings.flatMap((key) => keyLines(key, column)),
  }));
  const own = MODES[model.under].keys;
  const title = paneHelp(model.pane).title;
  if (own !== undefined) {
    all.unshift({
      name: titleOf(model.under),
      lines: own.flatMap((key) => keyLines(key, column)),
    });
  } else all.sort((a, b) => Number(b.name === title) - Number(a.name === title));
  return [...all.map(({ name, lines }) => [paint("heading", name), ...lines]), legend(model), aboveThePanes(column)];
}

/** What the first two lines of the screen say. */
const ABOVE: readonly { readonly show: string; readonly help: string }[] = [
  { show: "t", help: "virtual time" },
  { show: "x0.50", help: "how much of it passes in a second of yours" },
  { show: "limit", help: "what holds the run back" },
];

function aboveThePanes(column: number): Block {
  return [paint("heading", "Above the panes"), ...ABOVE.flatMap((item) => keyLines(item, column))];
}

function keyLines({ show, help }: { show: string; help: string }, column: number): string[] {
  const lines = wrap(help, Math.max(10, column - SHOW - 1));
  return lines.map((line, i) => `${paint("key", left(i === 0 ? show : "", SHOW))} ${line}`);
}

function titleOf(mode: string): string {
  return mode === "vm" ? "One VM" : mode[0].toUpperCase() + mode.slice(1);
}

/** Colours, or the glyphs that stand for them without colour. */
function legend(model: Model): Block {
  const item = (role: Parameters<typeof glyph>[0], text: string) =>
    `${paint(role, glyph(role, model.monochrome))} ${text}`;
  return [
    paint("heading", "Bars"),
    [item("user", "user"), item("kernel", "kernel"), item("irq", "interrupt")].join("  "),
    [item("hypervisor", "hypervisor"), item("steal", "steal")].join("  "),
  ];
}

/** Where the box is, and its pages. The inner width leaves the frame and a blank at each side. */
function book(model: Model) {
  let box = centred("help", model, WIDTH, HEIGHT);
  let all = pages(model, box.width, box.height);
  // One page is as high as it must be, its columns alike.
  while (all.length === 1) {
    const lower = centred("help", model, WIDTH, box.height - 1);
    const fewer = pages(model, lower.width, lower.height);
    if (fewer.length > 1) break;
    [box, all] = [lower, fewer];
  }
  return { box, pages: all };
}

function view(model: Model, width: number, height: number): string[] {
  const all = pages(model, width, height);
  const page = Math.min(model.helpPage, all.length - 1);
  const about = model.under === "normal" ? paneHelp(model.pane).title : titleOf(model.under);
  const where = all.length > 1 ? `page ${page + 1} of ${all.length}: space, up, down` : "";
  const note = [`${where}${where === "" ? "" : "   "}any other key closes`, where].map((text) => paint("dim", text));
  return frame(all[page].map((line) => ` ${line}`), {
    title: `mxtop ${model.version} keys ─ ${about}`,
    note: note.filter((text) => widthOf(text) > 0),
    width,
    height,
    focused: true,
  });
}

function turn(model: Model, key: string): Update {
  const last = book(model).pages.length - 1;
  if (last > 0 && FORWARD.includes(key)) {
    return [
      { ...model, helpPage: key === "space" && model.helpPage >= last ? 0 : Math.min(last, model.helpPage + 1) },
      [],
    ];
  }
  if (last > 0 && BACK.includes(key)) {
    return [{ ...model, helpPage: Math.max(0, Math.min(last, model.helpPage) - 1) }, []];
  }
  return [closeBox(model), []];
}

export const help: Mode = {
  isBox: true,
  key: turn,
  mouse: (model, { kind }) => kind === "click" ? [closeBox(model), []] : turn(model, kind),
  body: bodyBeneath,
  boxes: (model) => [book(model).box],
  views: { help: view },
};
