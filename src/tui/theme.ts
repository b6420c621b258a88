import { type Role, tagOf } from "./text.ts";

/** How a role looks: a colour of the 256 (none: the terminal's own), and attributes. */
interface Look {
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
export const PATH_LOOKS = {
  path1: { fg: 107 },
  path2: { fg: 75 },
  path3: { fg: 175 },
  path4: { fg: 208 },
  path5: { fg: 160 },
  path6: { fg: 63 },
  path7: { fg: 163 },
  path8: { fg: 95 },
} as const;

/**
 * Warm colours are what virtualisation costs (driver domain, hypervisor, steal), cool ones are the work itself
 * (guests, host, user, kernel), red is wrong. Chosen from the 256-colour cube to stay readable on black and white.
 */
export const COLOUR: Theme = {
  title: { bold: true },
  dim: { fg: 244 },
  frame: { fg: 240 },
  focus: { fg: 75, bold: true },
  key: { fg: 75, bold: true },
  ok: { fg: 71 },
  warn: { fg: 178 },
  error: { fg: 203, bold: true },
  accent: { fg: 75 },
  select: { bg: 237, bold: true },
  heading: { fg: 250, bold: true },
  user: { fg: 71 },
  kernel: { fg: 68 },
  irq: { fg: 176 },
  hypervisor: { fg: 208 },
  steal: { fg: 203 },
  host: { fg: 68 },
  dom0: { fg: 178 },
  guest: { fg: 71 },
  p50: { fg: 75 },
  p99: { fg: 208 },
  throughput: { fg: 71 },
  link: { fg: 178 },
  stage: { fg: 74 },
  ...PATH_LOOKS,
};

/** NO_COLOR: weight and reverse only; the views use different glyphs where colour alone would carry meaning. */
export const MONOCHROME: Theme = Object.fromEntries(
  Object.keys(COLOUR).map((role): [string, Look] => {
    if (role === "select") return [role, { reverse: true }];
    return [role, ["title", "focus", "key", "error", "heading"].includes(role) ? { bold: true } : {}];
  }),
) as Theme;

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
