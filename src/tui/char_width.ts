/*
 * Columns of a character as terminals count them: views, the painter and the terminal must agree, or frames break. Titles,
 * captions, what guest programs print and what users type can have any character.
 */

/** Accents, vowel signs, joiners, selectors: they join the character before. The second half of Hangul does too. */
const JOINING = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;
/** Emoji that are shown as such without being asked to; single letters of flags are not among them. */
const EMOJI = /(?![\u{1f1e6}-\u{1f1ff}])\p{Emoji_Presentation}/u;
/** Ideographs, kana, Hangul, full-width forms. */
const WIDE = new RegExp(
  "[\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\u4dbf\\u4e00-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff" +
    "\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18aff}\\u{1b000}-\\u{1b2ff}" +
    "\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]",
  "u",
);

/** What was asked for before: a screen is drawn with the same few characters all the time. */
const known = new Map<number, 0 | 1 | 2>();

/** Columns of a code point: 0 for marks that join the one before, 2 for ideographs and the like. */
export function columnsOf(code: number): 0 | 1 | 2 {
  // Nearly all that is ever drawn: ASCII, arrows, frames and blocks.
  if (code < 0x300 || (code >= 0x2100 && code < 0x2300) || (code >= 0x2400 && code < 0x25fd)) return 1;
  let columns = known.get(code);
  if (columns === undefined) known.set(code, columns = lookUp(String.fromCodePoint(code)));
  return columns;
}

function lookUp(char: string): 0 | 1 | 2 {
  if (JOINING.test(char)) return 0;
  return WIDE.test(char) || EMOJI.test(char) ? 2 : 1;
}
