import { Guard } from "../guest/guard.ts";
import type { EditedText } from "./program_edits.ts";

/*
 * Where in a program's own text something is. The runtime knows its modules by URLs that are random, in errors too, and
 * these are not for the program: what it writes of an error must be the same in every run.
 */

/** A place in a module that was imported from a Blob. */
const PLACE = /(blob:null\/[\w-]+):(\d+):(\d+)/;

/** The modules of one instance of a program, by their URLs. */
export class ProgramPlaces {
  readonly #modules = new Map<string, { readonly file: string; readonly text: EditedText }>();
  /** Stacks that the program has looked at have lost their URLs. */
  readonly #known = new WeakMap<object, string>();

  add(url: string, file: string, text: EditedText): void {
    this.#modules.set(url, { file, text });
  }

  /** `file:line:column` of an error's origin in the program; null when it has none there. */
  locate = (error: unknown): string | null => {
    if (!(error instanceof Error)) return null;
    const { stack = "" } = error; // may be what makes it known
    return this.#known.get(error) ?? this.placeIn(stack);
  };

  /** The first place of a text that is in the program. */
  placeIn(text: string): string | null {
    for (const match of text.matchAll(new RegExp(PLACE, "g"))) {
      const place = this.#placeOf(match);
      if (place !== null) return place;
    }
    return null;
  }

  /** What the program may see of an error's stack: its own part of it, with its own lines and columns. */
  stackOf(error: object, frames: readonly string[]): string {
    const lines = frames.flatMap((frame) => {
      const place = this.placeIn(frame);
      if (place === null) return [];
      if (!this.#known.has(error)) this.#known.set(error, place);
      return [`    at ${frame.replace(PLACE, () => place)}`];
    });
    return [headOf(error), ...lines].join("\n");
  }

  #placeOf([, url, line, column]: RegExpMatchArray): string | null {
    const module = this.#modules.get(url);
    if (module === undefined) return null;
    return `${module.file}:${line}:${module.text.originalColumn(Number(line), Number(column))}`;
  }
}

function headOf(error: object): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

/** The places of each program that is loaded, by its guard. */
const places = new WeakMap<Guard, ProgramPlaces>();

/**
 * From now on, `stack` is for the program of this guard, while it runs, what {@link ProgramPlaces.stackOf} says; for
 * everybody else it is the runtime's text. V8 asks when an error's stack is first looked at.
 */
export function hideStacks(guard: Guard, own: ProgramPlaces): void {
  places.set(guard, own);
  Error.prepareStackTrace = (error, frames) => {
    const texts = frames.map(String);
    const seenBy = Guard.running === null ? undefined : places.get(Guard.running);
    return seenBy?.stackOf(error, texts) ?? [headOf(error), ...texts.map((text) => `    at ${text}`)].join("\n");
  };
}
