import { type Content, lines, type Markup, markup } from "./markup.ts";

/*
 * Bars of a report, as SVG in the page. Colours are classes of the page's style (`s0` to `s7`), so that they follow light
 * and dark.
 */

/** Colours that a page has; further lines begin with the first again. */
const COLOURS = 8;

/** Something that has a share of a bar. */
export interface Part {
  readonly name: string;
  /** 0 to 1, of the whole bar. */
  readonly share: number;
  /** What is said of it: its figure with the unit. */
  readonly text: string;
  /** Its class: a colour. */
  readonly colour: string;
}

export function colourOf(index: number): string {
  return `s${index % COLOURS}`;
}

/** Hundredths of a unit are finer than any screen. */
export const px = (value: number) => Math.round(value * 100) / 100;
/** Of a letter at most, at the size that the style gives to texts of drawings, pixels. */
export const LETTER = 7.2;
const clamp = (share: number) => Math.min(1, Math.max(0, share));

/** How wide a text is at most. */
export function widthOf(text: string): number {
  return text.length * LETTER;
}

/** A bar for a cell, of a share from 0 to 1. The figure stands beside it. */
export function bar(share: number, colour = "s0", width = 80): Markup {
  return small(width, markup`<rect class="${colour}" width="${px(clamp(share) * width)}" height="10" />`);
}

/** Parts of a whole side by side, for a cell. */
export function stack(parts: readonly Part[], width = 160): Markup {
  return small(width, segments(parts, width, 10).map(({ rect }) => rect));
}

/** From the middle to the right for what is above 0, to the left for what is below; the ends are at `most`. */
export function deviation(value: number, most: number, colour: string, width = 120): Markup {
  const half = width / 2;
  const length = px(clamp(Math.abs(value) / most) * half);
  return small(width, [
    markup`<rect class="${colour}" x="${value < 0 ? px(half - length) : half}" width="${length}" height="10" />`,
    markup`<path class="axis" d="M${half} 0V10" />`,
  ]);
}

/** A drawing that stands in a line of text, 10 pixels high. */
export function small(width: number, content: Content): Markup {
  return markup`<svg class="bar" width="${width}" height="10" viewBox="0 0 ${width} 10" aria-hidden="true">${content}</svg>`;
}

/** A bar of full width, whose wide parts have their names and figures in them. */
export function wideStack(title: string, parts: readonly Part[]): Markup {
  const [width, height] = [960, 40];
  const texts = segments(parts, width, height).map(({ part, from, length, rect }) => {
    const middle = px(from + length / 2);
    const fits = (text: string) => widthOf(text) + 8 <= length;
    const line = (y: number, text: string) => markup`<text x="${middle}" y="${y}" text-anchor="middle">${text}</text>`;
    const name = fits(part.name) ? line(17, part.name) : null;
    const figure = name !== null && fits(part.text) ? line(32, part.text) : null;
    return markup`<g>${rect}${name}${figure}</g>`;
  });
  return markup`<svg class="stack" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${
    lines(texts)
  }</svg>`;
}

function segments(parts: readonly Part[], width: number, height: number) {
  let at = 0;
  return parts.filter(({ share }) => share > 0).map((part) => {
    const from = px(at * width);
    at = clamp(at + part.share);
    const length = px(at * width - from);
    const box = markup`x="${from}" width="${length}" height="${height}"`;
    const rect = markup`<rect class="${part.colour}" ${box}><title>${part.name} ${part.text}</title></rect>`;
    return { part, from, length, rect };
  });
}

/** Stacks side by side, upright, one for each of many of a kind: the CPUs of a host. */
export function columns(title: string, stacks: readonly (readonly Part[])[]): Markup {
  const [step, height] = [12, 60];
  const bars = stacks.map((parts, i) => {
    let top = height;
    const rects = parts.filter(({ share }) => share > 0).map(({ name, share, text, colour }) => {
      const length = px(Math.min(top, share * height));
      top = px(top - length);
      const box = markup`x="${i * step + 1}" y="${top}" width="${step - 2}" height="${length}"`;
      return markup`<rect class="${colour}" ${box}><title>CPU ${i}: ${name} ${text}</title></rect>`;
    });
    return markup`<g><rect class="back" x="${i * step + 1}" width="${step - 2}" height="${height}" />${rects}</g>`;
  });
  const width = stacks.length * step;
  return markup`<svg class="columns" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${
    lines(bars)
  }</svg>`;
}

/** Which colour is what. */
export function legend(entries: readonly { readonly name: string; readonly colour: string }[]): Markup {
  const items = entries.map(({ name, colour }) =>
    markup`<li>${small(12, markup`<rect class="${colour}" width="12" height="10" />`)} ${name}</li>`
  );
  return markup`<ul class="legend">${items}</ul>`;
}
