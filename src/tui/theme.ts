import { type Role, tagOf } from "./text.ts";

/** How a role looks: a colour of the 256 (none: the terminal's own), and attributes. */
export interface Look {
  fg?: number;
  bg?: number;
  bold?: boolean;
  reverse?: boolean;
}

/** The look of every role. */
export type Theme = Readonly<Record<Role, Look>>;

/**
 * Paths beside one another: the eight readable colours of the 256 that are furthest apart for the eye that sees them
 * worst, with common sight, protanopia, deuteranopia and tritanopia. A digit stands for each wherever it is.
 */
const PATH_LOOKS = {
  path1: { fg: 107 },
  path2: { fg: 75 },
  path3: { fg: 175 },
  path4: { fg: 208 },
  path5: { fg: 160 },
  path6: { fg: 63 },
  path7: { fg: 163 },
  path8: { fg: 95 },
} as const;

/** What every theme shares: weight, and greys that can be read on black and on white. */
const BASE = {
  title: { bold: true },
  heading: { bold: true },
  dim: { fg: 244 },
  frame: { fg: 240 },
  ghost: { fg: 242 },
  // Both colours, so that it can be read whatever the terminal's own are.
  select: { fg: 255, bg: 236, bold: true },
} as const satisfies Partial<Theme>;

/**
 * Warm colours are what virtualisation costs (driver domain, hypervisor, steal), cool ones are the work itself
 * (guests, host, user, kernel), red is wrong. Colours of the 256 that can be read on black and on white.
 */
export const COLOUR: Theme = {
  ...BASE,
  focus: { fg: 33, bold: true },
  key: { fg: 33, bold: true },
  accent: { fg: 33 },
  ok: { fg: 71 },
  warn: { fg: 172 },
  error: { fg: 203, bold: true },
  user: { fg: 71 },
  kernel: { fg: 68 },
  irq: { fg: 170 },
  hypervisor: { fg: 208 },
  steal: { fg: 161 },
  host: { fg: 68 },
  dom0: { fg: 136 },
  guest: { fg: 71 },
  p50: { fg: 33 },
  p99: { fg: 208 },
  p999: { fg: 161 },
  throughput: { fg: 71 },
  link: { fg: 136 },
  study: { fg: 133 },
  stage: { fg: 68 },
  ...PATH_LOOKS,
};

/**
 * The same meanings in colours near those of Okabe and Ito: blue against orange, and light against dark, so that they
 * stay apart for people who do not see red, green or blue.
 */
export const COLOUR_BLIND: Theme = {
  ...BASE,
  focus: { fg: 39, bold: true },
  key: { fg: 39, bold: true },
  accent: { fg: 39 },
  ok: { fg: 39 },
  warn: { fg: 208 },
  error: { fg: 160, bold: true },
  user: { fg: 39 },
  kernel: { fg: 26 },
  irq: { fg: 139 },
  hypervisor: { fg: 208 },
  steal: { fg: 160 },
  host: { fg: 26 },
  dom0: { fg: 137 },
  guest: { fg: 39 },
  p50: { fg: 39 },
  p99: { fg: 208 },
  p999: { fg: 160 },
  throughput: { fg: 39 },
  link: { fg: 208 },
  study: { fg: 133 },
  stage: { fg: 32 },
  ...PATH_LOOKS,
};

/** NO_COLOR: weight and reverse only; the views use different glyphs where colour alone would carry meaning. */
export const MONOCHROME: Theme = Object.fromEntries(
  Object.keys(COLOUR).map((role): [string, Look] => {
    if (role === "select") return [role, { reverse: true }];
    return [role, ["title", "focus", "key", "error", "heading"].includes(role) ? { bold: true } : {}];
  }),
) as Theme;

/** The themes by name, in the order in which the key `T` walks through them. */
export const THEMES = { "standard": COLOUR, "colour-blind": COLOUR_BLIND, "monochrome": MONOCHROME } as const;
export type ThemeName = keyof typeof THEMES;
export const THEME_NAMES = Object.keys(THEMES) as readonly ThemeName[];

/** Tagged text as text with SGR escapes, every run self-contained so that a line can be cut between runs. */
export function toSgr(text: string, theme: Theme): string {
  // Tags nest, escapes do not: each change writes the sum of what is open.
  const stack: Look[] = [];
  let out = "";
  for (const char of text) {
    const tag = tagOf(char);
    if (tag === null) out += char;
    else {
      if (tag === "close") stack.pop();
      else stack.push(theme[tag]);
      out += sgr(stack);
    }
  }
  return out;
}

function sgr(stack: readonly Look[]): string {
  let codes = "0";
  let fg: number | undefined;
  let bg: number | undefined;
  let bold = false;
  let reverse = false;
  for (const look of stack) {
    fg = look.fg ?? fg;
    bg = look.bg ?? bg;
    bold ||= look.bold ?? false;
    reverse ||= look.reverse ?? false;
  }
  if (bold) codes += ";1";
  if (reverse) codes += ";7";
  if (fg !== undefined) codes += `;38;5;${fg}`;
  if (bg !== undefined) codes += `;48;5;${bg}`;
  return `\x1b[${codes}m`;
}
