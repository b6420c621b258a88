import { centred, type Region } from "../layout.ts";
import type { Model } from "../model.ts";
import { left, paint, right, sanitize, width as widthOf } from "../text.ts";
import { frame } from "../view/frame.ts";
import { roleOf } from "./cells.ts";
import { digitOf } from "./state.ts";

/** One line: which paths are compared, and by which keys that changes. */
export function choiceLine(model: Model, width: number): string[] {
  const { chosen, order } = model.compare;
  const item = (path: string) => {
    const text = `${digitOf(model.paths, path)} ${sanitize(path)}`;
    return chosen.includes(path) ? paint(roleOf(model, path), `[${text}]`) : paint("dim", ` ${text} `);
  };
  const off = model.paths.filter((path) => !chosen.includes(path));
  const sorted = order === "as listed" ? "" : `  ${paint("dim", "by")} ${order}`;
  const lines = [
    ` ${model.paths.map(item).join(" ")}${sorted}`,
    ` ${chosen.length} of ${model.paths.length} paths${sorted}` +
    (off.length === 0 ? "" : `  ${paint("dim", "off")}${off.map(item).join("")}`),
    ` ${chosen.length} of ${model.paths.length} paths, ${paint("key", "p")} chooses`,
  ];
  return [left(lines.find((line) => widthOf(line) <= width) ?? lines[2], width)];
}

export function chooserBox(model: Model): Region[] {
  return model.compare.chooser ? [centred("compare.chooser", model, 46, model.paths.length + 5)] : [];
}

/** All paths, those that are compared marked, and why one cannot be. */
export function chooser(model: Model, width: number, height: number): string[] {
  const { chosen, cursor, paths } = model.compare;
  const lines = model.paths.map((path, i) => {
    const box = chosen.includes(path) ? "[x]" : "[ ]";
    const known = paths.find((other) => other.path === path);
    const state = known?.state === "refused" ? paint("error", "cannot run") : "";
    const text = `${i === cursor ? "▸" : " "}${box} ${paint("key", digitOf(model.paths, path))} ${sanitize(path)}`;
    const line = ` ${left(text, 24)}${right(state, width - 28)}`;
    return i === cursor ? paint("select", left(line, width - 2)) : line;
  });
  const keys = paint("dim", " up, down  space or digit: on, off  Enter");
  return frame([...lines, "", keys], { title: "Paths to compare", width, height, focused: true });
}
