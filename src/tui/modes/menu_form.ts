import { didYouMean } from "../../base/suggest.ts";
import type { Input } from "../../cluster/input.ts";
import { inputText } from "../../cluster/input_text.ts";

/* Entries of the menu "change the world" as forms: fields with defaults, and what becomes of their values. */

export const GROUPS = ["Links", "Hosts", "Guests", "Cluster", "Active"] as const;

/** One thing that can be done to the world. */
export interface Entry {
  readonly id: string;
  readonly group: typeof GROUPS[number];
  readonly title: string;
  /** What it is, or how it is at present, in the list. */
  readonly note: string;
  /** The fields of its form; a default may depend on what the fields before it say. */
  fields(values: Values): readonly Field[];
  /** Throws an Error with a printable message when a value makes no sense. */
  input(values: Values): Input;
  /** What it will do, in words; without it, those of the input. */
  words?(values: Values): string;
}

/** Values of a form by field; every field has one. */
export type Values = Readonly<Record<string, string>>;

export interface Field {
  readonly key: string;
  readonly label: string;
  readonly initial: string;
  /** What the arrows walk through. */
  readonly choices: readonly string[];
  /** Nothing but one of the choices will do; typed text looks for one. */
  readonly isStrict?: boolean;
  /** Defaults of the fields after it depend on it. */
  readonly leads?: boolean;
  /** Unit behind the value, or what it is. */
  readonly hint?: string;
}

/** Something of the menu that cannot be; the message is ready to show. */
export class MenuError extends Error {
  override name = "MenuError";
}

/** Every field's value: what was typed, or its default. */
export function valuesOf(entry: Entry, typed: Values): Values {
  let values: Values = {};
  // A default may depend on the fields before it: a field is asked for with these alone.
  for (let i = 0; i < entry.fields(values).length; i++) {
    const { key, initial } = entry.fields(values)[i];
    values = { ...values, [key]: typed[key] ?? initial };
  }
  return values;
}

/** What the entry will do with these values, and in words; or what is wrong with them. */
export function outcomeOf(entry: Entry, typed: Values): { words: string; input: Input } | { problem: string } {
  const values = valuesOf(entry, typed);
  try {
    for (const { key, label, choices, isStrict } of entry.fields(values)) {
      if (choices.length === 0 && isStrict) throw new MenuError(`there is no ${label} to choose`);
      if (!isStrict || choices.includes(values[key])) continue;
      throw new MenuError(`no ${label} ${JSON.stringify(values[key])}${didYouMean(values[key], choices)}`);
    }
    const input = entry.input(values);
    return { input, words: entry.words?.(values) ?? sentence(inputText(input)) };
  } catch (error) {
    if (!(error instanceof Error) || !["MenuError", "QuantityError"].includes(error.name)) throw error;
    return { problem: error.message };
  }
}

/** A whole number above 0. Throws {@link MenuError}. */
export function whole(text: string, what: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new MenuError(`${what}: found ${JSON.stringify(text)}, wanted a whole number above 0`);
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
